//! Serving connections: how many, how long they may take to say what they want, and how they end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::{Request, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;

use super::TlsIdentity;
use super::bounded_writes::BoundedWrites;
use crate::metrics::Metrics;

/// How long a client may take for the headers of a request, or for TLS.
const HEADER_PATIENCE: Duration = Duration::from_secs(10);

/// How long a client may take nothing of what is sent to it. It may read slowly; one that does not
/// read would keep its connection for ever.
const STALL_PATIENCE: Duration = Duration::from_secs(20);

/// How long requests that are being answered have when the server is stopped.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(10);

/// The pause after a connection could not be accepted: the process may have no file handle left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Longest headers of a request, in bytes.
const MAX_HEADER_BYTES: usize = 32 * 1024;

/// Most streams of one HTTP/2 connection.
const MAX_STREAMS: u32 = 128;

/// What connections may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) max_connections: usize,
}

/// Serves connections until it is told to stop, and then waits for those that are being answered.
pub(super) async fn serve_connections(
    socket: TcpListener,
    router: Router,
    metrics: &Arc<Metrics>,
    tls: Option<TlsIdentity>,
    limits: Limits,
    mut shutdown: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(limits.max_connections));
    let mut connections = JoinSet::new();
    let stopping = shutdown.clone();
    loop {
        // The system keeps those waiting that have no place.
        let place = Arc::clone(&places).acquire_owned();
        let accepted = async { (place.await, socket.accept().await) };
        tokio::select! {
            _ = shutdown.wait_for(|stopped| *stopped) => break,
            (place, accepted) = accepted => match (place, accepted) {
                (Ok(place), Ok((stream, peer))) => {
                    let connection = Connection {
                        router: router.clone(),
                        peer,
                        metrics: Arc::clone(metrics),
                        _place: place,
                    };
                    connections.spawn(connection.serve_stream(stream, tls.clone(), stopping.clone()));
                }
                _ => sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(socket);
    let _ = timeout(SHUTDOWN_PATIENCE, async { while connections.join_next().await.is_some() {} })
        .await;
}

/// One connection, while it is served.
struct Connection {
    router: Router,
    peer: SocketAddr,
    metrics: Arc<Metrics>,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    async fn serve_stream(
        self,
        stream: TcpStream,
        tls: Option<TlsIdentity>,
        shutdown: watch::Receiver<bool>,
    ) {
        // Events are small, and each is wanted at once.
        let _ = stream.set_nodelay(true);
        let stream = BoundedWrites::new(stream, STALL_PATIENCE);
        self.metrics.connections.inc();
        match tls {
            None => self.answer(stream, shutdown).await,
            Some(identity) => {
                let accepting = timeout(HEADER_PATIENCE, identity.acceptor.accept(stream)).await;
                // Whoever does not speak TLS finds out by themselves.
                if let Ok(Ok(stream)) = accepting {
                    self.answer(stream, shutdown).await;
                }
            }
        }
        self.metrics.connections.dec();
    }

    async fn answer(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        mut shutdown: watch::Receiver<bool>,
    ) {
        let peer = self.peer;
        let router = self.router.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().oneshot(request)
        });
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_PATIENCE)
            .max_buf_size(MAX_HEADER_BYTES);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(u32::try_from(MAX_HEADER_BYTES).unwrap_or(u32::MAX))
            .keep_alive_interval(Some(HEADER_PATIENCE * 3));
        let serving = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        tokio::pin!(serving);
        tokio::select! {
            // A client that breaks off is nobody's error.
            _ = serving.as_mut() => return,
            _ = shutdown.wait_for(|stopped| *stopped) => {}
        }
        serving.as_mut().graceful_shutdown();
        let _ = serving.await;
    }
}
