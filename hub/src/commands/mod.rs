//! What `trueup-hub` can be asked to do.

pub(crate) mod check;
pub(crate) mod serve;
pub(crate) mod token;
