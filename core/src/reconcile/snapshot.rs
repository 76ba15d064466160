//! What was read, before anything is decided.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::BranchTarget;
use crate::model::{
    Epoch, FieldValue, ItemKey, Lineage, Revision, SessionId, StateField, Timestamp, WorkHistory,
    WorkState,
};

/// A reading of one copy. Absent, unreadable and unreachable are different answers, and only
/// `Missing` may initialize anything.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading<T> {
    /// It was read.
    Fresh(T),
    /// It does not exist.
    Missing,
    /// It exists but cannot be understood; the text is the reason for a person.
    Corrupt(String),
    /// It could not be read; the text is the reason for a person.
    Unavailable(String),
}

/// A claim, as the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimReading {
    /// The item.
    pub item: ItemKey,
    /// Its epoch.
    pub epoch: Epoch,
    /// When the item was claimed.
    pub since: Option<Timestamp>,
}

/// An item that this session worked on and lost without giving it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostClaim {
    /// The item.
    pub item: ItemKey,
    /// The present holder, or `None` when a sweep freed it.
    pub holder: Option<SessionId>,
    /// Whether it is finished and cannot be claimed.
    pub is_finished: bool,
    /// When it was lost.
    pub since: Option<Timestamp>,
}

/// What the database says of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct DatabaseReading {
    /// The history of the database.
    pub lineage: Lineage,
    /// The revision of the session.
    pub revision: Revision,
    /// The present claim of the session.
    pub claim: Option<ClaimReading>,
    /// The claim that it lost.
    pub lost_claim: Option<LostClaim>,
    /// The execution state and flags, as stored.
    pub work: WorkState,
    /// When work changed.
    pub history: WorkHistory,
    /// Whether hooks write the cache with changes on top that the database does not have yet, as they
    /// do where it is on a server. The revision does not count those, so an unknown value in a file
    /// is no sign of a database that was lost.
    pub may_lack_changes: bool,
}

impl DatabaseReading {
    /// Returns what the cache has to show. The claim decides the item, and an item that another
    /// session holds is not shown as this session's.
    pub fn expected_work_state(&self) -> WorkState {
        let mut work = self.work.clone();
        if let Some(claim) = &self.claim {
            work.item = Some(claim.item.to_string());
        } else if self.lost_claim.is_some() {
            work.item = None;
            work.is_active = false;
        }
        work
    }
}

/// What the cache file says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CacheReading {
    /// The database it was written from, or `None` in a file that trueup never wrote.
    pub lineage: Option<Lineage>,
    /// The revision it was written from.
    pub revision: Option<Revision>,
    /// When it was written.
    pub synced_at: Option<Timestamp>,
    /// The session it was written for.
    pub session: Option<SessionId>,
    /// The fields that it holds. A missing key and a value of another type are left out.
    pub fields: BTreeMap<StateField, FieldValue>,
    /// Fields of another type, or missing from a file that trueup wrote.
    pub malformed: BTreeSet<StateField>,
    /// Fields that something else changed since trueup wrote the file.
    pub edited: BTreeSet<StateField>,
    /// The branch in the file.
    pub branch: Option<String>,
    /// What is wrong with a stamp that trueup did not write that way.
    pub stamp_problem: Option<&'static str>,
    /// Fields with a value that the session never had in the database. The file is then from a time
    /// that a restored database does not know, whatever its present revision.
    pub unknown_to_database: BTreeSet<StateField>,
    /// The revision in the database of the session that the file names, when that is another
    /// session and known.
    pub owner_revision: Option<Revision>,
}

impl CacheReading {
    /// Returns whether trueup wrote the file.
    pub fn is_stamped(&self) -> bool {
        self.lineage.is_some() && self.revision.is_some()
    }

    /// Returns whether the file was written from a later state than the database has: a backup was
    /// restored, or the stamp was changed by hand. A revision without a lineage cannot be compared.
    pub fn is_ahead_of(&self, database: &DatabaseReading) -> bool {
        self.lineage.as_ref() == Some(&database.lineage) && self.revision > Some(database.revision)
    }

    /// Returns whether the file of another session holds a later state of that session than the
    /// database does.
    pub fn is_ahead_of_owner(&self) -> bool {
        self.is_stamped() && self.revision > self.owner_revision
    }
}

/// What git says about the branch, as far as it concerns the item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchReading {
    /// The name of the branch.
    pub name: String,
    /// The *other* item that the branch names; see [`super::find_other_item`].
    pub other_item: Option<String>,
    /// Whether that item can be claimed: nobody holds it and it is not finished.
    pub other_is_free: bool,
    /// Where `git switch` leads away from it; see [`super::decide_switch_target`].
    pub switch_target: BranchTarget,
}

/// Another live session in the same worktree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerSession {
    /// Its id.
    pub session: SessionId,
    /// The item that it holds.
    pub item: Option<ItemKey>,
}

/// Writes that have not reached the database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutboxReading {
    /// How many writes wait.
    pub waiting: usize,
    /// How many of them are meant for another database.
    pub for_other_databases: usize,
    /// When the oldest was made.
    pub oldest_at: Option<Timestamp>,
}

/// Everything that a decision is made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The session.
    pub session: SessionId,
    /// What the database says.
    pub database: Reading<DatabaseReading>,
    /// What the cache says.
    pub cache: Reading<CacheReading>,
    /// The branch, if there is one.
    pub branch: Option<BranchReading>,
    /// Other live sessions in the worktree.
    pub peers: Vec<PeerSession>,
    /// Writes that wait.
    pub outbox: OutboxReading,
    /// The local clock, used only for the age of the cache.
    pub now: Timestamp,
}

/// What the caller allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Whether a missing cache may be created.
    pub create_cache: bool,
}
