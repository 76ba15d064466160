//! What holds for any file: it comes out as it went in, and work changes only what was worked on.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const KINDS: [&str; 5] = ["blocks", "parent-child", "related", "discovered-from", "tracks"];
const STATUSES: [&str; 7] =
    ["open", "in_progress", "blocked", "closed", "deferred", "tombstone", "someday"];

prop_compose! {
    /// An issue that may depend on any other, on itself and on one that is missing.
    fn issue(id: usize, count: usize)(
        title in "[ -~äß]{1,20}",
        description in proptest::option::of("\\PC{0,30}"),
        status in proptest::sample::select(&STATUSES[..]),
        priority in proptest::option::of(0..6_u8),
        dependencies in proptest::collection::vec((0..=count, 0..KINDS.len()), 0..4),
        unknown in proptest::option::of("[a-z]{0,5}"),
    ) -> Map<String, Value> {
        let mut issue = Map::new();
        issue.insert("id".to_owned(), json!(format!("p-{id}")));
        issue.insert("title".to_owned(), json!(title));
        issue.extend(description.map(|text| ("description".to_owned(), json!(text))));
        issue.insert("status".to_owned(), json!(status));
        issue.extend(priority.map(|rank| ("priority".to_owned(), json!(rank))));
        issue.extend(unknown.map(|text| ("unknown_field".to_owned(), json!({"deep": [text]}))));
        let entries = dependencies.iter().map(|(on, kind)| json!({
            "issue_id": format!("p-{id}"), "depends_on_id": format!("p-{on}"), "type": KINDS[*kind],
        }));
        issue.insert("dependencies".to_owned(), entries.collect());
        issue
    }
}

fn issues() -> impl Strategy<Value = Vec<Map<String, Value>>> {
    (1..12_usize).prop_flat_map(|count| (0..count).map(|id| issue(id, count)).collect::<Vec<_>>())
}

fn to_lines(issues: &[Map<String, Value>]) -> Vec<u8> {
    let lines = issues.iter().map(|issue| Value::Object(issue.clone()).to_string());
    lines.collect::<Vec<_>>().join("\n").into_bytes()
}

fn read(issues: &[Map<String, Value>]) -> TrackerFile {
    read_one(TrackerFormat::Beads, "issues.jsonl", &to_lines(issues))
}

/// Asserts that nothing waits for itself.
fn assert_no_circle(items: &Items) {
    let next = |key: &ItemKey| {
        let item = &items[key];
        let children = items.values().filter(move |other| other.parent.as_ref() == Some(&item.key));
        let children = children.map(|child| child.key.clone());
        item.depends_on.iter().cloned().chain(children).collect::<Vec<_>>()
    };
    let mut edges = BTreeMap::new();
    for key in items.keys() {
        edges.insert(key.clone(), next(key));
    }
    assert_eq!(crate::model::find_cycle(edges.keys(), |key: &ItemKey| &edges[key]), None);
}

#[test]
fn references_of_a_circle_are_dropped_the_same_way_by_each_import() {
    let issue = |id: usize, dependencies: &[(usize, &str)]| {
        let entries = dependencies.iter().map(|(on, kind)| {
            json!({"issue_id": format!("p-{id}"), "depends_on_id": format!("p-{on}"), "type": kind})
        });
        let entries: Vec<Value> = entries.collect();
        let issue = json!({"id": format!("p-{id}"), "title": "a", "status": "open", "dependencies": entries});
        issue.as_object().unwrap().clone()
    };
    let issues = [
        issue(0, &[]),
        issue(1, &[]),
        issue(2, &[(4, "blocks"), (7, "parent-child")]),
        issue(3, &[]),
        issue(4, &[(9, "blocks"), (1, "blocks")]),
        issue(5, &[]),
        issue(6, &[(1, "parent-child"), (7, "blocks")]),
        issue(7, &[(4, "parent-child")]),
        issue(8, &[]),
        issue(9, &[]),
        issue(10, &[]),
    ];
    let mut items = Items::new();
    import(&mut items, read(&issues));
    assert_no_circle(&items);
    assert_eq!(import(&mut items, read(&issues)).changes, []);
    assert_eq!(export_beads(&items), issues);
}

proptest! {
    #[test]
    fn issues_come_out_as_they_went_in(issues in issues()) {
        let mut items = Items::new();
        import(&mut items, read(&issues));
        assert_no_circle(&items);
        prop_assert_eq!(&export_beads(&items), &issues);
        let again = import(&mut items, read(&issues));
        prop_assert_eq!(again.changes, []);
    }

    #[test]
    fn work_changes_only_what_was_worked_on(
        issues in issues(),
        worked in any::<prop::sample::Index>(),
        to in proptest::sample::select(&ItemStatus::ALL[..]),
    ) {
        let mut items = Items::new();
        import(&mut items, read(&issues));
        let worked = worked.index(issues.len());
        let key: ItemKey = format!("p-{worked}").parse().unwrap();
        items.get_mut(&key).unwrap().status = to;
        let after = export_beads(&items);
        for (place, (old, new)) in issues.iter().zip(&after).enumerate() {
            if place != worked {
                prop_assert_eq!(old, new);
            }
        }
        // What was taken back is read as what it is here, and imports without a change of status.
        let mut again = Items::new();
        import(&mut again, read(&after));
        let (here, there) = (&items[&key], &again[&key]);
        if to != ItemStatus::Failed && to != ItemStatus::Cancelled {
            prop_assert_eq!(RecordStatus::from(here.status), RecordStatus::from(there.status));
        }
        // What was deleted is waited for again once it is open, which may close a circle.
        if issues[worked]["status"] != "tombstone" {
            prop_assert_eq!(&here.depends_on, &there.depends_on);
        }
        let before = items[&key].status;
        import(&mut items, read(&after));
        prop_assert!(items[&key].status.rank() >= before.rank());
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in "(\\PC|\n|\\{|\\}|\\[|\\]|\"|:|-|'){0,200}") {
        for format in TrackerFormat::ALL {
            for path in ["a/x.json", "config.yml", "b.md"] {
                let file = SourceFile { path, bytes: text.as_bytes() };
                if let Ok(file) = read_tracker(format, &[file]) {
                    let mut items = Items::new();
                    import(&mut items, file);
                }
            }
        }
    }

    #[test]
    fn a_front_matter_of_any_text_reads_back(title in "\\PC{1,60}", body in "(\\PC|\n){0,80}") {
        let mut items = Items::new();
        let mut new = NewItem::new("T-1".parse().unwrap());
        new.title = Some(title.trim().to_owned()).filter(|title| !title.is_empty());
        new.description = Some(body.trim().to_owned())
            .filter(|body| !body.is_empty() && !body.contains("## ") && !body.contains("<!--"));
        items.insert(new.key.clone(), stored_item(&new));
        let exported = exported(&items, TrackerFormat::Backlog);
        let file = render_backlog_file(&exported.items[0], &exported);
        let read = read_one(TrackerFormat::Backlog, &file.path, file.text.as_bytes());
        prop_assert_eq!(&read.records[0].title, new.title.as_deref().unwrap_or("T-1"));
        prop_assert_eq!(&read.records[0].description, &new.description);
    }
}
