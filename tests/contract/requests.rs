//! Builds requests with defaults for everything that a test does not set.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value as Json};

use trueup_core::model::phase::{NewPhase, NewPhases, PhaseName, PhaseRefusal, PhaseStep};
use trueup_core::model::{
    ClaimGrant, ClaimOutcome, Epoch, Event, EventFilter, FieldValue, Item, ItemKey, ItemStatus,
    MoveActor, MoveFacts, MoveTarget, NewItem, Orchestrator, OrchestratorId, Phase, ProcessId,
    ProcessPlace, Session, SessionId, StateField, TakeoverReason, decide_move,
};
use trueup_core::store::{
    ClaimedItem, GrantedClaim, GrantedMove, HeartbeatRequest, ItemAddition, MovedItem, NewRun,
    PhaseChanges, PhaseFilter, PhaseStepOutcome, PhaseStepRequest, Provenance, ReleaseRequest,
    Result, RunRegistration, SessionRegistration, SessionTask, StatePush, Store, StoreError,
};

pub(crate) const LEASE_SECONDS: u64 = 900;

pub(crate) fn session_id(text: &str) -> SessionId {
    text.parse().unwrap()
}

pub(crate) fn item_key(text: &str) -> ItemKey {
    text.parse().unwrap()
}

pub(crate) fn new_provenance(actor: &str) -> Provenance {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Provenance::new(actor, "").under_id(format!("op-{}-{number}", std::process::id()))
}

pub(crate) fn provenance_because(actor: &str, reason: &str) -> Provenance {
    new_provenance(actor).because(reason)
}

pub(crate) fn registration(session: &str) -> SessionRegistration {
    SessionRegistration {
        session: session_id(session),
        repo: None,
        worktree: Some("/w".to_owned()),
        branch: None,
        host: None,
        process: None,
        predecessor: None,
        lease_seconds: LEASE_SECONDS,
        provenance: new_provenance(session),
    }
}

pub(crate) fn register_session(store: &mut dyn Store, session: &str) -> Session {
    store.register_session(&registration(session)).unwrap()
}

pub(crate) fn load_session(store: &mut dyn Store, text: &str) -> Session {
    store.load_session(&session_id(text)).unwrap().unwrap()
}

pub(crate) fn load_item(store: &mut dyn Store, text: &str) -> Item {
    let item = store.load_item(&item_key(text)).unwrap().unwrap();
    assert_eq!(store.load_item_title(&item.key).unwrap(), item.title);
    item
}

pub(crate) fn new_heartbeat(session: &str) -> HeartbeatRequest {
    HeartbeatRequest {
        session: session_id(session),
        lease_seconds: Some(LEASE_SECONDS),
        status: None,
        quiet_seconds: None,
    }
}

/// Builds a change of the phase, based on the session's revision.
pub(crate) fn phase_push(session: &Session, phase: &str) -> StatePush {
    field_push(session, StateField::Phase, FieldValue::Text(Some(phase.to_owned())))
}

pub(crate) fn field_push(session: &Session, field: StateField, value: FieldValue) -> StatePush {
    StatePush {
        session: session.id.clone(),
        base: session.revision,
        fencing_token: None,
        changes: BTreeMap::from([(field, value)]),
        metadata: Map::new(),
        branch: None,
        mark: None,
        acknowledge: false,
        provenance: new_provenance(session.id.as_str()),
    }
}

pub(crate) fn new_item(text: &str) -> NewItem {
    NewItem::new(item_key(text))
}

pub(crate) fn add_item(store: &mut dyn Store, text: &str) -> Item {
    store.add_item(&new_item(text), &new_provenance("user")).unwrap()
}

/// Builds a claim of an item as it is now: free, held by the session, or held by another.
pub(crate) fn claim_request(store: &mut dyn Store, session: &str, text: &str) -> GrantedClaim {
    let item = load_item(store, text);
    let outcome = match &item.holder {
        None => ClaimOutcome::Claimed,
        Some(holder) if *holder == session_id(session) => ClaimOutcome::AlreadyHeld,
        Some(_) => ClaimOutcome::TakenOver(TakeoverReason::HolderDead),
    };
    let other = item.holder.clone().filter(|holder| *holder != session_id(session));
    let holder = other.and_then(|other| store.load_session(&other).unwrap());
    GrantedClaim {
        grant: ClaimGrant {
            session: session_id(session),
            item: item.key,
            expected_holder: item.holder,
            expected_epoch: item.epoch,
            holder_seen_at: holder.map(|holder| holder.heartbeat_at),
            outcome,
        },
        new_item: None,
        quiet_seconds: None,
        lease_seconds: LEASE_SECONDS,
        provenance: new_provenance(session),
    }
}

pub(crate) fn claim_item(store: &mut dyn Store, session: &str, text: &str) -> ClaimedItem {
    let request = claim_request(store, session, text);
    store.claim(&request).unwrap()
}

/// Builds a claim that adds the item, which does not exist.
pub(crate) fn creating_claim_request(session: &str, text: &str) -> GrantedClaim {
    GrantedClaim {
        grant: ClaimGrant {
            session: session_id(session),
            item: item_key(text),
            expected_holder: None,
            expected_epoch: Epoch(0),
            holder_seen_at: None,
            outcome: ClaimOutcome::Claimed,
        },
        new_item: Some(ItemAddition {
            item: new_item(text),
            provenance: provenance_because(session, "claim --create"),
        }),
        quiet_seconds: None,
        lease_seconds: LEASE_SECONDS,
        provenance: new_provenance(session),
    }
}

pub(crate) fn release_request(session: &str, text: &str) -> ReleaseRequest {
    ReleaseRequest {
        session: session_id(session),
        item: item_key(text),
        provenance: new_provenance(session),
    }
}

pub(crate) fn task_note(task: &str, subject: &str) -> SessionTask {
    SessionTask { task: task.to_owned(), subject: subject.to_owned() }
}

pub(crate) fn orchestrator_id(text: &str) -> OrchestratorId {
    text.parse().unwrap()
}

pub(crate) fn new_run(id: &str, plan: &str) -> NewRun {
    NewRun {
        id: orchestrator_id(id),
        plan: plan.parse().unwrap(),
        session: None,
        host: "h1".to_owned(),
        process: ProcessId {
            pid: 42,
            started: Some(7),
            place: ProcessPlace {
                machine: Some("m".to_owned()),
                boot: Some("boot".to_owned()),
                namespace: Some("n".to_owned()),
            },
        },
        supervised: false,
        provenance: new_provenance("user"),
    }
}

/// Registers a run of a plan that has none.
pub(crate) fn begin_run(store: &mut dyn Store, id: &str, plan: &str) -> Orchestrator {
    match store.register_orchestrator(&new_run(id, plan)).unwrap() {
        RunRegistration::Started(row) => row,
        RunRegistration::PlanTaken(holder) => panic!("{plan} is run by {}", holder.id),
    }
}

/// Registers `s1` and lets it claim item `A`; returns the epoch.
pub(crate) fn register_holder(store: &mut dyn Store) -> Epoch {
    register_session(store, "s1");
    add_item(store, "A");
    claim_item(store, "s1", "A").item.epoch
}

/// Adds an item with phases, each of which depends on the given numbers.
pub(crate) fn add_queue(store: &mut dyn Store, text: &str, depends: &[&[u32]]) -> Vec<Phase> {
    add_item(store, text);
    store.add_phases(&new_phases(text, depends), &new_provenance("user")).unwrap()
}

pub(crate) fn new_phases(text: &str, depends: &[&[u32]]) -> NewPhases {
    let names = PhaseName::USUAL.into_iter().cycle();
    let phases = (1..).zip(names).zip(depends);
    NewPhases {
        item: item_key(text),
        phases: phases
            .map(|((number, name), on)| NewPhase { number, name, depends_on: on.to_vec() })
            .collect(),
        priority: 50,
        issue_number: None,
        feature_id: None,
        adw_id: None,
        data: None,
    }
}

pub(crate) fn first_phase_of(store: &mut dyn Store, text: &str) -> Phase {
    store.load_phase(&text.parse().unwrap()).unwrap().unwrap()
}

/// Builds a step of a person at a terminal.
pub(crate) fn step_request(text: &str, step: PhaseStep) -> PhaseStepRequest {
    PhaseStepRequest {
        id: text.parse().unwrap(),
        step,
        mover: None,
        provenance: new_provenance("user").because("said so"),
    }
}

/// Builds a step of a session.
pub(crate) fn session_step_request(
    session: &str,
    text: &str,
    wanted: PhaseStep,
) -> PhaseStepRequest {
    let mut request = step_request(text, wanted);
    request.mover = Some(session_id(session));
    session.clone_into(&mut request.provenance.actor);
    request
}

pub(crate) fn start_step() -> PhaseStep {
    PhaseStep::Start { orchestrator: None }
}

pub(crate) fn complete_step() -> PhaseStep {
    PhaseStep::Complete { pr_number: None }
}

pub(crate) fn fail_step(error: &str) -> PhaseStep {
    PhaseStep::Fail { error: error.to_owned() }
}

pub(crate) fn reopen_step() -> PhaseStep {
    PhaseStep::Reopen { reason: "again".to_owned() }
}

/// Applies a step, which must succeed.
#[track_caller]
pub(crate) fn apply_step(store: &mut dyn Store, request: &PhaseStepRequest) -> PhaseChanges {
    match store.apply_phase_step(request).unwrap() {
        PhaseStepOutcome::Applied(moved) => *moved,
        PhaseStepOutcome::Refused(refusal) => panic!("{}: {refusal:?}", request.id),
    }
}

/// Applies a step, which must be refused.
#[track_caller]
pub(crate) fn expect_step_refusal(
    store: &mut dyn Store,
    request: &PhaseStepRequest,
) -> PhaseRefusal {
    match store.apply_phase_step(request).unwrap() {
        PhaseStepOutcome::Applied(moved) => panic!("{moved:?}"),
        PhaseStepOutcome::Refused(refusal) => refusal,
    }
}

/// Returns the statuses of an item's phases, by number.
pub(crate) fn phase_statuses(store: &mut dyn Store, text: &str) -> String {
    let filter = PhaseFilter { item: Some(item_key(text)), ..PhaseFilter::default() };
    let mut rows = store.list_phases(&filter).unwrap();
    rows.sort_by_key(|row| row.number);
    let statuses: Vec<&str> = rows.iter().map(|row| row.status.as_str()).collect();
    statuses.join(" ")
}

pub(crate) fn list_events(store: &mut dyn Store) -> Vec<Event> {
    store.list_events(&EventFilter::default()).unwrap()
}

/// Returns the kinds and subjects of the events after a cursor.
pub(crate) fn list_event_kinds(store: &mut dyn Store, after: i64) -> Vec<String> {
    list_events(store)
        .iter()
        .filter(|e| e.seq > after)
        .map(|e| format!("{} {}", e.key, e.kind))
        .collect()
}

pub(crate) fn last_event_id(store: &mut dyn Store) -> i64 {
    list_events(store).last().map_or(0, |e| e.seq)
}

#[track_caller]
pub(crate) fn expect_refusal<T: std::fmt::Debug>(answer: Result<T>, code: &str) -> StoreError {
    let error = answer.unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    error
}

/// Returns the metadata keys that are not trueup's.
pub(crate) fn foreign_keys_of(metadata: &Map<String, Json>) -> Map<String, Json> {
    let ours = ["branch", "auto_proceed", "chain_orchestrators", "execution_state"];
    let mut others = metadata.clone();
    others.retain(|key, _| !ours.contains(&key.as_str()));
    others
}

/// Moves an item forward by the rules, as its holder, another session, or a person.
pub(crate) fn move_item(store: &mut dyn Store, who: &str, text: &str, to: ItemStatus) -> MovedItem {
    move_by_rules(store, who, text, MoveTarget::Status(to))
}

/// Reopens an item.
pub(crate) fn reopen_item(store: &mut dyn Store, who: &str, text: &str) -> MovedItem {
    move_by_rules(store, who, text, MoveTarget::BackToStart)
}

fn move_by_rules(store: &mut dyn Store, who: &str, text: &str, goal: MoveTarget) -> MovedItem {
    let session = store.load_session(&session_id(who)).unwrap();
    let item = load_item(store, text);
    let facts = MoveFacts {
        actor: session
            .as_ref()
            .map_or(MoveActor::Person, |session| MoveActor::Session(Some(session))),
        item: Some(&item),
        target: goal,
        evidence: None,
        reason: Some("why"),
    };
    let request = GrantedMove {
        grant: decide_move(&facts).unwrap(),
        provenance: new_provenance(who).because("why"),
    };
    store.move_item(&request).unwrap()
}
