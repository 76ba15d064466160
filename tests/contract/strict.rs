//! A store that panics on misuse which the engines tolerate.
//!
//! It panics as well when an answer is an engine's own text about a constraint: each rule that a
//! caller can break has one text, whatever the engine.
//!
//! Misuse is a write without an actor or an operation id, an operation id used for two operations,
//! a value of the wrong kind, a claim whose outcome contradicts its conditions, or an
//! acknowledgement of a revision that never was.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Map, Value as Json};
use trueup_core::deadline::Deadline;
use trueup_core::model::phase::{NewPhases, StuckPhase};
use trueup_core::model::*;
use trueup_core::outbox::PendingWrite;
use trueup_core::store::*;

pub(crate) struct StrictStore<S> {
    pub(crate) engine: S,
    /// Which operation each id was used for.
    operations: BTreeMap<String, &'static str>,
    /// What the engine needs for each operation, where a test looks at it.
    meter: Option<RequestMeter>,
    /// The operations that were carried out without an error.
    answered: BTreeSet<&'static str>,
}

/// How many requests each run of an operation needed.
pub(crate) struct RequestMeter {
    /// The requests so far.
    pub(crate) requests: Rc<Cell<usize>>,
    pub(crate) needed: BTreeMap<&'static str, Vec<usize>>,
}

impl<S: Store> StrictStore<S> {
    pub(crate) fn new(engine: S) -> Self {
        Self { engine, operations: BTreeMap::new(), meter: None, answered: BTreeSet::new() }
    }

    /// A store that notes how many requests each operation needs, as `requests` counts them.
    pub(crate) fn with_meter(engine: S, requests: Rc<Cell<usize>>) -> Self {
        let meter = RequestMeter { requests, needed: BTreeMap::new() };
        Self { meter: Some(meter), ..Self::new(engine) }
    }

    /// Returns how many requests the runs of each operation needed.
    pub(crate) fn needed_requests(&self) -> BTreeMap<&'static str, Vec<usize>> {
        self.meter.as_ref().map(|meter| meter.needed.clone()).unwrap_or_default()
    }

    /// Returns the operations that were carried out without an error.
    pub(crate) fn answered_operations(&self) -> &BTreeSet<&'static str> {
        &self.answered
    }

    fn note_answer<T>(&mut self, operation: &'static str, answer: &Result<T>) {
        match answer {
            Ok(_) => {
                self.answered.insert(operation);
            }
            Err(error) => check_words(operation, &error.to_string()),
        }
    }

    fn count_requests(&self) -> usize {
        self.meter.as_ref().map_or(0, |meter| meter.requests.get())
    }

    fn note_requests(&mut self, operation: &'static str, before: usize) {
        if let Some(meter) = &mut self.meter {
            let needed = meter.requests.get() - before;
            meter.needed.entry(operation).or_default().push(needed);
        }
    }

    fn check_provenance(&mut self, operation: &'static str, by: &Provenance) {
        assert!(
            !by.op_id.is_empty() && !by.actor.is_empty(),
            "{operation} without an actor or an operation id"
        );
        let earlier = self.operations.entry(by.op_id.clone()).or_insert(operation);
        assert_eq!(*earlier, operation, "operation id {} serves two operations", by.op_id);
    }
}

/// Checks that a refusal is in the words of a rule.
fn check_words(operation: &str, refusal: &str) {
    for words in ["constraint failed", "violates", "duplicate key"] {
        assert!(!refusal.contains(words), "{operation} is refused by a constraint: {refusal}");
    }
}

/// Checks that each value has the kind of its field.
fn check_values<S>(_: &mut S, push: &StatePush) {
    for (field, value) in &push.changes {
        let mut state = ExecutionState::default();
        state.work.set(*field, value.clone());
        assert_eq!(state.work.get(*field), *value, "{field:?} is of another kind");
    }
}

/// Checks that the outcome fits whether the item changes its holder.
fn check_outcome<S>(_: &mut S, grant: &ClaimGrant) {
    let is_consistent = match (grant.outcome, &grant.expected_holder) {
        (ClaimOutcome::Claimed, None) => true,
        (ClaimOutcome::AlreadyHeld, Some(holder)) => *holder == grant.session,
        (ClaimOutcome::TakenOver(_), Some(holder)) => *holder != grant.session,
        _ => false,
    };
    assert!(is_consistent, "{grant:?} contradicts its expected holder");
}

fn check_acknowledgement<S: Store>(store: &mut S, id: &SessionId, revision: Revision) {
    if let Some(session) = store.load_session(id).unwrap() {
        assert!(revision <= session.revision, "revision {revision} of session {id} never was");
    }
}

/// Forwards operations; `by` names the provenance of a write, `checked` a further check before it.
macro_rules! forward {
    ($($trait:ident { $($name:ident($($arg:ident: $type:ty),*) -> $answer:ty
        $(, by $by:expr)? $(, checked $check:ident($($checked:expr),*))?;)* })*) => {$(
        impl<S: Store> $trait for StrictStore<S> {
            $(fn $name(&mut self, $($arg: $type),*) -> Result<$answer> {
                $(self.check_provenance(stringify!($name), $by);)?
                $($check(&mut self.engine, $($checked),*);)?
                let before = self.count_requests();
                let answer = self.engine.$name($($arg),*);
                self.note_requests(stringify!($name), before);
                self.note_answer(stringify!($name), &answer);
                answer
            })*
        }
    )*

        /// The names of all operations, as the compiler demands them of the traits.
        pub(crate) const OPERATIONS: &[&str] = &[$($(stringify!($name)),*),*];
    };
}

forward! {
    HookStore {
        load_lineage() -> Lineage;
        load_session(id: &SessionId) -> Option<Session>;
        reload_session(id: &SessionId) -> Option<Session>;
        load_item(key: &ItemKey) -> Option<Item>;
        load_item_title(key: &ItemKey) -> Option<String>;
        find_item_keys(keys: &[&str]) -> Vec<String>;
        load_task(session: &SessionId, task: &str) -> Option<SessionTask>;
        had_state_value(session: &SessionId, field: StateField, value: &FieldValue) -> bool;
        list_events(filter: &EventFilter) -> Vec<Event>;
        list_repos() -> Vec<Repo>;
        list_handoff_notices(session: &SessionId, starts: bool) -> Vec<(HandoffNoticeReason, Handoff)>;
        record_heartbeat(heartbeat: &HeartbeatRequest) -> ();
        push_state(push: &StatePush) -> Session, by &push.provenance, checked check_values(push);
        merge_metadata(id: &SessionId, patch: &Map<String, Json>, provenance: &Provenance)
            -> Session, by provenance;
        acknowledge_revision(id: &SessionId, revision: Revision)
            -> (), checked check_acknowledgement(id, revision);
        end_session(id: &SessionId, reason: &str, provenance: &Provenance) -> Session, by provenance;
        upsert_task(session: &SessionId, note: &SessionTask) -> ();
        record_checkpoint(session: &SessionId, operations: u64, provenance: &Provenance)
            -> (), by provenance;
        mark_handoff_shown(told: &Handoff) -> ();
        raise_attention(new: &NewAttention, provenance: &Provenance) -> (), by provenance;
        end_attention(id: &AttentionId, provenance: &Provenance) -> (), by provenance;
        update_repo_state(slug: &RepoSlug, state: &RepoState, provenance: &Provenance)
            -> Repo, by provenance;
    }
    ClockStore {
        database_time() -> Timestamp;
        find_differing_clock_reading(apart_seconds: u64) -> Option<Timestamp>;
    }
    SessionStore {
        register_session(registration: &SessionRegistration) -> Session, by &registration.provenance;
        list_sessions(filter: &SessionFilter) -> Vec<Session>;
        list_peers(session: &Session, limit: u32) -> Vec<Session>;
        sessions_with_expired_lease(now: Timestamp, limit: u32) -> Vec<Session>;
        mark_lost(session: &Session, provenance: &Provenance) -> Option<ReleasedClaim>, by provenance;
        find_pending_matters() -> PendingMatters;
    }
    ClaimStore {
        claim(request: &GrantedClaim)
            -> ClaimedItem, by &request.provenance, checked check_outcome(&request.grant);
        release(release: &ReleaseRequest) -> Item, by &release.provenance;
        record_refusal(item: &ItemKey, provenance: &Provenance) -> (), by provenance;
    }
    RepoNameStore {
        find_repo_name(identity: &str) -> Option<String>;
        list_repo_identities(name: &str) -> Vec<String>;
        name_repo(naming: &RepoNaming) -> String;
        rename_repo(identity: &str, name: &str, provenance: &Provenance) -> (), by provenance;
    }
    StuckWorkStore {
        list_stuck_phases(seconds: u64, limit: u32) -> Vec<StuckPhase>;
        fail_stuck_phase(stuck: &StuckPhase, error: &str, provenance: &Provenance)
            -> Option<PhaseChanges>, by provenance;
        fail_stuck_plan_tasks(stuck_seconds: u64, provenance: &Provenance)
            -> Vec<PlanTask>, by provenance;
        list_live_orchestrators() -> Vec<Orchestrator>;
        record_orchestrator_crash(read: &Orchestrator, provenance: &Provenance)
            -> Option<EndedRun>, by provenance;
    }
    HandoffStore {
        create_handoff(new: &NewHandoff) -> Handoff, by &new.provenance;
        load_handoff(id: &HandoffId) -> Option<Handoff>;
        list_handoffs(filter: HandoffFilter) -> Vec<Handoff>;
        accept_handoff(acceptance: &AcceptHandoffRequest)
            -> HandoffResult<AcceptedHandoff>, by &acceptance.provenance;
        reject_handoff(rejection: &RejectHandoffRequest) -> HandoffResult<Handoff>, by &rejection.provenance;
    }
    ItemQueryStore {
        count_items(filter: &ItemFilter, limit: u32) -> u64;
        list_item_kinds() -> Vec<String>;
        find_repo_of_items(name: &str) -> Option<String>;
        list_ready_items(query: &ReadyQuery) -> ReadyItems;
        find_search_hits(query: &SearchQuery) -> SearchHits;
    }
    ItemStore {
        add_item(item: &NewItem, provenance: &Provenance) -> Item, by provenance;
        list_items(filter: &ItemFilter) -> Vec<Item>;
        move_item(request: &GrantedMove) -> MovedItem, by &request.provenance;
        change_dependencies(request: &DependencyChange) -> Item, by &request.provenance;
        import_items(import: &ItemImport) -> ImportedItems, by &import.provenance;
        edit_item(edit: &ItemEditRequest) -> Item, by &edit.provenance;
        find_item_use(key: &ItemKey) -> Option<ItemUse>;
        remove_item(key: &ItemKey, provenance: &Provenance) -> (), by provenance;
        change_dependencies_of_each(requests: &[DependencyChange]) -> Vec<Result<Item>>;
        list_waiting_items(key: &ItemKey) -> Vec<DependencyEdge>;
        list_open_dependencies(key: &ItemKey) -> Vec<(ItemKey, ItemStatus)>;
        count_children(key: &ItemKey) -> ChildCounts;
        find_next_item(query: &NextItemQuery) -> NextItem;
        claim_next_item(request: &ClaimNextRequest) -> ClaimedNext, by &request.provenance;
        find_last_holder(key: &ItemKey) -> Option<LastHolder>;
    }
    MetadataStore {
        record_metadata_change(change: &MetadataChange, provenance: &Provenance)
            -> (), by provenance;
    }
    OrchestratorStore {
        register_orchestrator(run: &NewRun) -> RunRegistration, by &run.provenance;
        load_orchestrator(id: &OrchestratorId) -> Option<Orchestrator>;
        list_orchestrators(limit: u32) -> Vec<Orchestrator>;
        record_orchestrator_heartbeat(id: &OrchestratorId) -> Orchestrator;
        request_orchestrator_stop(id: &OrchestratorId, provenance: &Provenance)
            -> Orchestrator, by provenance;
        record_orchestrator_stop(id: &OrchestratorId, end: RunEnd, provenance: &Provenance)
            -> EndedRun, by provenance;
    }
    OverviewStore {
        load_overview_rows(query: &OverviewQuery) -> OverviewRows;
    }
    PlanStore {
        import_plan(plan: &NewPlan, provenance: &Provenance) -> ImportedPlan, by provenance;
        list_plans() -> Vec<PlanOverview>;
        load_plan(id: &PlanId) -> Option<PlanState>;
        list_plan_ids() -> Vec<PlanId>;
        find_plan_by_path(path: &str) -> Option<PlanId>;
        remove_plan(id: &PlanId, provenance: &Provenance) -> (), by provenance;
        load_plan_task(plan: &PlanId, task: &PlanTaskId) -> Option<PlanTask>;
        apply_plan_task_step(change: &PlanTaskStepRequest) -> PlanTask, by &change.provenance;
        interrupt_plan_tasks(orchestrator: &OrchestratorId, reason: &str, provenance: &Provenance)
            -> Vec<PlanTask>, by provenance;
    }
    PortStore {
        list_reservations(host: Option<&str>) -> Vec<PortReservation>;
        reserve_port(request: &ReservePortRequest) -> PortReservation, by &request.provenance;
        reassign_port(as_read: &PortReservation, owner: &PortOwner, provenance: &Provenance)
            -> PortReservation, by provenance;
        release_port(release: &ReleasePortRequest) -> PortReservation, by &release.provenance;
    }
    PhaseStore {
        add_phases(phases: &NewPhases, provenance: &Provenance) -> Vec<Phase>, by provenance;
        load_phase(id: &QueueId) -> Option<Phase>;
        list_phases(filter: &PhaseFilter) -> Vec<Phase>;
        find_next_phase(session: Option<&SessionId>) -> Option<Phase>;
        apply_phase_step(request: &PhaseStepRequest) -> PhaseStepOutcome, by &request.provenance;
        remove_phases(request: &PhaseRemovalRequest) -> PhaseRemovalOutcome, by &request.provenance;
        interrupt_phases(orchestrator: &OrchestratorId, reason: &str, provenance: &Provenance)
            -> Vec<Phase>, by provenance;
    }
    RepoStore {
        place_repo(placement: &RepoPlacement) -> Repo, by &placement.provenance;
        remove_repo_place(slug: &RepoSlug, machine: &str, provenance: &Provenance)
            -> Repo, by provenance;
        load_repo_state(slug: &RepoSlug) -> Option<RepoState>;
    }
    RetentionStore {
        list_ended_sessions(before: Timestamp, after: Option<&SessionCursor>, limit: u32)
            -> Vec<EndedSession>;
        remove_sessions(sessions: &[SessionId], retention: &RetentionRules) -> Vec<SessionId>;
        list_event_remains(after: i64, limit: u32) -> Vec<PrunableEvent>;
        remove_events(events: &[i64], retention: &RetentionRules) -> u64;
        record_pruned(before: Timestamp, provenance: &Provenance)
            -> Option<PruneCounts>, by provenance;
    }
    AttentionStore {
        list_attention(filter: &AttentionFilter) -> Vec<Attention>;
        load_attention(id: &AttentionId) -> Option<Attention>;
    }
    TokenStore {
        create_token(new: &NewToken, provenance: &Provenance) -> AccessToken, by provenance;
        list_tokens() -> Vec<AccessToken>;
        revoke_token(name: &TokenName, provenance: &Provenance) -> AccessToken, by provenance;
        find_token(digest: &str) -> Option<AccessToken>;
        record_callers(callers: &[Caller]) -> ();
    }
    OutboxDeliveryStore {
        deliver_pending(waiting: &[&PendingWrite], newcomer: &DeliverySource, until: Deadline) -> Vec<DeliveryOutcome>;
    }
    WorkplanStore {
        load_workplan_rows(repo: &str) -> WorkplanRows;
        find_workplan_rows(keys: &[ItemKey], links: &[WorkplanLink]) -> Vec<WorkplanRow>;
        link_workplans(rows: &[NewWorkplanRow], provenance: &Provenance)
            -> Vec<WorkplanLink>, by provenance;
        update_workplan_facts(changes: &[WorkplanChange], provenance: &Provenance)
            -> (), by provenance;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::new_sqlite;
    use crate::requests::{new_provenance, registration, session_id};

    fn push(session: &Session, field: StateField, value: FieldValue) -> StatePush {
        StatePush {
            session: session.id.clone(),
            base: session.revision,
            fencing_token: None,
            changes: BTreeMap::from([(field, value)]),
            metadata: Map::new(),
            branch: None,
            mark: None,
            acknowledge: false,
            provenance: new_provenance("s1"),
        }
    }

    #[test]
    #[should_panic(expected = "Phase is of another kind")]
    fn a_value_of_another_kind_panics() {
        let mut file = new_sqlite();
        let session = file.store.register_session(&registration("s1")).unwrap();
        let push = push(&session, StateField::Phase, FieldValue::Flag(true));
        let _ = file.store.push_state(&push);
    }

    #[test]
    #[should_panic(expected = "serves two operations")]
    fn an_operation_id_used_twice_panics() {
        let mut file = new_sqlite();
        let session = file.store.register_session(&registration("s1")).unwrap();
        let first = push(&session, StateField::IsActive, FieldValue::Flag(true));
        file.store.push_state(&first).unwrap();
        let _ = file.store.end_session(&session.id, "x", &first.provenance);
    }

    #[test]
    #[should_panic(expected = "without an actor")]
    fn a_write_of_nobody_panics() {
        let mut file = new_sqlite();
        let session = file.store.register_session(&registration("s1")).unwrap();
        let _ = file.store.record_checkpoint(&session.id, 1, &new_provenance(""));
    }

    #[test]
    #[should_panic(expected = "never was")]
    fn an_acknowledgement_of_a_later_revision_panics() {
        let mut file = new_sqlite();
        let session = file.store.register_session(&registration("s1")).unwrap();
        let later = Revision(session.revision.0 + 1);
        let _ = file.store.acknowledge_revision(&session_id("s1"), later);
    }

    #[test]
    fn a_refusal_in_the_words_of_an_engine_panics() {
        check_words("claim", "the database refuses: a holder is a registered session");
        for words in [
            "UNIQUE constraint failed: plans.path",
            r#"new row for relation "handoffs" violates check constraint "handoffs_check""#,
            r#"duplicate key value violates unique constraint "plans_path_key""#,
        ] {
            assert!(std::panic::catch_unwind(|| check_words("claim", words)).is_err(), "{words}");
        }
    }

    #[test]
    fn an_outcome_that_contradicts_its_conditions_panics() {
        let mine: SessionId = session_id("s1");
        for (outcome, holder) in [
            (ClaimOutcome::Claimed, Some(session_id("s2"))),
            (ClaimOutcome::AlreadyHeld, None),
            (ClaimOutcome::TakenOver(TakeoverReason::Forced), None),
            (ClaimOutcome::TakenOver(TakeoverReason::Forced), Some(mine.clone())),
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
