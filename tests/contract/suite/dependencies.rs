//! Changes of dependencies between items, and refused ones.

use serde_json::json;
use trueup_core::model::{Item, ItemKey, ItemStatus, NewItem};
use trueup_core::store::{DependencyChange, Result, Store};

use crate::fixture::StoreFixture;
use crate::requests::{
    add_item, claim_item, expect_refusal, item_key, last_event_id, list_event_kinds, list_events,
    load_item, move_item, new_item, new_provenance, register_session,
};

on_every_store! {
    an_item_is_added_with_what_it_waits_for
    an_item_that_waits_for_nothing_open_is_ready_at_once
    what_does_not_exist_is_no_dependency
    a_circle_is_refused_whole_and_changes_nothing
    of_many_only_what_is_denied_is_left_out
    a_child_that_waits_for_its_parent_is_a_circle
    dependencies_come_and_go_with_the_status_they_bring
    a_change_of_dependencies_is_one_event
    an_item_that_was_begun_stays_what_it_is
    a_repeated_change_returns_the_item
    those_that_wait_are_found_through_others
    children_without_a_position_go_behind_the_last
    children_are_counted
}

fn waiting_item(text: &str, on: &[&str]) -> NewItem {
    NewItem { depends_on: on.iter().map(|on| item_key(on)).collect(), ..new_item(text) }
}

fn child_item(text: &str, parent: &str) -> NewItem {
    NewItem { parent: Some(item_key(parent)), ..new_item(text) }
}

fn add_new(store: &mut dyn Store, new: &NewItem) -> Item {
    store.add_item(new, &new_provenance("user")).unwrap()
}

fn dependency_change(text: &str, on: &[&str], remove: bool) -> DependencyChange {
    DependencyChange {
        item: item_key(text),
        dependencies: on.iter().map(|on| item_key(on)).collect(),
        remove,
        provenance: new_provenance("s1"),
    }
}

pub(crate) fn change_dependencies(store: &mut dyn Store, text: &str, on: &[&str]) -> Result<Item> {
    store.change_dependencies(&dependency_change(text, on, false))
}

fn dependencies_of(item: &Item) -> Vec<&str> {
    item.depends_on.iter().map(ItemKey::as_str).collect()
}

fn an_item_is_added_with_what_it_waits_for(f: &mut impl StoreFixture) {
    add_item(f.store(), "A");
    add_item(f.store(), "B");
    let item = add_new(f.store(), &waiting_item("C", &["B", "A", "B"]));
    assert_eq!(dependencies_of(&item), ["A", "B"]);
    assert_eq!((item.status, item.open_dependencies), (ItemStatus::Queued, 2));
    assert_eq!(
        f.store().list_open_dependencies(&item_key("C")).unwrap(),
        [(item_key("A"), ItemStatus::Queued), (item_key("B"), ItemStatus::Queued)]
    );
    assert_eq!(f.store().list_open_dependencies(&item_key("A")).unwrap(), []);
    assert_eq!(f.store().list_open_dependencies(&item_key("none")).unwrap(), []);
}

fn an_item_that_waits_for_nothing_open_is_ready_at_once(f: &mut impl StoreFixture) {
    add_item(f.store(), "A");
    move_item(f.store(), "user", "A", ItemStatus::Completed);
    let before = last_event_id(f.store());
    let item = add_new(f.store(), &waiting_item("B", &["A"]));
    assert_eq!((item.status, item.open_dependencies), (ItemStatus::Ready, 0));
    assert_eq!(list_event_kinds(f.store(), before), ["B added"]);
}

fn what_does_not_exist_is_no_dependency(f: &mut impl StoreFixture) {
    add_item(f.store(), "A");
    let error = expect_refusal(
        f.store().add_item(&waiting_item("B", &["A", "Z"]), &new_provenance("user")),
        "denied",
    );
    assert!(error.to_string().contains("item Z does not exist"), "{error}");
    assert_eq!(f.store().load_item(&item_key("B")).unwrap(), None);
    expect_refusal(change_dependencies(f.store(), "A", &["Z"]), "denied");
    expect_refusal(change_dependencies(f.store(), "Z", &["A"]), "denied");
}

fn a_circle_is_refused_whole_and_changes_nothing(f: &mut impl StoreFixture) {
    add_item(f.store(), "A");
    add_new(f.store(), &waiting_item("B", &["A"]));
    add_new(f.store(), &waiting_item("C", &["B"]));
    add_item(f.store(), "X");
    let before = (load_item(f.store(), "A"), last_event_id(f.store()));
    for (on, path) in [
        (&["A"][..], "A -> A"),
        (&["B"], "A -> B -> A"),
        // An item before it in the list is not offered either.
        (&["X", "C"], "A -> C -> B -> A"),
    ] {
        let error = expect_refusal(change_dependencies(f.store(), "A", on), "denied");
        assert!(error.to_string().ends_with(&format!(": {path}")), "{error}");
    }
    assert_eq!((load_item(f.store(), "A"), last_event_id(f.store())), before);
}

fn of_many_only_what_is_denied_is_left_out(f: &mut impl StoreFixture) {
    for text in ["A", "B", "C"] {
        add_item(f.store(), text);
    }
    let asked = [
        dependency_change("B", &["A"], false),
        dependency_change("A", &["B"], false),
        dependency_change("C", &["Z"], false),
        dependency_change("C", &["B"], false),
    ];
    let answers = f.store().change_dependencies_of_each(&asked).unwrap();
    let mut answers = answers.into_iter();
    assert_eq!(dependencies_of(&answers.next().unwrap().unwrap()), ["A"]);
    let circle = expect_refusal(answers.next().unwrap(), "denied");
    assert!(circle.to_string().ends_with(": A -> B -> A"), "{circle}");
    expect_refusal(answers.next().unwrap(), "denied");
    assert_eq!(dependencies_of(&answers.next().unwrap().unwrap()), ["B"]);
    assert_eq!(dependencies_of(&load_item(f.store(), "A")), [""; 0]);
}

fn a_child_that_waits_for_its_parent_is_a_circle(f: &mut impl StoreFixture) {
    add_item(f.store(), "G");
    add_new(f.store(), &child_item("P", "G"));
    add_new(f.store(), &waiting_item("X", &["G"]));
    for (on, path) in [("P", "C -> P -> C"), ("X", "C -> X -> G -> P -> C")] {
        let new = NewItem { depends_on: vec![item_key(on)], ..child_item("C", "P") };
        let error = expect_refusal(f.store().add_item(&new, &new_provenance("user")), "denied");
        assert!(error.to_string().ends_with(&format!(": {path}")), "{error}");
    }
    add_new(f.store(), &child_item("C", "P"));
    expect_refusal(change_dependencies(f.store(), "C", &["X"]), "denied");
    // A parent waits for its child anyway.
    assert_eq!(dependencies_of(&change_dependencies(f.store(), "P", &["C"]).unwrap()), ["C"]);
}

fn dependencies_come_and_go_with_the_status_they_bring(f: &mut impl StoreFixture) {
    for text in ["A", "B", "C"] {
        add_item(f.store(), text);
    }
    move_item(f.store(), "user", "A", ItemStatus::Completed);
    let mut step = |on: &[&str], remove| {
        let item = f.store().change_dependencies(&dependency_change("C", on, remove)).unwrap();
        assert_eq!(f.store().load_item(&item_key("C")).unwrap().as_ref(), Some(&item));
        let all: Vec<&str> = item.depends_on.iter().map(ItemKey::as_str).collect();
        format!("{} {} {}", item.status, item.open_dependencies, all.join("+"))
    };
    assert_eq!(step(&["A"], false), "ready 0 A");
    assert_eq!(step(&["A", "B"], false), "queued 1 A+B");
    assert_eq!(step(&["B"], true), "ready 0 A");
    // Removed dependencies have no effect.
    assert_eq!(step(&["A"], true), "ready 0 ");
    assert_eq!(step(&["B"], false), "queued 1 B");
    assert_eq!(step(&["B", "A"], true), "queued 0 ");
}

fn a_change_of_dependencies_is_one_event(f: &mut impl StoreFixture) {
    add_item(f.store(), "A");
    let before = (add_item(f.store(), "B").revision.0, last_event_id(f.store()));
    let after = change_dependencies(f.store(), "B", &["A"]).unwrap();
    assert_eq!(after.revision.0, before.0 + 1);
    assert_eq!(list_event_kinds(f.store(), before.1), ["B dependencies"]);
    let event = list_events(f.store()).pop().unwrap();
    assert_eq!(event.actor, "s1");
    assert_eq!(event.before, json!({"depends_on": []}));
    assert_eq!(event.after, json!({"depends_on": ["A"]}));
    let before = last_event_id(f.store());
    assert_eq!(change_dependencies(f.store(), "B", &["A"]).unwrap(), after);
    assert_eq!(last_event_id(f.store()), before, "nothing changed");
}

fn an_item_that_was_begun_stays_what_it_is(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_item(f.store(), "A");
    add_item(f.store(), "B");
    claim_item(f.store(), "s1", "B");
    let item = change_dependencies(f.store(), "B", &["A"]).unwrap();
    assert_eq!((item.status, item.open_dependencies), (ItemStatus::Running, 1));
    move_item(f.store(), "user", "A", ItemStatus::Completed);
    let item = crate::requests::load_item(f.store(), "B");
    assert_eq!((item.status, item.open_dependencies), (ItemStatus::Running, 0));
}

fn a_repeated_change_returns_the_item(f: &mut impl StoreFixture) {
    add_item(f.store(), "A");
    add_item(f.store(), "B");
    let request = dependency_change("B", &["A"], false);
    f.store().change_dependencies(&request).unwrap();
    f.store().change_dependencies(&dependency_change("B", &["A"], true)).unwrap();
    let again = f.store().change_dependencies(&request).unwrap();
    assert_eq!(dependencies_of(&again), Vec::<&str>::new(), "nothing happens twice");
}

fn those_that_wait_are_found_through_others(f: &mut impl StoreFixture) {
    add_item(f.store(), "P");
    add_new(f.store(), &child_item("A", "P"));
    add_new(f.store(), &waiting_item("B", &["A"]));
    add_new(f.store(), &waiting_item("C", &["B"]));
    add_new(f.store(), &waiting_item("Q", &["P"]));
    add_new(f.store(), &waiting_item("AA", &["A"]));
    let waiting = f.store().list_waiting_items(&item_key("A")).unwrap();
    let waiting: Vec<String> = waiting.iter().map(|w| format!("{} {}", w.item, w.on)).collect();
    assert_eq!(waiting, ["AA A", "B A", "C B", "P A", "Q P"]);
    assert_eq!(f.store().list_waiting_items(&item_key("none")).unwrap(), []);
}

fn children_without_a_position_go_behind_the_last(f: &mut impl StoreFixture) {
    assert_eq!(add_item(f.store(), "P").position, None);
    assert_eq!(add_item(f.store(), "Q").position, None);
    let mut position = |text: &str, parent: &str, position| {
        let new = NewItem { position, ..child_item(text, parent) };
        add_new(f.store(), &new).position
    };
    assert_eq!(position("a", "P", None), Some(1));
    assert_eq!(position("b", "P", None), Some(2));
    assert_eq!(position("c", "P", Some(-7)), Some(-7));
    assert_eq!(position("d", "P", Some(40)), Some(40));
    assert_eq!(position("e", "P", None), Some(41));
    assert_eq!(position("f", "Q", None), Some(1));
    // Nothing is behind the highest number.
    assert_eq!(position("g", "Q", Some(i64::MAX)), Some(i64::MAX));
    assert_eq!(position("h", "Q", None), Some(i64::MAX));
}

fn children_are_counted(f: &mut impl StoreFixture) {
    add_item(f.store(), "P");
    for text in ["a", "b", "c"] {
        add_new(f.store(), &child_item(text, "P"));
    }
    move_item(f.store(), "user", "b", ItemStatus::Cancelled);
    let children = f.store().count_children(&item_key("P")).unwrap();
    assert_eq!((children.total, children.unfinished), (3, 2));
    let children = f.store().count_children(&item_key("a")).unwrap();
    assert_eq!((children.total, children.unfinished), (0, 0));
}
