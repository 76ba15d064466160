//! Networks and servers that do to a client what real ones do.

#![expect(clippy::unwrap_used, reason = "a server that cannot be started fails its test")]

pub mod faulty_proxy;
pub mod http_server;
pub mod silent_resolver;
pub mod tls_server;
