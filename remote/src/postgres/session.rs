//! A connection after its login.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::{AsyncMessage, CancelToken, Client, Connection, Error, SimpleQueryMessage};

use super::failure::{explain_error, is_fatal};
use crate::error::{FailureKind, TransportError};
use crate::net::Progress;
use crate::url::SessionAttributes;

/// How long a connection may lie unused before it is looked at again.
const IDLE: Duration = Duration::from_millis(100);

/// How long to look: the time that the runtime needs to see an end that has already arrived.
const GLANCE: Duration = Duration::from_millis(1);

/// What tells whether a server is a standby, and whether it takes writes.
const ATTRIBUTES_QUERY: &str =
    "SELECT pg_catalog.pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'";

/// Where a connection leads, for another one to the same server.
#[derive(Debug, Clone)]
pub(super) enum Route {
    Socket { directory: PathBuf, port: u16 },
    Tcp { name: String, addresses: Vec<SocketAddr> },
}

/// What stops the statement that a connection waits for.
pub(super) struct RunningStatement {
    pub(super) token: CancelToken,
    pub(super) route: Route,
}

/// A connection after its login.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) client: Client,
    route: Route,
    /// Ends when the connection does, and tells why.
    connection: JoinHandle<Result<(), Error>>,
    /// Whether the server notified of something it was told to listen for.
    notified: Arc<Notify>,
    last_used: Instant,
}

impl Session {
    /// Takes a connection, which is driven by a task of its own.
    pub(super) fn new<S, T>(client: Client, connection: Connection<S, T>, route: Route) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let notified = Arc::new(Notify::new());
        let connection = tokio::spawn(drive(connection, Arc::clone(&notified)));
        Self { client, route, connection, notified, last_used: Instant::now() }
    }

    /// Waits until the server notifies.
    pub(super) async fn await_notice(&self) {
        self.notified.notified().await;
    }

    /// Returns what stops a statement on this connection.
    pub(super) fn running_statement(&self) -> RunningStatement {
        RunningStatement { token: self.client.cancel_token(), route: self.route.clone() }
    }

    pub(super) fn mark_used(&mut self) {
        self.last_used = Instant::now();
    }

    /// Returns whether the connection can be used: a request on one that the server has closed
    /// would fail without telling whether it was carried out.
    pub(super) async fn is_alive(&mut self) -> bool {
        if self.client.is_closed() || self.connection.is_finished() {
            return false;
        }
        self.last_used.elapsed() < IDLE || timeout(GLANCE, &mut self.connection).await.is_err()
    }

    /// Turns the error of a request into one for the caller; returns as well whether the
    /// connection can still be used.
    pub(super) async fn explain(
        &mut self,
        error: Error,
        progress: &Progress,
    ) -> (TransportError, bool) {
        // The request only knows that the connection ended; the connection knows why.
        if error.is_closed()
            && let Ok(Err(reason)) = (&mut self.connection).await
        {
            return (explain_error(reason, progress), false);
        }
        let is_usable = error.as_db_error().is_some_and(|error| !is_fatal(error));
        let error = explain_error(error, progress);
        let is_usable = is_usable && error.kind != FailureKind::ReadOnly;
        (error, is_usable)
    }

    /// Checks that the server is what the URL asks for.
    pub(super) async fn check_attributes(
        &self,
        wanted: SessionAttributes,
        progress: &Progress,
    ) -> Result<(), TransportError> {
        if wanted == SessionAttributes::Any {
            return Ok(());
        }
        let answer = self.client.simple_query(ATTRIBUTES_QUERY).await;
        let messages = answer.map_err(|error| explain_error(error, progress))?;
        let row = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let is_true = |column| row.and_then(|row| row.get(column)) == Some("t");
        let (is_standby, is_read_only) = (is_true(0), is_true(1));
        let (is_wanted, name) = match wanted {
            SessionAttributes::Any => (true, "any"),
            SessionAttributes::ReadWrite => (!is_standby && !is_read_only, "read-write"),
            SessionAttributes::ReadOnly => (is_standby || is_read_only, "read-only"),
            SessionAttributes::Primary => (!is_standby, "primary"),
            SessionAttributes::Standby => (is_standby, "standby"),
        };
        if is_wanted {
            Ok(())
        } else {
            Err(progress.failure(FailureKind::WrongSessionAttributes(name)))
        }
    }
}

/// Carries what is sent and received until the connection ends.
async fn drive<S, T>(mut connection: Connection<S, T>, notified: Arc<Notify>) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notification(_) = message? {
            notified.notify_one();
        }
    }
    Ok(())
}

impl Drop for Session {
    /// The task would otherwise wait for a server that does not answer.
    fn drop(&mut self) {
        self.connection.abort();
    }
}
