//! Reservations of ports: one slot for one id, given back by who may.

use serde_json::json;
use trueup_core::model::{PortOwner, ProcessId, ProcessPlace, Reservation, Slot};
use trueup_core::store::{PortRelease, PortRequest, Store};

use crate::fixture::Fixture;
use crate::request::{by, cursor, events, id, kinds, refused};

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

fn slot(n: usize) -> Slot {
    Slot::all().nth(n).unwrap()
}

fn request(name: &str, n: usize) -> PortRequest {
    PortRequest {
        id: name.parse().unwrap(),
        host: "h".to_owned(),
        slot: slot(n),
        owner: PortOwner::default(),
        provenance: by("user"),
    }
}

fn reserve(store: &mut dyn Store, name: &str, n: usize) -> Reservation {
    store.reserve_port(&request(name, n)).unwrap()
}

fn release(name: &str) -> PortRelease {
    PortRelease {
        id: name.parse().unwrap(),
        host: "h".to_owned(),
        as_read: None,
        provenance: by("user"),
    }
}

fn names(store: &mut dyn Store, host: Option<&str>) -> Vec<String> {
    let all = store.reservations(host).unwrap();
    all.iter()
        .map(|r| format!("{} {} {}", r.host, r.slot.backend(), r.id))
        .collect()
}

fn a_slot_is_one_ids_and_an_id_has_one_slot(f: &mut impl Fixture) {
    let first = reserve(f.store(), "a", 3);
    f.advance(7);
    let again = reserve(f.store(), "a", 4);
    assert!(again.is_same(&first), "{again:?}");
    assert_eq!(again.slot, slot(3));
    refused(f.store().reserve_port(&request("b", 3)), "conflict");
    reserve(f.store(), "b", 0);
    assert_eq!(names(f.store(), None), ["h 9100 b", "h 9103 a"]);
}

fn hosts_have_pools_of_their_own(f: &mut impl Fixture) {
    reserve(f.store(), "a", 0);
    let there = PortRequest {
        host: "g".to_owned(),
        ..request("a", 0)
    };
    f.store().reserve_port(&there).unwrap();
    assert_eq!(names(f.store(), None), ["g 9100 a", "h 9100 a"]);
    assert_eq!(names(f.store(), Some("h")), ["h 9100 a"]);
    f.store().release_port(&release("a")).unwrap();
    assert_eq!(names(f.store(), None), ["g 9100 a"]);
}

fn a_released_slot_is_free(f: &mut impl Fixture) {
    let first = reserve(f.store(), "a", 0);
    let gone = f.store().release_port(&release("a")).unwrap();
    assert!(gone.is_same(&first), "{gone:?}");
    reserve(f.store(), "b", 0);
    assert_eq!(names(f.store(), None), ["h 9100 b"]);
}

fn what_is_not_reserved_cannot_be_released(f: &mut impl Fixture) {
    refused(f.store().release_port(&release("a")), "conflict");
    reserve(f.store(), "a", 0);
    f.store().release_port(&release("a")).unwrap();
    refused(f.store().release_port(&release("a")), "conflict");
}

fn a_release_of_what_was_read_spares_what_changed_since(f: &mut impl Fixture) {
    let read = reserve(f.store(), "a", 0);
    let mine = PortOwner {
        session: Some(id("s1")),
        process: None,
    };
    let now = f.store().reassign_port(&read, &mine, &by("s1")).unwrap();
    assert_eq!(
        (now.owner.clone(), now.allocated_at),
        (mine.clone(), read.allocated_at)
    );
    refused(f.store().reassign_port(&read, &mine, &by("s1")), "conflict");
    let late = PortRelease {
        as_read: Some(read),
        ..release("a")
    };
    refused(f.store().release_port(&late), "conflict");
    assert_eq!(names(f.store(), None), ["h 9100 a"]);
    let fresh = PortRelease {
        as_read: Some(now),
        ..release("a")
    };
    f.store().release_port(&fresh).unwrap();
}

fn every_change_of_a_reservation_is_one_event(f: &mut impl Fixture) {
    let before = cursor(f.store());
    let read = reserve(f.store(), "a", 0);
    reserve(f.store(), "a", 0);
    let mine = PortOwner {
        session: Some(id("s1")),
        process: None,
    };
    f.store().reassign_port(&read, &mine, &by("s1")).unwrap();
    let last = PortRelease {
        provenance: by("s2"),
        ..release("a")
    };
    f.store().release_port(&last).unwrap();
    let expected = ["a reserved", "a changed", "a released"];
    assert_eq!(kinds(f.store(), before), expected);
    let all = events(f.store());
    let actors: Vec<&str> = all.iter().map(|e| e.actor.as_str()).collect();
    assert_eq!(actors, ["user", "s1", "s2"]);
    assert!(all.iter().all(|e| e.entity == "port" && e.op_id.is_some()));
    assert_eq!(all[0].after["backend"], json!(9100));
    assert_eq!(all[0].after["frontend"], json!(9200));
    assert_eq!(all[1].before["session"], json!(null));
    assert_eq!(all[2].before, all[1].after);
    assert_eq!(all[2].op_id, Some(last.provenance.op_id));
}

fn repeating_a_reservation_gives_the_first_answer_once(f: &mut impl Fixture) {
    let once = request("a", 0);
    let first = f.store().reserve_port(&once).unwrap();
    let before = cursor(f.store());
    assert!(f.store().reserve_port(&once).unwrap().is_same(&first));
    assert_eq!(cursor(f.store()), before);
    f.store().release_port(&release("a")).unwrap();
    refused(f.store().reserve_port(&once), "conflict");
    assert_eq!(names(f.store(), None), Vec::<String>::new());
}

fn repeating_a_release_gives_the_first_answer(f: &mut impl Fixture) {
    reserve(f.store(), "a", 2);
    let once = release("a");
    let first = f.store().release_port(&once).unwrap();
    reserve(f.store(), "a", 5);
    let again = f.store().release_port(&once).unwrap();
    assert!(again.is_same(&first), "{again:?}");
    assert_eq!(names(f.store(), None), ["h 9105 a"], "the new one stays");
}

fn all_that_was_said_of_an_owner_is_read_back(f: &mut impl Fixture) {
    let owner = PortOwner {
        session: Some(id("s1")),
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
    let asked = PortRequest {
        owner: owner.clone(),
        ..request("a", 0)
    };
    f.store().reserve_port(&asked).unwrap();
    assert_eq!(f.store().reservations(None).unwrap()[0].owner, owner);
    let once = release("a");
    assert_eq!(f.store().release_port(&once).unwrap().owner, owner);
    assert_eq!(
        f.store().release_port(&once).unwrap().owner,
        owner,
        "of the event too"
    );
}
