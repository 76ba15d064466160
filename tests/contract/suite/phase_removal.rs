//! Phases that were added by mistake are removed; events keep what they were.

use serde_json::Value as Json;
use trueup_core::model::phase::PhaseRefusal;
use trueup_core::model::{ItemStatus, QueueId};
use trueup_core::store::{PhaseFilter, PhaseRemovalOutcome, PhaseRemovalRequest, Store};

use crate::fixture::StoreFixture;
use crate::requests::{
    add_item, add_queue, apply_step, claim_item, item_key, last_event_id, list_event_kinds,
    list_events, new_phases, new_provenance, provenance_because, register_session, session_id,
    start_step, step_request,
};

on_every_store! {
    a_phase_that_nothing_depends_on_is_removed
    all_phases_of_an_item_go_together
    what_runs_or_is_depended_on_stays
    phases_of_a_held_item_are_its_holders
    a_repeated_removal_removes_no_successor
}

fn removal(id: &str, with_all: bool) -> PhaseRemovalRequest {
    PhaseRemovalRequest {
        id: id.parse().unwrap(),
        with_all,
        mover: None,
        provenance: new_provenance("user"),
    }
}

/// Removes phases and describes the answer.
fn remove(store: &mut dyn Store, request: &PhaseRemovalRequest) -> String {
    match store.remove_phases(request).unwrap() {
        PhaseRemovalOutcome::Removed(phases) => {
            phases.iter().map(|phase| phase.id.as_str()).collect::<Vec<_>>().join(" ")
        }
        PhaseRemovalOutcome::Refused(refusal) => format!("refused {}", refusal.code()),
    }
}

fn phase_ids(store: &mut dyn Store, item: &str) -> String {
    let filter = PhaseFilter { item: Some(item_key(item)), ..PhaseFilter::default() };
    let phases = store.list_phases(&filter).unwrap();
    phases.iter().map(|phase| phase.id.as_str()).collect::<Vec<_>>().join(" ")
}

fn a_phase_that_nothing_depends_on_is_removed(f: &mut impl StoreFixture) {
    add_queue(f.store(), "A", &[&[], &[1], &[1]]);
    let before = last_event_id(f.store());
    let provenance = provenance_because("ann", "added by mistake");
    let request = PhaseRemovalRequest { provenance, ..removal("A:3", false) };
    assert_eq!(remove(f.store(), &request), "A:3");
    assert_eq!(phase_ids(f.store(), "A"), "A:1 A:2");
    assert_eq!(list_event_kinds(f.store(), before), ["A:3 removed"]);
    let event = list_events(f.store()).pop().unwrap();
    assert_eq!((event.entity.as_str(), event.actor.as_str()), ("phase", "ann"));
    assert_eq!(event.reason.as_deref(), Some("added by mistake"));
    assert_eq!((&event.before["status"], event.after), (&Json::from("queued"), Json::Null));
}

fn all_phases_of_an_item_go_together(f: &mut impl StoreFixture) {
    add_queue(f.store(), "A", &[&[], &[1], &[2]]);
    add_queue(f.store(), "B", &[&[]]);
    assert_eq!(remove(f.store(), &removal("A:2", true)), "A:1 A:2 A:3");
    assert_eq!(
        (phase_ids(f.store(), "A"), phase_ids(f.store(), "B").as_str()),
        (String::new(), "B:1")
    );
    // Others may be added in their place.
    let again = f.store().add_phases(&new_phases("A", &[&[]]), &new_provenance("user")).unwrap();
    assert_eq!(again[0].status, ItemStatus::Ready);
}

fn what_runs_or_is_depended_on_stays(f: &mut impl StoreFixture) {
    add_queue(f.store(), "A", &[&[], &[], &[1, 2]]);
    apply_step(f.store(), &step_request("A:1", start_step()));
    let before = (last_event_id(f.store()), phase_ids(f.store(), "A"));
    for (id, with_all, expected) in [
        ("A:9", false, "refused phase_not_found"),
        ("A:1", false, "refused phase_running"),
        ("A:3", true, "refused phase_running"),
        ("A:2", false, "refused phase_in_use"),
    ] {
        assert_eq!(remove(f.store(), &removal(id, with_all)), expected, "{id}");
    }
    let PhaseRemovalOutcome::Refused(PhaseRefusal::DependedOn { dependents }) =
        f.store().remove_phases(&removal("A:2", false)).unwrap()
    else {
        panic!("A:2 went")
    };
    assert_eq!(dependents.iter().map(QueueId::as_str).collect::<Vec<_>>(), ["A:3"]);
    assert_eq!((last_event_id(f.store()), phase_ids(f.store(), "A")), before);
}

fn phases_of_a_held_item_are_its_holders(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    register_session(f.store(), "s2");
    add_queue(f.store(), "A", &[&[], &[1]]);
    claim_item(f.store(), "s1", "A");
    for mover in [None, Some(session_id("s2"))] {
        let request = PhaseRemovalRequest { mover, ..removal("A:2", false) };
        assert_eq!(remove(f.store(), &request), "refused not_holder");
    }
    let mover = Some(session_id("s1"));
    assert_eq!(remove(f.store(), &PhaseRemovalRequest { mover, ..removal("A:2", false) }), "A:2");
}

fn a_repeated_removal_removes_no_successor(f: &mut impl StoreFixture) {
    add_item(f.store(), "A");
    let new = new_phases("A", &[&[]]);
    f.store().add_phases(&new, &new_provenance("user")).unwrap();
    let request = removal("A:1", false);
    assert_eq!(remove(f.store(), &request), "A:1");
    f.store().add_phases(&new, &new_provenance("user")).unwrap();
    assert_eq!(remove(f.store(), &request), "");
    assert_eq!(phase_ids(f.store(), "A"), "A:1");
}
