//! One POST to an address of the user's that is no database: what a hub tells others.

mod client;
mod url;

pub use client::{PostClient, PostError};
pub use url::{PostUrl, PostUrlError};
