//! What must be completed before what.

use serde_json::json;
use trueup_core::model::{Item, ItemKey, ItemStatus, NewItem};
use trueup_core::store::{Depend, Result, Store};

use crate::fixture::Fixture;
use crate::request::{
    add, by, claim, cursor, events, item, key, kinds, move_to, new_item, refused, register,
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

fn waiting(text: &str, on: &[&str]) -> NewItem {
    NewItem {
        depends_on: on.iter().map(|on| key(on)).collect(),
        ..new_item(text)
    }
}

fn child(text: &str, parent: &str) -> NewItem {
    NewItem {
        parent: Some(key(parent)),
        ..new_item(text)
    }
}

fn added(store: &mut dyn Store, new: &NewItem) -> Item {
    store.add_item(new, &by("user")).unwrap()
}

fn change(text: &str, on: &[&str], remove: bool) -> Depend {
    Depend {
        item: key(text),
        on: on.iter().map(|on| key(on)).collect(),
        remove,
        provenance: by("s1"),
    }
}

fn depend(store: &mut dyn Store, text: &str, on: &[&str]) -> Result<Item> {
    store.depend(&change(text, on, false))
}

fn on(item: &Item) -> Vec<&str> {
    item.depends_on.iter().map(ItemKey::as_str).collect()
}

fn an_item_is_added_with_what_it_waits_for(f: &mut impl Fixture) {
    add(f.store(), "A");
    add(f.store(), "B");
    let item = added(f.store(), &waiting("C", &["B", "A", "B"]));
    assert_eq!(on(&item), ["A", "B"]);
    assert_eq!(
        (item.status, item.open_dependencies),
        (ItemStatus::Queued, 2)
    );
    assert_eq!(
        f.store().open_dependencies(&key("C")).unwrap(),
        [
            (key("A"), ItemStatus::Queued),
            (key("B"), ItemStatus::Queued)
        ]
    );
    assert_eq!(f.store().open_dependencies(&key("A")).unwrap(), []);
    assert_eq!(f.store().open_dependencies(&key("none")).unwrap(), []);
}

fn an_item_that_waits_for_nothing_open_is_ready_at_once(f: &mut impl Fixture) {
    add(f.store(), "A");
    move_to(f.store(), "user", "A", ItemStatus::Completed);
    let before = cursor(f.store());
    let item = added(f.store(), &waiting("B", &["A"]));
    assert_eq!(
        (item.status, item.open_dependencies),
        (ItemStatus::Ready, 0)
    );
    assert_eq!(kinds(f.store(), before), ["B added"]);
}

fn what_does_not_exist_is_no_dependency(f: &mut impl Fixture) {
    add(f.store(), "A");
    let error = refused(
        f.store().add_item(&waiting("B", &["A", "Z"]), &by("user")),
        "denied",
    );
    assert!(
        error.to_string().contains("item Z does not exist"),
        "{error}"
    );
    assert_eq!(f.store().item(&key("B")).unwrap(), None);
    refused(depend(f.store(), "A", &["Z"]), "denied");
    refused(depend(f.store(), "Z", &["A"]), "denied");
}

fn a_circle_is_refused_whole_and_changes_nothing(f: &mut impl Fixture) {
    add(f.store(), "A");
    added(f.store(), &waiting("B", &["A"]));
    added(f.store(), &waiting("C", &["B"]));
    add(f.store(), "X");
    let before = (item(f.store(), "A"), cursor(f.store()));
    for (on, path) in [
        (&["A"][..], "A -> A"),
        (&["B"], "A -> B -> A"),
        // What stands before it in the list does not come either.
        (&["X", "C"], "A -> C -> B -> A"),
    ] {
        let error = refused(depend(f.store(), "A", on), "denied");
        assert!(error.to_string().ends_with(&format!(": {path}")), "{error}");
    }
    assert_eq!((item(f.store(), "A"), cursor(f.store())), before);
}

fn of_many_only_what_is_denied_is_left_out(f: &mut impl Fixture) {
    for text in ["A", "B", "C"] {
        add(f.store(), text);
    }
    let asked = [
        change("B", &["A"], false),
        change("A", &["B"], false),
        change("C", &["Z"], false),
        change("C", &["B"], false),
    ];
    let answers = f.store().depend_each(&asked).unwrap();
    let mut answers = answers.into_iter();
    assert_eq!(on(&answers.next().unwrap().unwrap()), ["A"]);
    let circle = refused(answers.next().unwrap(), "denied");
    assert!(circle.to_string().ends_with(": A -> B -> A"), "{circle}");
    refused(answers.next().unwrap(), "denied");
    assert_eq!(on(&answers.next().unwrap().unwrap()), ["B"]);
    assert_eq!(on(&item(f.store(), "A")), [""; 0]);
}

fn a_child_that_waits_for_its_parent_is_a_circle(f: &mut impl Fixture) {
    add(f.store(), "G");
    added(f.store(), &child("P", "G"));
    added(f.store(), &waiting("X", &["G"]));
    for (on, path) in [("P", "C -> P -> C"), ("X", "C -> X -> G -> P -> C")] {
        let new = NewItem {
            depends_on: vec![key(on)],
            ..child("C", "P")
        };
        let error = refused(f.store().add_item(&new, &by("user")), "denied");
        assert!(error.to_string().ends_with(&format!(": {path}")), "{error}");
    }
    added(f.store(), &child("C", "P"));
    refused(depend(f.store(), "C", &["X"]), "denied");
    // That a parent waits for its child is only said once more.
    assert_eq!(on(&depend(f.store(), "P", &["C"]).unwrap()), ["C"]);
}

fn dependencies_come_and_go_with_the_status_they_bring(f: &mut impl Fixture) {
    for text in ["A", "B", "C"] {
        add(f.store(), text);
    }
    move_to(f.store(), "user", "A", ItemStatus::Completed);
    let mut step = |on: &[&str], remove| {
        let item = f.store().depend(&change("C", on, remove)).unwrap();
        assert_eq!(f.store().item(&key("C")).unwrap().as_ref(), Some(&item));
        let all: Vec<&str> = item.depends_on.iter().map(ItemKey::as_str).collect();
        format!(
            "{} {} {}",
            item.status,
            item.open_dependencies,
            all.join("+")
        )
    };
    assert_eq!(step(&["A"], false), "ready 0 A");
    assert_eq!(step(&["A", "B"], false), "queued 1 A+B");
    assert_eq!(step(&["B"], true), "ready 0 A");
    // Nothing is brought about by dependencies that are no more.
    assert_eq!(step(&["A"], true), "ready 0 ");
    assert_eq!(step(&["B"], false), "queued 1 B");
    assert_eq!(step(&["B", "A"], true), "queued 0 ");
}

fn a_change_of_dependencies_is_one_event(f: &mut impl Fixture) {
    add(f.store(), "A");
    let before = (add(f.store(), "B").revision.0, cursor(f.store()));
    let after = depend(f.store(), "B", &["A"]).unwrap();
    assert_eq!(after.revision.0, before.0 + 1);
    assert_eq!(kinds(f.store(), before.1), ["B dependencies"]);
    let event = events(f.store()).pop().unwrap();
    assert_eq!(event.actor, "s1");
    assert_eq!(event.before, json!({"depends_on": []}));
    assert_eq!(event.after, json!({"depends_on": ["A"]}));
    let before = cursor(f.store());
    assert_eq!(depend(f.store(), "B", &["A"]).unwrap(), after);
    assert_eq!(cursor(f.store()), before, "nothing changed");
}

fn an_item_that_was_begun_stays_what_it_is(f: &mut impl Fixture) {
    register(f.store(), "s1");
    add(f.store(), "A");
    add(f.store(), "B");
    claim(f.store(), "s1", "B");
    let item = depend(f.store(), "B", &["A"]).unwrap();
    assert_eq!(
        (item.status, item.open_dependencies),
        (ItemStatus::Running, 1)
    );
    move_to(f.store(), "user", "A", ItemStatus::Completed);
    let item = crate::request::item(f.store(), "B");
    assert_eq!(
        (item.status, item.open_dependencies),
        (ItemStatus::Running, 0)
    );
}

fn a_repeated_change_returns_the_item(f: &mut impl Fixture) {
    add(f.store(), "A");
    add(f.store(), "B");
    let request = change("B", &["A"], false);
    f.store().depend(&request).unwrap();
    f.store().depend(&change("B", &["A"], true)).unwrap();
    let again = f.store().depend(&request).unwrap();
    assert_eq!(on(&again), Vec::<&str>::new(), "nothing happens twice");
}

fn those_that_wait_are_found_through_others(f: &mut impl Fixture) {
    add(f.store(), "P");
    added(f.store(), &child("A", "P"));
    added(f.store(), &waiting("B", &["A"]));
    added(f.store(), &waiting("C", &["B"]));
    added(f.store(), &waiting("Q", &["P"]));
    let mut waits: Vec<String> = f
        .store()
        .waiting_for(&key("A"))
        .unwrap()
        .iter()
        .map(|w| format!("{} {}", w.item, w.on))
        .collect();
    waits.sort();
    assert_eq!(waits, ["B A", "C B", "P A", "Q P"]);
    assert_eq!(f.store().waiting_for(&key("none")).unwrap(), []);
}

fn children_without_a_position_go_behind_the_last(f: &mut impl Fixture) {
    assert_eq!(add(f.store(), "P").position, None);
    assert_eq!(add(f.store(), "Q").position, None);
    let mut position = |text: &str, parent: &str, position| {
        let new = NewItem {
            position,
            ..child(text, parent)
        };
        added(f.store(), &new).position
    };
    assert_eq!(position("a", "P", None), Some(1));
    assert_eq!(position("b", "P", None), Some(2));
    assert_eq!(position("c", "P", Some(-7)), Some(-7));
    assert_eq!(position("d", "P", Some(40)), Some(40));
    assert_eq!(position("e", "P", None), Some(41));
    assert_eq!(position("f", "Q", None), Some(1));
}

fn children_are_counted(f: &mut impl Fixture) {
    add(f.store(), "P");
    for text in ["a", "b", "c"] {
        added(f.store(), &child(text, "P"));
    }
    move_to(f.store(), "user", "b", ItemStatus::Cancelled);
    let children = f.store().children(&key("P")).unwrap();
    assert_eq!((children.all, children.unfinished), (3, 2));
    let children = f.store().children(&key("a")).unwrap();
    assert_eq!((children.all, children.unfinished), (0, 0));
}
