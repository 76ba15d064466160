//! Removing what is old and done: rows of the database, and files of this machine.
//!
//! Invariants: what may go is decided in [`crate::model`], and again in the transaction that
//! removes it, by two readings of the clock; batches are small, so that nobody waits for one; what went is noted in one
//! event; a file goes only after the row it belongs to.

mod files;
mod gentle;

use std::collections::BTreeSet;
use std::io;

pub use files::Files;
pub use gentle::{gently, is_due};

use crate::model::{
    EventRemains, Lineage, PruneTally, Retention, SessionId, SessionRemains, Timestamp,
};
use crate::store::{Provenance, SessionCursor, Store, StoreError};
use crate::sync::{Site, doubt};

/// Sessions of one transaction.
const SESSIONS: u32 = 32;

/// How far apart, in seconds, two readings of the clock are of which both must say that
/// something is old: nothing goes on the word of one.
const DAY: u64 = 24 * 3_600;

/// Events of one transaction: a few milliseconds for whoever waits behind it.
const EVENTS: u32 = 500;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Order {
    /// How old what goes must be, in seconds.
    pub keep_seconds: u64,
    /// Whether nothing is removed, only counted.
    pub dry_run: bool,
    /// Who asks.
    pub actor: String,
}

/// What went, or would go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruned {
    /// Only what is older went, by the database's clock.
    pub before: Timestamp,
    /// Rows.
    pub rows: PruneTally,
    /// Files.
    pub files: Files,
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
pub fn prune<S: Store + ?Sized>(
    store: &mut S,
    order: &Order,
    site: &Site,
    mut go_on: impl FnMut(&mut S) -> bool,
) -> Result<Pruned, PruneError> {
    let lineage = store.lineage()?;
    let order = &Order {
        keep_seconds: order.keep_seconds.saturating_add(doubt(store, DAY)?),
        ..order.clone()
    };
    let keep = i64::try_from(order.keep_seconds.saturating_mul(1000)).unwrap_or(i64::MAX);
    let before = Timestamp::from_millis(store.now()?.as_millis().saturating_sub(keep));
    let retention = Retention {
        before,
        named: named_locally(site).map_err(PruneError::Local)?,
    };
    let mut work = Work {
        order,
        site,
        lineage,
        retention,
        gone: BTreeSet::new(),
        pruned: Pruned {
            before,
            rows: PruneTally::default(),
            files: Files::default(),
            kept_sessions: 0,
            complete: false,
        },
    };
    let complete = work.sessions(store, &mut go_on)? && work.events(store, &mut go_on)?;
    work.pruned.complete = complete;
    if complete {
        work.pruned.files += files::old(order, site, |id| store.session(id).map(|s| s.is_some()))?;
    }
    if !order.dry_run {
        let by = Provenance::new(&order.actor, "prune");
        store.note_removed(before, &by)?;
    }
    Ok(work.pruned)
}

/// Lists the sessions that the journal and the outbox name.
fn named_locally(site: &Site) -> io::Result<BTreeSet<SessionId>> {
    let lost = site.journal().entries()?;
    let waiting = site.outbox().waiting()?;
    let lost = lost.into_iter().map(|entry| entry.lost.session);
    Ok(lost
        .chain(waiting.into_iter().map(|pending| pending.session))
        .collect())
}

/// A pruning under way.
struct Work<'a> {
    order: &'a Order,
    site: &'a Site,
    lineage: Lineage,
    retention: Retention,
    /// Sessions that went, or would.
    gone: BTreeSet<SessionId>,
    pruned: Pruned,
}

impl Work<'_> {
    /// Returns whether all were looked at.
    fn sessions<S: Store + ?Sized>(
        &mut self,
        store: &mut S,
        go_on: &mut impl FnMut(&mut S) -> bool,
    ) -> Result<bool, StoreError> {
        let mut cursor: Option<SessionCursor> = None;
        while go_on(store) {
            let page = store.ended_sessions(self.retention.before, cursor.as_ref(), SESSIONS)?;
            let Some(last) = page.last() else {
                return Ok(true);
            };
            cursor = Some((last.heartbeat_at, last.id.clone()));
            let looked_at = page.len();
            let going = self.going(page);
            let going = self.remove_sessions(store, going)?;
            self.pruned.rows.sessions += number(going.len());
            self.pruned.kept_sessions += number(looked_at - going.len());
            for session in &going {
                self.pruned.rows.tasks += session.tasks;
                self.pruned.files +=
                    files::of_session(self.order, self.site, &self.lineage, session);
            }
            self.gone
                .extend(going.into_iter().map(|session| session.id));
        }
        Ok(false)
    }

    fn going(&self, page: Vec<SessionRemains>) -> Vec<SessionRemains> {
        let mut gone = self.gone.clone();
        let mut going = Vec::new();
        for session in page {
            if self.retention.keeps(&session, &gone).is_none() {
                gone.insert(session.id.clone());
                going.push(session);
            }
        }
        going
    }

    /// Removes sessions; returns those that by then still could go.
    fn remove_sessions<S: Store + ?Sized>(
        &mut self,
        store: &mut S,
        mut going: Vec<SessionRemains>,
    ) -> Result<Vec<SessionRemains>, StoreError> {
        if self.order.dry_run || going.is_empty() {
            return Ok(going);
        }
        let ids: Vec<SessionId> = going.iter().map(|session| session.id.clone()).collect();
        let removed = store.remove_sessions(&ids, &self.retention)?;
        going.retain(|session| removed.contains(&session.id));
        Ok(going)
    }

    /// Returns whether all were looked at.
    fn events<S: Store + ?Sized>(
        &mut self,
        store: &mut S,
        go_on: &mut impl FnMut(&mut S) -> bool,
    ) -> Result<bool, StoreError> {
        let mut cursor = 0;
        while go_on(store) {
            let page = store.event_remains(cursor, EVENTS)?;
            let Some(last) = page.last() else {
                return Ok(true);
            };
            cursor = last.seq;
            // Events stand in the order they happened, so that behind the first young one there
            // is nothing to look for.
            let old = |event: &&EventRemains| event.at < self.retention.before;
            let ends_here = page.iter().any(|event| !old(&event));
            let going: Vec<i64> = page
                .iter()
                .take_while(old)
                .filter(|event| self.retention.lets_go(event, &self.gone))
                .map(|event| event.seq)
                .collect();
            self.pruned.rows.events += if self.order.dry_run || going.is_empty() {
                number(going.len())
            } else {
                store.remove_events(&going, &self.retention)?
            };
            if ends_here {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
