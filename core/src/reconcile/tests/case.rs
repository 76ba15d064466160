//! A session in step with its cache, and what a test changes of it.

use super::super::{
    Action, BranchReading, CacheReading, ClaimReading, DatabaseReading, OutboxReading, Policy,
    Reading, Snapshot,
};
use super::world::{World, written_cache};
use crate::diagnostic::{BranchTarget, Code};
use crate::model::{Epoch, FieldValue, Lineage, Revision, StateField, WorkHistory, WorkState};

pub(super) const HELD: Policy = Policy { create_cache: true };

pub(super) fn text_value(text: &str) -> FieldValue {
    FieldValue::Text(Some(text.to_owned()))
}

/// A session that holds SD-002C in phase PLAN, in step with its cache.
pub(super) fn base_snapshot() -> Snapshot {
    let database = DatabaseReading {
        lineage: Lineage("11112222-aaaa".to_owned()),
        revision: Revision(7),
        claim: Some(ClaimReading {
            item: "SD-002C".parse().unwrap(),
            epoch: Epoch(3),
            since: None,
        }),
        lost_claim: None,
        work: WorkState {
            item: Some("SD-002C".to_owned()),
            phase: Some("PLAN".to_owned()),
            task: Some("review the plan".to_owned()),
            is_active: true,
            ..WorkState::default()
        },
        history: WorkHistory::default(),
        may_lack_changes: false,
    };
    let session = "0a1b2c3d-me".parse().unwrap();
    Snapshot {
        cache: Reading::Fresh(written_cache(&database, &session, Some("main"))),
        database: Reading::Fresh(database),
        session,
        branch: Some(BranchReading {
            name: "main".to_owned(),
            other_item: None,
            other_is_free: false,
            switch_target: BranchTarget::default(),
        }),
        peers: Vec::new(),
        outbox: OutboxReading::default(),
        now: "2026-02-02T03:00:00Z".parse().unwrap(),
    }
}

pub(super) fn cache_mut(snapshot: &mut Snapshot) -> &mut CacheReading {
    match &mut snapshot.cache {
        Reading::Fresh(cache) => cache,
        other => panic!("no cache: {other:?}"),
    }
}

pub(super) fn database_mut(snapshot: &mut Snapshot) -> &mut DatabaseReading {
    match &mut snapshot.database {
        Reading::Fresh(database) => database,
        other => panic!("no database: {other:?}"),
    }
}

/// Changes a field of the file by hand.
pub(super) fn edit_cache(snapshot: &mut Snapshot, field: StateField, value: FieldValue) {
    let cache = cache_mut(snapshot);
    cache.fields.insert(field, value);
    cache.edited.insert(field);
}

/// Changes a field of the file as if the database had moved on since it was written.
pub(super) fn set_stale_field(snapshot: &mut Snapshot, field: StateField, value: FieldValue) {
    let cache = cache_mut(snapshot);
    cache.fields.insert(field, value);
    cache.revision = Some(Revision(6));
}

/// Asserts what is found after a change, in order, and that nothing else is.
#[track_caller]
pub(super) fn expect_divergences(
    change: impl FnOnce(&mut Snapshot),
    lines: &[(Code, &str)],
) -> Vec<Action> {
    let mut snapshot = base_snapshot();
    change(&mut snapshot);
    let found = World::from_snapshot(snapshot).reconcile(HELD);
    let shown: Vec<_> = found.divergences.iter().map(|d| (d.code, d.message.as_str())).collect();
    assert_eq!(shown, lines);
    for divergence in &found.divergences {
        assert_eq!(divergence.severity, divergence.code.severity());
        assert_eq!(divergence.subject, "0a1b2c3d-me");
    }
    found.actions
}
