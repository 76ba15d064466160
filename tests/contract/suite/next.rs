//! What comes next, and moving on to it in one transaction.

use serde_json::json;
use trueup_core::model::{ItemStatus, NewItem, Next, RepoScope};
use trueup_core::store::{NextRequest, NextTaken, NextWish, Provenance, Store};

use crate::fixture::Fixture;
use crate::request::{
    LEASE, add, by, claim, cursor, events, id, item, key, kinds, move_to, new_item, refused,
    register, release, session,
};

on_every_store! {
    children_are_claimed_one_after_another_in_their_order
    those_that_cannot_be_begun_are_passed_over
    the_one_held_is_released_and_the_search_goes_on_behind_it
    after_a_completion_the_search_begins_anew
    moving_on_is_one_operation
    the_parent_comes_after_the_last_child
    the_next_orchestrator_comes_to_a_session_that_chains
    a_search_that_finds_nothing_changes_nothing
    looking_changes_nothing_and_finds_what_claiming_takes
    a_repeated_request_returns_the_first_answer
    a_repeated_request_for_an_item_lost_since_is_a_conflict
    a_repeated_request_that_found_nothing_looks_again
    a_phantom_claims_nothing
    who_moves_on_lives
    the_last_holder_is_the_one_before_the_present
    unfinished_work_is_kept_unless_it_is_given_up
    who_kept_work_may_ask_again_under_the_same_operation
    going_on_to_a_child_of_the_work_leaves_nothing
    what_is_finished_or_held_by_nobody_is_no_work_to_keep
}

/// Adds `P` with these children, in this order.
fn family(store: &mut dyn Store, children: &[&str]) {
    add(store, "P");
    for text in children {
        let new = NewItem {
            parent: Some(key("P")),
            ..new_item(text)
        };
        store.add_item(&new, &by("user")).unwrap();
    }
}

fn request(who: &str, parent: Option<&str>) -> NextRequest {
    NextRequest {
        session: id(who),
        parent: parent.map(key),
        scope: RepoScope::All,
        give_up: true,
        lease_seconds: LEASE,
        provenance: by(who),
    }
}

fn taken(store: &mut dyn Store, who: &str, parent: Option<&str>) -> NextTaken {
    store.claim_next(&request(who, parent)).unwrap()
}

/// Says what was found, in short.
fn say(next: &Next) -> String {
    let because = |reason: &Option<trueup_core::model::OfferReason>| {
        reason.map_or(String::new(), |reason| format!(" ({})", reason.as_str()))
    };
    match next {
        Next::Offer { item, reason } => format!("{}{}", item.key, because(reason)),
        Next::Held { item, reason } => format!("held {}{}", item.key, because(reason)),
        Next::Kept { held, item } => format!("{} kept, not {}", held.key, item.key),
        Next::Nothing { lack, .. } => lack.as_str().to_owned(),
    }
}

fn claimed(store: &mut dyn Store, who: &str) -> String {
    say(&taken(store, who, None).next)
}

fn children_are_claimed_one_after_another_in_their_order(f: &mut impl Fixture) {
    register(f.store(), "s1");
    family(f.store(), &[]);
    for (text, position) in [("z", 1), ("y", 3), ("x", 3), ("w", -2)] {
        let new = NewItem {
            parent: Some(key("P")),
            position: Some(position),
            ..new_item(text)
        };
        f.store().add_item(&new, &by("user")).unwrap();
    }
    claim(f.store(), "s1", "P");
    let mut order = Vec::new();
    for _ in 0..4 {
        let next = claimed(f.store(), "s1");
        let held = session(f.store(), "s1");
        assert_eq!(held.item, Some(key(&next)));
        assert_eq!(
            held.execution_state().work.item.as_deref(),
            Some(next.as_str())
        );
        assert_eq!(item(f.store(), &next).status, ItemStatus::Running);
        move_to(f.store(), "s1", &next, ItemStatus::Completed);
        order.push(next);
    }
    assert_eq!(order, ["w", "z", "x", "y"]);
}

fn those_that_cannot_be_begun_are_passed_over(f: &mut impl Fixture) {
    for who in ["s1", "s2", "s3"] {
        register(f.store(), who);
    }
    family(f.store(), &["a", "b", "c"]);
    let waits = NewItem {
        parent: Some(key("P")),
        position: Some(0),
        depends_on: vec![key("b")],
        ..new_item("w")
    };
    f.store().add_item(&waits, &by("user")).unwrap();
    move_to(f.store(), "user", "a", ItemStatus::Blocked);
    let mut next = |who| say(&taken(f.store(), who, Some("P")).next);
    assert_eq!(next("s1"), "b");
    assert_eq!(next("s2"), "c");
    assert_eq!(next("s3"), "waiting");
    move_to(f.store(), "s1", "b", ItemStatus::Completed);
    assert_eq!(say(&taken(f.store(), "s3", Some("P")).next), "w");
}

fn the_one_held_is_released_and_the_search_goes_on_behind_it(f: &mut impl Fixture) {
    register(f.store(), "s1");
    family(f.store(), &["a", "b", "c"]);
    claim(f.store(), "s1", "b");
    let first = taken(f.store(), "s1", None);
    assert_eq!(say(&first.next), "c");
    let released = first.released.unwrap();
    assert_eq!(
        (released.key, released.status, released.holder),
        (key("b"), ItemStatus::Running, None)
    );
    assert_eq!(claimed(f.store(), "s1"), "a", "and round again");
    assert_eq!(claimed(f.store(), "s1"), "b");
    // With nothing else left it stays.
    for text in ["a", "c"] {
        move_to(f.store(), "s1", text, ItemStatus::Cancelled);
    }
    let last = taken(f.store(), "s1", None);
    assert_eq!(
        (say(&last.next), last.released),
        ("held b".to_owned(), None)
    );
    assert_eq!(item(f.store(), "b").holder, Some(id("s1")));
}

fn after_a_completion_the_search_begins_anew(f: &mut impl Fixture) {
    register(f.store(), "s1");
    family(f.store(), &["a", "b", "c"]);
    claim(f.store(), "s1", "b");
    move_to(f.store(), "s1", "b", ItemStatus::Completed);
    assert_eq!(claimed(f.store(), "s1"), "a");
}

fn moving_on_is_one_operation(f: &mut impl Fixture) {
    register(f.store(), "s1");
    family(f.store(), &["a", "b"]);
    claim(f.store(), "s1", "a");
    let before = cursor(f.store());
    taken(f.store(), "s1", None);
    assert_eq!(
        kinds(f.store(), before),
        ["a released", "b claimed", "s1 state"]
    );
    let all = events(f.store());
    let new = &all[all.len() - 3..];
    assert!(
        new.iter()
            .all(|e| e.op_id == new[0].op_id && e.actor == "s1")
    );
    assert_eq!(new[1].reason.as_deref(), Some("next"));
}

fn the_parent_comes_after_the_last_child(f: &mut impl Fixture) {
    register(f.store(), "s1");
    family(f.store(), &["a"]);
    claim(f.store(), "s1", "a");
    move_to(f.store(), "s1", "a", ItemStatus::Completed);
    assert_eq!(claimed(f.store(), "s1"), "P (last_child_done)");
    assert_eq!(session(f.store(), "s1").item, Some(key("P")));
    let event = events(f.store()).into_iter().rfind(|e| e.kind == "claimed");
    assert_eq!(event.unwrap().reason.as_deref(), Some("last_child_done"));
}

fn the_next_orchestrator_comes_to_a_session_that_chains(f: &mut impl Fixture) {
    register(f.store(), "s1");
    family(f.store(), &["a"]);
    add(f.store(), "N");
    let child = NewItem {
        parent: Some(key("Q")),
        ..new_item("b")
    };
    add(f.store(), "Q");
    f.store().add_item(&child, &by("user")).unwrap();
    claim(f.store(), "s1", "a");
    move_to(f.store(), "s1", "a", ItemStatus::Completed);
    move_to(f.store(), "user", "P", ItemStatus::Completed);
    let before = cursor(f.store());
    assert_eq!(claimed(f.store(), "s1"), "chaining_off");
    assert_eq!(cursor(f.store()), before);
    let on = json!({"chain_orchestrators": true});
    let on = on.as_object().unwrap();
    f.store().merge_metadata(&id("s1"), on, &by("s1")).unwrap();
    assert_eq!(claimed(f.store(), "s1"), "Q (next_orchestrator)");
    assert_eq!(claimed(f.store(), "s1"), "b");
}

fn a_search_that_finds_nothing_changes_nothing(f: &mut impl Fixture) {
    register(f.store(), "s1");
    register(f.store(), "s2");
    family(f.store(), &["a"]);
    add(f.store(), "X");
    claim(f.store(), "s2", "a");
    claim(f.store(), "s1", "X");
    let before = (cursor(f.store()), item(f.store(), "X"));
    let found = taken(f.store(), "s1", Some("P"));
    assert_eq!(
        (say(&found.next), found.released),
        ("all_held".to_owned(), None)
    );
    assert_eq!((cursor(f.store()), item(f.store(), "X")), before);
}

fn looking_changes_nothing_and_finds_what_claiming_takes(f: &mut impl Fixture) {
    register(f.store(), "s1");
    family(f.store(), &["a", "b"]);
    claim(f.store(), "s1", "a");
    let before = (cursor(f.store()), session(f.store(), "s1").revision);
    let wish = NextWish {
        session: Some(id("s1")),
        ..NextWish::default()
    };
    let seen = f.store().next_item(&wish).unwrap();
    assert_eq!(
        (cursor(f.store()), session(f.store(), "s1").revision),
        before
    );
    assert_eq!(say(&seen), claimed(f.store(), "s1"));
    let nobody = f.store().next_item(&NextWish::default()).unwrap();
    assert_eq!(say(&nobody), "P");
}

fn a_repeated_request_returns_the_first_answer(f: &mut impl Fixture) {
    register(f.store(), "s1");
    family(f.store(), &["a", "b", "c"]);
    claim(f.store(), "s1", "a");
    let request = request("s1", None);
    let first = f.store().claim_next(&request).unwrap();
    let before = cursor(f.store());
    assert_eq!(f.store().claim_next(&request).unwrap(), first);
    assert_eq!(cursor(f.store()), before);
    assert_eq!(item(f.store(), "c").holder, None, "none is passed over");
}

fn a_repeated_request_for_an_item_lost_since_is_a_conflict(f: &mut impl Fixture) {
    register(f.store(), "s1");
    register(f.store(), "s2");
    family(f.store(), &["a", "b"]);
    let request = request("s1", Some("P"));
    f.store().claim_next(&request).unwrap();
    claim(f.store(), "s2", "a");
    refused(f.store().claim_next(&request), "conflict");
    assert_eq!(item(f.store(), "b").holder, None);
}

fn a_repeated_request_that_found_nothing_looks_again(f: &mut impl Fixture) {
    register(f.store(), "s1");
    let request = request("s1", None);
    let first = f.store().claim_next(&request).unwrap();
    assert_eq!(say(&first.next), "nothing_ready");
    add(f.store(), "A");
    let second = f.store().claim_next(&request).unwrap();
    assert_eq!(say(&second.next), "A");
    assert_eq!(session(f.store(), "s1").item, Some(key("A")));
}

fn a_phantom_claims_nothing(f: &mut impl Fixture) {
    add(f.store(), "A");
    refused(f.store().claim_next(&request("s9", None)), "invalid");
    assert_eq!(item(f.store(), "A").holder, None);
}

fn who_moves_on_lives(f: &mut impl Fixture) {
    register(f.store(), "s1");
    add(f.store(), "A");
    f.advance(10_000);
    assert!(session(f.store(), "s1").lease_expired());
    claimed(f.store(), "s1");
    assert!(!session(f.store(), "s1").lease_expired());
    f.advance(10_000);
    assert_eq!(claimed(f.store(), "s1"), "held A");
    assert!(!session(f.store(), "s1").lease_expired());
}

fn the_last_holder_is_the_one_before_the_present(f: &mut impl Fixture) {
    for who in ["s1", "s2", "s3"] {
        register(f.store(), who);
    }
    add(f.store(), "A");
    let mut last = |work: &dyn Fn(&mut dyn Store)| {
        work(f.store());
        let last = f.store().last_holder(&key("A")).unwrap();
        last.map(|last| last.session.to_string())
    };
    assert_eq!(last(&|_| ()), None);
    assert_eq!(
        last(&|s| drop(claim(s, "s1", "A"))),
        None,
        "it holds it still"
    );
    assert_eq!(
        last(&|s| drop(s.release(&release("s1", "A")))).as_deref(),
        Some("s1")
    );
    let taken_over = last(&|s| {
        claim(s, "s2", "A");
        claim(s, "s3", "A");
    });
    assert_eq!(taken_over.as_deref(), Some("s2"));
    let parked = last(&|s| {
        let me = session(s, "s3");
        let dead = Provenance {
            reason: Some("gone".into()),
            ..by("s1")
        };
        s.park(&me, &dead).unwrap();
    });
    assert_eq!(parked.as_deref(), Some("s3"));
    let finished = last(&|s| {
        claim(s, "s1", "A");
        move_to(s, "s1", "A", ItemStatus::Completed);
    });
    assert_eq!(finished.as_deref(), Some("s1"));
    let last = f.store().last_holder(&key("A")).unwrap().unwrap();
    assert_eq!(Some(last.until), item(f.store(), "A").completed_at);
}

/// Asks for what comes next without leaving work for it.
fn keeping(who: &str, parent: Option<&str>) -> NextRequest {
    NextRequest {
        give_up: false,
        ..request(who, parent)
    }
}

fn unfinished_work_is_kept_unless_it_is_given_up(f: &mut impl Fixture) {
    register(f.store(), "s1");
    family(f.store(), &["a", "b"]);
    claim(f.store(), "s1", "a");
    move_to(f.store(), "s1", "a", ItemStatus::Blocked);
    let before = (
        cursor(f.store()),
        item(f.store(), "a"),
        item(f.store(), "b"),
    );
    let kept = f.store().claim_next(&keeping("s1", None)).unwrap();
    assert_eq!(say(&kept.next), "a kept, not b");
    assert_eq!(kept.released, None);
    let after = (
        cursor(f.store()),
        item(f.store(), "a"),
        item(f.store(), "b"),
    );
    assert_eq!(after, before);
    assert_eq!(session(f.store(), "s1").item, Some(key("a")));
    let left = taken(f.store(), "s1", None);
    assert_eq!(say(&left.next), "b");
    assert_eq!(left.released.unwrap().key, key("a"));
}

fn who_kept_work_may_ask_again_under_the_same_operation(f: &mut impl Fixture) {
    register(f.store(), "s1");
    family(f.store(), &["a", "b"]);
    claim(f.store(), "s1", "a");
    let asked = keeping("s1", None);
    let first = f.store().claim_next(&asked).unwrap();
    assert_eq!(say(&first.next), "a kept, not b");
    // It left nothing behind, so it may look anew: the work is finished meanwhile.
    move_to(f.store(), "s1", "a", ItemStatus::Completed);
    let second = f.store().claim_next(&asked).unwrap();
    assert_eq!(say(&second.next), "b");
    assert_eq!(session(f.store(), "s1").item, Some(key("b")));
}

fn going_on_to_a_child_of_the_work_leaves_nothing(f: &mut impl Fixture) {
    register(f.store(), "s1");
    family(f.store(), &["a", "b"]);
    claim(f.store(), "s1", "P");
    let child = f.store().claim_next(&keeping("s1", None)).unwrap();
    assert_eq!(say(&child.next), "a");
    let sibling = f.store().claim_next(&keeping("s1", None)).unwrap();
    assert_eq!(say(&sibling.next), "a kept, not b");
}

fn what_is_finished_or_held_by_nobody_is_no_work_to_keep(f: &mut impl Fixture) {
    register(f.store(), "s1");
    family(f.store(), &["a", "b", "c"]);
    let first = f.store().claim_next(&keeping("s1", Some("P"))).unwrap();
    assert_eq!(say(&first.next), "a");
    move_to(f.store(), "s1", "a", ItemStatus::Cancelled);
    let second = f.store().claim_next(&keeping("s1", None)).unwrap();
    assert_eq!(say(&second.next), "b");
    f.store().release(&release("s1", "b")).unwrap();
    let third = f.store().claim_next(&keeping("s1", Some("P"))).unwrap();
    assert_eq!((say(&third.next), third.released), ("b".to_owned(), None));
    // What it holds itself is no loss of work.
    for text in ["a", "c"] {
        if !item(f.store(), text).status.is_finished() {
            move_to(f.store(), "user", text, ItemStatus::Cancelled);
        }
    }
    let last = f.store().claim_next(&keeping("s1", None)).unwrap();
    assert_eq!(say(&last.next), "held b");
}
