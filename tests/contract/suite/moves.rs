//! Moves of items, and their effect on dependents.

use serde_json::json;
use trueup_core::model::{ItemStatus, MoveGrant};
use trueup_core::store::{GrantedMove, Store};

use crate::fixture::StoreFixture;
use crate::requests::{
    add_item, claim_item, claim_request, expect_refusal, item_key, last_event_id, list_event_kinds,
    list_events, load_item, load_session, move_item, new_item, new_provenance, register_holder,
    register_session, reopen_item, session_id,
};

on_every_store! {
    a_move_is_one_event
    a_move_says_why_and_what_it_made_of_the_item
    what_is_finished_is_dated_and_released_and_its_holder_idle
    a_block_keeps_holder_and_reason
    a_move_on_an_item_that_moved_on_is_a_conflict_and_changes_nothing
    what_the_decision_forbids_the_store_forbids
    a_reopening_is_an_event_of_its_own_and_undoes_the_end
    a_reopened_item_that_was_held_is_free
    completing_readies_what_waited_for_it_alone
    what_is_not_completed_readies_nothing
    a_reopening_lets_those_wait_again_that_were_not_begun
    a_repeated_move_returns_the_first_answer
}

/// Builds a move of an item as it is, without asking the rules.
fn forge_move(store: &mut dyn Store, text: &str, to: ItemStatus) -> GrantedMove {
    let item = load_item(store, text);
    GrantedMove {
        grant: MoveGrant {
            item: item.key,
            to,
            is_reopening: false,
            releases_holder: false,
            expected_holder: item.holder,
            expected_epoch: item.epoch,
            expected_revision: item.revision,
            evidence: None,
            error_message: None,
        },
        provenance: new_provenance("s1"),
    }
}

fn a_move_is_one_event(f: &mut impl StoreFixture) {
    register_holder(f.store());
    for (to, expected) in [
        (ItemStatus::Blocked, &["A status"][..]),
        (ItemStatus::Running, &["A status"]),
        (ItemStatus::Completed, &["A status", "s1 state"]),
    ] {
        let before = last_event_id(f.store());
        move_item(f.store(), "s1", "A", to);
        assert_eq!(list_event_kinds(f.store(), before), expected, "{to}");
    }
}

fn a_move_says_why_and_what_it_made_of_the_item(f: &mut impl StoreFixture) {
    let token = register_holder(f.store());
    let before = load_item(f.store(), "A");
    let item = move_item(f.store(), "s1", "A", ItemStatus::Failed).item;
    assert_eq!(item, load_item(f.store(), "A"));
    assert_eq!(item.status, ItemStatus::Failed);
    assert_eq!(item.error_message.as_deref(), Some("why"));
    assert_eq!(item.revision.0, before.revision.0 + 1);
    assert_eq!(item.epoch, token, "only a claim raises the fence");
    let event = list_events(f.store()).into_iter().rfind(|e| e.kind == "status");
    let event = event.unwrap();
    assert_eq!(
        (event.actor.as_str(), event.reason.as_deref(), event.epoch),
        ("s1", Some("why"), Some(token))
    );
    assert_eq!(event.before["status"], json!("running"));
    assert_eq!(event.after["status"], json!("failed"));
    assert_eq!(event.before["holder"], json!("s1"));
    assert_eq!(event.after["holder"], json!(null));
}

fn what_is_finished_is_dated_and_released_and_its_holder_idle(f: &mut impl StoreFixture) {
    for (n, to) in
        [ItemStatus::Completed, ItemStatus::Failed, ItemStatus::Cancelled].into_iter().enumerate()
    {
        let (who, what) = (format!("s{n}"), format!("A{n}"));
        register_session(f.store(), &who);
        add_item(f.store(), &what);
        let held_item = claim_item(f.store(), &who, &what).item;
        assert_eq!(held_item.completed_at, None);
        let item = move_item(f.store(), &who, &what, to).item;
        assert_eq!((item.holder, item.claimed_at), (None, None), "{to}");
        assert!(item.completed_at.is_some(), "{to}");
        let session = load_session(f.store(), &who);
        assert_eq!((session.item.clone(), session.epoch), (None, None), "{to}");
        let work = session.execution_state().work;
        assert_eq!(
            (work.item, work.phase, work.task, work.is_active),
            (None, None, None, false),
            "{to}"
        );
    }
}

fn a_block_keeps_holder_and_reason(f: &mut impl StoreFixture) {
    register_holder(f.store());
    let blocked = move_item(f.store(), "s1", "A", ItemStatus::Blocked).item;
    assert_eq!(blocked.holder, Some(session_id("s1")));
    assert_eq!(blocked.error_message.as_deref(), Some("why"));
    let running = move_item(f.store(), "s1", "A", ItemStatus::Running).item;
    assert_eq!((running.holder, running.error_message), (Some(session_id("s1")), None));
}

fn a_move_on_an_item_that_moved_on_is_a_conflict_and_changes_nothing(f: &mut impl StoreFixture) {
    register_holder(f.store());
    register_session(f.store(), "s2");
    let mut stale = forge_move(f.store(), "A", ItemStatus::Completed);
    stale.grant.releases_holder = true;
    // Another holds it now.
    claim_item(f.store(), "s2", "A");
    let before = (load_item(f.store(), "A"), last_event_id(f.store()));
    expect_refusal(f.store().move_item(&stale), "conflict");
    // The same session holds it again, under another epoch.
    claim_item(f.store(), "s1", "A");
    expect_refusal(f.store().move_item(&stale), "conflict");
    // The same claim, but the item changed since.
    let mut stale = forge_move(f.store(), "A", ItemStatus::Completed);
    stale.grant.releases_holder = true;
    move_item(f.store(), "s1", "A", ItemStatus::Blocked);
    expect_refusal(f.store().move_item(&stale), "conflict");
    assert_ne!((load_item(f.store(), "A"), last_event_id(f.store())), before);
    assert_eq!(load_item(f.store(), "A").holder, Some(session_id("s1")));
    stale.grant.item = item_key("none");
    expect_refusal(f.store().move_item(&stale), "conflict");
}

fn what_the_decision_forbids_the_store_forbids(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    let guarded = trueup_core::model::NewItem { requires_evidence: true, ..new_item("A") };
    f.store().add_item(&guarded, &new_provenance("user")).unwrap();
    let without_evidence = forge_move(f.store(), "A", ItemStatus::Completed);
    expect_refusal(f.store().move_item(&without_evidence), "denied");
    claim_item(f.store(), "s1", "A");
    let still_held = forge_move(f.store(), "A", ItemStatus::Cancelled);
    expect_refusal(f.store().move_item(&still_held), "denied");
    move_item(f.store(), "s1", "A", ItemStatus::Cancelled);
    let onwards = forge_move(f.store(), "A", ItemStatus::Running);
    expect_refusal(f.store().move_item(&onwards), "denied");
    let back_without_saying_so = forge_move(f.store(), "A", ItemStatus::Queued);
    let mut without_a_reason = back_without_saying_so.clone();
    without_a_reason.grant.is_reopening = true;
    expect_refusal(f.store().move_item(&without_a_reason), "denied");
    expect_refusal(f.store().move_item(&back_without_saying_so), "denied");
    assert_eq!(load_item(f.store(), "A").status, ItemStatus::Cancelled);
}

fn a_reopening_is_an_event_of_its_own_and_undoes_the_end(f: &mut impl StoreFixture) {
    register_holder(f.store());
    move_item(f.store(), "s1", "A", ItemStatus::Failed);
    let before = last_event_id(f.store());
    let back = reopen_item(f.store(), "s1", "A").item;
    assert_eq!(list_event_kinds(f.store(), before), ["A reopened"]);
    assert_eq!(back.status, ItemStatus::Queued);
    assert_eq!((back.completed_at, back.error_message), (None, None));
    assert_eq!(list_events(f.store()).last().unwrap().reason.as_deref(), Some("why"));
    assert_eq!(claim_item(f.store(), "s1", "A").item.status, ItemStatus::Running);
}

fn a_reopened_item_that_was_held_is_free(f: &mut impl StoreFixture) {
    register_holder(f.store());
    let before = last_event_id(f.store());
    let back = reopen_item(f.store(), "s1", "A").item;
    assert_eq!((back.status, back.holder), (ItemStatus::Queued, None));
    assert_eq!(list_event_kinds(f.store(), before), ["A reopened", "s1 state"]);
    assert_eq!(load_session(f.store(), "s1").execution_state().work.item, None);
}

/// `C` waits for `A` and `B`, `D` for `A` alone, `E` for `C`.
fn add_waiting_items(store: &mut dyn Store) {
    register_session(store, "s1");
    for (text, on) in [("A", &[][..]), ("B", &[]), ("C", &["A", "B"]), ("D", &["A"]), ("E", &["C"])]
    {
        let new = trueup_core::model::NewItem {
            depends_on: on.iter().map(|on| item_key(on)).collect(),
            ..new_item(text)
        };
        store.add_item(&new, &new_provenance("user")).unwrap();
    }
}

fn render_statuses(store: &mut dyn Store) -> String {
    let shown = ["A", "B", "C", "D", "E"].map(|text| {
        let item = load_item(store, text);
        format!("{text} {} {}", item.status, item.open_dependencies)
    });
    shown.join(", ")
}

fn completing_readies_what_waited_for_it_alone(f: &mut impl StoreFixture) {
    add_waiting_items(f.store());
    assert_eq!(
        render_statuses(f.store()),
        "A queued 0, B queued 0, C queued 2, D queued 1, E queued 1"
    );
    let before = last_event_id(f.store());
    let moved_item = move_item(f.store(), "s1", "A", ItemStatus::Completed);
    assert_eq!(moved_item.moved_dependents, [(item_key("D"), ItemStatus::Ready)]);
    assert_eq!(list_event_kinds(f.store(), before), ["A status", "D status"]);
    let all = list_events(f.store());
    let (first, second) = (&all[all.len() - 2], &all[all.len() - 1]);
    assert_eq!(first.op_id, second.op_id, "one operation");
    assert_eq!((second.actor.as_str(), second.reason.as_deref()), ("s1", Some("A completed")));
    let moved_item = move_item(f.store(), "s1", "B", ItemStatus::Completed);
    assert_eq!(moved_item.moved_dependents, [(item_key("C"), ItemStatus::Ready)]);
    assert_eq!(
        render_statuses(f.store()),
        "A completed 0, B completed 0, C ready 0, D ready 0, E queued 1"
    );
}

fn what_is_not_completed_readies_nothing(f: &mut impl StoreFixture) {
    add_waiting_items(f.store());
    for (text, to) in [("A", ItemStatus::Cancelled), ("B", ItemStatus::Failed)] {
        assert_eq!(move_item(f.store(), "s1", text, to).moved_dependents, []);
    }
    assert_eq!(
        render_statuses(f.store()),
        "A cancelled 0, B failed 0, C queued 2, D queued 1, E queued 1"
    );
}

fn a_reopening_lets_those_wait_again_that_were_not_begun(f: &mut impl StoreFixture) {
    add_waiting_items(f.store());
    for text in ["A", "B"] {
        move_item(f.store(), "s1", text, ItemStatus::Completed);
    }
    claim_item(f.store(), "s1", "D");
    let item = reopen_item(f.store(), "s1", "A");
    assert_eq!(item.moved_dependents, [(item_key("C"), ItemStatus::Queued)]);
    assert_eq!(
        render_statuses(f.store()),
        "A queued 0, B completed 0, C queued 1, D running 1, E queued 1"
    );
    assert_eq!(load_item(f.store(), "D").holder, Some(session_id("s1")));
    // An item that is put back while all its dependencies are completed is ready at once.
    move_item(f.store(), "s1", "A", ItemStatus::Completed);
    assert_eq!(reopen_item(f.store(), "s1", "D").item.status, ItemStatus::Ready);
}

fn a_repeated_move_returns_the_first_answer(f: &mut impl StoreFixture) {
    add_waiting_items(f.store());
    let request = GrantedMove {
        provenance: new_provenance("s1").because("why"),
        ..forge_move(f.store(), "A", ItemStatus::Completed)
    };
    let first = f.store().move_item(&request).unwrap();
    let before = last_event_id(f.store());
    assert_eq!(f.store().move_item(&request).unwrap(), first);
    assert_eq!(last_event_id(f.store()), before);
    reopen_item(f.store(), "s1", "A");
    let again = f.store().move_item(&request).unwrap();
    assert_eq!(again.item.status, ItemStatus::Queued, "nothing happens twice");
    // A claim made since does not affect a replay either.
    let claim = claim_request(f.store(), "s1", "A");
    f.store().claim(&claim).unwrap();
    f.store().move_item(&request).unwrap();
    assert_eq!(load_item(f.store(), "A").holder, Some(session_id("s1")));
}
