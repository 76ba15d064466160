//! Moves of items, and what follows from them.

use serde_json::json;
use trueup_core::model::{ItemStatus, MoveGrant};
use trueup_core::store::{ItemMove, Provenance, Store};

use crate::fixture::Fixture;
use crate::request::{
    add, by, claim, cursor, events, holder, id, item, key, kinds, move_to, new_item, refused,
    register, reopen_item, session, wish,
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

/// The move of an item as it is, without a look at the rules.
fn forged(store: &mut dyn Store, text: &str, to: ItemStatus) -> ItemMove {
    let item = item(store, text);
    ItemMove {
        grant: MoveGrant {
            item: item.key,
            to,
            back: false,
            releases: false,
            expected_holder: item.holder,
            expected_epoch: item.epoch,
            expected_revision: item.revision,
            evidence: None,
            error_message: None,
        },
        provenance: by("s1"),
    }
}

fn a_move_is_one_event(f: &mut impl Fixture) {
    holder(f.store());
    for (to, expected) in [
        (ItemStatus::Blocked, &["A status"][..]),
        (ItemStatus::Running, &["A status"]),
        (ItemStatus::Completed, &["A status", "s1 state"]),
    ] {
        let before = cursor(f.store());
        move_to(f.store(), "s1", "A", to);
        assert_eq!(kinds(f.store(), before), expected, "{to}");
    }
}

fn a_move_says_why_and_what_it_made_of_the_item(f: &mut impl Fixture) {
    let fence = holder(f.store());
    let before = item(f.store(), "A");
    let moved = move_to(f.store(), "s1", "A", ItemStatus::Failed).item;
    assert_eq!(moved, item(f.store(), "A"));
    assert_eq!(moved.status, ItemStatus::Failed);
    assert_eq!(moved.error_message.as_deref(), Some("why"));
    assert_eq!(moved.revision.0, before.revision.0 + 1);
    assert_eq!(moved.epoch, fence, "only a claim raises the fence");
    let event = events(f.store()).into_iter().rfind(|e| e.kind == "status");
    let event = event.unwrap();
    assert_eq!(
        (event.actor.as_str(), event.reason.as_deref(), event.epoch),
        ("s1", Some("why"), Some(fence))
    );
    assert_eq!(event.before["status"], json!("running"));
    assert_eq!(event.after["status"], json!("failed"));
    assert_eq!(event.before["holder"], json!("s1"));
    assert_eq!(event.after["holder"], json!(null));
}

fn what_is_finished_is_dated_and_released_and_its_holder_idle(f: &mut impl Fixture) {
    for (n, to) in [
        ItemStatus::Completed,
        ItemStatus::Failed,
        ItemStatus::Cancelled,
    ]
    .into_iter()
    .enumerate()
    {
        let (who, what) = (format!("s{n}"), format!("A{n}"));
        register(f.store(), &who);
        add(f.store(), &what);
        let held = claim(f.store(), &who, &what).item;
        assert_eq!(held.completed_at, None);
        let done = move_to(f.store(), &who, &what, to).item;
        assert_eq!((done.holder, done.claimed_at), (None, None), "{to}");
        assert!(done.completed_at.is_some(), "{to}");
        let me = session(f.store(), &who);
        assert_eq!((me.item.clone(), me.epoch), (None, None), "{to}");
        let work = me.execution_state().work;
        assert_eq!(
            (work.item, work.phase, work.task, work.is_active),
            (None, None, None, false),
            "{to}"
        );
    }
}

fn a_block_keeps_holder_and_reason(f: &mut impl Fixture) {
    holder(f.store());
    let blocked = move_to(f.store(), "s1", "A", ItemStatus::Blocked).item;
    assert_eq!(blocked.holder, Some(id("s1")));
    assert_eq!(blocked.error_message.as_deref(), Some("why"));
    let running = move_to(f.store(), "s1", "A", ItemStatus::Running).item;
    assert_eq!(
        (running.holder, running.error_message),
        (Some(id("s1")), None)
    );
}

fn a_move_on_an_item_that_moved_on_is_a_conflict_and_changes_nothing(f: &mut impl Fixture) {
    holder(f.store());
    register(f.store(), "s2");
    let mut stale = forged(f.store(), "A", ItemStatus::Completed);
    stale.grant.releases = true;
    // Another holds it now.
    claim(f.store(), "s2", "A");
    let before = (item(f.store(), "A"), cursor(f.store()));
    refused(f.store().move_item(&stale), "conflict");
    // The same holds it again, under another fence.
    claim(f.store(), "s1", "A");
    refused(f.store().move_item(&stale), "conflict");
    // The same claim, but it says something else by now.
    let mut stale = forged(f.store(), "A", ItemStatus::Completed);
    stale.grant.releases = true;
    move_to(f.store(), "s1", "A", ItemStatus::Blocked);
    refused(f.store().move_item(&stale), "conflict");
    assert_ne!((item(f.store(), "A"), cursor(f.store())), before);
    assert_eq!(item(f.store(), "A").holder, Some(id("s1")));
    stale.grant.item = key("none");
    refused(f.store().move_item(&stale), "conflict");
}

fn what_the_decision_forbids_the_store_forbids(f: &mut impl Fixture) {
    register(f.store(), "s1");
    let guarded = trueup_core::model::NewItem {
        requires_evidence: true,
        ..new_item("A")
    };
    f.store().add_item(&guarded, &by("user")).unwrap();
    let without_evidence = forged(f.store(), "A", ItemStatus::Completed);
    refused(f.store().move_item(&without_evidence), "denied");
    claim(f.store(), "s1", "A");
    let still_held = forged(f.store(), "A", ItemStatus::Cancelled);
    refused(f.store().move_item(&still_held), "denied");
    move_to(f.store(), "s1", "A", ItemStatus::Cancelled);
    let onwards = forged(f.store(), "A", ItemStatus::Running);
    refused(f.store().move_item(&onwards), "denied");
    let back_without_saying_so = forged(f.store(), "A", ItemStatus::Queued);
    let mut without_a_reason = back_without_saying_so.clone();
    without_a_reason.grant.back = true;
    refused(f.store().move_item(&without_a_reason), "denied");
    refused(f.store().move_item(&back_without_saying_so), "denied");
    assert_eq!(item(f.store(), "A").status, ItemStatus::Cancelled);
}

fn a_reopening_is_an_event_of_its_own_and_undoes_the_end(f: &mut impl Fixture) {
    holder(f.store());
    move_to(f.store(), "s1", "A", ItemStatus::Failed);
    let before = cursor(f.store());
    let back = reopen_item(f.store(), "s1", "A").item;
    assert_eq!(kinds(f.store(), before), ["A reopened"]);
    assert_eq!(back.status, ItemStatus::Queued);
    assert_eq!((back.completed_at, back.error_message), (None, None));
    assert_eq!(
        events(f.store()).last().unwrap().reason.as_deref(),
        Some("why")
    );
    assert_eq!(claim(f.store(), "s1", "A").item.status, ItemStatus::Running);
}

fn a_reopened_item_that_was_held_is_free(f: &mut impl Fixture) {
    holder(f.store());
    let before = cursor(f.store());
    let back = reopen_item(f.store(), "s1", "A").item;
    assert_eq!((back.status, back.holder), (ItemStatus::Queued, None));
    assert_eq!(kinds(f.store(), before), ["A reopened", "s1 state"]);
    assert_eq!(session(f.store(), "s1").execution_state().work.item, None);
}

/// `C` waits for `A` and `B`, `D` for `A` alone, `E` for `C`.
fn waiting(store: &mut dyn Store) {
    register(store, "s1");
    for (text, on) in [
        ("A", &[][..]),
        ("B", &[]),
        ("C", &["A", "B"]),
        ("D", &["A"]),
        ("E", &["C"]),
    ] {
        let new = trueup_core::model::NewItem {
            depends_on: on.iter().map(|on| key(on)).collect(),
            ..new_item(text)
        };
        store.add_item(&new, &by("user")).unwrap();
    }
}

fn statuses(store: &mut dyn Store) -> String {
    let shown = ["A", "B", "C", "D", "E"].map(|text| {
        let item = item(store, text);
        format!("{text} {} {}", item.status, item.open_dependencies)
    });
    shown.join(", ")
}

fn completing_readies_what_waited_for_it_alone(f: &mut impl Fixture) {
    waiting(f.store());
    assert_eq!(
        statuses(f.store()),
        "A queued 0, B queued 0, C queued 2, D queued 1, E queued 1"
    );
    let before = cursor(f.store());
    let moved = move_to(f.store(), "s1", "A", ItemStatus::Completed);
    assert_eq!(moved.followed, [(key("D"), ItemStatus::Ready)]);
    assert_eq!(kinds(f.store(), before), ["A status", "D status"]);
    let all = events(f.store());
    let (first, second) = (&all[all.len() - 2], &all[all.len() - 1]);
    assert_eq!(first.op_id, second.op_id, "one operation");
    assert_eq!(
        (second.actor.as_str(), second.reason.as_deref()),
        ("s1", Some("A completed"))
    );
    let moved = move_to(f.store(), "s1", "B", ItemStatus::Completed);
    assert_eq!(moved.followed, [(key("C"), ItemStatus::Ready)]);
    assert_eq!(
        statuses(f.store()),
        "A completed 0, B completed 0, C ready 0, D ready 0, E queued 1"
    );
}

fn what_is_not_completed_readies_nothing(f: &mut impl Fixture) {
    waiting(f.store());
    for (text, to) in [("A", ItemStatus::Cancelled), ("B", ItemStatus::Failed)] {
        assert_eq!(move_to(f.store(), "s1", text, to).followed, []);
    }
    assert_eq!(
        statuses(f.store()),
        "A cancelled 0, B failed 0, C queued 2, D queued 1, E queued 1"
    );
}

fn a_reopening_lets_those_wait_again_that_were_not_begun(f: &mut impl Fixture) {
    waiting(f.store());
    for text in ["A", "B"] {
        move_to(f.store(), "s1", text, ItemStatus::Completed);
    }
    claim(f.store(), "s1", "D");
    let moved = reopen_item(f.store(), "s1", "A");
    assert_eq!(moved.followed, [(key("C"), ItemStatus::Queued)]);
    assert_eq!(
        statuses(f.store()),
        "A queued 0, B completed 0, C queued 1, D running 1, E queued 1"
    );
    assert_eq!(item(f.store(), "D").holder, Some(id("s1")));
    // One that is put back when all it waits for is completed is ready at once.
    move_to(f.store(), "s1", "A", ItemStatus::Completed);
    assert_eq!(
        reopen_item(f.store(), "s1", "D").item.status,
        ItemStatus::Ready
    );
}

fn a_repeated_move_returns_the_first_answer(f: &mut impl Fixture) {
    waiting(f.store());
    let request = ItemMove {
        provenance: Provenance {
            reason: Some("why".into()),
            ..by("s1")
        },
        ..forged(f.store(), "A", ItemStatus::Completed)
    };
    let first = f.store().move_item(&request).unwrap();
    let before = cursor(f.store());
    assert_eq!(f.store().move_item(&request).unwrap(), first);
    assert_eq!(cursor(f.store()), before);
    reopen_item(f.store(), "s1", "A");
    let again = f.store().move_item(&request).unwrap();
    assert_eq!(
        again.item.status,
        ItemStatus::Queued,
        "nothing happens twice"
    );
    // A claim in the way of a repetition is nothing to it either.
    let wish = wish(f.store(), "s1", "A");
    f.store().claim(&wish).unwrap();
    f.store().move_item(&request).unwrap();
    assert_eq!(item(f.store(), "A").holder, Some(id("s1")));
}
