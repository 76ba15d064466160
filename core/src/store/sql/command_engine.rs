//! What commands ask of an engine beyond the operations.

use std::time::Duration;

use super::engine::{Tx as _, args};
use super::postgres_schema::is_known_migration;
use super::row_checks::{ROW_CHECKS, find_edge_cycles};
use super::statement::statements;
use super::{
    Engine, SqlStore, dependencies, events, handoffs, hook_store, items, next, orchestrators,
    repos, sessions, transactions,
};
use crate::deadline::Deadline;
use crate::model::EventFilter;
use crate::store::{
    AppliedMigration, ChangeMark, CommandStore, ExpectedRead, ReadTime, Result, SCHEMA_VERSION,
    SchemaStatus, Violation,
};

statements! {
    LIST_MIGRATIONS() =
        "SELECT version, name, applied_at, checksum FROM schema_migrations ORDER BY version";
    SERVER_VERSION() =
        "SELECT sqlite_version()" => postgres "SELECT current_setting('server_version')";
}

/// An engine whose store serves commands; see [`CommandStore`].
#[expect(clippy::missing_errors_doc, reason = "said once at `Store`")]
pub trait CommandEngine: Engine {
    /// Gives further operations another deadline.
    fn set_deadline(&mut self, deadline: Deadline);

    /// Takes note of reads that `announce` prefetches and that the operations at that time make.
    fn expect_reads(&mut self, time: ReadTime, announce: impl FnOnce(&mut Self::Tx<'_>));

    /// Returns the state of the database.
    fn change_mark(&mut self) -> Result<ChangeMark>;

    /// Waits until another connection has written since that state.
    fn wait_for_change(
        &mut self,
        seen: ChangeMark,
        patience: Duration,
    ) -> Result<Option<ChangeMark>>;

    /// Reads which schema the database has.
    fn load_schema_status(&mut self) -> Result<SchemaStatus>;

    /// Reads every row that has rules; returns the violations.
    fn find_violations(&mut self) -> Result<Vec<Violation>>;
}

impl<E: CommandEngine> CommandStore for SqlStore<E> {
    fn set_deadline(&mut self, deadline: Deadline) {
        self.engine.set_deadline(deadline);
    }

    fn expect_reads(&mut self, time: ReadTime, reads: &[ExpectedRead<'_>]) {
        self.engine.expect_reads(time, |tx| {
            for read in reads {
                match read {
                    ExpectedRead::LiveOrchestrators => orchestrators::prefetch_live(tx),
                    ExpectedRead::Session(id) => sessions::prefetch_session(tx, id),
                    ExpectedRead::Item(key) => items::prefetch_item(tx, key),
                    ExpectedRead::OpenHandoff(key) => handoffs::prefetch_open_handoff(tx, key),
                    ExpectedRead::OpenDependencies(key) => {
                        dependencies::prefetch_open_dependencies(tx, key);
                    }
                    ExpectedRead::LastHolder(key) => next::prefetch_last_holder(tx, key),
                    ExpectedRead::OperationEvents(op_id) => {
                        events::prefetch_events(tx, &EventFilter::of_operation(op_id));
                    }
                    ExpectedRead::Lineage => hook_store::prefetch_lineage(tx),
                    ExpectedRead::ItemKeys(texts) => items::prefetch_item_keys(tx, texts),
                    ExpectedRead::HandoffNotices(id) => handoffs::prefetch_notices(tx, id),
                    ExpectedRead::PendingMatters => transactions::prefetch_pending_matters(tx),
                    ExpectedRead::Peers { worktree, session, limit } => {
                        sessions::prefetch_peers(tx, *worktree, session, *limit);
                    }
                    ExpectedRead::Sessions(filter) => sessions::prefetch_sessions(tx, filter),
                    ExpectedRead::RepoName(identity) => repos::prefetch_repo_name(tx, identity),
                    ExpectedRead::RepoIdentities(name) => repos::prefetch_identities(tx, name),
                    ExpectedRead::Repos => repos::prefetch_repos(tx),
                }
            }
        });
    }

    fn change_mark(&mut self) -> Result<ChangeMark> {
        self.engine.change_mark()
    }

    fn wait_for_change(
        &mut self,
        seen: ChangeMark,
        patience: Duration,
    ) -> Result<Option<ChangeMark>> {
        self.engine.wait_for_change(seen, patience)
    }

    fn load_schema_status(&mut self) -> Result<SchemaStatus> {
        self.engine.load_schema_status()
    }

    fn find_violations(&mut self) -> Result<Vec<Violation>> {
        self.engine.find_violations()
    }
}

/// Returns the state of the database as far as events tell it: every change but a sign of life
/// writes one. For an engine whose database does not tell connections of each other's writes.
///
/// # Errors
///
/// When the database cannot be read.
pub fn read_newest_event_mark(engine: &impl Engine) -> Result<ChangeMark> {
    engine.read(|tx| events::load_newest_number(tx)).map(ChangeMark::new)
}

/// Returns the version of the program that serves the database.
///
/// # Errors
///
/// When the database cannot be read.
pub fn read_server_version(engine: &impl Engine) -> Result<String> {
    engine.read(|tx| tx.one_row(&SERVER_VERSION, args![], |row| row.get(0)))
}

/// Reads which schema a database of PostgreSQL has.
///
/// # Errors
///
/// When the database cannot be read.
pub fn load_postgres_schema_status(engine: &impl Engine) -> Result<SchemaStatus> {
    let applied = engine.read(|tx| {
        tx.rows(&LIST_MIGRATIONS, args![], |row| {
            let (version, checksum): (i64, String) = (row.get(0)?, row.get(3)?);
            Ok(AppliedMigration {
                version,
                name: row.get(1)?,
                applied_at: row.get(2)?,
                is_unchanged: is_known_migration(version, &checksum),
            })
        })
    })?;
    let version = applied.iter().map(|migration| migration.version).max().unwrap_or_default();
    Ok(SchemaStatus { version, newest_known: SCHEMA_VERSION, applied })
}

/// Finds every row that breaks a rule, reading the rows in pages. For an engine whose database
/// enforces references by itself.
///
/// # Errors
///
/// When the database cannot be read.
pub fn find_row_violations(engine: &impl Engine) -> Result<Vec<Violation>> {
    let mut found = Vec::new();
    for check in &ROW_CHECKS {
        found.extend(check.find_violations(engine)?);
    }
    found.extend(find_edge_cycles(engine)?);
    Ok(found)
}
