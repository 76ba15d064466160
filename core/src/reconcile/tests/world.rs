//! A small world that actions change as the real parts do.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{
    Action, CacheReading, DatabaseReading, Policy, Reading, Reconciliation, RejectedEdit,
    SetAsideReason, Snapshot, reconcile,
};
use crate::model::{Revision, SessionId, StateField, WorkState};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct World {
    pub(super) snapshot: Snapshot,
    pub(super) journal: BTreeMap<String, RejectedEdit>,
    pub(super) aside: Vec<(SetAsideReason, Reading<CacheReading>)>,
}

/// Returns the cache that trueup writes from a database.
pub(super) fn written_cache(
    database: &DatabaseReading,
    session: &SessionId,
    branch: Option<&str>,
) -> CacheReading {
    CacheReading {
        malformed: std::collections::BTreeSet::new(),
        lineage: Some(database.lineage.clone()),
        revision: Some(database.revision),
        synced_at: None,
        session: Some(session.clone()),
        fields: all_fields(&database.expected_work_state()),
        edited: BTreeSet::new(),
        branch: branch.map(str::to_owned),
        stamp_problem: None,
        unknown_to_database: BTreeSet::new(),
        owner_revision: None,
    }
}

fn all_fields(work: &WorkState) -> BTreeMap<StateField, crate::model::FieldValue> {
    StateField::ALL.into_iter().map(|f| (f, work.get(f))).collect()
}

impl World {
    pub(super) fn from_snapshot(snapshot: Snapshot) -> Self {
        Self { snapshot, journal: BTreeMap::new(), aside: Vec::new() }
    }

    pub(super) fn reconcile(&self, policy: Policy) -> Reconciliation {
        reconcile(&self.snapshot, policy)
    }

    pub(super) fn apply_all(&self, actions: &[Action]) -> Self {
        let mut world = self.clone();
        for action in actions {
            world.apply_action(action);
        }
        world
    }

    fn apply_action(&mut self, action: &Action) {
        match action {
            Action::Journal(lost) => {
                self.journal.insert(lost.id(), lost.clone());
            }
            Action::SetAside(aside) => {
                let kept = std::mem::replace(&mut self.snapshot.cache, Reading::Missing);
                self.aside.push((*aside, kept));
            }
            Action::Push(proposal) => {
                // Conditional, as the store's: an old revision changes nothing.
                if let Reading::Fresh(database) = &mut self.snapshot.database
                    && database.revision == proposal.base
                {
                    for (field, value) in &proposal.changes {
                        database.work.set(*field, value.clone());
                    }
                    database.revision = Revision(database.revision.0 + 1);
                }
            }
            Action::ReplaceCache => {
                if let Reading::Fresh(database) = &self.snapshot.database {
                    let branch = self.snapshot.branch.as_ref().map(|b| b.name.as_str());
                    let cache = written_cache(database, &self.snapshot.session, branch);
                    self.snapshot.cache = Reading::Fresh(cache);
                }
            }
        }
    }

    /// Returns whether the rules leave this world alone on purpose.
    pub(super) fn is_held(&self, policy: Policy) -> bool {
        if !matches!(self.snapshot.database, Reading::Fresh(_)) {
            return true;
        }
        match &self.snapshot.cache {
            Reading::Unavailable(_) => true,
            Reading::Missing => !policy.create_cache,
            Reading::Corrupt(_) | Reading::Fresh(_) => false,
        }
    }
}
