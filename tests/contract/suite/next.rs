//! Finding the next item, and moving on to it in one transaction.

use serde_json::json;
use trueup_core::model::{ItemPriority, ItemStatus, NewItem, NextItem, RepoScope};
use trueup_core::store::{ClaimNextRequest, ClaimedNext, NextItemQuery, Store};

use crate::fixture::StoreFixture;
use crate::requests::{
    LEASE_SECONDS, add_item, claim_item, expect_refusal, item_key, last_event_id, list_event_kinds,
    list_events, load_item, load_session, move_item, new_item, new_provenance, register_session,
    release_request, session_id,
};

on_every_store! {
    children_are_claimed_one_after_another_in_their_order
    the_most_urgent_is_claimed_first
    those_that_cannot_be_begun_are_passed_over
    the_one_held_is_released_and_the_search_goes_on_behind_it
    after_a_completion_the_search_begins_anew
    moving_on_is_one_operation
    the_parent_comes_after_the_last_child
    a_parent_is_not_offered_before_its_children
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
fn add_family(store: &mut dyn Store, children: &[&str]) {
    add_item(store, "P");
    for text in children {
        let new = NewItem { parent: Some(item_key("P")), ..new_item(text) };
        store.add_item(&new, &new_provenance("user")).unwrap();
    }
}

fn next_request(who: &str, parent: Option<&str>) -> ClaimNextRequest {
    ClaimNextRequest {
        session: session_id(who),
        parent: parent.map(item_key),
        scope: RepoScope::All,
        may_release_unfinished: true,
        lease_seconds: LEASE_SECONDS,
        provenance: new_provenance(who),
    }
}

fn take_next(store: &mut dyn Store, who: &str, parent: Option<&str>) -> ClaimedNext {
    store.claim_next_item(&next_request(who, parent)).unwrap()
}

/// Describes the answer in short.
fn describe_next(next: &NextItem) -> String {
    let because = |reason: &Option<trueup_core::model::PickReason>| {
        reason.map_or(String::new(), |reason| format!(" ({})", reason.as_str()))
    };
    match next {
        NextItem::Offer { item, reason } => format!("{}{}", item.key, because(reason)),
        NextItem::Held { item, reason } => format!("held {}{}", item.key, because(reason)),
        NextItem::KeepHeld { held, item } => format!("{} kept, not {}", held.key, item.key),
        NextItem::Nothing { reason: lack, .. } => lack.as_str().to_owned(),
    }
}

fn claim_next(store: &mut dyn Store, who: &str) -> String {
    describe_next(&take_next(store, who, None).next)
}

fn children_are_claimed_one_after_another_in_their_order(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_family(f.store(), &[]);
    for (text, position) in [("z", 1), ("y", 3), ("x", 3), ("w", -2)] {
        let new =
            NewItem { parent: Some(item_key("P")), position: Some(position), ..new_item(text) };
        f.store().add_item(&new, &new_provenance("user")).unwrap();
    }
    claim_item(f.store(), "s1", "P");
    let mut order = Vec::new();
    for _ in 0..4 {
        let next = claim_next(f.store(), "s1");
        let held = load_session(f.store(), "s1");
        assert_eq!(held.item, Some(item_key(&next)));
        assert_eq!(held.execution_state().work.item.as_deref(), Some(next.as_str()));
        assert_eq!(load_item(f.store(), &next).status, ItemStatus::Running);
        move_item(f.store(), "s1", &next, ItemStatus::Completed);
        order.push(next);
    }
    assert_eq!(order, ["w", "z", "x", "y"]);
}

fn the_most_urgent_is_claimed_first(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_family(f.store(), &[]);
    for (text, position, priority, repo) in [
        ("a", Some(1), None, None),
        ("b", Some(2), Some(3), Some("r")),
        ("c", Some(3), Some(0), None),
        ("d", None, Some(0), Some("r")),
        ("e", Some(5), Some(2), Some("r")),
    ] {
        let new = NewItem {
            parent: Some(item_key("P")),
            position,
            priority: priority.map(|number| ItemPriority::try_from(number).unwrap()),
            repo: repo.map(str::to_owned),
            ..new_item(text)
        };
        f.store().add_item(&new, &new_provenance("user")).unwrap();
    }
    let here = RepoScope::Here(Some("r".to_owned()));
    let mut order = Vec::new();
    for scope in
        [RepoScope::All, here.clone(), here, RepoScope::Only("r".to_owned()), RepoScope::All]
    {
        let query = NextItemQuery { session: None, parent: Some(item_key("P")), scope };
        let NextItem::Offer { item, .. } = f.store().find_next_item(&query).unwrap() else {
            panic!("nothing is free after {order:?}")
        };
        claim_item(f.store(), "s1", item.key.as_str());
        move_item(f.store(), "s1", item.key.as_str(), ItemStatus::Completed);
        order.push(item.key.to_string());
    }
    assert_eq!(order, ["c", "d", "a", "e", "b"]);
}

fn those_that_cannot_be_begun_are_passed_over(f: &mut impl StoreFixture) {
    for who in ["s1", "s2", "s3"] {
        register_session(f.store(), who);
    }
    add_family(f.store(), &["a", "b", "c"]);
    let waits = NewItem {
        parent: Some(item_key("P")),
        position: Some(0),
        depends_on: vec![item_key("b")],
        ..new_item("w")
    };
    f.store().add_item(&waits, &new_provenance("user")).unwrap();
    move_item(f.store(), "user", "a", ItemStatus::Blocked);
    let mut next = |who| describe_next(&take_next(f.store(), who, Some("P")).next);
    assert_eq!(next("s1"), "b");
    assert_eq!(next("s2"), "c");
    assert_eq!(next("s3"), "waiting");
    move_item(f.store(), "s1", "b", ItemStatus::Completed);
    assert_eq!(describe_next(&take_next(f.store(), "s3", Some("P")).next), "w");
}

fn the_one_held_is_released_and_the_search_goes_on_behind_it(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_family(f.store(), &["a", "b", "c"]);
    claim_item(f.store(), "s1", "b");
    let first = take_next(f.store(), "s1", None);
    assert_eq!(describe_next(&first.next), "c");
    let released = first.released.unwrap();
    assert_eq!(
        (released.key, released.status, released.holder),
        (item_key("b"), ItemStatus::Running, None)
    );
    assert_eq!(claim_next(f.store(), "s1"), "a", "and round again");
    assert_eq!(claim_next(f.store(), "s1"), "b");
    // With nothing else left, the session keeps its item.
    for text in ["a", "c"] {
        move_item(f.store(), "s1", text, ItemStatus::Cancelled);
    }
    let last = take_next(f.store(), "s1", None);
    assert_eq!((describe_next(&last.next), last.released), ("held b".to_owned(), None));
    assert_eq!(load_item(f.store(), "b").holder, Some(session_id("s1")));
}

fn after_a_completion_the_search_begins_anew(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_family(f.store(), &["a", "b", "c"]);
    claim_item(f.store(), "s1", "b");
    move_item(f.store(), "s1", "b", ItemStatus::Completed);
    assert_eq!(claim_next(f.store(), "s1"), "a");
}

fn moving_on_is_one_operation(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_family(f.store(), &["a", "b"]);
    claim_item(f.store(), "s1", "a");
    let before = last_event_id(f.store());
    take_next(f.store(), "s1", None);
    assert_eq!(list_event_kinds(f.store(), before), ["a released", "b claimed", "s1 state"]);
    let all = list_events(f.store());
    let new = &all[all.len() - 3..];
    assert!(new.iter().all(|e| e.op_id == new[0].op_id && e.actor == "s1"));
    assert_eq!(new[1].reason.as_deref(), Some("next"));
}

fn the_parent_comes_after_the_last_child(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_family(f.store(), &["a"]);
    claim_item(f.store(), "s1", "a");
    move_item(f.store(), "s1", "a", ItemStatus::Completed);
    assert_eq!(claim_next(f.store(), "s1"), "P (last_child_done)");
    assert_eq!(load_session(f.store(), "s1").item, Some(item_key("P")));
    let event = list_events(f.store()).into_iter().rfind(|e| e.kind == "claimed");
    assert_eq!(event.unwrap().reason.as_deref(), Some("last_child_done"));
}

fn a_parent_is_not_offered_before_its_children(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    register_session(f.store(), "s2");
    add_family(f.store(), &["a"]);
    // Also where both were added in one millisecond, the second one comes second.
    add_item(f.store(), "z");
    assert_eq!(claim_next(f.store(), "s1"), "a");
    assert_eq!(claim_next(f.store(), "s2"), "z");
    move_item(f.store(), "s2", "z", ItemStatus::Completed);
    assert_eq!(claim_next(f.store(), "s2"), "waiting");
    move_item(f.store(), "s1", "a", ItemStatus::Completed);
    assert_eq!(claim_next(f.store(), "s2"), "P");
}

fn the_next_orchestrator_comes_to_a_session_that_chains(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_family(f.store(), &["a"]);
    add_item(f.store(), "N");
    let child = NewItem { parent: Some(item_key("Q")), ..new_item("b") };
    add_item(f.store(), "Q");
    f.store().add_item(&child, &new_provenance("user")).unwrap();
    claim_item(f.store(), "s1", "a");
    move_item(f.store(), "s1", "a", ItemStatus::Completed);
    move_item(f.store(), "user", "P", ItemStatus::Completed);
    let before = last_event_id(f.store());
    assert_eq!(claim_next(f.store(), "s1"), "chaining_off");
    assert_eq!(last_event_id(f.store()), before);
    let on = json!({"chain_orchestrators": true});
    let on = on.as_object().unwrap();
    f.store().merge_metadata(&session_id("s1"), on, &new_provenance("s1")).unwrap();
    assert_eq!(claim_next(f.store(), "s1"), "Q (next_orchestrator)");
    assert_eq!(claim_next(f.store(), "s1"), "b");
}

fn a_search_that_finds_nothing_changes_nothing(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    register_session(f.store(), "s2");
    add_family(f.store(), &["a"]);
    add_item(f.store(), "X");
    claim_item(f.store(), "s2", "a");
    claim_item(f.store(), "s1", "X");
    let before = (last_event_id(f.store()), load_item(f.store(), "X"));
    let found = take_next(f.store(), "s1", Some("P"));
    assert_eq!((describe_next(&found.next), found.released), ("all_held".to_owned(), None));
    assert_eq!((last_event_id(f.store()), load_item(f.store(), "X")), before);
}

fn looking_changes_nothing_and_finds_what_claiming_takes(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_family(f.store(), &["a", "b"]);
    claim_item(f.store(), "s1", "a");
    let before = (last_event_id(f.store()), load_session(f.store(), "s1").revision);
    let query = NextItemQuery { session: Some(session_id("s1")), ..NextItemQuery::default() };
    let seen = f.store().find_next_item(&query).unwrap();
    assert_eq!((last_event_id(f.store()), load_session(f.store(), "s1").revision), before);
    assert_eq!(describe_next(&seen), claim_next(f.store(), "s1"));
    let nobody = f.store().find_next_item(&NextItemQuery::default()).unwrap();
    assert_eq!(describe_next(&nobody), "a", "released, and a parent comes after its children");
}

fn a_repeated_request_returns_the_first_answer(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_family(f.store(), &["a", "b", "c"]);
    claim_item(f.store(), "s1", "a");
    let request = next_request("s1", None);
    let first = f.store().claim_next_item(&request).unwrap();
    let before = last_event_id(f.store());
    assert_eq!(f.store().claim_next_item(&request).unwrap(), first);
    assert_eq!(last_event_id(f.store()), before);
    assert_eq!(load_item(f.store(), "c").holder, None, "none is passed over");
}

fn a_repeated_request_for_an_item_lost_since_is_a_conflict(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    register_session(f.store(), "s2");
    add_family(f.store(), &["a", "b"]);
    let request = next_request("s1", Some("P"));
    f.store().claim_next_item(&request).unwrap();
    claim_item(f.store(), "s2", "a");
    expect_refusal(f.store().claim_next_item(&request), "conflict");
    assert_eq!(load_item(f.store(), "b").holder, None);
}

fn a_repeated_request_that_found_nothing_looks_again(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    let request = next_request("s1", None);
    let first = f.store().claim_next_item(&request).unwrap();
    assert_eq!(describe_next(&first.next), "nothing_ready");
    add_item(f.store(), "A");
    let second = f.store().claim_next_item(&request).unwrap();
    assert_eq!(describe_next(&second.next), "A");
    assert_eq!(load_session(f.store(), "s1").item, Some(item_key("A")));
}

fn a_phantom_claims_nothing(f: &mut impl StoreFixture) {
    add_item(f.store(), "A");
    expect_refusal(f.store().claim_next_item(&next_request("s9", None)), "invalid");
    assert_eq!(load_item(f.store(), "A").holder, None);
}

fn who_moves_on_lives(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_item(f.store(), "A");
    f.advance_time(10_000);
    assert!(load_session(f.store(), "s1").is_lease_expired());
    claim_next(f.store(), "s1");
    assert!(!load_session(f.store(), "s1").is_lease_expired());
    f.advance_time(10_000);
    assert_eq!(claim_next(f.store(), "s1"), "held A");
    assert!(!load_session(f.store(), "s1").is_lease_expired());
}

fn the_last_holder_is_the_one_before_the_present(f: &mut impl StoreFixture) {
    for who in ["s1", "s2", "s3"] {
        register_session(f.store(), who);
    }
    add_item(f.store(), "A");
    let mut last = |work: &dyn Fn(&mut dyn Store)| {
        work(f.store());
        let last = f.store().find_last_holder(&item_key("A")).unwrap();
        last.map(|last| last.session.to_string())
    };
    assert_eq!(last(&|_| ()), None);
    assert_eq!(last(&|s| drop(claim_item(s, "s1", "A"))), None, "it holds it still");
    assert_eq!(last(&|s| drop(s.release(&release_request("s1", "A")))).as_deref(), Some("s1"));
    let taken_over = last(&|s| {
        claim_item(s, "s2", "A");
        claim_item(s, "s3", "A");
    });
    assert_eq!(taken_over.as_deref(), Some("s2"));
    let released_claim = last(&|s| {
        let session = load_session(s, "s3");
        let dead = new_provenance("s1").because("gone");
        s.mark_lost(&session, &dead).unwrap();
    });
    assert_eq!(released_claim.as_deref(), Some("s3"));
    let finished = last(&|s| {
        claim_item(s, "s1", "A");
        move_item(s, "s1", "A", ItemStatus::Completed);
    });
    assert_eq!(finished.as_deref(), Some("s1"));
    let last = f.store().find_last_holder(&item_key("A")).unwrap().unwrap();
    assert_eq!(Some(last.until), load_item(f.store(), "A").completed_at);
}

/// Builds a request that does not release unfinished work.
fn keep_request(who: &str, parent: Option<&str>) -> ClaimNextRequest {
    ClaimNextRequest { may_release_unfinished: false, ..next_request(who, parent) }
}

fn unfinished_work_is_kept_unless_it_is_given_up(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_family(f.store(), &["a", "b"]);
    claim_item(f.store(), "s1", "a");
    move_item(f.store(), "s1", "a", ItemStatus::Blocked);
    let before = (last_event_id(f.store()), load_item(f.store(), "a"), load_item(f.store(), "b"));
    let kept = f.store().claim_next_item(&keep_request("s1", None)).unwrap();
    assert_eq!(describe_next(&kept.next), "a kept, not b");
    assert_eq!(kept.released, None);
    let after = (last_event_id(f.store()), load_item(f.store(), "a"), load_item(f.store(), "b"));
    assert_eq!(after, before);
    assert_eq!(load_session(f.store(), "s1").item, Some(item_key("a")));
    let next_item = take_next(f.store(), "s1", None);
    assert_eq!(describe_next(&next_item.next), "b");
    assert_eq!(next_item.released.unwrap().key, item_key("a"));
}

fn who_kept_work_may_ask_again_under_the_same_operation(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_family(f.store(), &["a", "b"]);
    claim_item(f.store(), "s1", "a");
    let request = keep_request("s1", None);
    let first = f.store().claim_next_item(&request).unwrap();
    assert_eq!(describe_next(&first.next), "a kept, not b");
    // It released nothing, so a replay may decide anew: the work is finished meanwhile.
    move_item(f.store(), "s1", "a", ItemStatus::Completed);
    let second = f.store().claim_next_item(&request).unwrap();
    assert_eq!(describe_next(&second.next), "b");
    assert_eq!(load_session(f.store(), "s1").item, Some(item_key("b")));
}

fn going_on_to_a_child_of_the_work_leaves_nothing(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_family(f.store(), &["a", "b"]);
    claim_item(f.store(), "s1", "P");
    let child = f.store().claim_next_item(&keep_request("s1", None)).unwrap();
    assert_eq!(describe_next(&child.next), "a");
    let sibling = f.store().claim_next_item(&keep_request("s1", None)).unwrap();
    assert_eq!(describe_next(&sibling.next), "a kept, not b");
}

fn what_is_finished_or_held_by_nobody_is_no_work_to_keep(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_family(f.store(), &["a", "b", "c"]);
    let first = f.store().claim_next_item(&keep_request("s1", Some("P"))).unwrap();
    assert_eq!(describe_next(&first.next), "a");
    move_item(f.store(), "s1", "a", ItemStatus::Cancelled);
    let second = f.store().claim_next_item(&keep_request("s1", None)).unwrap();
    assert_eq!(describe_next(&second.next), "b");
    f.store().release(&release_request("s1", "b")).unwrap();
    let third = f.store().claim_next_item(&keep_request("s1", Some("P"))).unwrap();
    assert_eq!((describe_next(&third.next), third.released), ("b".to_owned(), None));
    // Moving to the item that it already holds releases nothing.
    for text in ["a", "c"] {
        if !load_item(f.store(), text).status.is_finished() {
            move_item(f.store(), "user", text, ItemStatus::Cancelled);
        }
    }
    let last = f.store().claim_next_item(&keep_request("s1", None)).unwrap();
    assert_eq!(describe_next(&last.next), "held b");
}
