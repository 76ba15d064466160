//! What was read, before anything is decided.

use std::collections::{BTreeMap, BTreeSet};

use super::advice::BranchTarget;
use crate::model::{
    Epoch, FieldValue, ItemKey, Lineage, Revision, SessionId, StateField, Timestamp, WorkHistory,
    WorkState,
};

/// A reading of one copy. Absent, unreadable and unreachable are different answers; only
/// `Missing` may initialise anything.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading<T> {
    /// It was read.
    Fresh(T),
    /// It is not there.
    Missing,
    /// It is there and makes no sense; the reason is for a person.
    Corrupt(String),
    /// It could not be asked; the reason is for a person.
    Unavailable(String),
}

/// A claim as the database holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimReading {
    /// The item.
    pub item: ItemKey,
    /// The fence.
    pub epoch: Epoch,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// An item this session held and worked on, and holds no more though it never gave it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostClaim {
    /// The item.
    pub item: ItemKey,
    /// Who holds it; nobody when a sweep freed it.
    pub holder: Option<SessionId>,
    /// Whether it is finished, so that nobody can claim it.
    pub is_finished: bool,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// What the database says of one session.
#[derive(Debug, Clone, PartialEq)]
pub struct DatabaseReading {
    /// Which database.
    pub lineage: Lineage,
    /// How new.
    pub revision: Revision,
    /// The claim the session has.
    pub claim: Option<ClaimReading>,
    /// The claim it had.
    pub lost_claim: Option<LostClaim>,
    /// `metadata.execution_state` and the flags, as stored.
    pub work: WorkState,
    /// When work changed.
    pub history: WorkHistory,
}

impl DatabaseReading {
    /// Returns what the cache must show: the claim decides the item, and an item that another
    /// session holds is not shown as ours.
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
    /// Which database it was written from; absent in a file trueup never wrote.
    pub lineage: Option<Lineage>,
    /// From which revision.
    pub revision: Option<Revision>,
    /// When.
    pub synced_at: Option<Timestamp>,
    /// For which session.
    pub session: Option<SessionId>,
    /// The fields it holds; a key that is absent or of a foreign type is absent here.
    pub fields: BTreeMap<StateField, FieldValue>,
    /// Fields that make no sense: of a foreign type, or gone from a file trueup wrote.
    pub malformed: BTreeSet<StateField>,
    /// The fields changed by something else since trueup wrote it.
    pub edited: BTreeSet<StateField>,
    /// The branch it names.
    pub branch: Option<String>,
    /// What is wrong with a stamp that is there but is not as trueup writes it.
    pub stamp_problem: Option<&'static str>,
    /// The fields whose value that session never had in the database: the file is of a time that
    /// a restored database does not know, however far it has come since.
    pub unknown_to_database: BTreeSet<StateField>,
    /// The revision the database has of the session the file names, where that is another one
    /// and is known.
    pub owner_revision: Option<Revision>,
}

impl CacheReading {
    /// Tells whether trueup wrote the file.
    pub fn is_stamped(&self) -> bool {
        self.lineage.is_some() && self.revision.is_some()
    }

    /// Tells whether the file was written from a later state than the database has: a backup
    /// was restored, or the stamp was changed by hand. A revision without a lineage compares
    /// with nothing.
    pub fn is_ahead_of(&self, database: &DatabaseReading) -> bool {
        self.lineage.as_ref() == Some(&database.lineage) && self.revision > Some(database.revision)
    }

    /// Tells whether the file, of another session, holds a later state of that session than the
    /// database does.
    pub fn is_ahead_of_owner(&self) -> bool {
        self.is_stamped() && self.revision > self.owner_revision
    }
}

/// What git says, as far as it concerns the item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchReading {
    /// The branch.
    pub name: String,
    /// The *other* item it names, when it does; see [`super::named_item`].
    pub other_item: Option<String>,
    /// Whether that one may be claimed: nobody holds it, and it is not finished.
    pub other_is_free: bool,
    /// What `git switch` is told to get away from it; see [`super::way_back`].
    pub switch_target: BranchTarget,
}

/// Another live session in the same worktree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerSession {
    /// Its id.
    pub session: SessionId,
    /// What it holds.
    pub item: Option<ItemKey>,
}

/// Writes that have not reached the database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutboxReading {
    /// How many.
    pub waiting: usize,
    /// How many of them for another database.
    pub for_other_databases: usize,
    /// The oldest.
    pub oldest_at: Option<Timestamp>,
}

/// Everything a decision is made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Whose state.
    pub session: SessionId,
    /// The truth.
    pub database: Reading<DatabaseReading>,
    /// The copy.
    pub cache: Reading<CacheReading>,
    /// git's word, when there is a branch.
    pub branch: Option<BranchReading>,
    /// Other live sessions here.
    pub peers: Vec<PeerSession>,
    /// What waits.
    pub outbox: OutboxReading,
    /// The local clock, for the age of the cache alone.
    pub now: Timestamp,
}

/// What the caller allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Whether a missing cache may be made here.
    pub create_cache: bool,
}
