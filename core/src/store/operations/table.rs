//! The table of operations.

/// Hands the table of operations to a macro.
///
/// The macro gets `stores { TRAIT { OPERATION... }... } commands { OPERATION... }`: the operations
/// of the traits of the store, and those of
/// [`CommandStore`](crate::store::CommandStore) that make sense over a network. An operation reads
/// `ACCESS NAME(MODE ARGUMENT: TYPE, ...) -> ANSWER [, by SOURCE];`.
///
/// - ACCESS is `read`, `write`, or `prune` for what removes rows for good.
/// - MODE says how the argument is passed, while the request has it as `TYPE`: `copy` by value,
///   `ref` as `&TYPE`, `opt_ref` as `Option<&TYPE>`, `slice` as `&[TYPE]`, `refs` as `&[&TYPE]`,
///   `str` as `&str`, `opt_str` as `Option<&str>`, `strs` as `&[&str]`.
/// - SOURCE is the argument, or the field of one, that has the
///   [ids](crate::store::operations::OperationIds) under which the request may be repeated.
///
/// The types are those of [`prelude`](crate::store::operations::prelude), to be imported by whoever
/// uses the table.
#[macro_export]
macro_rules! for_each_operation {
    ($macro:ident) => {
        $macro! {
            stores {
                HookStore {
                    read load_lineage() -> Lineage;
                    read load_session(ref id: SessionId) -> Option<Session>;
                    read reload_session(ref id: SessionId) -> Option<Session>;
                    read load_item(ref key: ItemKey) -> Option<Item>;
                    read load_item_title(ref key: ItemKey) -> Option<String>;
                    read find_item_keys(strs keys: String) -> Vec<String>;
                    read load_task(ref session: SessionId, str task: String) -> Option<SessionTask>;
                    read had_state_value(
                        ref session: SessionId, copy field: StateField, ref value: FieldValue
                    ) -> bool;
                    read list_events(ref filter: EventFilter) -> Vec<Event>;
                    read list_repos() -> Vec<Repo>;
                    read list_handoff_notices(ref session: SessionId, copy is_start: bool)
                        -> Vec<(HandoffNoticeReason, Handoff)>;
                    write record_heartbeat(ref heartbeat: HeartbeatRequest) -> ();
                    write push_state(ref push: StatePush) -> Session, by push.provenance;
                    write merge_metadata(
                        ref id: SessionId, ref patch: Map<String, Json>, ref provenance: Provenance
                    ) -> Session, by provenance;
                    write acknowledge_revision(ref id: SessionId, copy revision: Revision) -> ();
                    write end_session(
                        ref id: SessionId, str reason: String, ref provenance: Provenance
                    ) -> Session, by provenance;
                    write upsert_task(ref session: SessionId, ref note: SessionTask) -> ();
                    write record_checkpoint(
                        ref session: SessionId, copy operations: u64, ref provenance: Provenance
                    ) -> (), by provenance;
                    write mark_handoff_shown(ref handoff: Handoff) -> ();
                    write update_repo_state(
                        ref slug: RepoSlug, ref state: RepoState, ref provenance: Provenance
                    ) -> Repo, by provenance;
                    write raise_attention(ref new: NewAttention, ref provenance: Provenance)
                        -> (), by provenance;
                    write end_attention(ref id: AttentionId, ref provenance: Provenance)
                        -> (), by provenance;
                }
                AttentionStore {
                    read list_attention(ref filter: AttentionFilter) -> Vec<Attention>;
                    read load_attention(ref id: AttentionId) -> Option<Attention>;
                }
                OverviewStore {
                    read load_overview_rows(ref query: OverviewQuery) -> OverviewRows;
                }
                OutboxDeliveryStore {
                    write deliver_pending(
                        refs pending: PendingWrite, ref source: DeliverySource,
                        copy deadline: Deadline
                    ) -> Vec<DeliveryOutcome>, by pending;
                }
                HandoffStore {
                    write create_handoff(ref new: NewHandoff) -> Handoff, by new.provenance;
                    read load_handoff(ref id: HandoffId) -> Option<Handoff>;
                    read list_handoffs(copy filter: HandoffFilter) -> Vec<Handoff>;
                    write accept_handoff(ref request: AcceptHandoffRequest)
                        -> HandoffResult<AcceptedHandoff>, by request.provenance;
                    write reject_handoff(ref request: RejectHandoffRequest)
                        -> HandoffResult<Handoff>, by request.provenance;
                }
                ItemQueryStore {
                    read count_items(ref filter: ItemFilter, copy limit: u32) -> u64;
                    read list_item_kinds() -> Vec<String>;
                    read find_repo_of_items(str name: String) -> Option<String>;
                    read list_ready_items(ref query: ReadyQuery) -> ReadyItems;
                    read find_search_hits(ref query: SearchQuery) -> SearchHits;
                }
                ItemStore {
                    write add_item(ref item: NewItem, ref provenance: Provenance)
                        -> Item, by provenance;
                    read list_items(ref filter: ItemFilter) -> Vec<Item>;
                    write move_item(ref request: GrantedMove) -> MovedItem, by request.provenance;
                    write change_dependencies(ref request: DependencyChange)
                        -> Item, by request.provenance;
                    write import_items(ref import: ItemImport)
                        -> ImportedItems, by import.provenance;
                    write edit_item(ref edit: ItemEditRequest) -> Item, by edit.provenance;
                    read find_item_use(ref key: ItemKey) -> Option<ItemUse>;
                    write remove_item(ref key: ItemKey, ref provenance: Provenance)
                        -> (), by provenance;
                    write change_dependencies_of_each(slice requests: DependencyChange)
                        -> Vec<Result<Item>>, by requests;
                    read list_waiting_items(ref key: ItemKey) -> Vec<DependencyEdge>;
                    read list_open_dependencies(ref key: ItemKey) -> Vec<(ItemKey, ItemStatus)>;
                    read count_children(ref key: ItemKey) -> ChildCounts;
                    read find_next_item(ref query: NextItemQuery) -> NextItem;
                    write claim_next_item(ref request: ClaimNextRequest)
                        -> ClaimedNext, by request.provenance;
                    read find_last_holder(ref key: ItemKey) -> Option<LastHolder>;
                }
                MetadataStore {
                    write record_metadata_change(
                        ref change: MetadataChange, ref provenance: Provenance
                    ) -> (), by provenance;
                }
                OrchestratorStore {
                    write register_orchestrator(ref run: NewRun)
                        -> RunRegistration, by run.provenance;
                    read load_orchestrator(ref id: OrchestratorId) -> Option<Orchestrator>;
                    read list_orchestrators(copy limit: u32) -> Vec<Orchestrator>;
                    write record_orchestrator_heartbeat(ref id: OrchestratorId) -> Orchestrator;
                    write request_orchestrator_stop(
                        ref id: OrchestratorId, ref provenance: Provenance
                    ) -> Orchestrator, by provenance;
                    write record_orchestrator_stop(
                        ref id: OrchestratorId, copy end: RunEnd, ref provenance: Provenance
                    ) -> EndedRun, by provenance;
                }
                PlanStore {
                    write import_plan(ref plan: NewPlan, ref provenance: Provenance)
                        -> ImportedPlan, by provenance;
                    read list_plans() -> Vec<PlanOverview>;
                    read load_plan(ref id: PlanId) -> Option<PlanState>;
                    read list_plan_ids() -> Vec<PlanId>;
                    read find_plan_by_path(str path: String) -> Option<PlanId>;
                    write remove_plan(ref id: PlanId, ref provenance: Provenance)
                        -> (), by provenance;
                    read load_plan_task(ref plan: PlanId, ref task: PlanTaskId)
                        -> Option<PlanTask>;
                    write apply_plan_task_step(ref request: PlanTaskStepRequest)
                        -> PlanTask, by request.provenance;
                    write interrupt_plan_tasks(
                        ref orchestrator: OrchestratorId, str reason: String,
                        ref provenance: Provenance
                    ) -> Vec<PlanTask>, by provenance;
                }
                PortStore {
                    read list_reservations(opt_str host: String) -> Vec<PortReservation>;
                    write reserve_port(ref request: ReservePortRequest)
                        -> PortReservation, by request.provenance;
                    write reassign_port(
                        ref as_read: PortReservation, ref owner: PortOwner,
                        ref provenance: Provenance
                    ) -> PortReservation, by provenance;
                    write release_port(ref release: ReleasePortRequest)
                        -> PortReservation, by release.provenance;
                }
                PhaseStore {
                    write add_phases(ref phases: NewPhases, ref provenance: Provenance)
                        -> Vec<Phase>, by provenance;
                    read load_phase(ref id: QueueId) -> Option<Phase>;
                    read list_phases(ref filter: PhaseFilter) -> Vec<Phase>;
                    read find_next_phase(opt_ref session: SessionId) -> Option<Phase>;
                    write apply_phase_step(ref request: PhaseStepRequest)
                        -> PhaseStepOutcome, by request.provenance;
                    write remove_phases(ref request: PhaseRemovalRequest)
                        -> PhaseRemovalOutcome, by request.provenance;
                    write interrupt_phases(
                        ref orchestrator: OrchestratorId, str reason: String,
                        ref provenance: Provenance
                    ) -> Vec<Phase>, by provenance;
                }
                RepoStore {
                    write place_repo(ref placement: RepoPlacement)
                        -> Repo, by placement.provenance;
                    write remove_repo_place(
                        ref slug: RepoSlug, str machine: String, ref provenance: Provenance
                    ) -> Repo, by provenance;
                    read load_repo_state(ref slug: RepoSlug) -> Option<RepoState>;
                }
                RetentionStore {
                    read list_ended_sessions(
                        copy before: Timestamp, opt_ref after: SessionCursor, copy limit: u32
                    ) -> Vec<EndedSession>;
                    prune remove_sessions(slice sessions: SessionId, ref retention: RetentionRules)
                        -> Vec<SessionId>;
                    read list_event_remains(copy after: i64, copy limit: u32)
                        -> Vec<PrunableEvent>;
                    prune remove_events(slice events: i64, ref retention: RetentionRules) -> u64;
                    prune record_pruned(copy before: Timestamp, ref provenance: Provenance)
                        -> Option<PruneCounts>, by provenance;
                }
                WorkplanStore {
                    read load_workplan_rows(str repo: String) -> WorkplanRows;
                    read find_workplan_rows(slice keys: ItemKey, slice links: WorkplanLink)
                        -> Vec<WorkplanRow>;
                    write link_workplans(slice rows: NewWorkplanRow, ref provenance: Provenance)
                        -> Vec<WorkplanLink>, by provenance;
                    write update_workplan_facts(
                        slice changes: WorkplanChange, ref provenance: Provenance
                    ) -> (), by provenance;
                }
                ClockStore {
                    read database_time() -> Timestamp;
                    read find_differing_clock_reading(copy apart_seconds: u64)
                        -> Option<Timestamp>;
                }
                SessionStore {
                    write register_session(ref registration: SessionRegistration)
                        -> Session, by registration.provenance;
                    read list_sessions(ref filter: SessionFilter) -> Vec<Session>;
                    read list_peers(ref session: Session, copy limit: u32) -> Vec<Session>;
                    read sessions_with_expired_lease(copy now: Timestamp, copy limit: u32)
                        -> Vec<Session>;
                    write mark_lost(ref session: Session, ref provenance: Provenance)
                        -> Option<ReleasedClaim>, by provenance;
                    read find_pending_matters() -> PendingMatters;
                }
                ClaimStore {
                    write claim(ref request: GrantedClaim) -> ClaimedItem, by request;
                    write release(ref release: ReleaseRequest) -> Item, by release.provenance;
                    write record_refusal(ref item: ItemKey, ref provenance: Provenance)
                        -> (), by provenance;
                }
                RepoNameStore {
                    read find_repo_name(str identity: String) -> Option<String>;
                    read list_repo_identities(str name: String) -> Vec<String>;
                    write name_repo(ref naming: RepoNaming) -> String;
                    write rename_repo(
                        str identity: String, str name: String, ref provenance: Provenance
                    ) -> (), by provenance;
                }
                StuckWorkStore {
                    read list_stuck_phases(copy seconds: u64, copy limit: u32) -> Vec<StuckPhase>;
                    write fail_stuck_phase(
                        ref stuck: StuckPhase, str error: String, ref provenance: Provenance
                    ) -> Option<PhaseChanges>, by provenance;
                    write fail_stuck_plan_tasks(
                        copy stuck_seconds: u64, ref provenance: Provenance
                    ) -> Vec<PlanTask>, by provenance;
                    read list_live_orchestrators() -> Vec<Orchestrator>;
                    write record_orchestrator_crash(
                        ref as_read: Orchestrator, ref provenance: Provenance
                    ) -> Option<EndedRun>, by provenance;
                }
            }
            commands {
                read load_schema_status() -> SchemaStatus;
                read find_violations() -> Vec<Violation>;
            }
        }
    };
}

/// The type that an operation takes for an argument of the table.
#[macro_export]
macro_rules! operation_parameter {
    (copy $type:ty) => { $type };
    (ref $type:ty) => { &$type };
    (opt_ref $type:ty) => { Option<&$type> };
    (slice $type:ty) => { &[$type] };
    (refs $type:ty) => { &[&$type] };
    (str $type:ty) => { &str };
    (opt_str $type:ty) => { Option<&str> };
    (strs $type:ty) => { &[&str] };
}

/// The type that a request has for an argument of the table.
#[macro_export]
macro_rules! request_field {
    (opt_ref $type:ty) => { Option<$type> };
    (opt_str $type:ty) => { Option<$type> };
    (slice $type:ty) => { Vec<$type> };
    (refs $type:ty) => { Vec<$type> };
    (strs $type:ty) => { Vec<$type> };
    ($mode:ident $type:ty) => { $type };
}

/// Makes the argument of an operation from the field of a request.
#[macro_export]
macro_rules! operation_argument {
    (copy $field:expr) => {
        $field
    };
    (opt_ref $field:expr) => {
        $field.as_ref()
    };
    (opt_str $field:expr) => {
        $field.as_deref()
    };
    (refs $field:expr) => {
        &$field.iter().collect::<Vec<_>>()
    };
    (strs $field:expr) => {
        &$field.iter().map(String::as_str).collect::<Vec<_>>()
    };
    ($mode:ident $field:expr) => {
        &$field
    };
}
