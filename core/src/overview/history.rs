//! Which rows have changed since a version.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use super::{Need, Overview, OverviewCounts, SessionRow, WorkRow};
use crate::model::Timestamp;

/// Most removed rows that are remembered of each kind. Who asks for changes since longer ago gets
/// all rows.
const MAX_REMEMBERED_REMOVALS: usize = 10_000;

/// The present overview, and the version in which each of its rows last changed.
#[derive(Debug, Clone)]
pub struct OverviewHistory {
    /// The name of this history: versions of another one say nothing here.
    name: String,
    version: u64,
    seq: i64,
    as_of: Timestamp,
    counts: OverviewCounts,
    needs_me: RowHistory<Need>,
    work: RowHistory<WorkRow>,
    sessions: RowHistory<SessionRow>,
}

/// The rows of an overview that changed since a version.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OverviewChanges {
    /// The present version, to ask for changes since then.
    pub version: String,
    /// Whether the rows are all there are, and none that the asker had counts any more.
    pub reset: bool,
    /// The cursor of the newest event that the rows show.
    pub seq: i64,
    /// The database's clock when it was read.
    pub as_of: Timestamp,
    /// How many there are of each.
    pub counts: OverviewCounts,
    /// What needs a person, oldest first.
    pub needs_me: RowChanges<Need>,
    /// The items that are unfinished or were finished today, by parent, position and key.
    pub work: RowChanges<WorkRow>,
    /// The sessions that are present or were over today, by when they registered.
    pub sessions: RowChanges<SessionRow>,
}

/// The rows of one kind that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RowChanges<R> {
    /// The rows that are new or have changed.
    pub rows: Vec<R>,
    /// The ids of the rows that are gone.
    pub removed: Vec<String>,
}

impl OverviewHistory {
    /// Begins a history under a name that no other one has.
    pub fn begin(name: impl Into<String>, overview: Overview) -> Self {
        let mut history = Self {
            name: name.into(),
            version: 0,
            seq: 0,
            as_of: overview.as_of,
            counts: OverviewCounts::default(),
            needs_me: RowHistory::default(),
            work: RowHistory::default(),
            sessions: RowHistory::default(),
        };
        history.record(overview);
        history
    }

    /// Takes over a newer overview. The version rises if a row differs.
    pub fn record(&mut self, overview: Overview) {
        let Overview { seq, as_of, counts, needs_me, work, sessions } = overview;
        let next = self.version + 1;
        let changed = [
            self.needs_me.record(needs_me, next),
            self.work.record(work, next),
            self.sessions.record(sessions, next),
        ];
        if changed.contains(&true) {
            self.version = next;
        }
        (self.seq, self.as_of, self.counts) = (seq, as_of, counts);
    }

    /// Returns what changed since a version, or everything if there is none or nothing is known of
    /// it.
    pub fn changes_since(&self, version: Option<&str>) -> OverviewChanges {
        let since = version.and_then(|version| self.parse_version(version));
        OverviewChanges {
            version: format!("{}-{}", self.name, self.version),
            reset: since.is_none(),
            seq: self.seq,
            as_of: self.as_of,
            counts: self.counts,
            needs_me: self.needs_me.changes_since(since),
            work: self.work.changes_since(since),
            sessions: self.sessions.changes_since(since),
        }
    }

    fn parse_version(&self, version: &str) -> Option<u64> {
        let number = version.strip_prefix(&self.name)?.strip_prefix('-')?;
        let number = number.parse().ok()?;
        let forgotten = [self.needs_me.forgotten, self.work.forgotten, self.sessions.forgotten];
        let is_known = number <= self.version && forgotten.iter().all(|last| number >= *last);
        is_known.then_some(number)
    }
}

/// A row with an id.
trait Identified: Clone + PartialEq {
    fn row_id(&self) -> &str;
}

impl Identified for Need {
    fn row_id(&self) -> &str {
        &self.id
    }
}

impl Identified for WorkRow {
    fn row_id(&self) -> &str {
        self.key.as_str()
    }
}

impl Identified for SessionRow {
    fn row_id(&self) -> &str {
        self.session_id.as_str()
    }
}

/// The rows of one kind, in their order, with the version of each.
#[derive(Debug, Clone)]
struct RowHistory<R> {
    rows: Vec<(u64, R)>,
    /// The ids of removed rows, oldest first, with the version that removed them.
    removed: VecDeque<(u64, String)>,
    /// The newest version whose removals are not all remembered any more.
    forgotten: u64,
}

impl<R> Default for RowHistory<R> {
    fn default() -> Self {
        Self { rows: Vec::new(), removed: VecDeque::new(), forgotten: 0 }
    }
}

impl<R: Identified> RowHistory<R> {
    /// Takes over newer rows; returns whether any differs, is new or is gone.
    fn record(&mut self, rows: Vec<R>, version: u64) -> bool {
        let mut before: BTreeMap<String, (u64, R)> = std::mem::take(&mut self.rows)
            .into_iter()
            .map(|(version, row)| (row.row_id().to_owned(), (version, row)))
            .collect();
        let mut has_changed = false;
        for row in rows {
            let since = match before.remove(row.row_id()) {
                Some((since, known)) if known == row => since,
                _ => {
                    has_changed = true;
                    version
                }
            };
            self.rows.push((since, row));
        }
        has_changed |= !before.is_empty();
        self.removed.extend(before.into_keys().map(|id| (version, id)));
        while self.removed.len() > MAX_REMEMBERED_REMOVALS {
            let oldest = self.removed.pop_front();
            self.forgotten = oldest.map_or(self.forgotten, |(version, _)| version);
        }
        has_changed
    }

    fn changes_since(&self, since: Option<u64>) -> RowChanges<R> {
        let Some(since) = since else {
            let rows = self.rows.iter().map(|(_, row)| row.clone()).collect();
            return RowChanges { rows, removed: Vec::new() };
        };
        let changed = self.rows.iter().filter(|(version, _)| *version > since);
        // A row may have come back since it was removed.
        let present: std::collections::BTreeSet<&str> =
            self.rows.iter().map(|(_, row)| row.row_id()).collect();
        let removed = self
            .removed
            .iter()
            .filter(|(version, id)| *version > since && !present.contains(id.as_str()));
        RowChanges {
            rows: changed.map(|(_, row)| row.clone()).collect(),
            removed: removed.map(|(_, id)| id.clone()).collect(),
        }
    }
}
