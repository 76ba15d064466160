//! The direct connection: migrations, and what `doctor` asks a server.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use tokio_postgres::{Client, Error, SimpleQueryMessage};
use trueup_core::deadline::Deadline;
use trueup_core::settings::TlsRoots;

use super::link::PostgresLink;
use super::pinned::PinnedTransaction;
use crate::error::{FailureKind, TransportError};
use crate::server_facts::{ServerFacts, ServerSoftware, UserRights, clock_difference};
use crate::url::PostgresUrl;

/// What a server is asked about itself.
const FACTS_QUERY: &str = "SELECT current_setting('server_version'), \
     (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

/// What a server is asked about the user: name, whether `trueup.exchange` may be called, and
/// whether tables may be changed. A schema that is missing is no error.
const RIGHTS_QUERY: &str = "SELECT current_user, \
     (SELECT has_function_privilege(p.oid, 'EXECUTE') FROM pg_catalog.pg_proc AS p \
         JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace \
         WHERE n.nspname = 'trueup' AND p.proname = 'exchange'), \
     (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) \
         OR EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = 'trueup_owner' \
                    AND pg_has_role(current_user, oid, 'MEMBER'))";

/// A row of a result, as texts.
pub type SqlRow = Vec<Option<String>>;

/// A connection that runs SQL texts, for migrations and `doctor`.
///
/// A batch may keep state on the connection, so there must be no transaction pooler in between.
#[derive(Debug)]
pub struct DirectConnection {
    link: PostgresLink,
}

/// Connects for migrations or `doctor`.
///
/// # Errors
///
/// When there is no connection by the deadline.
pub fn connect_directly(
    url: PostgresUrl,
    roots: TlsRoots,
    deadline: Deadline,
) -> Result<DirectConnection, TransportError> {
    let mut link = PostgresLink::new(url, roots)?;
    link.connect(deadline)?;
    Ok(DirectConnection { link })
}

impl DirectConnection {
    /// Runs a text of one or more statements, and returns the rows of all of them. Unless the text
    /// says otherwise, it is one transaction.
    ///
    /// # Errors
    ///
    /// When a statement fails, or the deadline passes.
    pub fn run_batch(
        &mut self,
        sql: &str,
        deadline: Deadline,
    ) -> Result<Vec<SqlRow>, TransportError> {
        self.link.run(deadline, &async |client: &Client| run_simple_query(client, sql).await)
    }

    /// Begins a transaction that several requests make up, by running `sql`.
    ///
    /// # Errors
    ///
    /// Those of [`Self::run_batch`].
    pub fn begin(
        &mut self,
        sql: &str,
        deadline: Deadline,
    ) -> Result<PinnedTransaction<'_>, TransportError> {
        PinnedTransaction::begin(&mut self.link, sql, deadline)
    }

    /// Asks the server about itself.
    ///
    /// # Errors
    ///
    /// Those of [`Self::run_batch`].
    pub fn server_facts(&mut self, deadline: Deadline) -> Result<ServerFacts, TransportError> {
        // The second time, the server has everything at hand.
        self.run_batch(FACTS_QUERY, deadline)?;
        let (asked, began) = (Timestamp::now(), Instant::now());
        let rows = self.run_batch(FACTS_QUERY, deadline)?;
        let round_trip = began.elapsed();
        let mut row = rows.into_iter().next().unwrap_or_default().into_iter().flatten();
        let facts = row.next().zip(row.next().and_then(|text| text.parse::<i64>().ok()));
        let (version, micros) = facts.ok_or_else(|| self.link.failure(FailureKind::NotJson))?;
        Ok(ServerFacts {
            software: ServerSoftware::Postgres,
            version,
            uses_tls: self.link.peer.is_known(),
            certificate_days_left: self.link.peer.days_left(),
            round_trip,
            clock_ahead: clock_difference(SignedDuration::from_micros(micros), asked, round_trip),
            rights: Some(self.load_rights(deadline)?),
        })
    }

    fn load_rights(&mut self, deadline: Deadline) -> Result<UserRights, TransportError> {
        let rows = self.run_batch(RIGHTS_QUERY, deadline)?;
        let row = rows.into_iter().next().unwrap_or_default();
        let text = |column: usize| row.get(column).and_then(Option::as_deref);
        Ok(UserRights::Postgres {
            user: text(0).unwrap_or_default().to_owned(),
            is_client: text(1).map(|text| text == "t"),
            is_owner: text(2) == Some("t"),
        })
    }
}

/// Runs a text of one or more statements, and returns the rows of all of them.
pub(super) async fn run_simple_query(client: &Client, sql: &str) -> Result<Vec<SqlRow>, Error> {
    let rows = client.simple_query(sql).await?.into_iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect())
        }
        _ => None,
    });
    Ok(rows.collect())
}
