//! What an export wrote comes back as what it was, and what it would destroy is seen.

use super::*;
use crate::model::ItemPriority;

fn own_item(key: &str) -> Item {
    let mut item = stored_item(&NewItem::new(key.parse().unwrap()));
    item.repo = Some("harbour".to_owned());
    item
}

fn own_items() -> Items {
    let mut items = Items::new();
    for key in ["NEW-1", "NEW-2"] {
        items.insert(key.parse().unwrap(), own_item(key));
    }
    items.get_mut(&"NEW-2".parse().unwrap()).unwrap().depends_on = vec!["NEW-1".parse().unwrap()];
    items
}

fn files(items: &Items, format: TrackerFormat, given: &GivenIds) -> Vec<(String, Vec<u8>)> {
    let mut exported = exported(items, format);
    match format {
        TrackerFormat::Beads => {
            let lines = export_beads(items).into_iter().map(|issue| {
                let line = serde_json::to_string(&issue).unwrap();
                format!("{line}\n")
            });
            vec![("issues.jsonl".to_owned(), lines.collect::<String>().into_bytes())]
        }
        TrackerFormat::TaskMaster => {
            let file = render_task_master(&mut exported, given);
            vec![("tasks.json".to_owned(), file.to_string().into_bytes())]
        }
        _ => exported
            .items
            .iter()
            .map(|item| render_backlog_file(item, &exported))
            .map(|file| (format!("backlog/{}", file.path), file.text.into_bytes()))
            .collect(),
    }
}

fn read(format: TrackerFormat, files: &[(String, Vec<u8>)]) -> TrackerFile {
    let sources: Vec<SourceFile<'_>> =
        files.iter().map(|(path, bytes)| SourceFile { path, bytes }).collect();
    read_tracker(format, &sources).unwrap()
}

fn problems(items: &Items, file: &TrackerFile) -> Vec<String> {
    let changes = find_tracker_changes(file, &mut exported(items, file.format), "issues.jsonl");
    changes.into_iter().map(|change| change.problem).collect()
}

const WRITTEN: [TrackerFormat; 3] =
    [TrackerFormat::Beads, TrackerFormat::TaskMaster, TrackerFormat::Backlog];

#[test]
fn an_item_that_an_export_wrote_is_the_same_item_from_then_on() {
    for format in WRITTEN {
        let mut items = own_items();
        let written = files(&items, format, &GivenIds::default());
        let file = read(format, &written);
        assert_eq!(problems(&items, &file), [""; 0], "{format}");
        let planned = import(&mut items, file);
        assert_eq!(planned.changes, [], "{format}");
        assert_eq!((planned.import.added.len(), planned.unchanged.len()), (0, 2), "{format}");
        assert_eq!(item(&items, "NEW-1").extra["source"]["format"], format.as_str());
        let again = import(&mut items, read(format, &written));
        assert!(again.import.changed.is_empty(), "{format}: {:?}", again.changes);
        assert_eq!(files(&items, format, &GivenIds::default()), written, "{format}");
    }
}

#[test]
fn an_item_that_changed_since_the_export_keeps_what_is_here() {
    for format in WRITTEN {
        let mut items = own_items();
        let written = files(&items, format, &GivenIds::default());
        let first = items.get_mut(&"NEW-1".parse().unwrap()).unwrap();
        first.title = Some("Mine".to_owned());
        first.status = ItemStatus::Completed;
        first.updated_at = "2100-01-01T00:00:00Z".parse().unwrap();
        let planned = import(&mut items, read(format, &written));
        assert_eq!(planned.changes, [], "{format}");
        assert_eq!(item(&items, "NEW-1").title.as_deref(), Some("Mine"));
        assert_eq!(item(&items, "NEW-1").status, ItemStatus::Completed);
    }
}

#[test]
fn an_item_added_later_moves_no_number_of_task_master() {
    let mut items = own_items();
    let written = read(
        TrackerFormat::TaskMaster,
        &files(&items, TrackerFormat::TaskMaster, &GivenIds::default()),
    );
    // It sorts before the others, and was added before them.
    items.insert("A-0".parse().unwrap(), own_item("A-0"));
    let given = find_given_ids(&written, Map::new());
    let file = read(TrackerFormat::TaskMaster, &files(&items, TrackerFormat::TaskMaster, &given));
    for record in &written.records {
        let same = file.records.iter().find(|known| known.id == record.id).unwrap();
        assert_eq!(same.original["metadata"], record.original["metadata"]);
    }
    assert_eq!(file.records.len(), 3);
}

#[test]
fn what_the_file_has_besides_tasks_of_task_master_stays() {
    let text = br#"{"master":{"tasks":[{"id":1,"title":"t"}]},"empty":{"tasks":[]},"note":7}"#;
    let file = read_one(TrackerFormat::TaskMaster, "tasks.json", text);
    let mut items = Items::new();
    import(&mut items, file.clone());
    let given = find_given_ids(&file, serde_json::from_slice(text).unwrap());
    let back = render_task_master(&mut exported(&items, TrackerFormat::TaskMaster), &given);
    assert_eq!(back, serde_json::from_slice::<Value>(text).unwrap());
    assert_eq!(problems(&items, &file), [""; 0]);
}

#[test]
fn what_an_export_would_destroy_is_listed() {
    let first = r#"{"id":"a","title":"A","status":"open"}"#;
    let mut items = Items::new();
    import(&mut items, read_one(TrackerFormat::Beads, "i", first.as_bytes()));
    let text = [
        r#"{"id":"a","title":"A","status":"open","comments":[1]}"#,
        r#"{"id":"b","title":"B"}"#,
        r#"{"id":"b","title":"B again"}"#,
        r#"{"id":"#,
        r#"{"title":"no id"}"#,
    ];
    let file = read_one(TrackerFormat::Beads, "i", text.join("\n").as_bytes());
    let found = problems(&items, &file);
    assert_eq!(
        found[..3],
        ["a differs in comments", "b was not imported", "duplicate id b; the first one counts"]
    );
    assert!(found[3].starts_with("does not parse") && found[4] == "no id", "{found:?}");
    import(&mut items, file.clone());
    assert_eq!(problems(&items, &file).len(), 3);
}

#[test]
fn a_priority_without_a_word_comes_back_as_it_was() {
    for format in WRITTEN {
        for rank in [None, Some(0), Some(1), Some(2), Some(3), Some(4)] {
            let mut items = own_items();
            let written = files(&items, format, &GivenIds::default());
            import(&mut items, read(format, &written));
            let priority = rank.map(|rank: i64| ItemPriority::try_from(rank).unwrap());
            items.get_mut(&"NEW-1".parse().unwrap()).unwrap().priority = priority;
            let written = files(&items, format, &GivenIds::default());
            let planned = import(&mut items, read(format, &written));
            let fields = planned.changes.iter().flat_map(|(_, lines)| lines);
            let fields: Vec<&String> = fields.filter(|line| line.starts_with("priority")).collect();
            assert_eq!(fields, [""; 0], "{format} {rank:?}");
            assert_eq!(item(&items, "NEW-1").priority, priority, "{format}");
        }
    }
}

#[test]
fn a_file_of_backlog_goes_back_to_its_folder() {
    let text = |id: &str| format!("---\nid: {id}\ntitle: t\n---\n").into_bytes();
    let places = ["tasks/a.md", "drafts/b.md", "completed/c.md", "archive/tasks/d.md"];
    let written: Vec<(String, Vec<u8>)> =
        places.iter().map(|place| (format!("/x/backlog/{place}"), text(place))).collect();
    let mut items = Items::new();
    import(&mut items, read(TrackerFormat::Backlog, &written));
    let back = files(&items, TrackerFormat::Backlog, &GivenIds::default());
    let mut back: Vec<&str> = back.iter().map(|(path, _)| path.as_str()).collect();
    back.sort_unstable();
    assert_eq!(
        back,
        [
            "backlog/archive/tasks/d.md",
            "backlog/completed/c.md",
            "backlog/drafts/b.md",
            "backlog/tasks/a.md"
        ]
    );
    // One that somebody moved is written where it is now.
    let mut moved = written;
    moved[0].0 = "/x/backlog/completed/a.md".to_owned();
    let file = read(TrackerFormat::Backlog, &moved);
    let mut now = exported(&items, TrackerFormat::Backlog);
    assert_eq!(find_tracker_changes(&file, &mut now, "issues.jsonl"), []);
    let places: Vec<String> =
        now.items.iter().map(|item| render_backlog_file(item, &now).path).collect();
    assert!(places.contains(&"completed/a.md".to_owned()), "{places:?}");
    assert!(!places.contains(&"tasks/a.md".to_owned()), "{places:?}");
}

#[test]
fn a_description_with_headings_is_replaced_as_a_whole() {
    let format = TrackerFormat::Backlog;
    let mut items = own_items();
    let key: ItemKey = "NEW-1".parse().unwrap();
    items.get_mut(&key).unwrap().description = Some("intro\n\n## Part\n\nbody".to_owned());
    let written = files(&items, format, &GivenIds::default());
    import(&mut items, read(format, &written));
    assert_eq!(items[&key].description.as_deref(), Some("intro\n\n## Part\n\nbody"));
    items.get_mut(&key).unwrap().description = Some("short".to_owned());
    let edited = files(&items, format, &GivenIds::default());
    let text = |files: &[(String, Vec<u8>)]| String::from_utf8(files[0].1.clone()).unwrap();
    assert_eq!(text(&edited), text(&written).replace("intro\n\n## Part\n\nbody", "short"));
    assert!(text(&edited).contains("\n\n<!-- SECTION:DESCRIPTION:BEGIN -->\nshort\n"));
}
