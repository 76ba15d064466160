//! Items are edited and removed; the log keeps what they were.

use serde_json::{Value as Json, json};
use trueup_core::model::{Event, Item, ItemStatus, NewItem};
use trueup_core::store::{InUse, ItemEdit, Store};

use crate::fixture::Fixture;
use crate::request::{
    add, because, by, claim, cursor, events, id, item, key, kinds, move_to, new_item, phases,
    refused, register, release,
};

on_every_store! {
    an_edit_changes_what_it_names_and_nothing_else
    an_edit_is_one_event_with_who_and_why
    an_edit_that_changes_nothing_writes_nothing
    an_edit_of_nothing_that_exists_is_denied
    a_parent_that_waits_for_its_child_is_denied
    an_edit_leaves_the_claim_alone
    a_repeated_edit_does_not_undo_what_came_after
    an_item_that_nothing_needs_is_removed
    a_removal_takes_the_dependencies_of_the_item_along
    what_is_needed_stays_and_says_by_what
    removing_nothing_is_denied
    a_repeated_removal_removes_no_successor
}

fn edit(text: &str) -> ItemEdit {
    ItemEdit {
        item: key(text),
        title: None,
        kind: None,
        parent: None,
        position: None,
        provenance: by("user"),
    }
}

fn titled(text: &str, title: &str) -> ItemEdit {
    ItemEdit {
        title: Some(title.to_owned()),
        ..edit(text)
    }
}

fn under(text: &str, parent: &str) -> ItemEdit {
    ItemEdit {
        parent: Some(key(parent)),
        ..edit(text)
    }
}

fn add_waiting(store: &mut dyn Store, text: &str, on: &str) -> Item {
    let new = NewItem {
        depends_on: vec![key(on)],
        ..new_item(text)
    };
    store.add_item(&new, &by("user")).unwrap()
}

fn add_child(store: &mut dyn Store, text: &str, parent: &str) {
    let new = NewItem {
        parent: Some(key(parent)),
        ..new_item(text)
    };
    store.add_item(&new, &by("user")).unwrap();
}

fn last(store: &mut dyn Store) -> Event {
    events(store).pop().unwrap()
}

fn an_edit_changes_what_it_names_and_nothing_else(f: &mut impl Fixture) {
    add(f.store(), "P");
    let mut expected = add(f.store(), "A");
    let mut step = |change: ItemEdit, expect: &dyn Fn(&mut Item)| {
        let edited = f.store().edit_item(&change).unwrap();
        expect(&mut expected);
        expected.revision.0 += 1;
        expected.updated_at = edited.updated_at;
        assert_eq!(edited, expected);
        assert_eq!(item(f.store(), "A"), expected);
    };
    step(titled("A", "über \"x\""), &|item| {
        item.title = Some("über \"x\"".to_owned());
    });
    let kind = ItemEdit {
        kind: Some("orchestrator".to_owned()),
        ..edit("A")
    };
    step(kind, &|item| "orchestrator".clone_into(&mut item.kind));
    step(under("A", "P"), &|item| item.parent = Some(key("P")));
    let position = ItemEdit {
        position: Some(-3),
        ..edit("A")
    };
    step(position, &|item| item.position = Some(-3));
    let both = ItemEdit {
        position: Some(2),
        ..titled("A", "y")
    };
    step(both, &|item| {
        item.title = Some("y".to_owned());
        item.position = Some(2);
    });
}

fn an_edit_is_one_event_with_who_and_why(f: &mut impl Fixture) {
    add(f.store(), "A");
    let before = cursor(f.store());
    let change = ItemEdit {
        provenance: because("ann", "a typing error"),
        ..titled("A", "t")
    };
    f.store().edit_item(&change).unwrap();
    assert_eq!(kinds(f.store(), before), ["A changed"]);
    let event = last(f.store());
    assert_eq!(event.actor, "ann");
    assert_eq!(event.reason.as_deref(), Some("a typing error"));
    assert_eq!(
        event.op_id.as_deref(),
        Some(change.provenance.op_id.as_str())
    );
    assert_eq!(event.before["title"], Json::Null);
    assert_eq!(event.after["title"], json!("t"));
}

fn an_edit_that_changes_nothing_writes_nothing(f: &mut impl Fixture) {
    add(f.store(), "A");
    f.store().edit_item(&titled("A", "t")).unwrap();
    let before = (cursor(f.store()), item(f.store(), "A"));
    for change in [edit("A"), titled("A", "t")] {
        assert_eq!(f.store().edit_item(&change).unwrap(), before.1);
    }
    assert_eq!((cursor(f.store()), item(f.store(), "A")), before);
}

fn an_edit_of_nothing_that_exists_is_denied(f: &mut impl Fixture) {
    let first = add(f.store(), "A");
    refused(f.store().edit_item(&titled("B", "t")), "denied");
    let change = ItemEdit {
        parent: Some(key("B")),
        ..titled("A", "t")
    };
    refused(f.store().edit_item(&change), "denied");
    assert_eq!(item(f.store(), "A"), first, "all of it or nothing");
    assert_eq!(f.store().item(&key("B")).unwrap(), None);
}

fn a_parent_that_waits_for_its_child_is_denied(f: &mut impl Fixture) {
    add(f.store(), "A");
    add_waiting(f.store(), "W", "A");
    add_waiting(f.store(), "V", "W");
    add_child(f.store(), "C", "A");
    let before = cursor(f.store());
    // A parent waits for its children, so none of them may wait for it: directly, through
    // others, as the parent's parent or as itself.
    for (text, parent) in [("V", "W"), ("V", "A"), ("A", "C"), ("A", "A")] {
        let error = refused(f.store().edit_item(&under(text, parent)), "denied");
        assert!(error.to_string().contains("waits for"), "{error}");
    }
    assert_eq!(cursor(f.store()), before);
    assert_eq!(item(f.store(), "V").parent, None);
    let waits_for_it = f.store().edit_item(&under("W", "V")).unwrap();
    assert_eq!(waits_for_it.parent, Some(key("V")));
}

fn an_edit_leaves_the_claim_alone(f: &mut impl Fixture) {
    register(f.store(), "s1");
    add(f.store(), "A");
    let held = claim(f.store(), "s1", "A").item;
    let edited = f.store().edit_item(&titled("A", "t")).unwrap();
    assert_eq!(
        (edited.holder, edited.epoch, edited.status),
        (held.holder, held.epoch, held.status)
    );
    assert_eq!(edited.claimed_at, held.claimed_at);
    f.store().release(&release("s1", "A")).unwrap();
}

fn a_repeated_edit_does_not_undo_what_came_after(f: &mut impl Fixture) {
    add(f.store(), "A");
    let first = titled("A", "first");
    f.store().edit_item(&first).unwrap();
    f.store().edit_item(&titled("A", "second")).unwrap();
    let before = cursor(f.store());
    let again = f.store().edit_item(&first).unwrap();
    assert_eq!(again.title.as_deref(), Some("second"));
    assert_eq!(cursor(f.store()), before);
}

fn an_item_that_nothing_needs_is_removed(f: &mut impl Fixture) {
    let new = NewItem {
        title: Some("t".to_owned()),
        ..new_item("A")
    };
    f.store().add_item(&new, &by("user")).unwrap();
    let facts = item(f.store(), "A").facts();
    let before = cursor(f.store());
    assert_eq!(f.store().use_of_item(&key("A")).unwrap(), None);
    let why = because("ann", "added by mistake");
    f.store().remove_item(&key("A"), &why).unwrap();
    assert_eq!(f.store().item(&key("A")).unwrap(), None);
    assert_eq!(f.store().known_items(&["A"]).unwrap(), Vec::<String>::new());
    assert_eq!(kinds(f.store(), before), ["A removed"]);
    let event = last(f.store());
    assert_eq!(
        (event.actor.as_str(), event.reason.as_deref()),
        ("ann", Some("added by mistake"))
    );
    assert_eq!(event.op_id.as_deref(), Some(why.op_id.as_str()));
    assert_eq!((event.before, event.after), (facts, Json::Null));
    let again = add(f.store(), "A");
    assert_eq!((again.title, again.revision.0), (None, 1), "a new one");
}

fn a_removal_takes_the_dependencies_of_the_item_along(f: &mut impl Fixture) {
    add(f.store(), "A");
    add_waiting(f.store(), "W", "A");
    f.store().remove_item(&key("W"), &by("user")).unwrap();
    assert_eq!(f.store().waiting_for(&key("A")).unwrap(), []);
    assert_eq!(f.store().use_of_item(&key("A")).unwrap(), None);
    let again = add(f.store(), "W");
    assert_eq!((again.depends_on, again.open_dependencies), (vec![], 0));
    move_to(f.store(), "user", "A", ItemStatus::Completed);
    assert_eq!(item(f.store(), "W").status, ItemStatus::Queued);
}

fn what_is_needed_stays_and_says_by_what(f: &mut impl Fixture) {
    register(f.store(), "s1");
    for text in ["held", "parent", "needed", "queued"] {
        add(f.store(), text);
    }
    claim(f.store(), "s1", "held");
    add_child(f.store(), "c1", "parent");
    add_child(f.store(), "c2", "parent");
    add_waiting(f.store(), "w2", "needed");
    add_waiting(f.store(), "w1", "needed");
    f.store()
        .add_phases(&phases("queued", &[&[]]), &by("user"))
        .unwrap();
    let before = cursor(f.store());
    for (text, used) in [
        ("held", InUse::Held(id("s1"))),
        ("parent", InUse::Children(2)),
        ("needed", InUse::DependedOn(key("w1"))),
        ("queued", InUse::Phases),
    ] {
        let found = f.store().use_of_item(&key(text)).unwrap();
        assert_eq!(found.as_ref(), Some(&used), "{text}");
        let error = refused(f.store().remove_item(&key(text), &by("user")), "denied");
        assert!(error.to_string().contains(&used.to_string()), "{error}");
        item(f.store(), text);
    }
    assert_eq!(cursor(f.store()), before);
    // With the need goes the refusal.
    f.store().release(&release("s1", "held")).unwrap();
    for text in ["held", "c1", "c2", "parent", "w1", "w2", "needed"] {
        f.store().remove_item(&key(text), &by("user")).unwrap();
    }
}

fn removing_nothing_is_denied(f: &mut impl Fixture) {
    refused(f.store().remove_item(&key("A"), &by("user")), "denied");
    refused(f.store().use_of_item(&key("A")), "denied");
    assert_eq!(cursor(f.store()), 0);
}

fn a_repeated_removal_removes_no_successor(f: &mut impl Fixture) {
    add(f.store(), "A");
    let why = by("user");
    f.store().remove_item(&key("A"), &why).unwrap();
    f.store().remove_item(&key("A"), &why).unwrap();
    let second = add(f.store(), "A");
    f.store().remove_item(&key("A"), &why).unwrap();
    assert_eq!(item(f.store(), "A"), second);
}
