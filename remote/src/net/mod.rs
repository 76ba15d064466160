//! What both transports need of the network.

mod bounded_stream;
mod name_lookup;
mod progress;
mod runtime;

pub(crate) use bounded_stream::{AnswerTooLarge, BoundedStream, ReadBudget};
pub(crate) use name_lookup::{NameNotFound, look_up};
pub(crate) use progress::Progress;
pub(crate) use runtime::NetworkRuntime;
