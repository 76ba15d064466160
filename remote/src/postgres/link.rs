//! A connection that is made when it is needed, kept, and made again when it is broken.

use std::fmt;
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::{Client, Error};
use tokio_postgres_rustls::MakeRustlsConnect;
use trueup_core::deadline::Deadline;
use trueup_core::settings::TlsRoots;

use super::connecting::Connector;
use super::session::{RunningStatement, Session};
use crate::error::{Activity, FailureKind, TransportError};
use crate::net::{NetworkRuntime, Progress, ReadBudget};
use crate::tls::{CertificateCheck, PeerCertificate, RootSource, build_client};
use crate::transport::MAX_ANSWER_BYTES;
use crate::url::{PostgresUrl, SslMode};

/// What the network may add to an answer, in bytes: the frames of protocol and TLS.
const FRAME_BYTES: u64 = MAX_ANSWER_BYTES / 16;

/// How long a server is given to hear that a statement is to be stopped. The caller's deadline has
/// passed, so it is short.
const CANCEL_LIMIT: Duration = Duration::from_millis(500);

/// The link to a database.
pub(super) struct PostgresLink {
    url: PostgresUrl,
    pub(super) runtime: NetworkRuntime,
    tls: MakeRustlsConnect,
    pub(super) peer: PeerCertificate,
    pub(super) budget: ReadBudget,
    pub(super) progress: Progress,
    pub(super) session: Option<Session>,
    /// The statement that is waited for.
    running: Option<RunningStatement>,
}

impl PostgresLink {
    /// Prepares a link without connecting.
    ///
    /// # Errors
    ///
    /// When the trusted authorities cannot be loaded.
    pub(super) fn new(url: PostgresUrl, roots: TlsRoots) -> Result<Self, TransportError> {
        // A parsed URL has a host.
        let address = url.hosts.first().map(|(host, port)| url.address_of(host, *port));
        let progress = Progress::new(address.unwrap_or_else(|| url.address_without_host()));
        let (check, source) = check_and_roots(&url, roots);
        let trusted = source.load().map_err(|kind| progress.failure(kind))?;
        let tls = build_client(trusted, check)
            .map_err(|error| progress.failure_from(FailureKind::Local(error.to_string()), error))?;
        let runtime = NetworkRuntime::new().map_err(|error| {
            progress.failure_from(FailureKind::Local(error.kind().to_string()), error)
        })?;
        Ok(Self {
            url,
            runtime,
            tls: MakeRustlsConnect::new(tls.config),
            peer: tls.peer,
            budget: ReadBudget::new(MAX_ANSWER_BYTES + FRAME_BYTES),
            progress,
            session: None,
            running: None,
        })
    }

    /// Runs `work` on the kept connection, or on a new one.
    ///
    /// # Errors
    ///
    /// When there is no connection, when `work` fails, or when the deadline passes.
    pub(super) fn run<T>(
        &mut self,
        deadline: Deadline,
        work: &impl AsyncFn(&Client) -> Result<T, Error>,
    ) -> Result<T, TransportError> {
        let Self { url, runtime, tls, peer, budget, progress, session, running } = self;
        let connector = Connector { url, tls, peer, budget, progress };
        let outcome = runtime.run(deadline, progress, async {
            // It goes back only if it is still usable; a deadline drops it with all else.
            let mut kept = session.take();
            if let Some(idle) = &mut kept
                && !idle.is_alive().await
            {
                kept = None;
            }
            let was_kept = kept.is_some();
            let used = match kept {
                Some(kept) => kept,
                None => connector.open_session(deadline).await?,
            };
            let (outcome, used) = run_once(used, running, budget, progress, work).await;
            // A server that a kept connection leads to may have become a standby since.
            let moved = |error: &TransportError| error.kind == FailureKind::ReadOnly && was_kept;
            if outcome.as_ref().is_err_and(moved) {
                let fresh = connector.open_session(deadline).await?;
                let (outcome, used) = run_once(fresh, running, budget, progress, work).await;
                *session = used;
                return outcome;
            }
            *session = used;
            outcome
        });
        // The deadline passed while the server was at work.
        if let Some(statement) = running.take() {
            let limit = Deadline::after(CANCEL_LIMIT);
            let cancel = async {
                connector.cancel(statement, limit).await;
                Ok(())
            };
            // Nothing is lost but the server's time if it cannot be told.
            let _ = runtime.run(limit, progress, cancel);
        }
        outcome
    }

    /// Connects if there is no connection.
    ///
    /// # Errors
    ///
    /// Those of [`Self::run`].
    pub(super) fn connect(&mut self, deadline: Deadline) -> Result<(), TransportError> {
        self.run(deadline, &async |_: &Client| Ok(()))
    }

    /// Whether there is a connection that the server has not closed.
    pub(super) fn is_connected(&mut self) -> bool {
        let Self { runtime, progress, session, .. } = self;
        let Some(session) = session else {
            return false;
        };
        let look = async { Ok(session.is_alive().await) };
        runtime.run(Deadline::after(CANCEL_LIMIT), progress, look).unwrap_or(false)
    }

    /// Waits until the server notifies of what it was told to listen for; returns whether it did.
    ///
    /// # Errors
    ///
    /// When there is no connection any more.
    pub(super) fn wait_for_notice(&mut self, patience: Duration) -> Result<bool, TransportError> {
        let Self { runtime, budget, progress, session, .. } = self;
        let Some(session) = session else {
            return Ok(false);
        };
        budget.renew();
        // The deadline is behind the wait, which ends by itself.
        runtime.run(Deadline::after(patience * 2), progress, async {
            Ok(timeout(patience, session.await_notice()).await.is_ok())
        })
    }

    pub(super) fn has_several_hosts(&self) -> bool {
        self.url.hosts.len() > 1
    }

    /// Returns an error about the server that was spoken to last.
    pub(super) fn failure(&self, kind: FailureKind) -> TransportError {
        self.progress.failure(kind)
    }
}

impl fmt::Debug for PostgresLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresLink").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Runs `work`; returns the session as well if it can be used again.
async fn run_once<T>(
    mut session: Session,
    running: &mut Option<RunningStatement>,
    budget: &ReadBudget,
    progress: &Progress,
    work: &impl AsyncFn(&Client) -> Result<T, Error>,
) -> (Result<T, TransportError>, Option<Session>) {
    budget.renew();
    progress.begin(Activity::WaitingForAnswer);
    *running = Some(session.running_statement());
    let answer = work(&session.client).await;
    *running = None;
    match answer {
        Ok(answer) => {
            session.mark_used();
            (Ok(answer), Some(session))
        }
        Err(error) => {
            let (error, is_usable) = session.explain(error, progress).await;
            (Err(error), is_usable.then_some(session))
        }
    }
}

/// Returns how much of a certificate is checked, and against what; as in libpq.
fn check_and_roots(url: &PostgresUrl, roots: TlsRoots) -> (CertificateCheck, RootSource) {
    let check = match url.ssl_mode {
        SslMode::Disable | SslMode::Prefer => CertificateCheck::Nothing,
        SslMode::Require if url.root.is_none() => CertificateCheck::Nothing,
        SslMode::Require | SslMode::VerifyCa => CertificateCheck::Authority,
        SslMode::VerifyFull => CertificateCheck::AuthorityAndHost,
    };
    let source = match check {
        CertificateCheck::Nothing => RootSource::Nowhere,
        _ => RootSource::new(url.root.as_ref(), roots),
    };
    (check, source)
}
