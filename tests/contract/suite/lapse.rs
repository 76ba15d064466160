//! Sessions that may have died, and parking those that did.

use trueup_core::model::{Session, SessionStatus};
use trueup_core::store::{Heartbeat, Provenance, Released};

use crate::fixture::Fixture;
use crate::request::{add, beat, by, claim, holder, id, item, key, register, release, session};

on_every_store! {
    those_whose_lease_is_over_are_listed_oldest_first
    an_ended_session_is_listed_while_it_holds_something
    a_parked_session_holds_nothing_and_keeps_its_state
    a_sign_of_life_since_the_reading_prevents_parking
    an_ended_session_keeps_its_claim_until_it_is_parked
    a_session_parked_once_is_not_parked_again
    a_parked_session_that_comes_back_is_active
    a_lost_session_stays_lost_until_a_status_is_given
}

fn lapsed(f: &mut impl Fixture, limit: u32) -> Vec<String> {
    let found = f.store().lapsed(limit).unwrap();
    found.iter().map(|s| s.id.to_string()).collect()
}

fn dead() -> Provenance {
    Provenance {
        reason: Some("process_gone".into()),
        ..by("s9")
    }
}

fn park(f: &mut impl Fixture, session: &Session) -> Option<Released> {
    f.store().park(session, &dead()).unwrap()
}

fn those_whose_lease_is_over_are_listed_oldest_first(f: &mut impl Fixture) {
    for name in ["s2", "s1", "s3"] {
        register(f.store(), name);
        f.advance(100);
    }
    assert_eq!(lapsed(f, 0), Vec::<String>::new());
    f.advance(650);
    assert_eq!(lapsed(f, 9), ["s2"]);
    f.advance(1_000);
    assert_eq!(lapsed(f, 9), ["s2", "s1", "s3"]);
    assert_eq!(lapsed(f, 2), ["s2", "s1"]);
    f.store().heartbeat(&beat("s2")).unwrap();
    assert_eq!(lapsed(f, 9), ["s1", "s3"]);
}

fn an_ended_session_is_listed_while_it_holds_something(f: &mut impl Fixture) {
    register(f.store(), "s1");
    f.store().end(&id("s1"), "x", &by("s1")).unwrap();
    register(f.store(), "s2");
    add(f.store(), "A");
    claim(f.store(), "s2", "A");
    f.store().end(&id("s2"), "x", &by("s2")).unwrap();
    assert_eq!(lapsed(f, 9), ["s2"], "its process may be gone");
    f.advance(1_000);
    assert_eq!(lapsed(f, 9), ["s2"]);
    f.store().release(&release("s2", "A")).unwrap();
    assert_eq!(lapsed(f, 9), Vec::<String>::new());
}

fn a_parked_session_holds_nothing_and_keeps_its_state(f: &mut impl Fixture) {
    let fence = holder(f.store());
    f.advance(1_000);
    let read = session(f.store(), "s1");
    let parked = park(f, &read).unwrap();
    assert_eq!(parked.session, id("s1"));
    assert_eq!(parked.item, Some(key("A")));
    assert_eq!(parked.reason, "process_gone");
    let after = session(f.store(), "s1");
    assert_eq!(after.status, SessionStatus::Lost);
    assert_eq!(after.item, None);
    assert_eq!(after.metadata, read.metadata);
    assert_eq!(after.revision.0, read.revision.0 + 1);
    let item = item(f.store(), "A");
    assert_eq!((item.holder, item.epoch), (None, fence));
    assert_eq!(lapsed(f, 9), Vec::<String>::new());
}

fn a_sign_of_life_since_the_reading_prevents_parking(f: &mut impl Fixture) {
    holder(f.store());
    f.advance(1_000);
    let read = session(f.store(), "s1");
    f.store().heartbeat(&beat("s1")).unwrap();
    assert_eq!(park(f, &read), None);
    let after = session(f.store(), "s1");
    assert_eq!(after.status, SessionStatus::Active);
    assert_eq!(after.item, Some(key("A")));
}

fn an_ended_session_keeps_its_claim_until_it_is_parked(f: &mut impl Fixture) {
    holder(f.store());
    f.store().end(&id("s1"), "logout", &by("s1")).unwrap();
    f.advance(1_000);
    let read = session(f.store(), "s1");
    assert_eq!(read.item, Some(key("A")));
    assert_eq!(park(f, &read).unwrap().item, Some(key("A")));
    let after = session(f.store(), "s1");
    assert_eq!((after.status, after.item), (SessionStatus::Ended, None));
    assert_eq!(after.ended_reason.as_deref(), Some("logout"));
}

fn a_session_parked_once_is_not_parked_again(f: &mut impl Fixture) {
    register(f.store(), "s1");
    f.advance(1_000);
    let read = session(f.store(), "s1");
    assert_eq!(park(f, &read).unwrap().item, None);
    assert_eq!(park(f, &read), None);
}

fn a_parked_session_that_comes_back_is_active(f: &mut impl Fixture) {
    holder(f.store());
    f.advance(1_000);
    let read = session(f.store(), "s1");
    park(f, &read);
    let back = register(f.store(), "s1");
    assert_eq!((back.status, back.item), (SessionStatus::Active, None));
    f.advance(1_000);
    assert_eq!(lapsed(f, 9), ["s1"]);
}

fn a_lost_session_stays_lost_until_a_status_is_given(f: &mut impl Fixture) {
    register(f.store(), "s1");
    f.advance(1_000);
    let read = session(f.store(), "s1");
    park(f, &read);
    f.store().heartbeat(&beat("s1")).unwrap();
    assert_eq!(session(f.store(), "s1").status, SessionStatus::Lost);
    let works = Heartbeat {
        status: Some(SessionStatus::Active),
        ..beat("s1")
    };
    f.store().heartbeat(&works).unwrap();
    assert_eq!(session(f.store(), "s1").status, SessionStatus::Active);
}
