//! Sample sessions, items, orchestrators and hand-offs for tests.

use super::{
    Epoch, Handoff, HandoffElements, HandoffStatus, Item, ItemStatus, Lineage, Orchestrator,
    OrchestratorStatus, ProcessId, ProcessPlace, Revision, RunEnd, Session, SessionStatus,
    Timestamp,
};

/// The database's clock in these tests, in seconds.
const NOW: i64 = 100_000;

/// Makes a time `seconds` after the tests' present.
pub(crate) fn seconds_from_now(seconds: i64) -> Timestamp {
    Timestamp::from_millis((NOW + seconds) * 1000)
}

/// Makes the place of a process; an empty part is unknown.
pub(crate) fn sample_place(machine: &str, boot: &str, namespace: &str) -> ProcessPlace {
    let part = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    ProcessPlace { machine: part(machine), boot: part(boot), namespace: part(namespace) }
}

/// Makes a session that last gave a sign of life `silence` seconds ago, with a lease of 900 s.
pub(crate) fn sample_session(id: &str, status: SessionStatus, silence: i64) -> Session {
    Session {
        lineage: Lineage("lineage".to_owned()),
        id: id.parse().unwrap(),
        repo: None,
        worktree: None,
        host: Some("here".to_owned()),
        process: None,
        status,
        ended_reason: None,
        predecessor: None,
        registered_at: seconds_from_now(-NOW),
        heartbeat_at: seconds_from_now(-silence),
        lease_expires_at: seconds_from_now(900 - silence),
        silent_until: None,
        revision: Revision(1),
        acknowledged: Revision(1),
        metadata: serde_json::Map::new(),
        item: None,
        epoch: None,
        claimed_at: None,
        read_at: seconds_from_now(0),
    }
}

/// Makes item `SD-002C` at epoch 3.
pub(crate) fn sample_item(status: ItemStatus, holder: Option<&str>) -> Item {
    Item {
        key: "SD-002C".parse().unwrap(),
        title: None,
        kind: "task".to_owned(),
        parent: None,
        position: None,
        repo: None,
        priority: None,
        description: None,
        extra: serde_json::Map::new(),
        status,
        phase: None,
        holder: holder.map(|h| h.parse().unwrap()),
        epoch: Epoch(3),
        claimed_at: None,
        error_message: None,
        evidence: None,
        requires_evidence: false,
        depends_on: Vec::new(),
        open_dependencies: 0,
        revision: Revision(1),
        created_at: seconds_from_now(-NOW),
        updated_at: seconds_from_now(-NOW),
        completed_at: None,
    }
}

/// Makes an orchestrator that last gave a sign of life `silence` seconds ago.
pub(crate) fn sample_orchestrator(status: OrchestratorStatus, silence: i64) -> Orchestrator {
    Orchestrator {
        id: "orch-1".parse().unwrap(),
        plan: "plan".parse().unwrap(),
        session: None,
        host: "here".to_owned(),
        process: ProcessId {
            pid: 42,
            started: Some(1),
            place: ProcessPlace { boot: Some("boot".to_owned()), ..ProcessPlace::default() },
        },
        supervised: false,
        status,
        started_at: seconds_from_now(-NOW),
        heartbeat_at: seconds_from_now(-silence),
        stopped_at: None,
        end: RunEnd::default(),
        reason: None,
        epoch: Epoch(1),
        revision: Revision(1),
        read_at: seconds_from_now(0),
    }
}

/// Makes a hand-off of `SD-002C` at epoch 3 from session `from` in repository `app`.
pub(crate) fn sample_handoff(status: HandoffStatus, to: Option<&str>) -> Handoff {
    Handoff {
        id: "h-1".parse().unwrap(),
        kind: "PLAN-TO-EXEC".parse().unwrap(),
        status,
        item: "SD-002C".parse().unwrap(),
        from: "from".parse().unwrap(),
        to: to.map(|to| to.parse().unwrap()),
        repo: Some("app".to_owned()),
        worktree: None,
        branch: None,
        phase: None,
        task: None,
        epoch: Epoch(3),
        elements: HandoffElements::default(),
        created_at: seconds_from_now(-60),
        decided_at: None,
        decided_by: None,
        reject_reason: None,
        shown_at: None,
        told_at: None,
        revision: Revision(1),
    }
}
