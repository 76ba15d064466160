//! Reservations of ports: one slot per id, released only by its owner.

use serde_json::json;
use trueup_core::model::{PortOwner, PortReservation, PortSlot, ProcessId, ProcessPlace};
use trueup_core::store::{ReleasePortRequest, ReservePortRequest, Store};

use crate::fixture::StoreFixture;
use crate::requests::{
    expect_refusal, last_event_id, list_event_kinds, list_events, new_provenance, session_id,
};

on_every_store! {
    a_slot_is_one_ids_and_an_id_has_one_slot
    hosts_have_pools_of_their_own
    a_released_slot_is_free
    what_is_not_reserved_cannot_be_released
    a_release_of_what_was_read_spares_what_changed_since
    every_change_of_a_reservation_is_one_event
    repeating_a_reservation_gives_the_first_answer_once
    repeating_a_release_gives_the_first_answer
    all_that_was_said_of_an_owner_is_read_back
}

fn port_slot(n: usize) -> PortSlot {
    PortSlot::all().nth(n).unwrap()
}

pub(crate) fn port_request(name: &str, n: usize) -> ReservePortRequest {
    ReservePortRequest {
        id: name.parse().unwrap(),
        host: "h".to_owned(),
        slot: port_slot(n),
        owner: PortOwner::default(),
        provenance: new_provenance("user"),
    }
}

fn reserve_port(store: &mut dyn Store, name: &str, n: usize) -> PortReservation {
    store.reserve_port(&port_request(name, n)).unwrap()
}

pub(crate) fn port_release(name: &str) -> ReleasePortRequest {
    ReleasePortRequest {
        id: name.parse().unwrap(),
        host: "h".to_owned(),
        as_read: None,
        provenance: new_provenance("user"),
    }
}

fn list_names(store: &mut dyn Store, host: Option<&str>) -> Vec<String> {
    let all = store.list_reservations(host).unwrap();
    all.iter().map(|r| format!("{} {} {}", r.host, r.slot.backend_port(), r.id)).collect()
}

fn a_slot_is_one_ids_and_an_id_has_one_slot(f: &mut impl StoreFixture) {
    let first = reserve_port(f.store(), "a", 3);
    f.advance_time(7);
    let again = reserve_port(f.store(), "a", 4);
    assert!(again.is_same_reservation(&first), "{again:?}");
    assert_eq!(again.slot, port_slot(3));
    expect_refusal(f.store().reserve_port(&port_request("b", 3)), "conflict");
    reserve_port(f.store(), "b", 0);
    assert_eq!(list_names(f.store(), None), ["h 9100 b", "h 9103 a"]);
}

fn hosts_have_pools_of_their_own(f: &mut impl StoreFixture) {
    reserve_port(f.store(), "a", 0);
    let there = ReservePortRequest { host: "g".to_owned(), ..port_request("a", 0) };
    f.store().reserve_port(&there).unwrap();
    assert_eq!(list_names(f.store(), None), ["g 9100 a", "h 9100 a"]);
    assert_eq!(list_names(f.store(), Some("h")), ["h 9100 a"]);
    f.store().release_port(&port_release("a")).unwrap();
    assert_eq!(list_names(f.store(), None), ["g 9100 a"]);
}

fn a_released_slot_is_free(f: &mut impl StoreFixture) {
    let first = reserve_port(f.store(), "a", 0);
    let gone = f.store().release_port(&port_release("a")).unwrap();
    assert!(gone.is_same_reservation(&first), "{gone:?}");
    reserve_port(f.store(), "b", 0);
    assert_eq!(list_names(f.store(), None), ["h 9100 b"]);
}

fn what_is_not_reserved_cannot_be_released(f: &mut impl StoreFixture) {
    expect_refusal(f.store().release_port(&port_release("a")), "conflict");
    reserve_port(f.store(), "a", 0);
    f.store().release_port(&port_release("a")).unwrap();
    expect_refusal(f.store().release_port(&port_release("a")), "conflict");
}

fn a_release_of_what_was_read_spares_what_changed_since(f: &mut impl StoreFixture) {
    let read = reserve_port(f.store(), "a", 0);
    let mine = PortOwner { session: Some(session_id("s1")), process: None };
    let now = f.store().reassign_port(&read, &mine, &new_provenance("s1")).unwrap();
    assert_eq!((now.owner.clone(), now.allocated_at), (mine.clone(), read.allocated_at));
    expect_refusal(f.store().reassign_port(&read, &mine, &new_provenance("s1")), "conflict");
    let late = ReleasePortRequest { as_read: Some(read), ..port_release("a") };
    expect_refusal(f.store().release_port(&late), "conflict");
    assert_eq!(list_names(f.store(), None), ["h 9100 a"]);
    let fresh = ReleasePortRequest { as_read: Some(now), ..port_release("a") };
    f.store().release_port(&fresh).unwrap();
}

fn every_change_of_a_reservation_is_one_event(f: &mut impl StoreFixture) {
    let before = last_event_id(f.store());
    let read = reserve_port(f.store(), "a", 0);
    reserve_port(f.store(), "a", 0);
    let mine = PortOwner { session: Some(session_id("s1")), process: None };
    f.store().reassign_port(&read, &mine, &new_provenance("s1")).unwrap();
    let last = ReleasePortRequest { provenance: new_provenance("s2"), ..port_release("a") };
    f.store().release_port(&last).unwrap();
    let expected = ["a reserved", "a changed", "a released"];
    assert_eq!(list_event_kinds(f.store(), before), expected);
    let all = list_events(f.store());
    let actors: Vec<&str> = all.iter().map(|e| e.actor.as_str()).collect();
    assert_eq!(actors, ["user", "s1", "s2"]);
    assert!(all.iter().all(|e| e.entity == "port" && e.op_id.is_some()));
    assert_eq!(all[0].after["backend"], json!(9100));
    assert_eq!(all[0].after["frontend"], json!(9200));
    assert_eq!(all[1].before["session"], json!(null));
    assert_eq!(all[2].before, all[1].after);
    assert_eq!(all[2].op_id, Some(last.provenance.op_id));
}

fn repeating_a_reservation_gives_the_first_answer_once(f: &mut impl StoreFixture) {
    let once = port_request("a", 0);
    let first = f.store().reserve_port(&once).unwrap();
    let before = last_event_id(f.store());
    assert!(f.store().reserve_port(&once).unwrap().is_same_reservation(&first));
    assert_eq!(last_event_id(f.store()), before);
    f.store().release_port(&port_release("a")).unwrap();
    expect_refusal(f.store().reserve_port(&once), "conflict");
    assert_eq!(list_names(f.store(), None), Vec::<String>::new());
}

fn repeating_a_release_gives_the_first_answer(f: &mut impl StoreFixture) {
    reserve_port(f.store(), "a", 2);
    let once = port_release("a");
    let first = f.store().release_port(&once).unwrap();
    reserve_port(f.store(), "a", 5);
    let again = f.store().release_port(&once).unwrap();
    assert!(again.is_same_reservation(&first), "{again:?}");
    assert_eq!(list_names(f.store(), None), ["h 9105 a"], "the new one stays");
}

fn all_that_was_said_of_an_owner_is_read_back(f: &mut impl StoreFixture) {
    let owner = PortOwner {
        session: Some(session_id("s1")),
        process: Some(ProcessId {
            pid: 4242,
            started: Some(99),
            place: ProcessPlace {
                machine: Some("m".to_owned()),
                boot: Some("boot".to_owned()),
                namespace: Some("n".to_owned()),
            },
        }),
    };
    let request = ReservePortRequest { owner: owner.clone(), ..port_request("a", 0) };
    f.store().reserve_port(&request).unwrap();
    assert_eq!(f.store().list_reservations(None).unwrap()[0].owner, owner);
    let once = port_release("a");
    assert_eq!(f.store().release_port(&once).unwrap().owner, owner);
    assert_eq!(f.store().release_port(&once).unwrap().owner, owner, "of the event too");
}
