//! Every operation of the store as a request and an answer that can be sent over a network.
//!
//! A request is a JSON object with the arguments of the operation by name; an answer is the JSON of
//! what the operation returns, an error that of a [`WireError`]. [`for_each_operation`] is the one
//! list of operations, from which a server makes what it serves and a client what it calls: an
//! operation that is missing there does not compile in the client.
//!
//! Client and server may be one version apart, in both directions:
//!
//! - Unknown fields are ignored, in requests and in answers. No type of either may deny them.
//! - A new field of a request or an answer is optional or has `#[serde(default)]`.
//! - A field, a variant, or an operation is neither renamed nor removed while a version that uses it
//!   is still served. `tests/fixtures/rpc` has one request and one answer of each operation as they
//!   were recorded; they have to stay readable.
//! - A server refuses an operation that it does not know by name, so that the client can say which
//!   side is older.
//!
//! [`for_each_operation`]: crate::for_each_operation

mod operation_ids;
mod table;
mod wire_error;

pub use operation_ids::OperationIds;
pub use wire_error::WireError;

/// The types that the arguments and answers in the table of operations name.
pub mod prelude {
    pub use serde_json::{Map, Value as Json};

    pub use crate::deadline::Deadline;
    pub use crate::model::phase::{NewPhases, StuckPhase};
    pub use crate::model::*;
    pub use crate::outbox::PendingWrite;
    pub use crate::store::operations::OperationIds;
    pub use crate::store::*;
}
