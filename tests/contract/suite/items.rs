//! Items and task lists.

use trueup_core::model::{Epoch, ItemStatus, NewItem};
use trueup_core::store::{ItemFilter, KeyPage};

use crate::fixture::StoreFixture;
use crate::requests::{
    add_item, claim_item, expect_refusal, item_key, load_item, new_item, new_provenance,
    register_session, session_id, task_note,
};

on_every_store! {
    an_added_item_has_the_given_fields
    a_duplicate_is_refused_and_changes_nothing
    a_parent_must_exist
    items_are_listed_by_parent_position_and_key
    a_page_of_items_is_in_the_order_of_keys
    known_items_are_those_that_exist
    a_task_is_noted_renamed_and_read
    tasks_are_of_one_session
}

fn child_item(text: &str, parent: &str, position: i64) -> NewItem {
    NewItem { parent: Some(item_key(parent)), position: Some(position), ..new_item(text) }
}

fn an_added_item_has_the_given_fields(f: &mut impl StoreFixture) {
    let plain = add_item(f.store(), "A");
    assert_eq!((plain.kind.as_str(), plain.status), ("task", ItemStatus::Queued));
    assert_eq!((plain.epoch, plain.holder.clone()), (Epoch(0), None));
    let rich = NewItem {
        title: Some("über \"x\"".to_owned()),
        kind: Some("orchestrator".to_owned()),
        repo: Some("r".to_owned()),
        ..child_item("issue#170:x", "A", -3)
    };
    let item = f.store().add_item(&rich, &new_provenance("user")).unwrap();
    assert_eq!(item, load_item(f.store(), "issue#170:x"));
    assert_eq!((item.title, item.kind), (rich.title, "orchestrator".to_owned()));
    assert_eq!((item.parent, item.position), (Some(item_key("A")), Some(-3)));
    assert_eq!(f.store().load_item(&item_key("B")).unwrap(), None);
}

fn a_duplicate_is_refused_and_changes_nothing(f: &mut impl StoreFixture) {
    let first = add_item(f.store(), "A");
    let other = NewItem { title: Some("x".to_owned()), ..new_item("A") };
    let error = expect_refusal(f.store().add_item(&other, &new_provenance("user")), "denied");
    assert!(error.to_string().contains("item A already exists"), "{error}");
    assert_eq!(load_item(f.store(), "A"), first);
}

fn a_parent_must_exist(f: &mut impl StoreFixture) {
    expect_refusal(f.store().add_item(&child_item("A", "P", 1), &new_provenance("user")), "denied");
    expect_refusal(f.store().add_item(&child_item("A", "A", 1), &new_provenance("user")), "denied");
    assert_eq!(f.store().load_item(&item_key("A")).unwrap(), None);
}

fn items_are_listed_by_parent_position_and_key(f: &mut impl StoreFixture) {
    for text in ["P", "Q", "A"] {
        add_item(f.store(), text);
    }
    for (text, parent, position) in [("z", "P", 1), ("y", "P", 2), ("x", "P", 1), ("w", "Q", 0)] {
        f.store().add_item(&child_item(text, parent, position), &new_provenance("user")).unwrap();
    }
    let mut list = |parent: Option<&str>| -> String {
        let filter = ItemFilter { parent: parent.map(item_key), ..ItemFilter::default() };
        let found = f.store().list_items(&filter).unwrap();
        found.iter().map(|i| i.key.as_str()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(list(None), "A P Q x z y w");
    assert_eq!(list(Some("P")), "x z y");
    assert_eq!(list(Some("none")), "");
}

fn a_page_of_items_is_in_the_order_of_keys(f: &mut impl StoreFixture) {
    for text in ["P", "b", "B", "a", "A"] {
        add_item(f.store(), text);
    }
    for (text, position) in [("z", 1), ("y", 2)] {
        f.store().add_item(&child_item(text, "P", position), &new_provenance("user")).unwrap();
    }
    register_session(f.store(), "s1");
    claim_item(f.store(), "s1", "b");
    let mut list = |after: &str, limit, filter: ItemFilter| -> String {
        let page = Some(KeyPage { after: after.to_owned(), limit });
        let found = f.store().list_items(&ItemFilter { page, ..filter }).unwrap();
        found.iter().map(|i| i.key.as_str()).collect::<Vec<_>>().join(" ")
    };
    let all = ItemFilter::default;
    assert_eq!(list("", 3, all()), "A B P");
    assert_eq!(list("P", 3, all()), "a b y");
    assert_eq!(list("y", 3, all()), "z");
    assert_eq!(list("z", 3, all()), "");
    assert_eq!(list("C", 1, all()), "P", "behind a key that is not there");
    let of_parent = ItemFilter { parent: Some(item_key("P")), ..all() };
    assert_eq!(list("", 9, of_parent.clone()), "y z");
    assert_eq!(list("y", 9, of_parent), "z");
    assert_eq!(list("", 9, ItemFilter { held: true, ..all() }), "b");
    let queued = ItemFilter { statuses: vec![ItemStatus::Queued], ..all() };
    assert_eq!(list("P", 2, queued), "a y");
    assert_eq!(list("", 9, ItemFilter { kind: Some("other".to_owned()), ..all() }), "");
}

fn known_items_are_those_that_exist(f: &mut impl StoreFixture) {
    add_item(f.store(), "A");
    add_item(f.store(), "B");
    let known = f.store().find_item_keys(&["b", "C", "A", "a", "' OR 1 --"]).unwrap();
    assert_eq!(known, ["A", "B"], "whatever the case, each once");
    assert_eq!(f.store().find_item_keys(&[]).unwrap(), Vec::<String>::new());
}

fn a_task_is_noted_renamed_and_read(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    f.store().upsert_task(&session_id("s1"), &task_note("1", "write")).unwrap();
    f.store().upsert_task(&session_id("s1"), &task_note("1", "write it")).unwrap();
    assert_eq!(
        f.store().load_task(&session_id("s1"), "1").unwrap(),
        Some(task_note("1", "write it"))
    );
    assert_eq!(f.store().load_task(&session_id("s1"), "2").unwrap(), None);
}

fn tasks_are_of_one_session(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    register_session(f.store(), "s2");
    f.store().upsert_task(&session_id("s1"), &task_note("1", "mine")).unwrap();
    assert_eq!(f.store().load_task(&session_id("s2"), "1").unwrap(), None);
    expect_refusal(f.store().upsert_task(&session_id("s9"), &task_note("1", "x")), "invalid");
}
