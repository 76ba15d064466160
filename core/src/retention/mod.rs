//! Removes what is old and finished: rows of the database and files of this machine.
//!
//! [`crate::model::RetentionRules`] decides what may go, once before and once in the transaction
//! that removes it, by two readings of the clock. Batches are small, so that nobody waits for one.
//! One event notes what was removed. A file is removed only after the row it belongs to.

mod local_files;
mod scheduled_prune;

use std::collections::BTreeSet;
use std::io;

pub use local_files::PrunedFiles;
pub use scheduled_prune::{is_prune_due, prune_if_due};

use crate::model::{
    EndedSession, Lineage, PrunableEvent, PruneCounts, RetentionRules, SessionId, Timestamp,
};
use crate::store::{Provenance, RetentionStore, SessionCursor, StoreError};
use crate::sync::{RunContext, estimate_clock_doubt};

/// Sessions per transaction.
const SESSIONS_PER_BATCH: u32 = 32;

/// How far apart two readings of the clock must be, in seconds, that both show something to be old.
/// One reading alone may be wrong.
const DAY_SECONDS: u64 = 24 * 3_600;

/// Events per transaction, so that others wait only a few milliseconds.
const EVENTS_PER_BATCH: u32 = 500;

/// Options of a pruning.
#[derive(Debug, Clone)]
pub struct PruneOptions {
    /// The age in seconds from which something may be removed.
    pub keep_seconds: u64,
    /// Whether nothing is removed, only counted.
    pub dry_run: bool,
    /// Who asks.
    pub actor: String,
}

/// What was removed, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PruneReport {
    /// Only older things were removed, by the database's clock.
    pub before: Timestamp,
    /// The removed rows.
    pub rows: PruneCounts,
    /// The removed files.
    pub files: PrunedFiles,
    /// Old sessions that were kept because something needs them.
    pub kept_sessions: u64,
    /// Whether everything was examined.
    pub complete: bool,
}

/// Why pruning stopped.
#[derive(Debug, thiserror::Error)]
pub enum PruneError {
    /// The database cannot be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal or the outbox cannot be read, so it is unknown which sessions they name.
    #[error("journal or outbox: {0}")]
    Local(io::Error),
}

/// Removes what is old and finished. `may_continue` is asked before each batch.
///
/// # Errors
///
/// When the database, the journal or the outbox cannot be read. Rows removed before that are in the
/// note of the next pruning.
pub fn prune_old_rows<S: RetentionStore + ?Sized>(
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
    let retention =
        RetentionRules { before, named: list_locally_named(site).map_err(PruneError::Local)? };
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
    Ok(lost.chain(waiting.into_iter().map(|pending| pending.session)).collect())
}

/// A pruning in progress.
struct PruneRun<'a> {
    options: &'a PruneOptions,
    site: &'a RunContext,
    lineage: Lineage,
    retention: RetentionRules,
    /// Sessions that were removed, or would be.
    removed_sessions: BTreeSet<SessionId>,
    report: PruneReport,
}

impl PruneRun<'_> {
    /// Removes sessions; tells whether all were examined.
    fn prune_sessions<S: RetentionStore + ?Sized>(
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
            self.removed_sessions.extend(removable.into_iter().map(|session| session.id));
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

    /// Removes sessions; returns those that could still be removed in the transaction.
    fn remove_sessions<S: RetentionStore + ?Sized>(
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

    /// Removes events; tells whether all were examined.
    fn prune_events<S: RetentionStore + ?Sized>(
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
            // Events are ordered by time, so nothing after the first young one is old.
            let old = |event: &&PrunableEvent| event.at < self.retention.before;
            let ends_here = page.iter().any(|event| !old(&event));
            let removable: Vec<i64> = page
                .iter()
                .take_while(old)
                .filter(|event| self.retention.may_remove_event(event, &self.removed_sessions))
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
