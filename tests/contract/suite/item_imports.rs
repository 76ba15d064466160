//! Imports of items: all of them or none, in any order of dependencies.

use trueup_core::model::{Item, ItemKey, ItemStatus, NewItem};
use trueup_core::store::{
    ImportedItem, ImportedItems, ItemEditRequest, ItemImport, ReimportedItem, Result, Store,
};

use crate::fixture::StoreFixture;
use crate::requests::{
    add_item, claim_item, item_key, list_event_kinds, load_item, new_item, new_provenance,
    register_session,
};

on_every_store! {
    items_that_wait_for_each_other_are_added_at_once
    a_status_of_the_tracker_is_kept
    what_breaks_a_rule_imports_nothing
    a_circle_with_what_is_there_imports_nothing
    an_item_that_is_there_takes_over_what_changed
    a_status_goes_forward_and_readies_those_that_wait
    every_event_of_an_import_has_its_author_and_its_operation
    a_held_item_and_one_that_is_further_keep_their_status
    a_repeated_import_changes_nothing_more
}

fn waiting(text: &str, on: &[&str]) -> NewItem {
    NewItem { depends_on: on.iter().map(|on| item_key(on)).collect(), ..new_item(text) }
}

fn below(text: &str, parent: &str) -> NewItem {
    NewItem { parent: Some(item_key(parent)), ..new_item(text) }
}

fn import_of(added: &[NewItem]) -> ItemImport {
    let added = added.iter().map(|item| ImportedItem {
        item: item.clone(),
        reason: Some(format!("{} was imported", item.key).into()),
    });
    ItemImport { added: added.collect(), changed: Vec::new(), provenance: new_provenance("user") }
}

fn add(store: &mut dyn Store, added: &[NewItem]) -> Result<ImportedItems> {
    store.import_items(&import_of(added))
}

fn reimported(text: &str) -> ReimportedItem {
    ReimportedItem {
        edit: ItemEditRequest::new(item_key(text), new_provenance("user")),
        added_dependencies: Vec::new(),
        removed_dependencies: Vec::new(),
        status: None,
    }
}

fn change(store: &mut dyn Store, changed: ReimportedItem) -> Result<ImportedItems> {
    let import = ItemImport {
        added: Vec::new(),
        changed: vec![changed],
        provenance: new_provenance("user"),
    };
    store.import_items(&import)
}

fn keys_of(item: &Item) -> Vec<&str> {
    item.depends_on.iter().map(ItemKey::as_str).collect()
}

fn items_that_wait_for_each_other_are_added_at_once(f: &mut impl StoreFixture) {
    // P waits for its child C and for D, which is a child of E; none comes behind all it needs.
    let counts = add(
        f.store(),
        &[
            waiting("P", &["D"]),
            below("C", "P"),
            NewItem { depends_on: vec![item_key("C")], ..new_item("E") },
            below("D", "E"),
        ],
    )
    .unwrap();
    assert_eq!(counts, ImportedItems { added: 4, changed: 0 });
    let parent = load_item(f.store(), "P");
    assert_eq!((keys_of(&parent), parent.open_dependencies), (vec!["D"], 1));
    assert_eq!(parent.status, ItemStatus::Queued);
    assert_eq!(load_item(f.store(), "D").parent, Some(item_key("E")));
}

fn a_status_of_the_tracker_is_kept(f: &mut impl StoreFixture) {
    let of = |text: &str, status| NewItem { status: Some(status), ..new_item(text) };
    let items = [
        waiting("WAITS", &["DONE"]),
        of("DONE", ItemStatus::Completed),
        of("BLOCKED", ItemStatus::Blocked),
        of("RUNS", ItemStatus::Running),
    ];
    add(f.store(), &items).unwrap();
    let done = load_item(f.store(), "DONE");
    assert!(done.status == ItemStatus::Completed && done.completed_at.is_some());
    let statuses = ["WAITS", "BLOCKED", "RUNS"].map(|key| load_item(f.store(), key).status);
    assert_eq!(statuses, [ItemStatus::Ready, ItemStatus::Blocked, ItemStatus::Running]);
    let filter =
        trueup_core::model::EventFilter { item: Some("DONE".to_owned()), ..Default::default() };
    let events = f.store().list_events(&filter).unwrap();
    assert_eq!(events[0].reason.as_deref(), Some("DONE was imported"));
}

fn what_breaks_a_rule_imports_nothing(f: &mut impl StoreFixture) {
    add_item(f.store(), "THERE");
    for bad in [
        vec![new_item("THERE")],
        vec![new_item("TWICE"), new_item("TWICE")],
        vec![waiting("A", &["MISSING"])],
        vec![below("A", "MISSING")],
        vec![below("A", "B"), new_item("B")],
        vec![waiting("A", &["B"]), waiting("B", &["A"])],
        vec![waiting("A", &["A"])],
        vec![new_item("A"), NewItem { parent: Some(item_key("A")), ..waiting("B", &["A"]) }],
    ] {
        let with_good = [vec![new_item("GOOD")], bad.clone()].concat();
        assert!(add(f.store(), &with_good).is_err(), "{bad:?}");
        assert_eq!(f.store().load_item(&item_key("GOOD")).unwrap(), None);
    }
    assert!(change(f.store(), reimported("MISSING")).is_err());
}

fn a_circle_with_what_is_there_imports_nothing(f: &mut impl StoreFixture) {
    add(f.store(), &[new_item("A"), waiting("B", &["A"])]).unwrap();
    let back = ReimportedItem { added_dependencies: vec![item_key("B")], ..reimported("A") };
    assert!(change(f.store(), back).is_err());
    assert_eq!(keys_of(&load_item(f.store(), "A")), [""; 0]);
}

fn an_item_that_is_there_takes_over_what_changed(f: &mut impl StoreFixture) {
    add(f.store(), &[new_item("A"), new_item("B"), waiting("C", &["A"])]).unwrap();
    let mut changed = reimported("C");
    changed.edit.title = Some("New".to_owned());
    changed.added_dependencies = vec![item_key("B")];
    changed.removed_dependencies = vec![item_key("A")];
    let counts = change(f.store(), changed).unwrap();
    assert_eq!(counts, ImportedItems { added: 0, changed: 1 });
    let item = load_item(f.store(), "C");
    assert_eq!((item.title.as_deref(), keys_of(&item)), (Some("New"), vec!["B"]));
    assert_eq!(item.open_dependencies, 1);
    let kinds = list_event_kinds(f.store(), 0);
    assert!(kinds.ends_with(&["C dependencies".to_owned(), "C changed".to_owned()]), "{kinds:?}");
}

fn a_status_goes_forward_and_readies_those_that_wait(f: &mut impl StoreFixture) {
    add(f.store(), &[new_item("A"), waiting("B", &["A"])]).unwrap();
    let done = ReimportedItem { status: Some(ItemStatus::Completed), ..reimported("A") };
    change(f.store(), done).unwrap();
    let statuses = ["A", "B"].map(|key| load_item(f.store(), key).status);
    assert_eq!(statuses, [ItemStatus::Completed, ItemStatus::Ready]);
}

fn every_event_of_an_import_has_its_author_and_its_operation(f: &mut impl StoreFixture) {
    add(f.store(), &[new_item("A"), new_item("B"), waiting("C", &["A"]), waiting("D", &["B"])])
        .unwrap();
    let provenance = new_provenance("user").because("item import");
    let renamed = |key: &str| {
        let mut changed = reimported(key);
        changed.edit = ItemEditRequest::new(item_key(key), provenance.clone());
        changed.edit.title = Some(format!("{key} is new"));
        changed
    };
    let changed = vec![
        // Its status follows from A, which comes behind it.
        renamed("C"),
        ReimportedItem { status: Some(ItemStatus::Completed), ..renamed("A") },
        ReimportedItem { removed_dependencies: vec![item_key("B")], ..renamed("D") },
    ];
    let import = ItemImport { added: Vec::new(), changed, provenance: provenance.clone() };
    f.store().import_items(&import).unwrap();
    for (key, status) in
        [("A", ItemStatus::Completed), ("C", ItemStatus::Ready), ("D", ItemStatus::Queued)]
    {
        let item = load_item(f.store(), key);
        assert_eq!((item.status, item.title), (status, Some(format!("{key} is new"))));
        let filter =
            trueup_core::model::EventFilter { item: Some(key.to_owned()), ..Default::default() };
        for event in f.store().list_events(&filter).unwrap().into_iter().skip(1) {
            assert_eq!(event.actor, "user", "{event:?}");
            assert!(event.op_id.is_some() && event.reason.is_some(), "{event:?}");
        }
    }
}

fn a_held_item_and_one_that_is_further_keep_their_status(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add(f.store(), &[new_item("HELD")]).unwrap();
    let done = NewItem { status: Some(ItemStatus::Completed), ..new_item("DONE") };
    add(f.store(), &[done]).unwrap();
    claim_item(f.store(), "s1", "HELD");
    for (key, status) in [("HELD", ItemStatus::Completed), ("DONE", ItemStatus::Running)] {
        let before = load_item(f.store(), key).status;
        change(f.store(), ReimportedItem { status: Some(status), ..reimported(key) }).unwrap();
        assert_eq!(load_item(f.store(), key).status, before);
    }
}

fn a_repeated_import_changes_nothing_more(f: &mut impl StoreFixture) {
    let mut import = import_of(&[new_item("A")]);
    import.provenance = import.provenance.under_id("import-0001".to_owned());
    let first = f.store().import_items(&import).unwrap();
    let events = list_event_kinds(f.store(), 0);
    assert_eq!(f.store().import_items(&import).unwrap(), first);
    assert_eq!(list_event_kinds(f.store(), 0), events);
}
