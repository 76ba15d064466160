//! A store that refuses what every store tolerates and no caller may do.
//!
//! Code that passes here leans on nothing that an engine merely lets through: a write without an
//! actor or an operation id, an operation id that serves two operations, a value of the wrong
//! kind, a claim whose outcome contradicts its conditions, and an acknowledgement of a revision
//! that never was all panic.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use trueup_core::deadline::Deadline;
use trueup_core::model::phase::{NewPhases, StuckPhase};
use trueup_core::model::*;
use trueup_core::outbox::Pending;
use trueup_core::store::*;

pub(crate) struct Strict<S> {
    pub(crate) engine: S,
    /// Which operation each id was used for.
    operations: BTreeMap<String, &'static str>,
}

impl<S: Store> Strict<S> {
    pub(crate) fn new(engine: S) -> Self {
        Self {
            engine,
            operations: BTreeMap::new(),
        }
    }

    fn check_provenance(&mut self, operation: &'static str, by: &Provenance) {
        assert!(
            !by.op_id.is_empty() && !by.actor.is_empty(),
            "{operation} without an actor or an operation id"
        );
        let earlier = self.operations.entry(by.op_id.clone()).or_insert(operation);
        assert_eq!(
            *earlier, operation,
            "operation id {} serves two operations",
            by.op_id
        );
    }
}

/// Each field of a state has values of one kind.
fn check_values<S>(_: &mut S, push: &Push) {
    for (field, value) in &push.changes {
        let mut state = ExecutionState::default();
        state.work.set(*field, value.clone());
        assert_eq!(
            state.work.get(*field),
            *value,
            "{field:?} is of another kind"
        );
    }
}

/// Whether the item changes hands decides the outcome.
fn check_outcome<S>(_: &mut S, grant: &ClaimGrant) {
    let is_consistent = match (grant.outcome, &grant.expected_holder) {
        (ClaimOutcome::Claimed, None) => true,
        (ClaimOutcome::AlreadyOwned, Some(holder)) => *holder == grant.session,
        (ClaimOutcome::TakenOver(_), Some(holder)) => *holder != grant.session,
        _ => false,
    };
    assert!(is_consistent, "{grant:?} contradicts its expected holder");
}

fn check_acknowledgement<S: Store>(store: &mut S, id: &SessionId, revision: Revision) {
    if let Some(session) = store.session(id).unwrap() {
        assert!(
            revision <= session.revision,
            "revision {revision} of session {id} never was"
        );
    }
}

/// Forwards operations; `by` names the provenance of one that writes, `checked` what else is
/// asked first.
macro_rules! forward {
    ($($trait:ident { $($name:ident($($arg:ident: $type:ty),*) -> $answer:ty
        $(, by $by:expr)? $(, checked $check:ident($($checked:expr),*))?;)* })*) => {$(
        impl<S: Store> $trait for Strict<S> {
            $(fn $name(&mut self, $($arg: $type),*) -> Result<$answer> {
                $(self.check_provenance(stringify!($name), $by);)?
                $($check(&mut self.engine, $($checked),*);)?
                self.engine.$name($($arg),*)
            })*
        }
    )*};
}

forward! {
    Store {
        lineage() -> Lineage;
        now() -> Timestamp;
        other_reading(apart_seconds: u64) -> Option<Timestamp>;
        register(registration: &Registration) -> Session, by &registration.provenance;
        session(id: &SessionId) -> Option<Session>;
        sessions(filter: &SessionFilter) -> Vec<Session>;
        heartbeat(heartbeat: &Heartbeat) -> ();
        push(push: &Push) -> Session, by &push.provenance, checked check_values(push);
        merge_metadata(id: &SessionId, patch: &Map<String, Json>, provenance: &Provenance)
            -> Session, by provenance;
        acknowledge(id: &SessionId, revision: Revision)
            -> (), checked check_acknowledgement(id, revision);
        end(id: &SessionId, reason: &str, provenance: &Provenance) -> Session, by provenance;
        lapsed(limit: u32) -> Vec<Session>;
        park(session: &Session, provenance: &Provenance) -> Option<Released>, by provenance;
        is_anything_underway() -> bool;
        add_item(item: &NewItem, provenance: &Provenance) -> Item, by provenance;
        item(key: &ItemKey) -> Option<Item>;
        item_title(key: &ItemKey) -> Option<String>;
        items(filter: &ItemFilter) -> Vec<Item>;
        known_items(keys: &[&str]) -> Vec<String>;
        claim(request: &ClaimRequest)
            -> ClaimTaken, by &request.provenance, checked check_outcome(&request.grant);
        release(release: &Release) -> Item, by &release.provenance;
        had_value(session: &SessionId, field: Field, value: &Value) -> bool;
        note_refusal(item: &ItemKey, provenance: &Provenance) -> (), by provenance;
        note_task(session: &SessionId, note: &TaskNote) -> ();
        task(session: &SessionId, task: &str) -> Option<TaskNote>;
        checkpoint(session: &SessionId, operations: u64, provenance: &Provenance)
            -> (), by provenance;
        events(filter: &EventFilter) -> Vec<Event>;
    }
    HandoffStore {
        create_handoff(new: &NewHandoff) -> Handoff, by &new.provenance;
        handoff(id: &HandoffId) -> Option<Handoff>;
        handoffs(filter: HandoffFilter) -> Vec<Handoff>;
        accept_handoff(acceptance: &HandoffAcceptance)
            -> Ruled<HandoffAccepted>, by &acceptance.provenance;
        reject_handoff(rejection: &HandoffRejection) -> Ruled<Handoff>, by &rejection.provenance;
        handoff_news(session: &SessionId, starts: bool) -> Vec<(HandoffNews, Handoff)>;
        note_handoff_told(told: &Handoff) -> ();
    }
    ItemStore {
        move_item(request: &ItemMove) -> ItemMoved, by &request.provenance;
        depend(request: &Depend) -> Item, by &request.provenance;
        edit_item(edit: &ItemEdit) -> Item, by &edit.provenance;
        use_of_item(key: &ItemKey) -> Option<InUse>;
        remove_item(key: &ItemKey, provenance: &Provenance) -> (), by provenance;
        depend_each(requests: &[Depend]) -> Vec<Result<Item>>;
        waiting_for(key: &ItemKey) -> Vec<Waits>;
        open_dependencies(key: &ItemKey) -> Vec<(ItemKey, ItemStatus)>;
        children(key: &ItemKey) -> Children;
        next_item(wish: &NextWish) -> Next;
        claim_next(request: &NextRequest) -> NextTaken, by &request.provenance;
        last_holder(key: &ItemKey) -> Option<LastHolder>;
    }
    MetadataStore {
        record_metadata_change(change: &MetadataChange, provenance: &Provenance)
            -> (), by provenance;
    }
    OrchestratorStore {
        register_orchestrator(run: &NewRun) -> Registered, by &run.provenance;
        orchestrator(id: &OrchestratorId) -> Option<Orchestrator>;
        live_orchestrators() -> Vec<Orchestrator>;
        orchestrators(limit: u32) -> Vec<Orchestrator>;
        beat_orchestrator(id: &OrchestratorId) -> Orchestrator;
        tell_orchestrator_to_stop(id: &OrchestratorId, provenance: &Provenance)
            -> Orchestrator, by provenance;
        stop_orchestrator(id: &OrchestratorId, end: RunEnd, provenance: &Provenance)
            -> RunEnded, by provenance;
        crash_orchestrator(read: &Orchestrator, provenance: &Provenance)
            -> Option<RunEnded>, by provenance;
    }
    PlanStore {
        import_plan(plan: &NewPlan, provenance: &Provenance) -> PlanImported, by provenance;
        plans() -> Vec<PlanListed>;
        plan(id: &PlanId) -> Option<PlanState>;
        plan_ids() -> Vec<PlanId>;
        plan_at(path: &str) -> Option<PlanId>;
        remove_plan(id: &PlanId, provenance: &Provenance) -> (), by provenance;
        plan_task(plan: &PlanId, task: &PlanTaskId) -> Option<PlanTask>;
        change_plan_task(change: &PlanTaskChange) -> PlanTask, by &change.provenance;
        interrupt_plan_tasks(orchestrator: &OrchestratorId, reason: &str, provenance: &Provenance)
            -> Vec<PlanTask>, by provenance;
        fail_stuck_plan_tasks(stuck_seconds: u64, provenance: &Provenance)
            -> Vec<PlanTask>, by provenance;
    }
    PortStore {
        reservations(host: Option<&str>) -> Vec<Reservation>;
        reserve_port(request: &PortRequest) -> Reservation, by &request.provenance;
        reassign_port(as_read: &Reservation, owner: &PortOwner, provenance: &Provenance)
            -> Reservation, by provenance;
        release_port(release: &PortRelease) -> Reservation, by &release.provenance;
    }
    QueueStore {
        add_phases(phases: &NewPhases, provenance: &Provenance) -> Vec<Phase>, by provenance;
        phase(id: &QueueId) -> Option<Phase>;
        phases(filter: &PhaseFilter) -> Vec<Phase>;
        next_phase(session: Option<&SessionId>) -> Option<Phase>;
        step_phase(request: &StepRequest) -> Stepped, by &request.provenance;
        interrupt_phases(orchestrator: &OrchestratorId, reason: &str, provenance: &Provenance)
            -> Vec<Phase>, by provenance;
        stuck_phases(seconds: u64, limit: u32) -> Vec<StuckPhase>;
        fail_stuck_phase(stuck: &StuckPhase, error: &str, provenance: &Provenance)
            -> Option<PhaseMoved>, by provenance;
    }
    RepoStore {
        repos() -> Vec<Repo>;
        place_repo(placement: &Placement) -> Repo, by &placement.provenance;
        displace_repo(slug: &RepoSlug, machine: &str, provenance: &Provenance)
            -> Repo, by provenance;
        put_repo_state(slug: &RepoSlug, state: &RepoState, provenance: &Provenance)
            -> Repo, by provenance;
        repo_name(identity: &str) -> Option<String>;
        repo_identities(name: &str) -> Vec<String>;
        name_repo(naming: &RepoNaming<'_>) -> String;
        rename_repo(identity: &str, name: &str, provenance: &Provenance) -> (), by provenance;
        repo_state(slug: &RepoSlug) -> Option<RepoState>;
    }
    RetentionStore {
        ended_sessions(before: Timestamp, after: Option<&SessionCursor>, limit: u32)
            -> Vec<SessionRemains>;
        remove_sessions(sessions: &[SessionId], retention: &Retention) -> Vec<SessionId>;
        event_remains(after: i64, limit: u32) -> Vec<EventRemains>;
        remove_events(events: &[i64], retention: &Retention) -> u64;
        note_removed(before: Timestamp, provenance: &Provenance)
            -> Option<PruneTally>, by provenance;
    }
    WaitingStore {
        deliver(waiting: &[&Pending], newcomer: &Newcomer, until: Deadline) -> Vec<Delivered>;
    }
    WorkplanStore {
        workplan_rows(repo: &str) -> WorkplanRows;
        find_workplan_rows(keys: &[ItemKey], links: &[WorkplanLink]) -> Vec<WorkplanRow>;
        link_workplans(rows: &[NewWorkplanRow], provenance: &Provenance)
            -> Vec<WorkplanLink>, by provenance;
        describe_workplans(changes: &[WorkplanChange], provenance: &Provenance)
            -> (), by provenance;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::sqlite;
    use crate::request::{by, id, registration};

    fn push(session: &Session, field: Field, value: Value) -> Push {
        Push {
            session: session.id.clone(),
            base: session.revision,
            fence: None,
            changes: BTreeMap::from([(field, value)]),
            branch: None,
            mark: None,
            acknowledge: false,
            provenance: by("s1"),
        }
    }

    #[test]
    #[should_panic(expected = "Phase is of another kind")]
    fn a_value_of_another_kind_panics() {
        let mut file = sqlite();
        let session = file.store.register(&registration("s1")).unwrap();
        let push = push(&session, Field::Phase, Value::Flag(true));
        let _ = file.store.push(&push);
    }

    #[test]
    #[should_panic(expected = "serves two operations")]
    fn an_operation_id_used_twice_panics() {
        let mut file = sqlite();
        let session = file.store.register(&registration("s1")).unwrap();
        let first = push(&session, Field::IsActive, Value::Flag(true));
        file.store.push(&first).unwrap();
        let _ = file.store.end(&session.id, "x", &first.provenance);
    }

    #[test]
    #[should_panic(expected = "without an actor")]
    fn a_write_of_nobody_panics() {
        let mut file = sqlite();
        let session = file.store.register(&registration("s1")).unwrap();
        let _ = file.store.checkpoint(&session.id, 1, &by(""));
    }

    #[test]
    #[should_panic(expected = "never was")]
    fn an_acknowledgement_of_a_later_revision_panics() {
        let mut file = sqlite();
        let session = file.store.register(&registration("s1")).unwrap();
        let later = Revision(session.revision.0 + 1);
        let _ = file.store.acknowledge(&id("s1"), later);
    }

    #[test]
    fn an_outcome_that_contradicts_its_conditions_panics() {
        let mine: SessionId = id("s1");
        for (outcome, holder) in [
            (ClaimOutcome::Claimed, Some(id("s2"))),
            (ClaimOutcome::AlreadyOwned, None),
            (ClaimOutcome::TakenOver("x"), None),
            (ClaimOutcome::TakenOver("x"), Some(mine.clone())),
        ] {
            let grant = ClaimGrant {
                session: mine.clone(),
                item: "A".parse().unwrap(),
                expected_holder: holder,
                expected_epoch: Epoch(0),
                holder_seen_at: None,
                outcome,
            };
            let checked = std::panic::catch_unwind(|| check_outcome(&mut (), &grant));
            assert!(checked.is_err(), "{grant:?}");
        }
    }
}
