//! TLS over a blocking stream, on the server's side.

use std::io::{Read, Write};
use std::net::TcpStream;

use rustls::{ServerConnection, StreamOwned};

use crate::certificates::Identity;
use crate::tls::server_config;

/// A stream of either kind.
pub trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

/// Answers a TLS handshake with an identity.
pub fn accept_tls(stream: TcpStream, identity: &Identity) -> impl Stream + use<> {
    StreamOwned::new(ServerConnection::new(server_config(identity)).unwrap(), stream)
}
