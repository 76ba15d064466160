//! What workplan files say of items.

use serde_json::json;
use trueup_core::model::{
    FileFacts, ItemKey, ItemStatus, MoveGrant, NewItem, NewWorkplanRow, WORKPLAN, WorkplanChange,
    WorkplanLink, WorkplanRow,
};
use trueup_core::store::{Depend, ItemMove, Store};

use crate::fixture::Fixture;
use crate::request::{because, by, cursor, events, key, kinds, refused};

on_every_store! {
    tied_items_are_listed_by_repository
    an_item_keeps_the_id_it_carries
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

fn facts(digest: &str) -> FileFacts {
    FileFacts {
        digest: digest.to_owned(),
        planning: r#"{"priority":"high"}"#.to_owned(),
    }
}

fn row(name: &str, parent: Option<&str>, repo: &str) -> NewWorkplanRow {
    NewWorkplanRow {
        item: NewItem {
            title: Some(format!("title of {name}")),
            kind: parent.is_none().then(|| WORKPLAN.to_owned()),
            parent: parent.map(key),
            repo: Some(repo.to_owned()),
            ..NewItem::new(key(name))
        },
        link: format!("link-{name}").parse().unwrap(),
        facts: facts("d1"),
        description: "text".to_owned(),
    }
}

fn link(store: &mut dyn Store, rows: &[NewWorkplanRow]) -> Vec<WorkplanLink> {
    store.link_workplans(rows, &by("user")).unwrap()
}

fn keys(rows: &[WorkplanRow]) -> Vec<&str> {
    rows.iter().map(|row| row.key.as_str()).collect()
}

fn tied_items_are_listed_by_repository(f: &mut impl Fixture) {
    let rows = [
        row("A-WP-1", None, "Alpha"),
        row("A-WP-1-T01", Some("A-WP-1"), "Alpha"),
        row("B-WP-1", None, "beta"),
    ];
    link(f.store(), &rows);
    let store = f.store();
    store
        .add_item(&NewItem::new(key("A-WP-1-T02")), &by("user"))
        .unwrap();
    let found = store.workplan_rows("alpha").unwrap().tied;
    assert_eq!(keys(&found), ["A-WP-1", "A-WP-1-T01"]);
    let task = &found[1];
    assert_eq!(task.kind, "task");
    assert_eq!(task.parent, Some(key("A-WP-1")));
    assert_eq!(task.position, Some(1));
    assert_eq!(task.title.as_deref(), Some("title of A-WP-1-T01"));
    assert_eq!(task.facts, Some(facts("d1")));
    assert_eq!(task.link.as_ref().unwrap().as_str(), "link-A-WP-1-T01");
    assert_eq!((task.status, &task.holder), (ItemStatus::Queued, &None));
    assert_eq!(found[0].kind, WORKPLAN);
    assert_eq!(keys(&store.workplan_rows("gamma").unwrap().tied), [""; 0]);
}

fn an_item_keeps_the_id_it_carries(f: &mut impl Fixture) {
    let first = link(f.store(), &[row("A-WP-1", None, "a")]);
    let before = cursor(f.store());
    let other = NewWorkplanRow {
        link: "another".parse().unwrap(),
        facts: facts("d2"),
        ..row("A-WP-1", None, "b")
    };
    assert_eq!(link(f.store(), &[other]), first);
    assert_eq!(kinds(f.store(), before), [""; 0]);
    let row = f.store().workplan_rows("a").unwrap().tied.remove(0);
    assert_eq!(row.facts, Some(facts("d1")));
}

fn an_item_added_by_hand_is_taken_for_the_one_of_the_file(f: &mut impl Fixture) {
    let by_hand = NewItem {
        title: Some("by hand".to_owned()),
        ..NewItem::new(key("A-WP-1"))
    };
    f.store().add_item(&by_hand, &by("user")).unwrap();
    let before = cursor(f.store());
    link(f.store(), &[row("A-WP-1", None, "a")]);
    let row = f.store().workplan_rows("a").unwrap().tied.remove(0);
    assert_eq!(row.title.as_deref(), Some("by hand"));
    assert_eq!(
        kinds(f.store(), before),
        ["A-WP-1 changed", "A-WP-1 linked"]
    );
}

fn a_tie_is_found_wherever_its_item_belongs(f: &mut impl Fixture) {
    link(
        f.store(),
        &[row("A-WP-1", None, "a"), row("B-WP-1", None, "b")],
    );
    let store = f.store();
    store
        .add_item(&NewItem::new(key("C-1")), &by("user"))
        .unwrap();
    let links: Vec<WorkplanLink> = ["link-B-WP-1", "nobody"].map(|l| l.parse().unwrap()).into();
    let found = store
        .find_workplan_rows(&[key("C-1"), key("none")], &links)
        .unwrap();
    assert_eq!(keys(&found), ["B-WP-1", "C-1"]);
    assert_eq!(found[0].repo.as_deref(), Some("b"));
    assert_eq!((&found[1].link, &found[1].facts), (&None, &None));
}

fn a_task_comes_in_where_its_file_says_it_stands(f: &mut impl Fixture) {
    for (name, status) in [
        ("A-WP-1-T01", ItemStatus::Completed),
        ("A-WP-1-T02", ItemStatus::Running),
    ] {
        let mut new = row(name, None, "a");
        new.item.status = Some(status);
        link(f.store(), &[new]);
        let item = f.store().item(&key(name)).unwrap().unwrap();
        assert_eq!(item.status, status);
        assert_eq!(item.completed_at.is_some(), status.is_finished());
    }
}

fn change(name: &str) -> WorkplanChange {
    WorkplanChange {
        key: key(name),
        title: None,
        position: None,
        repo: None,
        facts: None,
    }
}

fn what_a_file_says_differently_is_taken_over_once(f: &mut impl Fixture) {
    link(f.store(), &[row("A-WP-1", None, "a")]);
    let before = cursor(f.store());
    let new = WorkplanChange {
        title: Some("new".to_owned()),
        position: Some(7),
        repo: Some("b".to_owned()),
        facts: Some((facts("d2"), "new text".to_owned())),
        ..change("A-WP-1")
    };
    let provenance = by("s1");
    for _ in 0..2 {
        f.store()
            .describe_workplans(std::slice::from_ref(&new), &provenance)
            .unwrap();
    }
    f.store().describe_workplans(&[new], &by("s2")).unwrap();
    assert_eq!(
        kinds(f.store(), before),
        ["A-WP-1 changed", "A-WP-1 described"]
    );
    let all = events(f.store());
    let described = all.iter().find(|e| e.kind == "described").unwrap();
    assert_eq!(described.entity, "workplan");
    assert_eq!(described.before["digest"], json!("d1"));
    assert_eq!(described.after["planning"]["priority"], json!("high"));
    let row = f.store().workplan_rows("b").unwrap().tied.remove(0);
    assert_eq!(row.title.as_deref(), Some("new"));
    assert_eq!((row.position, row.facts), (Some(7), Some(facts("d2"))));
}

fn only_what_has_a_file_can_be_described(f: &mut impl Fixture) {
    f.store()
        .add_item(&NewItem::new(key("C-1")), &by("user"))
        .unwrap();
    refused(
        f.store().describe_workplans(&[change("C-1")], &by("user")),
        "conflict",
    );
}

fn a_workplan_without_a_file_is_a_ghost(f: &mut impl Fixture) {
    link(f.store(), &[row("A-WP-1", None, "a")]);
    for (name, kind) in [("G-1", WORKPLAN), ("G-2", WORKPLAN), ("G-3", "task")] {
        let ghost = NewItem {
            kind: Some(kind.to_owned()),
            status: (name == "G-2").then_some(ItemStatus::Completed),
            ..NewItem::new(key(name))
        };
        f.store().add_item(&ghost, &by("user")).unwrap();
    }
    assert_eq!(keys(&f.store().workplan_rows("b").unwrap().ghosts), ["G-1"]);
}

fn dependencies_are_read_with_the_rows(f: &mut impl Fixture) {
    link(
        f.store(),
        &[row("A-WP-1", None, "a"), row("A-WP-2", None, "a")],
    );
    let depend = Depend {
        item: key("A-WP-2"),
        on: vec![key("A-WP-1")],
        remove: false,
        provenance: by("user"),
    };
    f.store().depend(&depend).unwrap();
    let on: Vec<ItemKey> = vec![key("A-WP-1")];
    let rows = f.store().workplan_rows("a").unwrap().tied;
    assert_eq!(rows[0].depends_on, []);
    assert_eq!(rows[1].depends_on, on);
    let found = f.store().find_workplan_rows(&[key("A-WP-2")], &[]).unwrap();
    assert_eq!(found[0].depends_on, on);
}

fn a_batch_is_whole_or_nothing(f: &mut impl Fixture) {
    let rows = [
        row("A-WP-1", None, "a"),
        row("A-WP-1-T01", Some("nobody"), "a"),
    ];
    refused(f.store().link_workplans(&rows, &by("user")), "denied");
    assert_eq!(f.store().workplan_rows("a").unwrap().tied, []);
    assert_eq!(f.store().item(&key("A-WP-1")).unwrap(), None);
}

fn a_row_says_whether_its_item_was_reopened(f: &mut impl Fixture) {
    let mut new = row("A-WP-1", None, "a");
    new.item.status = Some(ItemStatus::Running);
    link(f.store(), &[new]);
    let read = |store: &mut dyn Store| store.workplan_rows("a").unwrap().tied.remove(0);
    assert!(!read(f.store()).is_reopened);
    let item = f.store().item(&key("A-WP-1")).unwrap().unwrap();
    let grant = MoveGrant {
        item: item.key.clone(),
        to: ItemStatus::Queued,
        back: true,
        expected_holder: None,
        expected_epoch: item.epoch,
        expected_revision: item.revision,
        releases: false,
        evidence: None,
        error_message: None,
    };
    let provenance = because("user", "again");
    f.store()
        .move_item(&ItemMove { grant, provenance })
        .unwrap();
    let reopened = read(f.store());
    assert_eq!(
        (reopened.status, reopened.is_reopened),
        (ItemStatus::Queued, true)
    );
}
