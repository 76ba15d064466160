//! One POST to an address of the user's that is no database: what a hub tells others.

mod client;
mod url;

pub use client::{PostClient, PostError};
pub(crate) use client::{describe_error, start_client};
pub use url::{PostUrl, PostUrlError};
