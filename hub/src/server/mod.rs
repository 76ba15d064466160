//! Listening, and what is answered at which path.

mod bounded_writes;
mod connections;
mod listener;
mod record_request;
mod router;
mod shutdown;
mod tls;

pub(crate) use listener::{ServerError, listen};
pub(crate) use router::build_router;
pub(crate) use shutdown::watch_signals;
pub(crate) use tls::{TlsFiles, TlsIdentity};
