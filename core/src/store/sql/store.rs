//! Each operation as one transaction of the engine.

use super::engine::{Engine, Tx, args};
use super::statement::statements;
use super::{
    SqlStore, claims, dependencies, events, handoffs, item_moves, items, metadata, next,
    orchestrators, outbox_delivery, phases, plan_tasks, plans, port_reservations, releases, repos,
    retention, sessions, workplans,
};
use crate::deadline::Deadline;
use crate::model::phase::{NewPhases, StuckPhase};
use crate::model::{
    DependencyEdge, EndedSession, Handoff, HandoffId, Item, ItemKey, ItemStatus, NewItem, NewPlan,
    NewWorkplanRow, NextItem, Orchestrator, OrchestratorId, Phase, PlanId, PlanState, PlanTask,
    PlanTaskId, PortOwner, PortReservation, PrunableEvent, PruneCounts, QueueId, Repo, RepoSlug,
    RepoState, RetentionRules, RunEnd, Session, SessionId, Timestamp, WorkplanChange, WorkplanLink,
    WorkplanRow, WorkplanRows,
};
use crate::outbox::PendingWrite;
use crate::store::{
    AcceptHandoffRequest, AcceptedHandoff, ChildCounts, ClaimNextRequest, ClaimedItem, ClaimedNext,
    DeliveryOutcome, DependencyChange, EndedRun, GrantedClaim, GrantedMove, HandoffFilter,
    HandoffResult, HandoffStore, ImportedPlan, ItemEditRequest, ItemFilter, ItemStore, ItemUse,
    LastHolder, MetadataChange, MetadataStore, MovedItem, NewHandoff, NewRun, NextItemQuery,
    OrchestratorStore, OutboxDeliveryStore, PhaseChanges, PhaseFilter, PhaseStepOutcome,
    PhaseStepRequest, PhaseStore, PlanOverview, PlanStore, PlanTaskStepRequest, PortStore,
    Provenance, RegistrationDefaults, RejectHandoffRequest, ReleasePortRequest, ReleaseRequest,
    ReleasedClaim, RepoNaming, RepoPlacement, RepoStore, ReservePortRequest, Result,
    RetentionStore, RunRegistration, SessionCursor, SessionFilter, SessionRegistration, Store,
    StoreError, WorkplanStore,
};

statements! {
    /// Whether there is anything for the sweeps of work: one small question for three large ones.
    HAS_RUNNING_WORK =
        "SELECT EXISTS (SELECT 1 FROM phase_queue WHERE status = 'running')
         OR EXISTS (SELECT 1 FROM plan_tasks WHERE status = 'in_progress')
         OR EXISTS (SELECT 1 FROM orchestrators WHERE status IN ('running', 'stopping'))";
}

impl<E: Engine> Store for SqlStore<E> {
    fn database_time(&mut self) -> Result<Timestamp> {
        self.engine.read(|tx| events::load_database_time(tx))
    }

    fn find_differing_clock_reading(&mut self, apart_seconds: u64) -> Result<Option<Timestamp>> {
        self.engine.read(|tx| events::find_differing_clock_reading(tx, apart_seconds))
    }

    fn register_session(&mut self, registration: &SessionRegistration) -> Result<Session> {
        self.engine.write(|tx| sessions::register_session(tx, registration))
    }

    fn list_sessions(&mut self, filter: &SessionFilter) -> Result<Vec<Session>> {
        self.engine.read(|tx| sessions::list_sessions(tx, filter))
    }

    fn sessions_with_expired_lease(&mut self, limit: u32) -> Result<Vec<Session>> {
        self.engine.read(|tx| sessions::sessions_with_expired_lease(tx, limit))
    }

    fn mark_lost(
        &mut self,
        session: &Session,
        provenance: &Provenance,
    ) -> Result<Option<ReleasedClaim>> {
        self.engine.write(|tx| claims::mark_lost(tx, session, provenance))
    }

    fn has_running_work(&mut self) -> Result<bool> {
        self.engine.read(|tx| tx.one_row(&HAS_RUNNING_WORK, args![], |row| row.get(0)))
    }

    fn add_item(&mut self, item: &NewItem, provenance: &Provenance) -> Result<Item> {
        self.engine.write(|tx| items::add_item(tx, item, provenance))
    }

    fn list_items(&mut self, filter: &ItemFilter) -> Result<Vec<Item>> {
        self.engine.read(|tx| items::list_items(tx, filter))
    }

    fn claim(&mut self, claim: &GrantedClaim) -> Result<ClaimedItem> {
        self.engine.write(|tx| claims::claim_item(tx, claim))
    }

    fn release(&mut self, request: &ReleaseRequest) -> Result<Item> {
        self.engine.write(|tx| releases::release_item(tx, request))
    }

    fn record_refusal(&mut self, item: &ItemKey, provenance: &Provenance) -> Result<()> {
        self.engine.write(|tx| events::record_refusal(tx, item, provenance))
    }
}

impl<E: Engine> ItemStore for SqlStore<E> {
    fn move_item(&mut self, request: &GrantedMove) -> Result<MovedItem> {
        self.engine.write(|tx| item_moves::move_item(tx, request))
    }

    fn change_dependencies(&mut self, request: &DependencyChange) -> Result<Item> {
        self.engine.write(|tx| dependencies::change_dependencies(tx, request))
    }

    fn edit_item(&mut self, request: &ItemEditRequest) -> Result<Item> {
        self.engine.write(|tx| items::edit_item(tx, request))
    }

    fn find_item_use(&mut self, key: &ItemKey) -> Result<Option<ItemUse>> {
        self.engine.read(|tx| items::find_item_use(tx, key))
    }

    fn remove_item(&mut self, key: &ItemKey, provenance: &Provenance) -> Result<()> {
        self.engine.write(|tx| items::remove_item(tx, key, provenance))
    }

    fn change_dependencies_of_each(
        &mut self,
        requests: &[DependencyChange],
    ) -> Result<Vec<Result<Item>>> {
        self.engine.write(|tx| {
            let each = requests.iter().map(|request| {
                match tx.attempt(|tx| dependencies::change_dependencies(tx, request)) {
                    Err(error) if !matches!(error, StoreError::Denied { .. }) => Err(error),
                    outcome => Ok(outcome),
                }
            });
            each.collect()
        })
    }

    fn list_waiting_items(&mut self, key: &ItemKey) -> Result<Vec<DependencyEdge>> {
        self.engine.read(|tx| dependencies::list_waiting_items(tx, key))
    }

    fn list_open_dependencies(&mut self, key: &ItemKey) -> Result<Vec<(ItemKey, ItemStatus)>> {
        self.engine.read(|tx| dependencies::list_open_dependencies(tx, key, 0))
    }

    fn count_children(&mut self, key: &ItemKey) -> Result<ChildCounts> {
        self.engine.read(|tx| next::count_children(tx, key))
    }

    fn find_next_item(&mut self, query: &NextItemQuery) -> Result<NextItem> {
        self.engine.snapshot(|tx| next::query_next_item(tx, query))
    }

    fn claim_next_item(&mut self, request: &ClaimNextRequest) -> Result<ClaimedNext> {
        self.engine.write(|tx| next::claim_next_item(tx, request))
    }

    fn find_last_holder(&mut self, key: &ItemKey) -> Result<Option<LastHolder>> {
        self.engine.read(|tx| next::find_last_holder(tx, key))
    }
}

impl<E: Engine> HandoffStore for SqlStore<E> {
    fn create_handoff(&mut self, new: &NewHandoff) -> Result<Handoff> {
        self.engine.write(|tx| handoffs::create_handoff(tx, new))
    }

    fn load_handoff(&mut self, id: &HandoffId) -> Result<Option<Handoff>> {
        self.engine.read(|tx| handoffs::load_handoff(tx, id))
    }

    fn list_handoffs(&mut self, filter: HandoffFilter) -> Result<Vec<Handoff>> {
        self.engine.read(|tx| handoffs::list_handoffs(tx, filter))
    }

    fn accept_handoff(
        &mut self,
        request: &AcceptHandoffRequest,
    ) -> Result<HandoffResult<AcceptedHandoff>> {
        self.engine.write(|tx| handoffs::accept_handoff(tx, request))
    }

    fn reject_handoff(&mut self, request: &RejectHandoffRequest) -> Result<HandoffResult<Handoff>> {
        self.engine.write(|tx| handoffs::reject_handoff(tx, request))
    }
}

impl<E: Engine> MetadataStore for SqlStore<E> {
    fn record_metadata_change(
        &mut self,
        change: &MetadataChange,
        provenance: &Provenance,
    ) -> Result<()> {
        self.engine.write(|tx| metadata::record_metadata_change(tx, change, provenance))
    }
}

impl<E: Engine> OrchestratorStore for SqlStore<E> {
    fn register_orchestrator(&mut self, run: &NewRun) -> Result<RunRegistration> {
        self.engine.write(|tx| orchestrators::register_run(tx, run))
    }

    fn load_orchestrator(&mut self, id: &OrchestratorId) -> Result<Option<Orchestrator>> {
        self.engine.read(|tx| orchestrators::load_orchestrator(tx, id))
    }

    fn list_live_orchestrators(&mut self) -> Result<Vec<Orchestrator>> {
        self.engine.read(|tx| orchestrators::list_live_orchestrators(tx))
    }

    fn list_orchestrators(&mut self, limit: u32) -> Result<Vec<Orchestrator>> {
        self.engine.read(|tx| orchestrators::list_orchestrators(tx, limit))
    }

    fn record_orchestrator_heartbeat(&mut self, id: &OrchestratorId) -> Result<Orchestrator> {
        self.engine.write(|tx| orchestrators::record_heartbeat(tx, id))
    }

    fn request_orchestrator_stop(
        &mut self,
        id: &OrchestratorId,
        provenance: &Provenance,
    ) -> Result<Orchestrator> {
        self.engine.write(|tx| orchestrators::request_stop(tx, id, provenance))
    }

    fn record_orchestrator_stop(
        &mut self,
        id: &OrchestratorId,
        end: RunEnd,
        provenance: &Provenance,
    ) -> Result<EndedRun> {
        self.engine.write(|tx| orchestrators::record_stop(tx, id, end, provenance))
    }

    fn record_orchestrator_crash(
        &mut self,
        as_read: &Orchestrator,
        provenance: &Provenance,
    ) -> Result<Option<EndedRun>> {
        self.engine.write(|tx| orchestrators::record_crash(tx, as_read, provenance))
    }
}

impl<E: Engine> OutboxDeliveryStore for SqlStore<E> {
    fn deliver_pending(
        &mut self,
        pending: &[&PendingWrite],
        registration_defaults: &RegistrationDefaults,
        deadline: Deadline,
    ) -> Result<Vec<DeliveryOutcome>> {
        self.engine.write_until(deadline, |tx| {
            outbox_delivery::deliver_pending(tx, pending, registration_defaults, deadline)
        })
    }
}

impl<E: Engine> PhaseStore for SqlStore<E> {
    fn add_phases(&mut self, phases: &NewPhases, provenance: &Provenance) -> Result<Vec<Phase>> {
        self.engine.write(|tx| phases::add_phases(tx, phases, provenance))
    }

    fn load_phase(&mut self, id: &QueueId) -> Result<Option<Phase>> {
        self.engine.read(|tx| phases::load_phase(tx, id))
    }

    fn list_phases(&mut self, filter: &PhaseFilter) -> Result<Vec<Phase>> {
        self.engine.read(|tx| phases::list_phases(tx, filter))
    }

    fn find_next_phase(&mut self, session: Option<&SessionId>) -> Result<Option<Phase>> {
        self.engine.read(|tx| phases::find_next_phase(tx, session))
    }

    fn apply_phase_step(&mut self, request: &PhaseStepRequest) -> Result<PhaseStepOutcome> {
        self.engine.write(|tx| phases::apply_phase_step(tx, request))
    }

    fn interrupt_phases(
        &mut self,
        orchestrator: &OrchestratorId,
        reason: &str,
        provenance: &Provenance,
    ) -> Result<Vec<Phase>> {
        self.engine.write(|tx| phases::interrupt_phases(tx, orchestrator, reason, provenance))
    }

    fn list_stuck_phases(&mut self, seconds: u64, limit: u32) -> Result<Vec<StuckPhase>> {
        self.engine.read(|tx| phases::list_stuck_phases(tx, seconds, limit))
    }

    fn fail_stuck_phase(
        &mut self,
        stuck: &StuckPhase,
        error: &str,
        provenance: &Provenance,
    ) -> Result<Option<PhaseChanges>> {
        self.engine.write(|tx| phases::fail_stuck_phase(tx, stuck, error, provenance))
    }
}

impl<E: Engine> PlanStore for SqlStore<E> {
    fn import_plan(&mut self, plan: &NewPlan, provenance: &Provenance) -> Result<ImportedPlan> {
        self.engine.write(|tx| plans::import_plan(tx, plan, provenance))
    }

    fn list_plans(&mut self) -> Result<Vec<PlanOverview>> {
        self.engine.read(|tx| plans::list_plans(tx))
    }

    fn load_plan(&mut self, id: &PlanId) -> Result<Option<PlanState>> {
        self.engine.snapshot(|tx| plans::load_plan_state(tx, id))
    }

    fn list_plan_ids(&mut self) -> Result<Vec<PlanId>> {
        self.engine.read(|tx| plans::list_plan_ids(tx))
    }

    fn find_plan_by_path(&mut self, path: &str) -> Result<Option<PlanId>> {
        self.engine.read(|tx| plans::find_plan_by_path(tx, path))
    }

    fn remove_plan(&mut self, id: &PlanId, provenance: &Provenance) -> Result<()> {
        self.engine.write(|tx| plans::remove_plan(tx, id, provenance))
    }

    fn load_plan_task(&mut self, plan: &PlanId, task: &PlanTaskId) -> Result<Option<PlanTask>> {
        self.engine.read(|tx| plan_tasks::load_task(tx, plan, task))
    }

    fn apply_plan_task_step(&mut self, request: &PlanTaskStepRequest) -> Result<PlanTask> {
        self.engine.write(|tx| plan_tasks::change_task(tx, request))
    }

    fn interrupt_plan_tasks(
        &mut self,
        orchestrator: &OrchestratorId,
        reason: &str,
        provenance: &Provenance,
    ) -> Result<Vec<PlanTask>> {
        self.engine.write(|tx| plan_tasks::interrupt_tasks(tx, orchestrator, reason, provenance))
    }

    fn fail_stuck_plan_tasks(
        &mut self,
        stuck_seconds: u64,
        provenance: &Provenance,
    ) -> Result<Vec<PlanTask>> {
        // Mostly there is none, and looking costs no turn in the queue of writers.
        let stuck = self.engine.read(|tx| plan_tasks::list_stuck_tasks(tx, stuck_seconds))?;
        if stuck.is_empty() {
            return Ok(Vec::new());
        }
        self.engine.write(|tx| plan_tasks::fail_stuck_tasks(tx, stuck_seconds, provenance))
    }
}

impl<E: Engine> PortStore for SqlStore<E> {
    fn list_reservations(&mut self, host: Option<&str>) -> Result<Vec<PortReservation>> {
        self.engine.read(|tx| port_reservations::list_reservations(tx, host))
    }

    fn reserve_port(&mut self, request: &ReservePortRequest) -> Result<PortReservation> {
        self.engine.write(|tx| port_reservations::reserve_port(tx, request))
    }

    fn reassign_port(
        &mut self,
        as_read: &PortReservation,
        owner: &PortOwner,
        provenance: &Provenance,
    ) -> Result<PortReservation> {
        self.engine.write(|tx| port_reservations::reassign_port(tx, as_read, owner, provenance))
    }

    fn release_port(&mut self, request: &ReleasePortRequest) -> Result<PortReservation> {
        self.engine.write(|tx| port_reservations::release_port(tx, request))
    }
}

impl<E: Engine> RepoStore for SqlStore<E> {
    fn place_repo(&mut self, placement: &RepoPlacement) -> Result<Repo> {
        self.engine.write(|tx| repos::place_repo(tx, placement))
    }

    fn remove_repo_place(
        &mut self,
        slug: &RepoSlug,
        machine: &str,
        provenance: &Provenance,
    ) -> Result<Repo> {
        self.engine.write(|tx| repos::remove_repo_place(tx, slug, machine, provenance))
    }

    fn find_repo_name(&mut self, identity: &str) -> Result<Option<String>> {
        self.engine.read(|tx| repos::find_repo_name(tx, identity))
    }

    fn list_repo_identities(&mut self, name: &str) -> Result<Vec<String>> {
        self.engine.read(|tx| repos::list_identities(tx, name))
    }

    fn name_repo(&mut self, naming: &RepoNaming<'_>) -> Result<String> {
        self.engine.write(|tx| repos::name_repo(tx, naming))
    }

    fn rename_repo(&mut self, identity: &str, name: &str, provenance: &Provenance) -> Result<()> {
        self.engine.write(|tx| repos::rename_repo(tx, identity, name, provenance))
    }

    fn load_repo_state(&mut self, slug: &RepoSlug) -> Result<Option<RepoState>> {
        self.engine.read(|tx| repos::load_repo_state(tx, slug))
    }
}

impl<E: Engine> RetentionStore for SqlStore<E> {
    fn list_ended_sessions(
        &mut self,
        before: Timestamp,
        after: Option<&SessionCursor>,
        limit: u32,
    ) -> Result<Vec<EndedSession>> {
        self.engine.read(|tx| retention::list_ended_sessions(tx, before, after, limit))
    }

    fn remove_sessions(
        &mut self,
        sessions: &[SessionId],
        rules: &RetentionRules,
    ) -> Result<Vec<SessionId>> {
        self.engine.write(|tx| retention::remove_sessions(tx, sessions, rules))
    }

    fn list_event_remains(&mut self, after: i64, limit: u32) -> Result<Vec<PrunableEvent>> {
        self.engine.read(|tx| retention::list_prunable_events(tx, after, limit))
    }

    fn remove_events(&mut self, events: &[i64], rules: &RetentionRules) -> Result<u64> {
        self.engine.write(|tx| retention::remove_events(tx, events, rules))
    }

    fn record_pruned(
        &mut self,
        before: Timestamp,
        provenance: &Provenance,
    ) -> Result<Option<PruneCounts>> {
        // Mostly there is nothing, and looking costs no turn in the queue of writers.
        if self.engine.read(|tx| retention::load_unrecorded_tally(tx))?.is_none() {
            return Ok(None);
        }
        self.engine.write(|tx| retention::record_pruned(tx, before, provenance))
    }
}

impl<E: Engine> WorkplanStore for SqlStore<E> {
    fn load_workplan_rows(&mut self, repo: &str) -> Result<WorkplanRows> {
        self.engine.snapshot(|tx| workplans::load_workplan_rows(tx, repo))
    }

    fn find_workplan_rows(
        &mut self,
        keys: &[ItemKey],
        links: &[WorkplanLink],
    ) -> Result<Vec<WorkplanRow>> {
        self.engine.snapshot(|tx| workplans::find_workplan_rows(tx, keys, links))
    }

    fn link_workplans(
        &mut self,
        rows: &[NewWorkplanRow],
        provenance: &Provenance,
    ) -> Result<Vec<WorkplanLink>> {
        self.engine.write(|tx| {
            let links = rows.iter().map(|row| workplans::link_item(tx, row, provenance));
            links.collect()
        })
    }

    fn update_workplan_facts(
        &mut self,
        changes: &[WorkplanChange],
        provenance: &Provenance,
    ) -> Result<()> {
        self.engine.write(|tx| workplans::update_workplan_facts(tx, changes, provenance))
    }
}
