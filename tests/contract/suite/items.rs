//! Items and task lists.

use trueup_core::model::{Epoch, ItemStatus, NewItem};
use trueup_core::store::ItemFilter;

use crate::fixture::Fixture;
use crate::request::{add, by, id, item, key, new_item, note, refused, register};

on_every_store! {
    an_item_is_added_as_said
    a_duplicate_is_refused_and_changes_nothing
    a_parent_must_exist
    items_are_listed_by_parent_position_and_key
    known_items_are_those_that_exist
    a_task_is_noted_renamed_and_read
    tasks_are_of_one_session
}

fn child(text: &str, parent: &str, position: i64) -> NewItem {
    NewItem {
        parent: Some(key(parent)),
        position: Some(position),
        ..new_item(text)
    }
}

fn an_item_is_added_as_said(f: &mut impl Fixture) {
    let plain = add(f.store(), "A");
    assert_eq!(
        (plain.kind.as_str(), plain.status),
        ("task", ItemStatus::Queued)
    );
    assert_eq!((plain.epoch, plain.holder.clone()), (Epoch(0), None));
    let rich = NewItem {
        title: Some("über \"x\"".to_owned()),
        kind: Some("orchestrator".to_owned()),
        repo: Some("r".to_owned()),
        ..child("issue#170:x", "A", -3)
    };
    let added = f.store().add_item(&rich, &by("user")).unwrap();
    assert_eq!(added, item(f.store(), "issue#170:x"));
    assert_eq!(
        (added.title, added.kind),
        (rich.title, "orchestrator".to_owned())
    );
    assert_eq!((added.parent, added.position), (Some(key("A")), Some(-3)));
    assert_eq!(f.store().item(&key("B")).unwrap(), None);
}

fn a_duplicate_is_refused_and_changes_nothing(f: &mut impl Fixture) {
    let first = add(f.store(), "A");
    let other = NewItem {
        title: Some("x".to_owned()),
        ..new_item("A")
    };
    let error = refused(f.store().add_item(&other, &by("user")), "denied");
    assert!(
        error.to_string().contains("item A already exists"),
        "{error}"
    );
    assert_eq!(item(f.store(), "A"), first);
}

fn a_parent_must_exist(f: &mut impl Fixture) {
    refused(
        f.store().add_item(&child("A", "P", 1), &by("user")),
        "denied",
    );
    refused(
        f.store().add_item(&child("A", "A", 1), &by("user")),
        "denied",
    );
    assert_eq!(f.store().item(&key("A")).unwrap(), None);
}

fn items_are_listed_by_parent_position_and_key(f: &mut impl Fixture) {
    for text in ["P", "Q", "A"] {
        add(f.store(), text);
    }
    for (text, parent, position) in [("z", "P", 1), ("y", "P", 2), ("x", "P", 1), ("w", "Q", 0)] {
        f.store()
            .add_item(&child(text, parent, position), &by("user"))
            .unwrap();
    }
    let mut list = |parent: Option<&str>| -> String {
        let filter = ItemFilter {
            parent: parent.map(key),
            ..ItemFilter::default()
        };
        let found = f.store().items(&filter).unwrap();
        found
            .iter()
            .map(|i| i.key.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(list(None), "A P Q x z y w");
    assert_eq!(list(Some("P")), "x z y");
    assert_eq!(list(Some("none")), "");
}

fn known_items_are_those_that_exist(f: &mut impl Fixture) {
    add(f.store(), "A");
    add(f.store(), "B");
    let known = f
        .store()
        .known_items(&["b", "C", "A", "a", "' OR 1 --"])
        .unwrap();
    assert_eq!(known, ["A", "B"], "whatever the case, each once");
    assert_eq!(f.store().known_items(&[]).unwrap(), Vec::<String>::new());
}

fn a_task_is_noted_renamed_and_read(f: &mut impl Fixture) {
    register(f.store(), "s1");
    f.store().note_task(&id("s1"), &note("1", "write")).unwrap();
    f.store()
        .note_task(&id("s1"), &note("1", "write it"))
        .unwrap();
    assert_eq!(
        f.store().task(&id("s1"), "1").unwrap(),
        Some(note("1", "write it"))
    );
    assert_eq!(f.store().task(&id("s1"), "2").unwrap(), None);
}

fn tasks_are_of_one_session(f: &mut impl Fixture) {
    register(f.store(), "s1");
    register(f.store(), "s2");
    f.store().note_task(&id("s1"), &note("1", "mine")).unwrap();
    assert_eq!(f.store().task(&id("s2"), "1").unwrap(), None);
    refused(f.store().note_task(&id("s9"), &note("1", "x")), "invalid");
}
