//! Requests with everything a test does not speak of filled in.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value as Json};

use trueup_core::model::phase::{NewPhase, NewPhases, PhaseName, PhaseRefusal, PhaseStep};
use trueup_core::model::{
    ClaimGrant, ClaimOutcome, Epoch, Event, EventFilter, Field, Goal, Item, ItemKey, ItemStatus,
    MoveFacts, Mover, NewItem, Orchestrator, OrchestratorId, Phase, ProcessId, ProcessPlace,
    Session, SessionId, Value, advance,
};
use trueup_core::store::{
    ClaimRequest, ClaimTaken, Heartbeat, ItemMove, ItemMoved, NewRun, PhaseFilter, PhaseMoved,
    Provenance, Push, Registered, Registration, Release, Result, StepRequest, Stepped, Store,
    StoreError, TaskNote,
};

pub(crate) const LEASE: u64 = 900;

pub(crate) fn id(text: &str) -> SessionId {
    text.parse().unwrap()
}

pub(crate) fn key(text: &str) -> ItemKey {
    text.parse().unwrap()
}

pub(crate) fn by(actor: &str) -> Provenance {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    Provenance {
        actor: actor.to_owned(),
        reason: None,
        op_id: format!("op-{}", NEXT.fetch_add(1, Ordering::Relaxed)),
    }
}

pub(crate) fn because(actor: &str, reason: &str) -> Provenance {
    Provenance {
        reason: Some(reason.into()),
        ..by(actor)
    }
}

pub(crate) fn registration(session: &str) -> Registration {
    Registration {
        session: id(session),
        repo: None,
        worktree: Some("/w".to_owned()),
        branch: None,
        host: None,
        process: None,
        predecessor: None,
        lease_seconds: LEASE,
        provenance: by(session),
    }
}

pub(crate) fn register(store: &mut dyn Store, session: &str) -> Session {
    store.register(&registration(session)).unwrap()
}

pub(crate) fn session(store: &mut dyn Store, text: &str) -> Session {
    store.session(&id(text)).unwrap().unwrap()
}

pub(crate) fn item(store: &mut dyn Store, text: &str) -> Item {
    let item = store.item(&key(text)).unwrap().unwrap();
    assert_eq!(store.item_title(&item.key).unwrap(), item.title);
    item
}

pub(crate) fn beat(session: &str) -> Heartbeat {
    Heartbeat {
        session: id(session),
        lease_seconds: Some(LEASE),
        status: None,
        span_seconds: None,
    }
}

/// A change of the phase on the session's present revision.
pub(crate) fn phase(session: &Session, phase: &str) -> Push {
    change(session, Field::Phase, Value::Text(Some(phase.to_owned())))
}

pub(crate) fn change(session: &Session, field: Field, value: Value) -> Push {
    Push {
        session: session.id.clone(),
        base: session.revision,
        fence: None,
        changes: BTreeMap::from([(field, value)]),
        branch: None,
        mark: None,
        acknowledge: false,
        provenance: by(session.id.as_str()),
    }
}

pub(crate) fn new_item(text: &str) -> NewItem {
    NewItem::new(key(text))
}

pub(crate) fn add(store: &mut dyn Store, text: &str) -> Item {
    store.add_item(&new_item(text), &by("user")).unwrap()
}

/// Asks for an item as it is now: free, held by the asker, or held by another.
pub(crate) fn wish(store: &mut dyn Store, session: &str, text: &str) -> ClaimRequest {
    let item = item(store, text);
    let outcome = match &item.holder {
        None => ClaimOutcome::Claimed,
        Some(holder) if *holder == id(session) => ClaimOutcome::AlreadyOwned,
        Some(_) => ClaimOutcome::TakenOver("holder_dead"),
    };
    let other = item.holder.clone().filter(|holder| *holder != id(session));
    let holder = other.and_then(|other| store.session(&other).unwrap());
    ClaimRequest {
        grant: ClaimGrant {
            session: id(session),
            item: item.key,
            expected_holder: item.holder,
            expected_epoch: item.epoch,
            holder_seen_at: holder.map(|holder| holder.heartbeat_at),
            outcome,
        },
        span_seconds: None,
        lease_seconds: LEASE,
        provenance: by(session),
    }
}

pub(crate) fn claim(store: &mut dyn Store, session: &str, text: &str) -> ClaimTaken {
    let request = wish(store, session, text);
    store.claim(&request).unwrap()
}

pub(crate) fn release(session: &str, text: &str) -> Release {
    Release {
        session: id(session),
        item: key(text),
        provenance: by(session),
    }
}

pub(crate) fn note(task: &str, subject: &str) -> TaskNote {
    TaskNote {
        task: task.to_owned(),
        subject: subject.to_owned(),
    }
}

pub(crate) fn orchestrator_id(text: &str) -> OrchestratorId {
    text.parse().unwrap()
}

pub(crate) fn run(id: &str, plan: &str) -> NewRun {
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
        provenance: by("user"),
    }
}

/// Begins a run of a plan that nobody runs.
pub(crate) fn running(store: &mut dyn Store, id: &str, plan: &str) -> Orchestrator {
    match store.register_orchestrator(&run(id, plan)).unwrap() {
        Registered::Started(row) => row,
        Registered::Held(holder) => panic!("{plan} is run by {}", holder.id),
    }
}

/// Registers `s1` with item `A`, claimed; returns the fence.
pub(crate) fn holder(store: &mut dyn Store) -> Epoch {
    register(store, "s1");
    add(store, "A");
    claim(store, "s1", "A").item.epoch
}

/// Adds an item with phases, each waiting for the numbers given.
pub(crate) fn queue(store: &mut dyn Store, text: &str, depends: &[&[u32]]) -> Vec<Phase> {
    add(store, text);
    store
        .add_phases(&phases(text, depends), &by("user"))
        .unwrap()
}

pub(crate) fn phases(text: &str, depends: &[&[u32]]) -> NewPhases {
    let names = PhaseName::ALL.into_iter().cycle();
    let phases = (1..).zip(names).zip(depends);
    NewPhases {
        item: key(text),
        phases: phases
            .map(|((number, name), on)| NewPhase {
                number,
                name,
                depends_on: on.to_vec(),
            })
            .collect(),
        priority: 50,
        issue_number: None,
        feature_id: None,
        adw_id: None,
        data: None,
    }
}

pub(crate) fn phase_row(store: &mut dyn Store, text: &str) -> Phase {
    store.phase(&text.parse().unwrap()).unwrap().unwrap()
}

/// A step of a person at a terminal.
pub(crate) fn step(text: &str, step: PhaseStep) -> StepRequest {
    StepRequest {
        id: text.parse().unwrap(),
        step,
        mover: None,
        provenance: Provenance {
            reason: Some("said so".into()),
            ..by("user")
        },
    }
}

/// A step of a session.
pub(crate) fn step_of(session: &str, text: &str, wanted: PhaseStep) -> StepRequest {
    let mut request = step(text, wanted);
    request.mover = Some(id(session));
    session.clone_into(&mut request.provenance.actor);
    request
}

pub(crate) fn start() -> PhaseStep {
    PhaseStep::Start { orchestrator: None }
}

pub(crate) fn complete() -> PhaseStep {
    PhaseStep::Complete { pr_number: None }
}

pub(crate) fn fail(error: &str) -> PhaseStep {
    PhaseStep::Fail {
        error: error.to_owned(),
    }
}

pub(crate) fn reopen() -> PhaseStep {
    PhaseStep::Reopen {
        reason: "again".to_owned(),
    }
}

/// Takes a step that has to be taken.
#[track_caller]
pub(crate) fn moved(store: &mut dyn Store, request: &StepRequest) -> PhaseMoved {
    match store.step_phase(request).unwrap() {
        Stepped::Moved(moved) => *moved,
        Stepped::Refused(refusal) => panic!("{}: {refusal:?}", request.id),
    }
}

/// Takes a step that has to be refused.
#[track_caller]
pub(crate) fn held_back(store: &mut dyn Store, request: &StepRequest) -> PhaseRefusal {
    match store.step_phase(request).unwrap() {
        Stepped::Moved(moved) => panic!("{moved:?}"),
        Stepped::Refused(refusal) => refusal,
    }
}

/// Returns the statuses of an item's phases, by number.
pub(crate) fn statuses(store: &mut dyn Store, text: &str) -> String {
    let filter = PhaseFilter {
        item: Some(key(text)),
        status: None,
    };
    let mut rows = store.phases(&filter).unwrap();
    rows.sort_by_key(|row| row.number);
    let words: Vec<&str> = rows.iter().map(|row| row.status.as_str()).collect();
    words.join(" ")
}

pub(crate) fn events(store: &mut dyn Store) -> Vec<Event> {
    store.events(&EventFilter::default()).unwrap()
}

/// Returns the kinds of the events after a cursor, with their subjects.
pub(crate) fn kinds(store: &mut dyn Store, after: i64) -> Vec<String> {
    events(store)
        .iter()
        .filter(|e| e.seq > after)
        .map(|e| format!("{} {}", e.key, e.kind))
        .collect()
}

pub(crate) fn cursor(store: &mut dyn Store) -> i64 {
    events(store).last().map_or(0, |e| e.seq)
}

#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T>, code: &str) -> StoreError {
    let error = answer.unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    error
}

/// Returns the keys of a metadata that are nobody's but those of whoever put them there.
pub(crate) fn of_others(metadata: &Map<String, Json>) -> Map<String, Json> {
    let ours = [
        "branch",
        "auto_proceed",
        "chain_orchestrators",
        "execution_state",
    ];
    let mut others = metadata.clone();
    others.retain(|key, _| !ours.contains(&key.as_str()));
    others
}

/// Moves an item forward as its holder, a session, or else a person would, by the rules.
pub(crate) fn move_to(store: &mut dyn Store, who: &str, text: &str, to: ItemStatus) -> ItemMoved {
    move_by_rules(store, who, text, Goal::Status(to))
}

/// Reopens an item.
pub(crate) fn reopen_item(store: &mut dyn Store, who: &str, text: &str) -> ItemMoved {
    move_by_rules(store, who, text, Goal::Start)
}

fn move_by_rules(store: &mut dyn Store, who: &str, text: &str, goal: Goal) -> ItemMoved {
    let session = store.session(&id(who)).unwrap();
    let item = item(store, text);
    let facts = MoveFacts {
        mover: session
            .as_ref()
            .map_or(Mover::Person, |session| Mover::Session(Some(session))),
        item: Some(&item),
        goal,
        evidence: None,
        reason: Some("why"),
    };
    let request = ItemMove {
        grant: advance(&facts).unwrap(),
        provenance: Provenance {
            reason: Some("why".into()),
            ..by(who)
        },
    };
    store.move_item(&request).unwrap()
}
