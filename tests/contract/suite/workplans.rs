//! Items that are linked to workplan files.

use serde_json::json;
use trueup_core::model::{
    ItemKey, ItemStatus, MoveGrant, NewItem, NewWorkplanRow, WORKPLAN_KIND, WorkplanChange,
    WorkplanFileFacts, WorkplanLink, WorkplanRow,
};
use trueup_core::store::{DependencyChange, GrantedMove, Store};

use crate::fixture::StoreFixture;
use crate::requests::{
    expect_refusal, item_key, last_event_id, list_event_kinds, list_events, new_provenance,
    provenance_because,
};

on_every_store! {
    tied_items_are_listed_by_repository
    an_item_keeps_the_id_it_carries
    an_id_of_a_file_is_that_of_one_item
    an_item_added_by_hand_is_taken_for_the_one_of_the_file
    a_tie_is_found_wherever_its_item_belongs
    a_task_comes_in_where_its_file_says_it_stands
    what_a_file_says_differently_is_taken_over_once
    only_what_has_a_file_can_be_described
    a_workplan_without_a_file_is_a_ghost
    dependencies_are_read_with_the_rows
    a_row_says_whether_its_item_was_reopened
    a_batch_is_whole_or_nothing
}

pub(crate) fn file_facts(digest: &str) -> WorkplanFileFacts {
    WorkplanFileFacts { digest: digest.to_owned(), planning: r#"{"priority":"high"}"#.to_owned() }
}

pub(crate) fn workplan_row(name: &str, parent: Option<&str>, repo: &str) -> NewWorkplanRow {
    NewWorkplanRow {
        item: NewItem {
            title: Some(format!("title of {name}")),
            kind: parent.is_none().then(|| WORKPLAN_KIND.to_owned()),
            parent: parent.map(item_key),
            repo: Some(repo.to_owned()),
            ..NewItem::new(item_key(name))
        },
        link: format!("link-{name}").parse().unwrap(),
        facts: file_facts("d1"),
        description: "text".to_owned(),
    }
}

fn link_rows(store: &mut dyn Store, rows: &[NewWorkplanRow]) -> Vec<WorkplanLink> {
    store.link_workplans(rows, &new_provenance("user")).unwrap()
}

fn row_keys(rows: &[WorkplanRow]) -> Vec<&str> {
    rows.iter().map(|row| row.key.as_str()).collect()
}

fn tied_items_are_listed_by_repository(f: &mut impl StoreFixture) {
    let rows = [
        workplan_row("A-WP-1", None, "Alpha"),
        workplan_row("A-WP-1-T01", Some("A-WP-1"), "Alpha"),
        workplan_row("B-WP-1", None, "beta"),
    ];
    link_rows(f.store(), &rows);
    let store = f.store();
    store.add_item(&NewItem::new(item_key("A-WP-1-T02")), &new_provenance("user")).unwrap();
    let found = store.load_workplan_rows("alpha").unwrap().linked;
    assert_eq!(row_keys(&found), ["A-WP-1", "A-WP-1-T01"]);
    let task = &found[1];
    assert_eq!(task.kind, "task");
    assert_eq!(task.parent, Some(item_key("A-WP-1")));
    assert_eq!(task.position, Some(1));
    assert_eq!(task.title.as_deref(), Some("title of A-WP-1-T01"));
    assert_eq!(task.facts, Some(file_facts("d1")));
    assert_eq!(task.link.as_ref().unwrap().as_str(), "link-A-WP-1-T01");
    assert_eq!((task.status, &task.holder), (ItemStatus::Queued, &None));
    assert_eq!(found[0].kind, WORKPLAN_KIND);
    assert_eq!(row_keys(&store.load_workplan_rows("gamma").unwrap().linked), [""; 0]);
}

fn an_item_keeps_the_id_it_carries(f: &mut impl StoreFixture) {
    let first = link_rows(f.store(), &[workplan_row("A-WP-1", None, "a")]);
    let before = last_event_id(f.store());
    let other = NewWorkplanRow {
        link: "another".parse().unwrap(),
        facts: file_facts("d2"),
        ..workplan_row("A-WP-1", None, "b")
    };
    assert_eq!(link_rows(f.store(), &[other]), first);
    assert_eq!(list_event_kinds(f.store(), before), [""; 0]);
    let row = f.store().load_workplan_rows("a").unwrap().linked.remove(0);
    assert_eq!(row.facts, Some(file_facts("d1")));
}

fn an_id_of_a_file_is_that_of_one_item(f: &mut impl StoreFixture) {
    link_rows(f.store(), &[workplan_row("A-WP-1", None, "a")]);
    let copy_of = |link: &str, name: &str| NewWorkplanRow {
        link: link.parse().unwrap(),
        ..workplan_row(name, None, "a")
    };
    let before = last_event_id(f.store());
    for (rows, words) in [
        (vec![copy_of("link-A-WP-1", "A-WP-2")], "link-A-WP-1 belongs to item A-WP-1"),
        (vec![copy_of("same", "A-WP-3"), copy_of("same", "A-WP-4")], "same belongs to item A-WP-3"),
    ] {
        let error =
            expect_refusal(f.store().link_workplans(&rows, &new_provenance("user")), "denied");
        assert_eq!(error.to_string(), format!("the database refuses: the workplan id {words}"));
    }
    assert_eq!(list_event_kinds(f.store(), before), [""; 0]);
}

fn an_item_added_by_hand_is_taken_for_the_one_of_the_file(f: &mut impl StoreFixture) {
    let by_hand = NewItem { title: Some("by hand".to_owned()), ..NewItem::new(item_key("A-WP-1")) };
    f.store().add_item(&by_hand, &new_provenance("user")).unwrap();
    let before = last_event_id(f.store());
    link_rows(f.store(), &[workplan_row("A-WP-1", None, "a")]);
    let row = f.store().load_workplan_rows("a").unwrap().linked.remove(0);
    assert_eq!(row.title.as_deref(), Some("by hand"));
    assert_eq!(list_event_kinds(f.store(), before), ["A-WP-1 changed", "A-WP-1 linked"]);
}

fn a_tie_is_found_wherever_its_item_belongs(f: &mut impl StoreFixture) {
    link_rows(f.store(), &[workplan_row("A-WP-1", None, "a"), workplan_row("B-WP-1", None, "b")]);
    let store = f.store();
    store.add_item(&NewItem::new(item_key("C-1")), &new_provenance("user")).unwrap();
    let links: Vec<WorkplanLink> = ["link-B-WP-1", "nobody"].map(|l| l.parse().unwrap()).into();
    let found = store.find_workplan_rows(&[item_key("C-1"), item_key("none")], &links).unwrap();
    assert_eq!(row_keys(&found), ["B-WP-1", "C-1"]);
    assert_eq!(found[0].repo.as_deref(), Some("b"));
    assert_eq!((&found[1].link, &found[1].facts), (&None, &None));
}

fn a_task_comes_in_where_its_file_says_it_stands(f: &mut impl StoreFixture) {
    for (name, status) in
        [("A-WP-1-T01", ItemStatus::Completed), ("A-WP-1-T02", ItemStatus::Running)]
    {
        let mut new = workplan_row(name, None, "a");
        new.item.status = Some(status);
        link_rows(f.store(), &[new]);
        let item = f.store().load_item(&item_key(name)).unwrap().unwrap();
        assert_eq!(item.status, status);
        assert_eq!(item.completed_at.is_some(), status.is_finished());
    }
}

pub(crate) fn workplan_change(name: &str) -> WorkplanChange {
    WorkplanChange {
        key: item_key(name),
        title: None,
        position: None,
        repo: None,
        priority: None,
        facts: None,
    }
}

fn what_a_file_says_differently_is_taken_over_once(f: &mut impl StoreFixture) {
    link_rows(f.store(), &[workplan_row("A-WP-1", None, "a")]);
    let before = last_event_id(f.store());
    let new = WorkplanChange {
        title: Some("new".to_owned()),
        position: Some(7),
        repo: Some("b".to_owned()),
        facts: Some((file_facts("d2"), "new text".to_owned())),
        ..workplan_change("A-WP-1")
    };
    let provenance = new_provenance("s1");
    for _ in 0..2 {
        f.store().update_workplan_facts(std::slice::from_ref(&new), &provenance).unwrap();
    }
    f.store().update_workplan_facts(&[new], &new_provenance("s2")).unwrap();
    assert_eq!(list_event_kinds(f.store(), before), ["A-WP-1 changed", "A-WP-1 described"]);
    let all = list_events(f.store());
    let described = all.iter().find(|e| e.kind == "described").unwrap();
    assert_eq!(described.entity, "workplan");
    assert_eq!(described.before["digest"], json!("d1"));
    assert_eq!(described.after["planning"]["priority"], json!("high"));
    let row = f.store().load_workplan_rows("b").unwrap().linked.remove(0);
    assert_eq!(row.title.as_deref(), Some("new"));
    assert_eq!((row.position, row.facts), (Some(7), Some(file_facts("d2"))));
}

fn only_what_has_a_file_can_be_described(f: &mut impl StoreFixture) {
    f.store().add_item(&NewItem::new(item_key("C-1")), &new_provenance("user")).unwrap();
    expect_refusal(
        f.store().update_workplan_facts(&[workplan_change("C-1")], &new_provenance("user")),
        "conflict",
    );
}

fn a_workplan_without_a_file_is_a_ghost(f: &mut impl StoreFixture) {
    link_rows(f.store(), &[workplan_row("A-WP-1", None, "a")]);
    for (name, kind) in [("G-1", WORKPLAN_KIND), ("G-2", WORKPLAN_KIND), ("G-3", "task")] {
        let unlinked = NewItem {
            kind: Some(kind.to_owned()),
            status: (name == "G-2").then_some(ItemStatus::Completed),
            ..NewItem::new(item_key(name))
        };
        f.store().add_item(&unlinked, &new_provenance("user")).unwrap();
    }
    assert_eq!(row_keys(&f.store().load_workplan_rows("b").unwrap().unlinked), ["G-1"]);
}

fn dependencies_are_read_with_the_rows(f: &mut impl StoreFixture) {
    link_rows(f.store(), &[workplan_row("A-WP-1", None, "a"), workplan_row("A-WP-2", None, "a")]);
    let depend = DependencyChange {
        item: item_key("A-WP-2"),
        dependencies: vec![item_key("A-WP-1")],
        remove: false,
        provenance: new_provenance("user"),
    };
    f.store().change_dependencies(&depend).unwrap();
    let on: Vec<ItemKey> = vec![item_key("A-WP-1")];
    let rows = f.store().load_workplan_rows("a").unwrap().linked;
    assert_eq!(rows[0].depends_on, []);
    assert_eq!(rows[1].depends_on, on);
    let found = f.store().find_workplan_rows(&[item_key("A-WP-2")], &[]).unwrap();
    assert_eq!(found[0].depends_on, on);
}

fn a_batch_is_whole_or_nothing(f: &mut impl StoreFixture) {
    let rows = [workplan_row("A-WP-1", None, "a"), workplan_row("A-WP-1-T01", Some("nobody"), "a")];
    expect_refusal(f.store().link_workplans(&rows, &new_provenance("user")), "denied");
    assert_eq!(f.store().load_workplan_rows("a").unwrap().linked, []);
    assert_eq!(f.store().load_item(&item_key("A-WP-1")).unwrap(), None);
}

fn a_row_says_whether_its_item_was_reopened(f: &mut impl StoreFixture) {
    let mut new = workplan_row("A-WP-1", None, "a");
    new.item.status = Some(ItemStatus::Running);
    link_rows(f.store(), &[new]);
    let read = |store: &mut dyn Store| store.load_workplan_rows("a").unwrap().linked.remove(0);
    assert!(!read(f.store()).is_reopened);
    let item = f.store().load_item(&item_key("A-WP-1")).unwrap().unwrap();
    let grant = MoveGrant {
        item: item.key.clone(),
        to: ItemStatus::Queued,
        is_reopening: true,
        expected_holder: None,
        expected_epoch: item.epoch,
        expected_revision: item.revision,
        releases_holder: false,
        evidence: None,
        error_message: None,
    };
    let provenance = provenance_because("user", "again");
    f.store().move_item(&GrantedMove { grant, provenance }).unwrap();
    let reopened = read(f.store());
    assert_eq!((reopened.status, reopened.is_reopened), (ItemStatus::Queued, true));
}
