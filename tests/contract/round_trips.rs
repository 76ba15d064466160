//! How many requests each operation needs of a database behind a network, and what becomes of one
//! whose answer is lost.

mod remembered_rows;
pub(crate) mod scenario;

pub(crate) use scenario::pending_task;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use support::postgres::TestDatabase;
use trueup_core::deadline::Deadline;
use trueup_core::model::{EventKind, FieldValue, RepoScope, StateField};
use trueup_core::outbox::PendingWrite;
use trueup_core::settings::DatabaseAddress;
use trueup_core::store::{
    ClaimNextRequest, ClaimStore as _, DeliveryOutcome, DeliverySource, HookStore as _,
    ItemStore as _, OutboxDeliveryStore as _,
};
use trueup_remote::exchange::ExchangeEngine;
use trueup_remote::{FailureKind, RemoteStore, RemoteTransport, Transport, TransportError};

use crate::fixture::test_deadline;
use crate::postgres_fixture::new_postgres_through;
use crate::requests::{
    LEASE_SECONDS, add_item, claim_request, field_push, list_events, load_session, new_provenance,
    register_session, session_id,
};
use crate::strict::{OPERATIONS, StrictStore};

/// Counts requests, and loses the answer to the next commit where it is told to.
struct WatchedTransport {
    inner: RemoteTransport,
    address: DatabaseAddress,
    watch: Rc<Watch>,
}

#[derive(Default)]
struct Watch {
    requests: Rc<Cell<usize>>,
    commits: Cell<usize>,
    trials: Cell<usize>,
    loses_next_commit: Cell<bool>,
    /// What others do after all was read and before the next commit.
    before_next_commit: RefCell<Option<Box<dyn FnOnce()>>>,
}

impl Transport for WatchedTransport {
    fn exchange(&mut self, request: &str, deadline: Deadline) -> Result<String, TransportError> {
        self.watch.requests.set(self.watch.requests.get() + 1);
        let is_commit = request.contains(r#""mode":"commit""#);
        if request.contains(r#""mode":"try""#) {
            self.watch.trials.set(self.watch.trials.get() + 1);
        }
        if is_commit {
            self.watch.commits.set(self.watch.commits.get() + 1);
            if let Some(others) = self.watch.before_next_commit.take() {
                others();
            }
        }
        let answer = self.inner.exchange(request, deadline)?;
        if is_commit && self.watch.loses_next_commit.take() {
            let kind = FailureKind::ClosedMidway;
            return Err(TransportError {
                address: Box::new(self.address.clone()),
                kind,
                cause: None,
            });
        }
        Ok(answer)
    }
}

fn watched_store() -> Option<(TestDatabase, RemoteStore, Rc<Watch>)> {
    let (database, engine, watch) = watched_engine()?;
    Some((database, RemoteStore::new(engine), watch))
}

fn watched_engine() -> Option<(TestDatabase, ExchangeEngine, Rc<Watch>)> {
    let watch = Rc::new(Watch::default());
    let watched = Rc::clone(&watch);
    let (database, engine) = new_postgres_through(|inner, address| {
        Box::new(WatchedTransport { inner, address, watch: watched })
    })?;
    Some((database, engine, watch))
}

/// Many writes take as long each as one: a session that was offline for a day is not too late.
#[test]
fn what_waited_takes_two_requests_for_32_writes() {
    let Some((_database, mut store, watch)) = watched_store() else {
        return;
    };
    register_session(&mut store, "s1");
    let pending: Vec<PendingWrite> =
        (0..70).map(|n| scenario::pending_task(&mut store, "s1", &format!("t{n}"))).collect();
    let pending: Vec<&PendingWrite> = pending.iter().collect();
    let defaults = DeliverySource { outbox: None, host: None, lease_seconds: LEASE_SECONDS };
    watch.requests.set(0);
    let delivered = store.deliver_pending(&pending, &defaults, test_deadline()).unwrap();
    assert_eq!(delivered, vec![DeliveryOutcome::Written; pending.len()]);
    assert_eq!((watch.requests.get(), watch.trials.get()), (2 * pending.len().div_ceil(32), 0));
    let session = load_session(&mut store, "s1");
    assert_eq!(session.execution_state().work.task.as_deref(), Some("t69"));
}

/// The most requests that an operation may need once the connection is there, where nobody
/// interferes and nothing unusual is found.
const BOUNDS: &[(&str, usize)] = &[
    ("acknowledge_revision", 1),
    ("end_session", 1),
    ("mark_lost", 1),
    ("merge_metadata", 1),
    ("push_state", 1),
    ("record_heartbeat", 1),
    ("record_orchestrator_heartbeat", 1),
    ("register_session", 1),
    ("mark_handoff_shown", 1),
    ("record_metadata_change", 1),
    ("record_refusal", 1),
    ("count_children", 1),
    ("count_items", 1),
    ("list_item_kinds", 1),
    ("find_repo_of_items", 1),
    ("find_search_hits", 1),
    ("list_ready_items", 2),
    ("database_time", 1),
    ("find_differing_clock_reading", 1),
    ("find_item_keys", 1),
    ("find_item_use", 1),
    ("find_last_holder", 1),
    ("find_next_phase", 1),
    ("find_pending_matters", 1),
    ("find_plan_by_path", 1),
    ("find_token", 1),
    ("list_tokens", 1),
    ("list_attention", 1),
    ("load_attention", 1),
    ("record_callers", 1),
    ("find_repo_name", 1),
    ("had_state_value", 1),
    ("list_event_remains", 1),
    ("list_events", 1),
    ("list_handoffs", 1),
    ("list_items", 1),
    ("list_open_dependencies", 1),
    ("list_orchestrators", 1),
    ("list_phases", 1),
    ("list_plan_ids", 1),
    ("list_plans", 1),
    ("list_repo_identities", 1),
    ("list_repos", 1),
    ("list_reservations", 1),
    ("list_stuck_phases", 1),
    ("list_waiting_items", 1),
    ("load_handoff", 1),
    ("load_item", 1),
    ("load_item_title", 1),
    ("load_lineage", 1),
    ("load_orchestrator", 1),
    ("load_overview_rows", 1),
    ("load_phase", 1),
    ("load_plan", 1),
    ("load_plan_task", 1),
    ("load_repo_state", 1),
    ("load_session", 1),
    ("reload_session", 1),
    ("load_task", 1),
    ("load_workplan_rows", 1),
    ("add_item", 2),
    ("add_phases", 2),
    ("apply_phase_step", 2),
    ("apply_plan_task_step", 2),
    ("claim", 2),
    ("claim_next_item", 3),
    ("end_attention", 2),
    ("raise_attention", 2),
    ("create_token", 3),
    ("revoke_token", 3),
    ("deliver_pending", 2),
    ("edit_item", 2),
    ("fail_stuck_phase", 2),
    ("find_next_item", 4),
    ("find_workplan_rows", 2),
    ("import_items", 3),
    ("import_plan", 2),
    ("interrupt_plan_tasks", 2),
    ("link_workplans", 2),
    ("list_ended_sessions", 2),
    ("list_live_orchestrators", 2),
    ("list_peers", 2),
    ("list_sessions", 2),
    ("move_item", 2),
    ("name_repo", 2),
    ("record_checkpoint", 2),
    ("release", 2),
    ("release_port", 2),
    ("remove_item", 2),
    ("remove_phases", 2),
    ("remove_plan", 2),
    ("remove_repo_place", 2),
    ("remove_sessions", 2),
    ("rename_repo", 2),
    ("sessions_with_expired_lease", 2),
    ("update_workplan_facts", 2),
    ("upsert_task", 2),
    ("accept_handoff", 3),
    ("change_dependencies", 2),
    ("change_dependencies_of_each", 2),
    ("create_handoff", 3),
    ("fail_stuck_plan_tasks", 3),
    ("interrupt_phases", 3),
    ("list_handoff_notices", 3),
    ("place_repo", 3),
    ("reassign_port", 3),
    ("record_orchestrator_crash", 3),
    ("record_orchestrator_stop", 3),
    ("record_pruned", 3),
    ("register_orchestrator", 3),
    ("reject_handoff", 3),
    ("remove_events", 3),
    ("request_orchestrator_stop", 3),
    ("reserve_port", 3),
    ("update_repo_state", 3),
];

#[test]
fn every_operation_needs_few_requests() {
    let Some((database, store, watch)) = watched_store() else {
        return;
    };
    let mut store = StrictStore::with_meter(store, Rc::clone(&watch.requests));
    scenario::run_every_operation(&mut store, || {
        database.run(scenario::LONG_AGO).unwrap();
    });
    let bounds: BTreeMap<&str, usize> = BOUNDS.iter().copied().collect();
    let named: BTreeSet<&str> = bounds.keys().copied().collect();
    assert_eq!(named, OPERATIONS.iter().copied().collect(), "every operation has its bound");
    let needed = store.needed_requests();
    let tried: BTreeSet<&str> = needed.keys().copied().collect();
    assert_eq!(tried, named, "the scenario runs every operation");
    let excess: Vec<String> = needed
        .iter()
        .filter(|(name, needed)| needed.iter().any(|needed| *needed > bounds[*name]))
        .map(|(name, needed)| format!("{name} needs {needed:?}, not {}", bounds[name]))
        .collect();
    assert!(excess.is_empty(), "{}", excess.join("\n"));
}

#[test]
fn a_commit_whose_answer_is_lost_is_carried_out_once_and_answered() {
    let Some((_database, mut store, watch)) = watched_store() else {
        return;
    };
    let session = register_session(&mut store, "s1");
    let task = FieldValue::Text(Some("t".to_owned()));
    let push = field_push(&session, StateField::Task, task);
    watch.loses_next_commit.set(true);
    let pushed = store.push_state(&push).unwrap();
    assert_eq!(pushed.execution_state().work.task.as_deref(), Some("t"));
    assert_eq!(pushed.revision.0, session.revision.0 + 1);
    add_item(&mut store, "A");
    let claim = claim_request(&mut store, "s1", "A");
    watch.loses_next_commit.set(true);
    assert_eq!(store.claim(&claim).unwrap().item.epoch.0, 1);
    let events = list_events(&mut store);
    let claims = events.iter().filter(|event| event.is_kind(EventKind::Claimed));
    assert_eq!(claims.count(), 1);
}

#[test]
fn a_claim_of_the_next_item_minds_no_change_nearby_and_takes_another_when_it_was_too_late() {
    let Some((database, mut store, watch)) = watched_store() else {
        return;
    };
    let database = Rc::new(database);
    let begin = |sql: &'static str| {
        let database = Rc::clone(&database);
        let others = move || {
            database.run(&format!("SET search_path = trueup; {sql}")).unwrap();
        };
        watch.before_next_commit.replace(Some(Box::new(others)));
        watch.commits.set(0);
        watch.trials.set(0);
    };
    for session in ["s1", "s2", "s3"] {
        register_session(&mut store, session);
    }
    for item in ["A", "B", "C"] {
        add_item(&mut store, item);
    }
    let claim_next = |store: &mut RemoteStore, who: &str| {
        let request = ClaimNextRequest {
            session: session_id(who),
            parent: None,
            scope: RepoScope::All,
            may_release_unfinished: true,
            lease_seconds: LEASE_SECONDS,
            provenance: new_provenance(who),
        };
        store.claim_next_item(&request).unwrap();
        load_session(store, who).item.map(|item| item.to_string())
    };
    begin("UPDATE work_items SET title = 'another' WHERE key = 'A'");
    assert_eq!(claim_next(&mut store, "s1").as_deref(), Some("A"));
    assert_eq!(watch.commits.get(), 1);
    begin(
        "UPDATE work_items SET holder = 's3', claim_epoch = claim_epoch + 1, claimed_at = 'now',
             under_epoch = claim_epoch WHERE key = 'B'",
    );
    assert_eq!(claim_next(&mut store, "s2").as_deref(), Some("C"));
    // A lost race is no reason to ask before each write, and to lose the next one meanwhile.
    assert_eq!((watch.commits.get(), watch.trials.get()), (2, 0));
}
