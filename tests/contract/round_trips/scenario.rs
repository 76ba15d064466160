//! Runs every operation at least once, where nobody interferes and nothing unusual is found.

use std::collections::BTreeSet;

use serde_json::Map;
use trueup_core::model::{
    AttentionKind, EventFilter, FieldValue, ItemPriority, ItemStatus, NewItem, PortOwner,
    RetentionRules, RunEnd, StateField, TokenRole,
};
use trueup_core::outbox::{PendingChange, PendingWrite, WriteOrigin};
use trueup_core::store::{
    AcceptHandoffRequest, AttentionFilter, Caller, ClaimNextRequest, DeliverySource,
    DependencyChange, HandoffFilter, ImportedItem, ItemEditRequest, ItemFilter, ItemImport,
    NextItemQuery, OptionalItemField, PhaseRemovalRequest, PlanTaskStepRequest, ReadyQuery,
    ReimportedItem, RejectHandoffRequest, RepoNaming, SearchQuery, SessionFilter, Store,
};

use crate::fixture::test_deadline;
use crate::requests::{
    LEASE_SECONDS, add_item, add_queue, apply_step, begin_run, claim_item, complete_step,
    creating_claim_request, first_phase_of, item_key, load_item, load_session, move_item,
    new_heartbeat, new_provenance, orchestrator_id, phase_push, phase_statuses, provenance_because,
    register_session, release_request, session_id, session_step_request, start_step, step_request,
    task_note,
};
use crate::suite::attention::new_attention;
use crate::suite::handoffs::new_handoff;
use crate::suite::metadata::metadata_fix;
use crate::suite::overview::whole_overview;
use crate::suite::plans::{new_plan, start_task_step};
use crate::suite::ports::{port_release, port_request};
use crate::suite::repos::{placement, repo_slug, repo_state};
use crate::suite::tokens::new_token;
use crate::suite::workplans::{file_facts, workplan_change, workplan_row};

/// Everything that is stored happened a day and more ago.
pub(super) const LONG_AGO: &str =
    "SET search_path = trueup; SET session_replication_role = replica;
    UPDATE claude_sessions SET heartbeat_at = '2026-01-01T00:00:00.000Z',
        lease_expires_at = '2026-01-01T00:00:00.000Z';
    UPDATE plan_tasks SET updated_at = '2026-01-01T00:00:00.000Z';
    UPDATE phase_queue SET updated_at = '2026-01-01T00:00:00.000Z';
    UPDATE orchestrators SET heartbeat_at = '2026-01-01T00:00:00.000Z';
    UPDATE events SET at = '2026-01-01T00:00:00.000Z';";

/// Runs every operation; `age_all` makes all that is stored happen a day and more ago.
pub(crate) fn run_every_operation(store: &mut dyn Store, age_all: impl FnOnce()) {
    use_sessions(store);
    use_items(store);
    use_handoffs(store);
    use_phases(store);
    use_plans(store);
    use_repos_and_ports(store);
    use_workplans(store);
    use_tokens(store);
    use_attention(store);
    deliver_one(store);
    sweep_and_prune(store, age_all);
}

fn use_sessions(store: &mut dyn Store) {
    let session = register_session(store, "s1");
    register_session(store, "s2");
    store.load_lineage().unwrap();
    let now = store.database_time().unwrap();
    store.find_differing_clock_reading(3_600).unwrap();
    store.find_pending_matters().unwrap();
    assert_eq!(store.list_sessions(&SessionFilter::default()).unwrap().len(), 2);
    assert_eq!(store.list_peers(&session, 5).unwrap().len(), 1);
    store.sessions_with_expired_lease(now, 5).unwrap();
    store.record_heartbeat(&new_heartbeat("s1")).unwrap();
    let patch = Map::from_iter([("key".to_owned(), 1.into())]);
    let mut push = phase_push(&session, "PLAN");
    push.metadata.clone_from(&patch);
    let pushed = store.push_state(&push).unwrap();
    store.merge_metadata(&session.id, &patch, &new_provenance("s1")).unwrap();
    store.acknowledge_revision(&session.id, pushed.revision).unwrap();
    let value = FieldValue::Text(Some("PLAN".to_owned()));
    assert!(store.had_state_value(&session.id, StateField::Phase, &value).unwrap());
    store.upsert_task(&session.id, &task_note("1", "a task")).unwrap();
    store.load_task(&session.id, "1").unwrap().unwrap();
    store.record_checkpoint(&session.id, 25, &new_provenance("s1")).unwrap();
    store.record_metadata_change(&metadata_fix(), &new_provenance("s1")).unwrap();
}

fn imported_item(key: &str) -> ImportedItem {
    ImportedItem { item: NewItem::new(item_key(key)), reason: None }
}

fn use_items(store: &mut dyn Store) {
    for key in ["A", "B", "C", "D"] {
        add_item(store, key);
    }
    store.find_item_keys(&["a", "x"]).unwrap();
    store.list_items(&ItemFilter::default()).unwrap();
    let edit = ItemEditRequest {
        title: Some("b".to_owned()),
        parent: Some(item_key("A")),
        priority: Some(ItemPriority::DEFAULT),
        unset: vec![OptionalItemField::Description],
        ..ItemEditRequest::new(item_key("B"), new_provenance("user"))
    };
    store.edit_item(&edit).unwrap();
    let import = ItemImport {
        added: ["E", "F"].map(imported_item).into(),
        changed: Vec::new(),
        provenance: new_provenance("user"),
    };
    store.import_items(&import).unwrap();
    let again = ItemImport {
        added: Vec::new(),
        changed: vec![ReimportedItem {
            edit: ItemEditRequest::new(item_key("E"), new_provenance("user")),
            added_dependencies: vec![item_key("F")],
            removed_dependencies: Vec::new(),
            status: None,
        }],
        provenance: new_provenance("user"),
    };
    store.import_items(&again).unwrap();
    let depend = |item: &str, on: &str| DependencyChange {
        item: item_key(item),
        dependencies: vec![item_key(on)],
        remove: false,
        provenance: new_provenance("user"),
    };
    store.change_dependencies(&depend("C", "B")).unwrap();
    store.change_dependencies_of_each(&[depend("D", "B"), depend("D", "C")]).unwrap();
    store.list_waiting_items(&item_key("B")).unwrap();
    assert_eq!(store.list_open_dependencies(&item_key("D")).unwrap().len(), 2);
    store.count_children(&item_key("A")).unwrap();
    store.count_items(&ItemFilter::default(), 0).unwrap();
    store.list_item_kinds().unwrap();
    store.find_repo_of_items("none").unwrap();
    let ready = ReadyQuery { limit: 9, blocker_limit: 9, ..ReadyQuery::default() };
    assert!(!store.list_ready_items(&ready).unwrap().blockers.is_empty());
    let search = SearchQuery { words: vec!["b".to_owned()], limit: 9, ..SearchQuery::default() };
    assert!(!store.find_search_hits(&search).unwrap().items.is_empty());
    add_item(store, "X");
    store.find_item_use(&item_key("X")).unwrap();
    store.remove_item(&item_key("X"), &new_provenance("user")).unwrap();
    let query = NextItemQuery { session: Some(session_id("s1")), ..NextItemQuery::default() };
    store.find_next_item(&query).unwrap();
    claim_item(store, "s1", "B");
    load_item(store, "B");
    store.record_refusal(&item_key("B"), &new_provenance("s2")).unwrap();
    move_item(store, "s1", "B", ItemStatus::Completed);
    store.claim(&creating_claim_request("s1", "N")).unwrap();
    store.release(&release_request("s1", "N")).unwrap();
    claim_item(store, "s1", "A");
    store.release(&release_request("s1", "A")).unwrap();
    store.find_last_holder(&item_key("A")).unwrap().unwrap();
    register_session(store, "s3");
    let next = ClaimNextRequest {
        session: session_id("s3"),
        parent: None,
        scope: trueup_core::model::RepoScope::All,
        may_release_unfinished: false,
        lease_seconds: LEASE_SECONDS,
        provenance: new_provenance("s3"),
    };
    store.claim_next_item(&next).unwrap();
    store.list_events(&EventFilter::default()).unwrap();
}

fn use_handoffs(store: &mut dyn Store) {
    for id in ["s1", "s2"] {
        let held = store.reload_session(&session_id(id)).unwrap().unwrap().item;
        if let Some(held) = held {
            store.release(&release_request(id, held.as_str())).unwrap();
        }
    }
    for round in 0..2 {
        let key = format!("H{round}");
        add_item(store, &key);
        claim_item(store, "s1", &key);
        let new = new_handoff(store, Some("s2"));
        let handoff = store.create_handoff(&new).unwrap();
        store.list_handoff_notices(&session_id("s2"), true).unwrap();
        store.load_handoff(&handoff.id).unwrap().unwrap();
        store.list_handoffs(HandoffFilter { only_open: true }).unwrap();
        store.load_overview_rows(&whole_overview()).unwrap();
        store.mark_handoff_shown(&handoff).unwrap();
        if round == 0 {
            let acceptance = AcceptHandoffRequest {
                id: handoff.id,
                session: session_id("s2"),
                lease_seconds: LEASE_SECONDS,
                provenance: new_provenance("s2"),
            };
            store.accept_handoff(&acceptance).unwrap().unwrap();
        } else {
            let rejection = RejectHandoffRequest {
                id: handoff.id,
                session: session_id("s2"),
                reason: "no".to_owned(),
                provenance: provenance_because("s2", "no"),
            };
            store.reject_handoff(&rejection).unwrap().unwrap();
        }
    }
}

fn use_phases(store: &mut dyn Store) {
    add_queue(store, "Q", &[&[], &[1]]);
    store.find_next_phase(Some(&session_id("s1"))).unwrap().unwrap();
    phase_statuses(store, "Q");
    apply_step(store, &session_step_request("s1", "Q:1", start_step()));
    apply_step(store, &step_request("Q:1", complete_step()));
    first_phase_of(store, "Q:1");
    begin_run(store, "o0", "other");
    let orchestrator = Some(orchestrator_id("o0"));
    let start = trueup_core::model::phase::PhaseStep::Start { orchestrator };
    apply_step(store, &step_request("Q:2", start));
    let provenance = new_provenance("user");
    add_queue(store, "R", &[&[], &[1]]);
    let removal = PhaseRemovalRequest {
        id: "R:1".parse().unwrap(),
        with_all: true,
        mover: None,
        provenance: new_provenance("user"),
    };
    store.remove_phases(&removal).unwrap();
    let freed = store.interrupt_phases(&orchestrator_id("o0"), "why", &provenance).unwrap();
    assert_eq!(freed.len(), 1);
}

fn use_plans(store: &mut dyn Store) {
    let plan = new_plan("/p.md", &["1", "2", "3", "4"]);
    for _ in 0..2 {
        store.import_plan(&plan, &new_provenance("user")).unwrap();
    }
    let id = plan.id.clone();
    store.list_plans().unwrap();
    store.load_plan(&id).unwrap().unwrap();
    store.list_plan_ids().unwrap();
    store.find_plan_by_path("/p.md").unwrap().unwrap();
    let run = begin_run(store, "o1", "p");
    for (task, orchestrator) in [("1", "o1"), ("2", "o1"), ("3", "o0"), ("4", "o0")] {
        let task = store.load_plan_task(&id, &task.parse().unwrap()).unwrap().unwrap();
        let step = PlanTaskStepRequest {
            plan: id.clone(),
            task: task.id,
            expected_revision: task.revision,
            step: start_task_step(None, Some(orchestrator)),
            provenance: new_provenance("user"),
        };
        store.apply_plan_task_step(&step).unwrap();
    }
    let interrupted =
        store.interrupt_plan_tasks(&orchestrator_id("o0"), "why", &new_provenance("user"));
    assert_eq!(interrupted.unwrap().len(), 2);
    store.load_orchestrator(&run.id).unwrap().unwrap();
    assert_eq!(store.list_live_orchestrators().unwrap().len(), 2);
    store.list_orchestrators(5).unwrap();
    store.record_orchestrator_heartbeat(&run.id).unwrap();
    store.request_orchestrator_stop(&run.id, &new_provenance("user")).unwrap();
    let start = trueup_core::model::phase::PhaseStep::Start { orchestrator: Some(run.id.clone()) };
    apply_step(store, &step_request("Q:2", start));
    let ended = store.record_orchestrator_stop(&run.id, RunEnd::default(), &new_provenance("user"));
    let ended = ended.unwrap();
    assert_eq!((ended.tasks.len(), ended.phases.len()), (2, 1));
    let crashed = store.load_orchestrator(&orchestrator_id("o0")).unwrap().unwrap();
    store.record_orchestrator_crash(&crashed, &new_provenance("user")).unwrap().unwrap();
    let gone =
        trueup_core::model::NewPlan { id: "gone".parse().unwrap(), ..new_plan("/gone.md", &["1"]) };
    store.import_plan(&gone, &new_provenance("user")).unwrap();
    store.remove_plan(&gone.id, &new_provenance("user")).unwrap();
}

fn use_repos_and_ports(store: &mut dyn Store) {
    store.place_repo(&placement("repo", "m1", "/a")).unwrap();
    store.place_repo(&placement("repo", "m2", "/b")).unwrap();
    store.list_repos().unwrap();
    let slug = repo_slug("repo");
    store.update_repo_state(&slug, &repo_state("text"), &new_provenance("user")).unwrap();
    store.load_repo_state(&slug).unwrap().unwrap();
    store.remove_repo_place(&slug, "m1", &new_provenance("user")).unwrap();
    let naming = RepoNaming {
        identity: "i".to_owned(),
        name: "n".to_owned(),
        shared_with: None,
        replaces_name: false,
    };
    store.name_repo(&naming).unwrap();
    store.find_repo_name("i").unwrap().unwrap();
    store.list_repo_identities("n").unwrap();
    store.rename_repo("i", "m", &new_provenance("user")).unwrap();

    let reserved = store.reserve_port(&port_request("a", 0)).unwrap();
    store.list_reservations(None).unwrap();
    let owner = PortOwner { session: Some(session_id("s1")), process: None };
    store.reassign_port(&reserved, &owner, &new_provenance("user")).unwrap();
    store.release_port(&port_release("a")).unwrap();
}

fn use_workplans(store: &mut dyn Store) {
    let rows = [
        workplan_row("W", None, "repo"),
        workplan_row("W-T01", Some("W"), "repo"),
        workplan_row("W-T02", Some("W"), "repo"),
    ];
    let links = store.link_workplans(&rows, &new_provenance("user")).unwrap();
    assert_eq!(store.load_workplan_rows("repo").unwrap().linked.len(), 3);
    store.find_workplan_rows(&[item_key("W-T01")], &links).unwrap();
    let changes = ["W", "W-T01"].map(|key| {
        let mut change = workplan_change(key);
        change.facts = Some((file_facts("d2"), "new text".to_owned()));
        change
    });
    store.update_workplan_facts(&changes, &new_provenance("user")).unwrap();
}

fn use_tokens(store: &mut dyn Store) {
    let new = new_token("ann", TokenRole::Admin, 'a');
    let by = new_provenance("lead");
    let token = store.create_token(&new, &by).unwrap();
    assert_eq!(store.list_tokens().unwrap().len(), 1);
    store.find_token(&new.digest).unwrap().unwrap();
    store.record_callers(&[Caller { op_id: by.op_id, name: token.name.clone() }]).unwrap();
    store.revoke_token(&token.name, &new_provenance("lead")).unwrap();
}

fn use_attention(store: &mut dyn Store) {
    let new = new_attention("divergence:s1", AttentionKind::Divergence);
    store.raise_attention(&new, &new_provenance("s1")).unwrap();
    store.raise_attention(&new, &new_provenance("s1")).unwrap();
    let open = AttentionFilter { only_open: true, ..AttentionFilter::default() };
    assert_eq!(store.list_attention(&open).unwrap().len(), 1);
    store.end_attention(&new.id, &new_provenance("s1")).unwrap();
    store.load_attention(&new.id).unwrap().unwrap();
}

fn deliver_one(store: &mut dyn Store) {
    let pending = pending_task(store, "s3", "t");
    let defaults = DeliverySource { outbox: None, host: None, lease_seconds: LEASE_SECONDS };
    let delivered = store.deliver_pending(&[&pending], &defaults, test_deadline()).unwrap();
    assert_eq!(delivered, [trueup_core::store::DeliveryOutcome::Written]);
}

/// A write that waits to set a session's task.
pub(crate) fn pending_task(store: &mut dyn Store, session: &str, task: &str) -> PendingWrite {
    let now = load_session(store, session);
    let changes = [(StateField::Task, FieldValue::Text(Some(task.to_owned())))].into();
    PendingWrite {
        op_id: format!("delivers {task}"),
        at: now.read_at,
        session: now.id.clone(),
        origin: Some(WriteOrigin {
            database: String::new(),
            address: None,
            lineage: Some(now.lineage),
            base: Some(now.revision),
            base_lineage: None,
            claim: now.item.zip(now.epoch),
        }),
        write: PendingChange::State { changes, branch: None },
    }
}

fn sweep_and_prune(store: &mut dyn Store, age_all: impl FnOnce()) {
    register_session(store, "old");
    register_session(store, "lost");
    claim_item(store, "lost", "D");
    apply_step(store, &step_request("Q:2", start_step()));
    let id = "p".parse().unwrap();
    let task = store.load_plan_task(&id, &"1".parse().unwrap()).unwrap().unwrap();
    let step = PlanTaskStepRequest {
        plan: id,
        task: task.id,
        expected_revision: task.revision,
        step: start_task_step(None, None),
        provenance: new_provenance("user"),
    };
    store.apply_plan_task_step(&step).unwrap();
    age_all();

    let now = store.database_time().unwrap();
    assert!(store.sessions_with_expired_lease(now, 10).unwrap().len() > 2);
    let lost = load_session(store, "lost");
    store.mark_lost(&lost, &provenance_because("sweep", "dead")).unwrap().unwrap();
    let stuck = store.list_stuck_phases(60, 5).unwrap();
    let provenance = new_provenance("sweep");
    store.fail_stuck_phase(&stuck[0], "silent", &provenance).unwrap().unwrap();
    assert_eq!(store.fail_stuck_plan_tasks(60, &new_provenance("sweep")).unwrap().len(), 1);

    store.end_session(&session_id("old"), "other", &new_provenance("old")).unwrap();
    let rules = RetentionRules { before: now, named: BTreeSet::new() };
    assert!(store.list_ended_sessions(now, None, 10).unwrap().len() > 1);
    let removed = store.remove_sessions(&[session_id("old")], &rules).unwrap();
    assert_eq!(removed, [session_id("old")]);
    let events: Vec<i64> =
        store.list_event_remains(0, 500).unwrap().iter().map(|event| event.seq).collect();
    assert!(store.remove_events(&events, &rules).unwrap() > 0);
    store.record_pruned(now, &new_provenance("user")).unwrap().unwrap();
}
