//! The operations of the store over a database that other machines share.
//!
//! No transaction stays open across the network. An operation runs against readings that are
//! fetched as it asks for them; its writes are collected, and one request commits them all,
//! provided that every row it had read is still the same. Otherwise the operation runs again.
//!
//! Invariants:
//! - What an operation returns was committed, or was read and nothing had to be committed.
//! - A commit whose answer is lost is repeated under the same operation id, and then returns what
//!   the first one did.
//! - An operation may run several times, so it changes nothing but through its transaction.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `protocol` | requests and answers as JSON |
//! | `steps` | what an operation has read and wants to write |
//! | `read_ahead` | reads that were announced, and rows that came with another answer |
//! | `ending` | how far a run of an operation has come, and how it ends |
//! | `transaction` | the transaction that an operation works on |
//! | `rows` | rows of an answer, and their digest |
//! | `engine` | running an operation until it is committed or the deadline has passed |

mod ending;
mod engine;
mod protocol;
mod read_ahead;
mod remembered_rows;
mod rows;
mod steps;
mod transaction;

pub use engine::{ExchangeEngine, RemoteStore};
pub use transaction::ExchangeTx;
