//! Connects to the first host of a URL that will do.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_postgres::Error;
use tokio_postgres::config::SslMode as WireSslMode;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres_rustls::MakeRustlsConnect;
use trueup_core::deadline::Deadline;

use super::failure::explain_error;
use super::session::{Route, RunningStatement, Session};
use crate::error::{Activity, FailureKind, TransportError, classify_io};
use crate::net::{BoundedStream, Progress, ReadBudget, look_up};
use crate::tls::PeerCertificate;
use crate::url::{PostgresHost, PostgresUrl, SslMode, UnusedFile};

/// A TCP connection or a local socket.
trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Socket for S {}

/// The stream under a connection.
type Stream = BoundedStream<Box<dyn Socket>>;

/// What a connection is made with.
pub(super) struct Connector<'a> {
    pub(super) url: &'a PostgresUrl,
    pub(super) tls: &'a MakeRustlsConnect,
    pub(super) peer: &'a PeerCertificate,
    pub(super) budget: &'a ReadBudget,
    pub(super) progress: &'a Progress,
}

impl Connector<'_> {
    /// Connects to the hosts in order, until one does.
    ///
    /// The time that is left is shared, so that a host that does not answer leaves some for the
    /// next one.
    pub(super) async fn open_session(&self, deadline: Deadline) -> Result<Session, TransportError> {
        let hosts = &self.url.hosts;
        let mut failure: Option<TransportError> = None;
        for (number, (host, port)) in hosts.iter().enumerate() {
            self.progress.turn_to(self.url.address_of(host, *port));
            let share = share_of(deadline, hosts.len() - number);
            let limit = self.url.connect_timeout().map_or(share, |limit| limit.min(share));
            let attempt = self.connect_to_host(number, host, *port, Deadline::after(limit));
            let outcome = timeout(limit, attempt).await;
            match outcome.unwrap_or_else(|_| Err(self.progress.timed_out())) {
                Ok(session) => return Ok(session),
                // What a server that answered has decided, the others of a cluster would too.
                Err(error) if !error.kind.is_about_host() => return Err(error),
                // A standby that takes over tells more than a host that is gone.
                Err(error)
                    if error.is_outage()
                        || !failure.as_ref().is_some_and(TransportError::is_outage) =>
                {
                    failure = Some(error);
                }
                Err(_) => {}
            }
        }
        Err(failure.unwrap_or_else(|| self.progress.failure(FailureKind::NameNotFound)))
    }

    async fn connect_to_host(
        &self,
        number: usize,
        host: &PostgresHost,
        port: u16,
        deadline: Deadline,
    ) -> Result<Session, TransportError> {
        let session = match host {
            PostgresHost::Socket(directory) => {
                let stream = self.connect_socket(directory, port).await?;
                let route = Route::Socket { directory: directory.clone(), port };
                self.log_in(stream, route, WireSslMode::Disable).await?
            }
            PostgresHost::Tcp(name) => {
                let addresses = self.find_addresses(number, name, port).await?;
                self.connect_by_tcp(name, &addresses, deadline).await?
            }
        };
        session.check_attributes(self.url.session_attributes, self.progress).await?;
        Ok(session)
    }

    async fn find_addresses(
        &self,
        number: usize,
        name: &str,
        port: u16,
    ) -> Result<Vec<SocketAddr>, TransportError> {
        if let Some(address) = self.url.addresses.get(number) {
            return Ok(vec![SocketAddr::new(*address, port)]);
        }
        self.progress.begin(Activity::LookingUpName);
        let found = look_up(name, port).await;
        found.map_err(|error| self.progress.failure_from(FailureKind::NameNotFound, error))
    }

    /// Connects and logs in, with TLS as `sslmode` says.
    async fn connect_by_tcp(
        &self,
        name: &str,
        addresses: &[SocketAddr],
        deadline: Deadline,
    ) -> Result<Session, TransportError> {
        let mode = match self.url.ssl_mode {
            SslMode::Disable => WireSslMode::Disable,
            SslMode::Prefer => WireSslMode::Prefer,
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => WireSslMode::Require,
        };
        let route = || Route::Tcp { name: name.to_owned(), addresses: addresses.to_vec() };
        let stream = self.connect_tcp(addresses, deadline).await?;
        match self.log_in(stream, route(), mode).await {
            // `prefer` does without TLS where TLS is what the server does not like.
            Err(error) if mode == WireSslMode::Prefer && self.peer_or_tls_failed(&error.kind) => {
                let stream = self.connect_tcp(addresses, deadline).await?;
                self.log_in(stream, route(), WireSslMode::Disable).await
            }
            other => other,
        }
    }

    fn peer_or_tls_failed(&self, kind: &FailureKind) -> bool {
        match kind {
            FailureKind::Tls(_) => true,
            FailureKind::NotAdmitted => self.peer.is_known(),
            _ => false,
        }
    }

    async fn connect_tcp(
        &self,
        addresses: &[SocketAddr],
        deadline: Deadline,
    ) -> Result<Stream, TransportError> {
        self.progress.begin(Activity::Connecting);
        let mut failure = None;
        for (number, address) in addresses.iter().enumerate() {
            let share = share_of(deadline, addresses.len() - number);
            match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // Without it, small requests wait for each other; nothing else fails.
                    let _ = stream.set_nodelay(true);
                    return Ok(self.bound(Box::new(stream)));
                }
                Ok(Err(error)) => {
                    let kind = classify_io(&error, Activity::Connecting);
                    failure = Some(self.progress.failure_from(kind, error));
                }
                Err(_) => failure = Some(self.progress.timed_out()),
            }
        }
        Err(failure.unwrap_or_else(|| self.progress.failure(FailureKind::NameNotFound)))
    }

    async fn connect_socket(&self, directory: &Path, port: u16) -> Result<Stream, TransportError> {
        self.progress.begin(Activity::Connecting);
        let path = directory.join(format!(".s.PGSQL.{port}"));
        let stream = UnixStream::connect(path).await.map_err(|error| {
            self.progress.failure_from(classify_io(&error, Activity::Connecting), error)
        })?;
        Ok(self.bound(Box::new(stream)))
    }

    fn bound(&self, stream: Box<dyn Socket>) -> Stream {
        self.budget.renew();
        BoundedStream::new(stream, self.budget.clone())
    }

    async fn log_in(
        &self,
        stream: Stream,
        route: Route,
        mode: WireSslMode,
    ) -> Result<Session, TransportError> {
        self.progress.begin(Activity::LoggingIn);
        self.peer.forget();
        let mut config = self.url.config.clone();
        config.ssl_mode(mode);
        let tls = self.tls_to(&route);
        let (client, connection) =
            config.connect_raw(stream, tls).await.map_err(|error| self.explain_login(error))?;
        Ok(Session::new(client, connection, route))
    }

    fn explain_login(&self, error: Error) -> TransportError {
        let mut error = explain_error(error, self.progress);
        if let (FailureKind::PasswordMissing, Some(unused)) = (&error.kind, &self.url.unused_file) {
            let UnusedFile { path, problem } = unused.clone();
            error.kind = FailureKind::PasswordFileUnusable { file: path, problem };
        }
        error
    }

    fn tls_to(&self, route: &Route) -> <MakeRustlsConnect as MakeTlsConnect<Stream>>::TlsConnect {
        let name = match route {
            Route::Socket { .. } => "",
            Route::Tcp { name, .. } => name,
        };
        let mut tls = self.tls.clone();
        let Ok(connect) = MakeTlsConnect::<Stream>::make_tls_connect(&mut tls, name);
        connect
    }

    /// Asks the server to stop a statement that nobody waits for any more. The server would go on
    /// with it, or wait for a lock, although the connection is closed.
    pub(super) async fn cancel(&self, statement: RunningStatement, deadline: Deadline) {
        let RunningStatement { token, route } = statement;
        let stream = match &route {
            Route::Socket { directory, port } => self.connect_socket(directory, *port).await,
            Route::Tcp { addresses, .. } => self.connect_tcp(addresses, deadline).await,
        };
        // A server that cannot be reached is not told.
        if let Ok(stream) = stream {
            let _ = token.cancel_query_raw(stream, self.tls_to(&route)).await;
        }
    }
}

/// Returns an even share of the time that is left.
fn share_of(deadline: Deadline, shares: usize) -> Duration {
    deadline.remaining() / u32::try_from(shares.max(1)).unwrap_or(u32::MAX)
}
