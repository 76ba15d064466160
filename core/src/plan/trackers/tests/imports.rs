//! Imports into items that are there.

use super::*;

fn beads(lines: &[&str]) -> TrackerFile {
    read_one(TrackerFormat::Beads, "issues.jsonl", lines.join("\n").as_bytes())
}

const FIRST: &str = r#"{"id":"a","title":"A","status":"open","priority":2,"dependencies":[{"depends_on_id":"b","type":"blocks"}]}"#;
const SECOND: &str = r#"{"id":"b","title":"B","status":"open"}"#;

fn imported() -> Items {
    let mut items = Items::new();
    import(&mut items, beads(&[FIRST, SECOND]));
    items
}

#[test]
fn a_second_import_of_the_same_file_changes_nothing() {
    let mut items = imported();
    let before = items.clone();
    let planned = import(&mut items, beads(&[SECOND, FIRST]));
    assert_eq!((planned.changes.len(), planned.unchanged.len()), (0, 2));
    assert_eq!(items, before);
}

#[test]
fn a_second_import_takes_over_what_the_file_changed() {
    let mut items = imported();
    let changed = r#"{"id":"a","title":"A2","description":"more","status":"open","priority":0}"#;
    let planned = import(&mut items, beads(&[changed, SECOND]));
    assert_eq!(planned.changes.len(), 1, "{:?}", planned.changes);
    let a = item(&items, "a");
    assert_eq!((a.title.as_deref(), a.description.as_deref()), (Some("A2"), Some("more")));
    assert_eq!(a.priority.unwrap().number(), 0);
    assert_eq!(keys(&a.depends_on), [""; 0]);
}

#[test]
fn what_was_changed_here_stays_where_the_file_did_not_change() {
    let mut items = imported();
    let a = items.get_mut(&"a".parse().unwrap()).unwrap();
    a.title = Some("mine".to_owned());
    a.depends_on = Vec::new();
    let before = items.clone();
    import(&mut items, beads(&[FIRST, SECOND]));
    assert_eq!(items, before);
}

#[test]
fn a_status_never_goes_back_and_goes_forward_only_with_news() {
    let closed = r#"{"id":"b","title":"B","status":"closed"}"#;
    let mut items = imported();
    import(&mut items, beads(&[FIRST, closed]));
    assert_eq!(item(&items, "b").status, ItemStatus::Completed);
    import(&mut items, beads(&[FIRST, SECOND]));
    assert_eq!(item(&items, "b").status, ItemStatus::Completed);
    // Reopened here, it is not completed again by a file that says what it said before.
    import(&mut items, beads(&[FIRST, closed]));
    items.get_mut(&"b".parse().unwrap()).unwrap().status = ItemStatus::Ready;
    import(&mut items, beads(&[FIRST, closed]));
    assert_eq!(item(&items, "b").status, ItemStatus::Ready);
}

#[test]
fn an_item_that_a_session_holds_keeps_its_status() {
    let mut items = imported();
    let b = items.get_mut(&"b".parse().unwrap()).unwrap();
    b.holder = Some("0a1b2c3d-0000-4000-8000-000000000001".parse().unwrap());
    import(&mut items, beads(&[FIRST, r#"{"id":"b","title":"B","status":"closed"}"#]));
    assert_eq!(item(&items, "b").status, ItemStatus::Queued);
}

#[test]
fn an_item_of_another_repository_keeps_its_key() {
    let mut items = imported();
    for item in items.values_mut() {
        item.repo = Some("other".to_owned());
    }
    import(&mut items, beads(&[FIRST, SECOND]));
    let names: Vec<&str> = items.keys().map(ItemKey::as_str).collect();
    assert_eq!(names, ["a", "b", "harbour-a", "harbour-b"]);
    assert_eq!(keys(&item(&items, "harbour-a").depends_on), ["harbour-b"]);
    let again = import(&mut items, beads(&[FIRST, SECOND]));
    assert_eq!(again.unchanged.len(), 2);
}

#[test]
fn a_circle_with_what_is_there_is_opened() {
    let mut items = imported();
    let back = r#"{"id":"b","title":"B","status":"open","dependencies":[{"depends_on_id":"a","type":"blocks"}]}"#;
    let planned = import(&mut items, beads(&[back]));
    assert_eq!(reasons(&planned), ["1: the dependency on a closes a circle; ignored"]);
    assert_eq!(keys(&item(&items, "b").depends_on), [""; 0]);
}

#[test]
fn a_character_that_no_database_holds_is_replaced() {
    let mut items = Items::new();
    let nul = r#"{"id":"n","title":"a\u0000b","notes":[{"\u0000":"\u0000"}]}"#;
    import(&mut items, beads(&[nul]));
    let stored = item(&items, "n");
    assert_eq!(stored.title.as_deref(), Some("a\u{fffd}b"));
    assert!(!serde_json::to_string(&stored.extra).unwrap().contains("u0000"));
}

#[test]
fn circles_of_parents_are_opened() {
    let child = |id: &str, parent: &str| {
        format!(
            r#"{{"id":"{id}","title":"t","dependencies":[{{"depends_on_id":"{parent}","type":"parent-child"}}]}}"#
        )
    };
    let lines = [child("x", "z"), child("y", "x"), child("z", "y"), child("s", "s")];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut items = Items::new();
    let planned = import(&mut items, beads(&lines));
    assert_eq!(items.len(), 4);
    assert_eq!(reasons(&planned).len(), 2, "{:?}", reasons(&planned));
}

#[test]
fn what_was_removed_here_comes_back_only_with_changes() {
    let mut items = imported();
    let gone = items.remove(&"b".parse().unwrap()).unwrap();
    let source = ItemSource::of_item(&gone).unwrap();
    let removed =
        [RemovedItem { key: gone.key, at: crate::model::Timestamp::from_millis(0), source }];
    let renamed = SECOND.replace(r#""B""#, r#""Z""#);
    for (second, added, said) in [
        (SECOND, 0, "b was removed here on 1970-01-01 and stays removed"),
        (&renamed, 1, "b was removed here on 1970-01-01, and the file has it with changes"),
    ] {
        let planned = plan_after_removal(&items, &removed, beads(&[FIRST, second]));
        assert_eq!(planned.import.added.len(), added, "{second}");
        assert!(reasons(&planned).iter().any(|reason| reason.contains(said)), "{second}");
    }
}

#[test]
fn an_item_added_under_the_id_of_an_older_record_takes_over_what_that_has() {
    let old = r#"{"id":"a","title":"A","description":"steps","status":"closed","priority":0,"issue_type":"bug","created_at":"2026-01-02T12:00:00Z","updated_at":"2026-01-02T12:00:00Z","closed_at":"2026-01-02T12:00:00Z","dependencies":[{"issue_id":"a","depends_on_id":"b","type":"blocks"}]}"#;
    let without = r#"{"id":"a","title":"A","status":"open","created_at":"2026-01-02T12:00:00Z","updated_at":"2026-01-02T12:00:00Z"}"#;
    for (record, description, depends_on) in
        [(old, "steps", &["b", "own"][..]), (without, "mine", &["own"])]
    {
        let mut items = Items::new();
        import(&mut items, beads(&[SECOND, r#"{"id":"own","title":"O","status":"open"}"#]));
        let added = Item {
            key: "a".parse().unwrap(),
            title: Some("mine".to_owned()),
            description: Some("mine".to_owned()),
            repo: Some("harbour".to_owned()),
            depends_on: vec!["own".parse().unwrap()],
            created_at: crate::model::Timestamp::from_millis(1_790_000_000_000),
            updated_at: crate::model::Timestamp::from_millis(1_790_000_000_000),
            ..sample_item(ItemStatus::Queued, None)
        };
        items.insert(added.key.clone(), added);
        import(&mut items, beads(&[record, SECOND]));
        let a = item(&items, "a");
        let texts = (a.title.as_deref(), a.description.as_deref());
        assert_eq!(
            (texts, keys(&a.depends_on)),
            ((Some("A"), Some(description)), depends_on.to_vec())
        );
        if record == old {
            assert_eq!((a.kind.as_str(), a.status), ("bug", ItemStatus::Completed));
            assert_eq!(a.priority.unwrap().number(), 0);
        }
        let written = export_beads(&items).into_iter().find(|issue| issue["id"] == "a").unwrap();
        let read = parse_lines(record.as_bytes()).remove(0);
        for field in ["title", "status", "priority", "issue_type", "created_at"] {
            assert_eq!(written.get(field), read.get(field), "{field}");
        }
    }
}

#[test]
fn an_export_comes_back_as_the_same_items() {
    let bytes = fixture("beads/issues.jsonl");
    let mut items = Items::new();
    import(&mut items, read_one(TrackerFormat::Beads, "issues.jsonl", &bytes));
    items.insert("MINE".parse().unwrap(), stored_item(&NewItem::new("MINE".parse().unwrap())));
    let lines = items.values().map(|item| {
        let mut line = serde_json::to_value(crate::views::ItemView::from(item)).unwrap();
        line["type"] = "item".into();
        line.to_string()
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let mut copy = Items::new();
    let planned = import(&mut copy, read_one(TrackerFormat::JsonLines, "a", text.as_bytes()));
    assert_eq!(reasons(&planned), [""; 0]);
    for (original, copied) in items.values().zip(copy.values()) {
        let mut copied = copied.clone();
        if copied.key.as_str() == "MINE" {
            assert_eq!(copied.extra["source"]["format"], "json-lines");
            copied.extra.clear();
        }
        copied.repo.clone_from(&original.repo);
        assert_eq!(copied, *original);
    }
    assert_eq!(export_beads(&copy)[..6], parse_lines(&bytes));
    let again = import(&mut copy, read_one(TrackerFormat::JsonLines, "a", text.as_bytes()));
    assert_eq!(again.changes, []);
}

#[test]
fn a_status_that_is_left_stays_news() {
    let closed = r#"{"id":"b","title":"B","status":"closed"}"#;
    let b = || "b".parse::<ItemKey>().unwrap();
    let mut items = imported();
    items.get_mut(&b()).unwrap().holder =
        Some("0a1b2c3d-0000-4000-8000-000000000001".parse().unwrap());
    for _ in 0..2 {
        let planned = import(&mut items, beads(&[FIRST, closed]));
        let said = reasons(&planned);
        assert!(said[0].contains("status closed in the file is not taken over: held by 0a1b2c3d"));
        let mut exported = exported(&items, TrackerFormat::Beads);
        let changes = find_tracker_changes(&beads(&[FIRST, closed]), &mut exported, "issues.jsonl");
        assert_eq!(changes[0].problem, "b differs in status");
    }
    items.get_mut(&b()).unwrap().holder = None;
    let planned = import(&mut items, beads(&[FIRST, closed]));
    assert_eq!(reasons(&planned), [""; 0]);
    assert_eq!(item(&items, "b").status, ItemStatus::Completed);
    let mut exported = exported(&items, TrackerFormat::Beads);
    assert_eq!(find_tracker_changes(&beads(&[FIRST, closed]), &mut exported, "issues.jsonl"), []);
}

#[test]
fn a_reopening_is_said_and_overruled_only_by_a_change_here() {
    let closed = r#"{"id":"b","title":"B","status":"closed"}"#;
    let started = r#"{"id":"b","title":"B","status":"in_progress"}"#;
    let reopened = r#"{"id":"b","title":"B","status":"open","notes":"not yet"}"#;
    let mut items = imported();
    import(&mut items, beads(&[FIRST, closed]));
    let planned = import(&mut items, beads(&[FIRST, reopened]));
    assert!(reasons(&planned)[0].contains("status open in the file is not taken over"));
    let mut left = exported(&items, TrackerFormat::Beads);
    assert_eq!(
        find_tracker_changes(&beads(&[FIRST, reopened]), &mut left, "issues.jsonl").len(),
        1
    );
    // Reopened here as well, both agree.
    items.get_mut(&"b".parse().unwrap()).unwrap().status = ItemStatus::Queued;
    assert_eq!(reasons(&import(&mut items, beads(&[FIRST, reopened]))), [""; 0]);
    // Completed here, while the tracker says less: what is here counts, and is exported.
    items.get_mut(&"b".parse().unwrap()).unwrap().status = ItemStatus::Completed;
    let planned = import(&mut items, beads(&[FIRST, started]));
    assert!(reasons(&planned)[0].contains("it is completed here since then"));
    let mut overruled = exported(&items, TrackerFormat::Beads);
    assert_eq!(find_tracker_changes(&beads(&[FIRST, started]), &mut overruled, "issues.jsonl"), []);
    assert_eq!(export_beads(&items)[1]["status"], "closed");
}

#[test]
fn a_title_may_be_the_key_and_may_be_missing() {
    let text = r#"{"type": "item", "key": "a-1", "title": "a-1"}
{"type": "item", "key": "a-2", "title": null}"#;
    let mut items = Items::new();
    import(&mut items, read_one(TrackerFormat::JsonLines, "a.jsonl", text.as_bytes()));
    let title = |key| item(&items, key).title.as_deref();
    assert_eq!((title("a-1"), title("a-2")), (Some("a-1"), None));
}
