//! The operations of the store, carried out by a hub.
//!
//! Each operation is one request: `POST /rpc/<operation>` with its arguments, as
//! [`trueup_core::store::operations`] describes them. The hub works on its own database, so nothing
//! is read ahead or remembered here.
//!
//! Invariants:
//! - An operation whose answer is lost is sent again under the same operation id until the deadline,
//!   and then returns what the first one did.
//! - What the hub's store refuses arrives as the error that it was there.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `transport` | one request to a hub |
//! | `reply` | what a hub's answer means |
//! | `link` | sending an operation until it is answered or the deadline has passed |
//! | `hub_store` | the operations |
//! | `command_store` | what only commands ask |

mod command_store;
mod hub_store;
mod link;
mod reply;
mod transport;

pub use hub_store::HubStore;
pub use reply::HubReply;
pub use transport::HubTransport;
pub(crate) use transport::{HttpsHub, HubCaller};
