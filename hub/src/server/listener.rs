//! The socket on which the hub listens.

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::sync::watch;

use super::TlsIdentity;
use super::build_router;
use super::connections::{Limits, serve_connections};
use crate::hub_state::HubState;

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServerError {
    /// The address cannot be listened on.
    #[error("{address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        source: std::io::Error,
    },
}

/// A server that listens and does not answer yet.
pub(crate) struct Listening {
    socket: TcpListener,
    /// The address on which it listens.
    pub(crate) address: SocketAddr,
}

/// Begins to listen.
///
/// # Errors
///
/// When the address is taken, or none of this machine.
pub(crate) async fn listen(address: SocketAddr) -> Result<Listening, ServerError> {
    let fail = |source| ServerError::Listen { address, source };
    let socket = TcpListener::bind(address).await.map_err(fail)?;
    let address = socket.local_addr().map_err(fail)?;
    Ok(Listening { socket, address })
}

impl Listening {
    /// Answers until it is told to stop, and then what was asked before.
    pub(crate) async fn answer_requests(
        self,
        state: &HubState,
        tls: Option<TlsIdentity>,
        max_connections: usize,
        shutdown: watch::Receiver<bool>,
    ) {
        let router = build_router(state.clone());
        let limits = Limits { max_connections };
        serve_connections(self.socket, router, &state.metrics, tls, limits, shutdown).await;
    }
}
