//! Removing what is old and done: rows of the database, and files of this machine.
//!
//! Invariants: what may go is decided in [`crate::model`], and again in the transaction that
//! removes it, by two readings of the clock; batches are small, so that nobody waits for one; what went is noted in one
//! event; a file goes only after the row it belongs to.

mod local_files;
mod scheduled_prune;

use std::collections::BTreeSet;
use std::io;

pub use local_files::PrunedFiles;
pub use scheduled_prune::{is_prune_due, prune_if_due};

use crate::model::{
    EndedSession, Lineage, PrunableEvent, PruneCounts, RetentionRules, SessionId, Timestamp,
};
use crate::store::{Provenance, SessionCursor, Store, StoreError};
use crate::sync::{RunContext, estimate_clock_doubt};

/// Sessions of one transaction.
const SESSIONS_PER_BATCH: u32 = 32;

/// How far apart, in seconds, two readings of the clock are of which both must say that
/// something is old: nothing goes on the word of one.
const DAY_SECONDS: u64 = 24 * 3_600;

/// Events of one transaction: a few milliseconds for whoever waits behind it.
const EVENTS_PER_BATCH: u32 = 500;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct PruneOptions {
    /// How old what goes must be, in seconds.
    pub keep_seconds: u64,
    /// Whether nothing is removed, only counted.
    pub dry_run: bool,
    /// Who asks.
    pub actor: String,
}

/// What went, or would go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PruneReport {
    /// Only what is older went, by the database's clock.
    pub before: Timestamp,
    /// Rows.
    pub rows: PruneCounts,
    /// Files.
    pub files: PrunedFiles,
    /// Old sessions that something needs.
    pub kept_sessions: u64,
    /// Whether all was looked at.
    pub complete: bool,
}

/// Why pruning stopped.
#[derive(Debug, thiserror::Error)]
pub enum PruneError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal or the outbox cannot be read, so that nobody knows whom they name.
    #[error("journal or outbox: {0}")]
    Local(io::Error),
}

/// Removes what is old and done. `go_on` is asked before each batch.
///
/// # Errors
///
/// When the database, the journal or the outbox cannot be asked. What was removed before that
/// is counted, and in the note of the next time.
pub fn prune_old_rows<S: Store + ?Sized>(
    store: &mut S,
    options: &PruneOptions,
    site: &RunContext,
    mut may_continue: impl FnMut(&mut S) -> bool,
) -> Result<PruneReport, PruneError> {
    let lineage = store.load_lineage()?;
    let options = &PruneOptions {
        keep_seconds: options
            .keep_seconds
            .saturating_add(estimate_clock_doubt(store, DAY_SECONDS)?),
        ..options.clone()
    };
    let keep = i64::try_from(options.keep_seconds.saturating_mul(1000)).unwrap_or(i64::MAX);
    let before = Timestamp::from_millis(store.database_time()?.as_millis().saturating_sub(keep));
    let retention = RetentionRules {
        before,
        named: list_locally_named(site).map_err(PruneError::Local)?,
    };
    let mut run = PruneRun {
        options,
        site,
        lineage,
        retention,
        removed_sessions: BTreeSet::new(),
        report: PruneReport {
            before,
            rows: PruneCounts::default(),
            files: PrunedFiles::default(),
            kept_sessions: 0,
            complete: false,
        },
    };
    let complete = run.prune_sessions(store, &mut may_continue)?
        && run.prune_events(store, &mut may_continue)?;
    run.report.complete = complete;
    if complete {
        run.report.files += local_files::remove_old_files(options, site, |id| {
            store.load_session(id).map(|s| s.is_some())
        })?;
    }
    if !options.dry_run {
        let by = Provenance::new(&options.actor, "prune");
        store.record_pruned(before, &by)?;
    }
    Ok(run.report)
}

/// Lists the sessions that the journal and the outbox name.
fn list_locally_named(site: &RunContext) -> io::Result<BTreeSet<SessionId>> {
    let lost = site.journal().entries()?;
    let waiting = site.outbox().list_waiting()?;
    let lost = lost.into_iter().map(|entry| entry.lost.session);
    Ok(lost
        .chain(waiting.into_iter().map(|pending| pending.session))
        .collect())
}

/// A pruning under way.
struct PruneRun<'a> {
    options: &'a PruneOptions,
    site: &'a RunContext,
    lineage: Lineage,
    retention: RetentionRules,
    /// Sessions that went, or would.
    removed_sessions: BTreeSet<SessionId>,
    report: PruneReport,
}

impl PruneRun<'_> {
    /// Returns whether all were looked at.
    fn prune_sessions<S: Store + ?Sized>(
        &mut self,
        store: &mut S,
        go_on: &mut impl FnMut(&mut S) -> bool,
    ) -> Result<bool, StoreError> {
        let mut cursor: Option<SessionCursor> = None;
        while go_on(store) {
            let page = store.list_ended_sessions(
                self.retention.before,
                cursor.as_ref(),
                SESSIONS_PER_BATCH,
            )?;
            let Some(last) = page.last() else {
                return Ok(true);
            };
            cursor = Some((last.heartbeat_at, last.id.clone()));
            let looked_at = page.len();
            let removable = self.select_removable(page);
            let removable = self.remove_sessions(store, removable)?;
            self.report.rows.sessions += to_u64(removable.len());
            self.report.kept_sessions += to_u64(looked_at - removable.len());
            for session in &removable {
                self.report.rows.tasks += session.tasks;
                self.report.files += local_files::remove_session_files(
                    self.options,
                    self.site,
                    &self.lineage,
                    session,
                );
            }
            self.removed_sessions
                .extend(removable.into_iter().map(|session| session.id));
        }
        Ok(false)
    }

    fn select_removable(&self, page: Vec<EndedSession>) -> Vec<EndedSession> {
        let mut gone = self.removed_sessions.clone();
        let mut removable = Vec::new();
        for session in page {
            if self.retention.keep_reason(&session, &gone).is_none() {
                gone.insert(session.id.clone());
                removable.push(session);
            }
        }
        removable
    }

    /// Removes sessions; returns those that by then still could go.
    fn remove_sessions<S: Store + ?Sized>(
        &mut self,
        store: &mut S,
        mut removable: Vec<EndedSession>,
    ) -> Result<Vec<EndedSession>, StoreError> {
        if self.options.dry_run || removable.is_empty() {
            return Ok(removable);
        }
        let ids: Vec<SessionId> = removable.iter().map(|session| session.id.clone()).collect();
        let removed = store.remove_sessions(&ids, &self.retention)?;
        removable.retain(|session| removed.contains(&session.id));
        Ok(removable)
    }

    /// Returns whether all were looked at.
    fn prune_events<S: Store + ?Sized>(
        &mut self,
        store: &mut S,
        go_on: &mut impl FnMut(&mut S) -> bool,
    ) -> Result<bool, StoreError> {
        let mut cursor = 0;
        while go_on(store) {
            let page = store.list_event_remains(cursor, EVENTS_PER_BATCH)?;
            let Some(last) = page.last() else {
                return Ok(true);
            };
            cursor = last.seq;
            // Events stand in the order they happened, so that behind the first young one there
            // is nothing to look for.
            let old = |event: &&PrunableEvent| event.at < self.retention.before;
            let ends_here = page.iter().any(|event| !old(&event));
            let removable: Vec<i64> = page
                .iter()
                .take_while(old)
                .filter(|event| {
                    self.retention
                        .may_remove_event(event, &self.removed_sessions)
                })
                .map(|event| event.seq)
                .collect();
            self.report.rows.events += if self.options.dry_run || removable.is_empty() {
                to_u64(removable.len())
            } else {
                store.remove_events(&removable, &self.retention)?
            };
            if ends_here {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
