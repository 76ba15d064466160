//! Days of work with a tracker's file: import, work, export, work, export, import.

use proptest::prelude::*;
use serde_json::json;

use super::*;

pub(super) const PLACE: &str = "issues.jsonl";

const WRITTEN: [TrackerFormat; 3] =
    [TrackerFormat::Beads, TrackerFormat::TaskMaster, TrackerFormat::Backlog];

pub(super) type Files = Vec<(String, Vec<u8>)>;

pub(super) fn read(format: TrackerFormat, files: &Files) -> TrackerFile {
    let sources: Vec<SourceFile<'_>> =
        files.iter().map(|(path, bytes)| SourceFile { path, bytes }).collect();
    read_tracker(format, &sources).unwrap()
}

/// Exports over files, as the command does; fails with what it would refuse for.
pub(super) fn export_over(
    items: &mut Items,
    removed: &[Item],
    format: TrackerFormat,
    files: &Files,
    place: &str,
) -> Result<Files, Vec<String>> {
    let mut exported = exported(items, format);
    exported
        .add_removed(removed.iter().filter_map(|item| ItemSource::in_extra(&item.extra, format)));
    let mut given = GivenIds::default();
    if !files.is_empty() {
        let file = read(format, files);
        let changes = find_tracker_changes(&file, &mut exported, place);
        if !changes.is_empty() {
            return Err(changes.into_iter().map(|change| change.problem).collect());
        }
        let members = serde_json::from_slice(&files[0].1).unwrap_or_default();
        given = find_given_ids(&file, members);
    }
    let written = match format {
        TrackerFormat::Beads => {
            let issues = exported.items.iter().map(|item| render_beads_issue(item, &exported));
            let lines = issues.map(|issue| format!("{}\n", Value::Object(issue)));
            vec![("issues.jsonl".to_owned(), lines.collect::<String>().into_bytes())]
        }
        TrackerFormat::TaskMaster => {
            let file = render_task_master(&mut exported, &given);
            vec![("tasks.json".to_owned(), file.to_string().into_bytes())]
        }
        _ => {
            let files = exported.items.iter().map(|item| render_backlog_file(item, &exported));
            files.map(|file| (format!("backlog/{}", file.path), file.text.into_bytes())).collect()
        }
    };
    let provenance = Provenance::new("user", "export");
    let memory = remember_export(read(format, &written), &exported, place, &provenance);
    apply(items, &memory);
    Ok(written)
}

fn started(format: TrackerFormat) -> (Items, Files) {
    let files: Files = match format {
        TrackerFormat::Beads => {
            vec![("issues.jsonl".to_owned(), fixture("beads/issues.jsonl"))]
        }
        TrackerFormat::TaskMaster => {
            vec![("tasks.json".to_owned(), fixture("taskmaster/tasks.json"))]
        }
        _ => ["1 - Lights-of-the-pier", "2 - Paint"]
            .iter()
            .enumerate()
            .map(|(number, name)| {
                let text = format!("---\nid: TASK-{number}\ntitle: {name}\nstatus: To Do\n---\n");
                (format!("backlog/tasks/task-{name}.md"), text.into_bytes())
            })
            .collect(),
    };
    let mut items = Items::new();
    import(&mut items, read(format, &files));
    (items, files)
}

pub(super) fn own_item(key: &str) -> Item {
    let mut item = stored_item(&NewItem::new(key.parse().unwrap()));
    item.repo = Some("harbour".to_owned());
    item
}

/// One thing that a person does to an item.
#[derive(Debug, Clone)]
enum Work {
    Title(String),
    Describe(Option<String>),
    Status(ItemStatus),
    Priority(u8),
    Depend(prop::sample::Index),
    Move(Option<prop::sample::Index>),
    Add,
    Remove,
}

fn work() -> impl Strategy<Value = Vec<(prop::sample::Index, Work)>> {
    let one = prop_oneof![
        "[a-zäß日 ]{1,8}x".prop_map(Work::Title),
        proptest::option::of("[a-z]{1,8}").prop_map(Work::Describe),
        proptest::sample::select(&ItemStatus::ALL[..]).prop_map(Work::Status),
        (0..5_u8).prop_map(Work::Priority),
        any::<prop::sample::Index>().prop_map(Work::Depend),
        any::<Option<prop::sample::Index>>().prop_map(Work::Move),
        Just(Work::Add),
        Just(Work::Remove),
    ];
    proptest::collection::vec((any::<prop::sample::Index>(), one), 0..5)
}

/// Tells whether one item waits for another, or is it: for its dependencies and its children.
fn waits_for(items: &Items, item: &ItemKey, other: &ItemKey) -> bool {
    let mut open = vec![item];
    let mut seen = std::collections::BTreeSet::new();
    while let Some(key) = open.pop() {
        let is_child = |child: &&Item| child.parent.as_ref() == Some(key);
        open.extend(items[key].depends_on.iter().filter(|on| seen.insert(*on)));
        let children = items.values().filter(is_child).map(|child| &child.key);
        open.extend(children.filter(|child| seen.insert(*child)));
    }
    item == other || seen.contains(other)
}

fn carry_out(items: &mut Items, removed: &mut Vec<Item>, work: Vec<(prop::sample::Index, Work)>) {
    for (which, work) in work {
        let keys: Vec<ItemKey> = items.keys().cloned().collect();
        let key = keys[which.index(keys.len())].clone();
        let item = items.get_mut(&key).unwrap();
        match work {
            Work::Title(title) => item.title = Some(title.trim().to_owned()),
            Work::Describe(description) => item.description = description,
            Work::Status(status) => item.status = status,
            Work::Priority(rank) => item.priority = i64::from(rank).try_into().ok(),
            Work::Depend(on) => {
                let on = keys[on.index(keys.len())].clone();
                let is_new = !item.depends_on.contains(&on);
                if is_new && !waits_for(items, &on, &key) {
                    let item = items.get_mut(&key).unwrap();
                    item.depends_on.push(on);
                    item.depends_on.sort();
                }
            }
            Work::Move(parent) => {
                let parent = parent.map(|parent| keys[parent.index(keys.len())].clone());
                item.parent = None;
                let closes = |parent: &ItemKey| waits_for(items, &key, parent);
                let parent = parent.filter(|parent| !closes(parent));
                items.get_mut(&key).unwrap().parent = parent;
            }
            Work::Add => {
                let new = own_item(&format!("zz-{}", keys.len() + removed.len()));
                items.insert(new.key.clone(), new);
            }
            Work::Remove => {
                let is_used = items.values().any(|other| {
                    other.depends_on.contains(&key) || other.parent.as_ref() == Some(&key)
                });
                if !is_used && items.len() > 1 {
                    removed.extend(items.remove(&key));
                }
            }
        }
    }
}

/// What of an item an import must not touch.
fn essence(items: &Items) -> Vec<Value> {
    let essence = |item: &Item| {
        json!([
            item.key,
            item.title,
            item.description,
            item.status,
            item.priority,
            item.parent,
            item.depends_on
        ])
    };
    items.values().map(essence).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_an_export_wrote_is_replaced_by_the_next_and_imported_as_nothing_new(
        format in proptest::sample::select(&WRITTEN[..]),
        first in work(),
        second in work(),
    ) {
        let (mut items, files) = started(format);
        let mut removed = Vec::new();
        carry_out(&mut items, &mut removed, first);
        let written = export_over(&mut items, &removed, format, &files, PLACE);
        let files = written.map_err(|problems| TestCaseError::fail(problems.join("; ")))?;
        carry_out(&mut items, &mut removed, second);
        let written = export_over(&mut items, &removed, format, &files, PLACE);
        let files = written.map_err(|problems| TestCaseError::fail(problems.join("; ")))?;
        let before = essence(&items);
        let planned = import(&mut items, read(format, &files));
        prop_assert_eq!(&planned.changes, &[]);
        prop_assert!(planned.import.added.is_empty());
        prop_assert_eq!(essence(&items), before);
        // The third time everything is as it was.
        let again = export_over(&mut items, &removed, format, &files, PLACE);
        prop_assert!(again.unwrap() == files);
    }
}

#[test]
fn a_record_that_somebody_else_changed_since_the_export_is_not_replaced() {
    for format in WRITTEN {
        let (mut items, files) = started(format);
        let first = items.keys().next().unwrap().clone();
        items.get_mut(&first).unwrap().title = Some("Mine".to_owned());
        let files = export_over(&mut items, &[], format, &files, PLACE).unwrap();
        let theirs = |(path, bytes): &(String, Vec<u8>)| {
            let text = String::from_utf8(bytes.clone()).unwrap().replace("Mine", "Theirs");
            (path.clone(), text.into_bytes())
        };
        let changed = files.iter().map(theirs).collect();
        items.get_mut(&first).unwrap().description = Some("more".to_owned());
        let refused = export_over(&mut items, &[], format, &changed, PLACE);
        assert_eq!(refused.unwrap_err().len(), 1, "{format}");
        let planned = import(&mut items, read(format, &changed));
        assert!(planned.changes[0].1[0].contains("\"Mine\" -> \"Theirs\""), "{format}");
        assert_eq!(items[&first].description.as_deref(), Some("more"), "{format}");
        export_over(&mut items, &[], format, &changed, PLACE).unwrap();
    }
}

#[test]
fn a_record_that_somebody_else_removed_is_said_before_it_is_written_again() {
    for format in [TrackerFormat::Beads, TrackerFormat::TaskMaster] {
        let (mut items, files) = started(format);
        let new = own_item("zz");
        items.insert(new.key.clone(), new.clone());
        export_over(&mut items, &[], format, &files, PLACE).unwrap();
        let refused = export_over(&mut items, &[], format, &files, PLACE).unwrap_err();
        assert!(refused[0].ends_with("is not in it any more"), "{refused:?}");
        let count = items.len();
        assert_eq!(
            import(&mut items, read(format, &files)).missing,
            std::slice::from_ref(&new.key)
        );
        assert_eq!(items.len(), count);
        assert_eq!(import(&mut items, read(format, &files)).missing, []);
        let files = export_over(&mut items, &[], format, &files, PLACE).unwrap();
        assert_eq!(import(&mut items, read(format, &files)).changes, []);
        export_over(&mut items, &[], format, &files, PLACE).unwrap();
    }
}

#[test]
fn a_copy_that_an_export_wrote_is_known_and_the_file_of_the_tracker_stays_the_base() {
    for format in WRITTEN {
        let (mut items, files) = started(format);
        let first = items.keys().next().unwrap().clone();
        items.get_mut(&first).unwrap().title = Some("Mine".to_owned());
        let mut copy = Files::new();
        for _ in 0..2 {
            copy = export_over(&mut items, &[], format, &copy, "copy").unwrap();
            let title = Some(format!("Mine {}", copy.len()));
            items.get_mut(&first).unwrap().title.clone_from(&title);
        }
        // Neither the old file nor the copy takes anything back.
        for files in [&files, &copy] {
            let planned = import(&mut items, read(format, files));
            assert_eq!(planned.changes, [], "{format}");
        }
        assert!(items[&first].title.as_ref().unwrap().starts_with("Mine "), "{format}");
    }
}

#[test]
fn an_older_copy_of_the_file_takes_nothing_back_and_is_brought_up_to_date() {
    for format in WRITTEN {
        let (mut items, old) = started(format);
        let first = items.keys().next().unwrap().clone();
        let mut files = old.clone();
        // More exports than one, each of which leaves an older copy behind.
        for title in ["Mine", "Mine still"] {
            items.get_mut(&first).unwrap().title = Some(title.to_owned());
            let older = files;
            files = export_over(&mut items, &[], format, &older, PLACE).unwrap();
            let before = essence(&items);
            for copy in [&old, &older] {
                let planned = import(&mut items, read(format, copy));
                assert_eq!((planned.changes.as_slice(), reasons(&planned).len()), (&[][..], 0));
                assert_eq!(planned.outdated, std::slice::from_ref(&first), "{format}");
                assert_eq!(essence(&items), before, "{format}");
                let again = export_over(&mut items, &[], format, copy, PLACE);
                assert!(again.unwrap() == files, "{format}");
            }
        }
        assert_eq!(import(&mut items, read(format, &files)).outdated, [], "{format}");
    }
}

#[test]
fn what_somebody_else_wrote_is_kept_where_an_older_copy_is_imported() {
    let format = TrackerFormat::Beads;
    let line = |more: &str| format!("{{\"id\":\"a\",\"title\":\"A\"{more}}}\n").into_bytes();
    let file = |more: &str| vec![("issues.jsonl".to_owned(), line(more))];
    let (old, new) = (file(""), file(",\"notes\":\"theirs\",\"status\":\"closed\""));
    let mut items = Items::new();
    import(&mut items, read(format, &old));
    import(&mut items, read(format, &new));
    let planned = import(&mut items, read(format, &old));
    assert_eq!((planned.changes.len(), planned.outdated.len()), (0, 1));
    let files = export_over(&mut items, &[], format, &old, PLACE).unwrap();
    assert!(files == new);
}

#[test]
fn earlier_records_are_remembered_up_to_a_bound() {
    let format = TrackerFormat::Beads;
    let mut items = Items::new();
    let read_number = |number: u32| {
        let line = format!("{{\"id\":\"a\",\"title\":\"A {number}\"}}\n").into_bytes();
        read(format, &vec![("issues.jsonl".to_owned(), line)])
    };
    for number in 0..40 {
        import(&mut items, read_number(number));
    }
    let seen = &item(&items, "a").extra["source"]["seen"];
    assert_eq!(seen.as_array().unwrap().len(), 16);
    assert_eq!(import(&mut items, read_number(30)).outdated.len(), 1);
    assert_eq!(import(&mut items, read_number(3)).changes.len(), 1);
}

#[test]
fn an_item_of_one_tracker_is_the_same_item_in_another() {
    for from in WRITTEN {
        for to in WRITTEN.into_iter().filter(|to| *to != from) {
            let (mut items, _) = started(from);
            let count = items.len();
            let files = export_over(&mut items, &[], to, &Files::new(), "there").unwrap();
            let planned = import(&mut items, read(to, &files));
            assert_eq!((planned.changes, items.len()), (Vec::new(), count), "{from} {to}");
            // Work goes to both, and comes from both.
            let first = items.keys().next().unwrap().clone();
            items.get_mut(&first).unwrap().title = Some("Mine".to_owned());
            let files = export_over(&mut items, &[], to, &files, "there").unwrap();
            let text = String::from_utf8(files.iter().flat_map(|file| file.1.clone()).collect());
            assert!(text.unwrap().contains("Mine"), "{from} {to}");
            // Even where nothing was remembered, as of an export to stdout.
            for item in items.values_mut() {
                item.extra.shift_remove("links");
            }
            let planned = import(&mut items, read(to, &files));
            assert_eq!(planned.import.added.len(), 0, "{from} {to}");
            assert_eq!(items.len(), count, "{from} {to}");
        }
    }
}

#[test]
fn a_status_that_was_set_back_is_exported_once_the_item_is_reopened() {
    for format in WRITTEN {
        let (mut items, files) = started(format);
        let new = own_item("zz");
        items.insert(new.key.clone(), new.clone());
        let open = export_over(&mut items, &[], format, &files, PLACE).unwrap();
        items.get_mut(&new.key).unwrap().status = ItemStatus::Completed;
        export_over(&mut items, &[], format, &open, PLACE).unwrap();
        // Somebody sets the status back, which is not the file as it was.
        let rename = |(path, bytes): (String, Vec<u8>)| {
            let text = String::from_utf8(bytes).unwrap();
            let text = text.replace("\"title\":\"zz\"", "\"title\":\"yy\"");
            (path, text.replace("title: zz", "title: yy").into_bytes())
        };
        let open: Files = open.into_iter().map(rename).collect();
        assert_eq!(export_over(&mut items, &[], format, &open, PLACE).unwrap_err().len(), 1);
        let planned = import(&mut items, read(format, &open));
        let reasons = reasons(&planned).join("\n");
        assert!(reasons.contains("`trueup item reopen zz --reason "), "{format}: {reasons}");
        assert_eq!(items[&new.key].status, ItemStatus::Completed);
        assert!(export_over(&mut items, &[], format, &open, PLACE).is_err(), "{format}");
        items.get_mut(&new.key).unwrap().status = ItemStatus::Queued;
        let back = export_over(&mut items, &[], format, &open, PLACE).unwrap();
        assert_eq!(read(format, &back).records, read(format, &open).records, "{format}");
    }
}

#[test]
fn a_dependency_on_another_list_of_task_master_names_it() {
    let text = br#"{"master":{"tasks":[{"id":1,"title":"a"}]},"x":{"tasks":[{"id":1,"title":"b"},{"id":2,"title":"c","dependencies":[1]}]}}"#;
    let mut items = Items::new();
    import(&mut items, read_one(TrackerFormat::TaskMaster, "tasks.json", text));
    let mut new = own_item("zz");
    new.depends_on = vec!["1".parse().unwrap(), "x:1".parse().unwrap()];
    items.insert(new.key.clone(), new);
    items.get_mut(&"x:2".parse().unwrap()).unwrap().depends_on =
        vec!["1".parse().unwrap(), "x:1".parse().unwrap()];
    let files = vec![("tasks.json".to_owned(), text.to_vec())];
    let format = TrackerFormat::TaskMaster;
    let files = export_over(&mut items, &[], format, &files, PLACE).unwrap();
    let file: Value = serde_json::from_slice(&files[0].1).unwrap();
    assert_eq!(file["master"]["tasks"][1]["dependencies"], json!([1, "x:1"]));
    assert_eq!(file["x"]["tasks"][1]["dependencies"], json!([1, "master:1"]));
    assert_eq!(import(&mut items, read(format, &files)).changes, []);
}
