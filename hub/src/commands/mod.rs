//! What `trueup-hub` can be asked to do.

pub(crate) mod check;
pub(crate) mod man;
pub(crate) mod serve;
pub(crate) mod token;
