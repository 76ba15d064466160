//! Hearing from a server that there are new events.

use std::time::Duration;

use tokio_postgres::Client;
use trueup_core::deadline::Deadline;
use trueup_core::settings::TlsRoots;

use super::link::PostgresLink;
use crate::error::TransportError;
use crate::url::PostgresUrl;

/// What the schema says when events were committed.
const LISTEN: &str = "LISTEN trueup_events";

/// How long connecting may take. Whoever waits here looks at the database in between.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// A connection on which the server says that events were committed.
///
/// It is a hint alone: a pooler that gives each statement another connection keeps it back.
#[derive(Debug)]
pub struct ChangeListener {
    link: PostgresLink,
}

impl ChangeListener {
    pub(crate) fn new(url: PostgresUrl, roots: TlsRoots) -> Result<Self, TransportError> {
        PostgresLink::new(url, roots).map(|link| Self { link })
    }

    /// Waits for a hint; returns whether there was one. The first time, and after the connection
    /// broke, it connects and says that there was one: what happened before is not told.
    ///
    /// # Errors
    ///
    /// When there is no connection.
    pub fn wait(&mut self, patience: Duration) -> Result<bool, TransportError> {
        if self.link.is_connected() {
            return self.link.wait_for_notice(patience);
        }
        let deadline = Deadline::after(CONNECT_LIMIT);
        self.link.run(deadline, &async |client: &Client| client.batch_execute(LISTEN).await)?;
        Ok(true)
    }
}
