//! What is read of files as the trackers write them, and that they come out as they were.

use super::*;
use crate::model::PlanTaskStatus;
use crate::plan::ParsedPlan;

fn backlog_files() -> Vec<(String, Vec<u8>)> {
    let names = [
        "backlog/tasks/task-1 - Lights-of-the-pier.md",
        "backlog/tasks/task-1.1 - Order-lamps.md",
        "backlog/tasks/task-2 - Wire-the-lamps.md",
        "backlog/config.yml",
    ];
    names.into_iter().map(|name| (name.to_owned(), fixture(name))).collect()
}

fn read_backlog() -> TrackerFile {
    let files = backlog_files();
    let sources: Vec<_> = files.iter().map(|(path, bytes)| SourceFile { path, bytes }).collect();
    read_tracker(TrackerFormat::Backlog, &sources).unwrap()
}

fn client_tasks() -> TrackerFile {
    let names = ["client-tasks/1.json", "client-tasks/10.json", "client-tasks/2.json"];
    let files: Vec<_> = names.iter().map(|name| (*name, fixture(name))).collect();
    let sources: Vec<_> = files.iter().map(|(path, bytes)| SourceFile { path, bytes }).collect();
    read_tracker(TrackerFormat::ClientTasks, &sources).unwrap()
}

#[test]
fn issues_of_beads_keep_all_they_have() {
    let bytes = fixture("beads/issues.jsonl");
    let mut items = Items::new();
    let planned = import(&mut items, read_one(TrackerFormat::Beads, "issues.jsonl", &bytes));
    assert_eq!(reasons(&planned), [""; 0]);
    let measured = item(&items, "bk-e1.1");
    assert_eq!(measured.parent.as_ref().unwrap().as_str(), "bk-e1");
    assert_eq!(measured.status, ItemStatus::Completed);
    assert_eq!(measured.priority.unwrap().number(), 0);
    let reason = planned.import.added[1].reason.as_ref().unwrap().to_string();
    assert!(reason.contains("2026-03-04T12:30:00.000Z: Merged as change 12"), "{reason}");
    let warned = item(&items, "bk-e1.2");
    assert_eq!((warned.kind.as_str(), warned.status), ("feature", ItemStatus::Running));
    assert_eq!(keys(&warned.depends_on), ["bk-e1.1"]);
    let statuses = ["bk-z9", "bk-d1", "bk-t1"].map(|key| item(&items, key).status);
    assert_eq!(statuses, [ItemStatus::Blocked, ItemStatus::Blocked, ItemStatus::Cancelled]);
    assert_eq!(export_beads(&items), parse_lines(&bytes));
}

#[test]
fn an_array_of_issues_is_read_like_their_lines() {
    let bytes = fixture("beads/issues.jsonl");
    let array = serde_json::to_vec_pretty(&parse_lines(&bytes)).unwrap();
    let of_lines = read_one(TrackerFormat::Beads, "issues.jsonl", &bytes);
    let mut of_array = read_one(TrackerFormat::Beads, "issues.json", &array);
    assert!(of_array.records[1].line > 10);
    for (one, other) in of_array.records.iter_mut().zip(&of_lines.records) {
        one.line = other.line;
    }
    assert_eq!(of_array, of_lines);
}

#[test]
fn a_worked_issue_has_only_what_changed_changed() {
    let bytes = fixture("beads/issues.jsonl");
    let mut items = Items::new();
    import(&mut items, read_one(TrackerFormat::Beads, "issues.jsonl", &bytes));
    let worked = items.get_mut(&"bk-e1.2".parse().unwrap()).unwrap();
    worked.status = ItemStatus::Completed;
    worked.evidence = Some("change 13".to_owned());
    worked.depends_on = vec!["bk-d1".parse().unwrap()];
    let before = parse_lines(&bytes);
    let after = export_beads(&items);
    for (old, new) in before.iter().zip(&after) {
        if old["id"] != "bk-e1.2" {
            assert_eq!(old, new);
        }
    }
    let (old, mut new) = (&before[2], after[2].clone());
    assert_eq!(new["status"], "closed");
    assert_eq!(new["close_reason"], "change 13");
    let on: Vec<&Value> = new["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["depends_on_id"])
        .collect();
    assert_eq!(on, ["bk-e1", "bk-z9", "bk-d1"]);
    for changed in ["status", "closed_at", "close_reason", "dependencies", "updated_at"] {
        new.shift_remove(changed);
    }
    assert!(new.iter().all(|(key, value)| old.get(key) == Some(value)), "{new:?}");
}

#[test]
fn broken_issues_are_named_and_the_others_imported() {
    let bytes = fixture("beads/broken.jsonl");
    let mut items = Items::new();
    let planned = import(&mut items, read_one(TrackerFormat::Beads, "broken.jsonl", &bytes));
    let expected = [
        "2: does not parse",
        "3: not an object",
        "4: no id",
        "5: duplicate id ok-1",
        "6: a record of type memory",
        "7: status someday is not known",
        "7: priority is not one of 0 to 4",
        "7: 1 of its dependencies name no issue",
        "7: it depends on gone-1, which is not in the file",
        "7: it depends on odd-1, which is itself",
        "9: the dependency on ring-1 closes a circle",
    ];
    let reasons = reasons(&planned);
    assert_eq!(reasons.len(), expected.len(), "{reasons:#?}");
    for (reason, expected) in reasons.iter().zip(expected) {
        assert!(reason.starts_with(expected), "{reason} is not {expected}");
    }
    let names: Vec<&str> = items.keys().map(ItemKey::as_str).collect();
    assert_eq!(names, ["n-me-with-space", "odd-1", "ok-1", "ring-1", "ring-2"]);
}

#[test]
fn tasks_of_task_master_have_parents_tags_and_cross_dependencies() {
    let bytes = fixture("taskmaster/tasks.json");
    let mut items = Items::new();
    let planned = import(&mut items, read_one(TrackerFormat::TaskMaster, "tasks.json", &bytes));
    assert_eq!(reasons(&planned), [""; 0]);
    let lines = item(&items, "1.2");
    assert_eq!(lines.parent.as_ref().unwrap().as_str(), "1");
    // The number is the sibling, the text is the task beside the parent.
    assert_eq!(keys(&lines.depends_on), ["1.1", "2"]);
    assert_eq!(keys(&item(&items, "3").depends_on), ["1.2", "2"]);
    assert_eq!(item(&items, "2").status, ItemStatus::Running);
    assert_eq!(item(&items, "3").status, ItemStatus::Blocked);
    assert_eq!(item(&items, "night-mode:1").status, ItemStatus::Cancelled);
    let back =
        render_task_master(&mut exported(&items, TrackerFormat::TaskMaster), &GivenIds::default());
    assert_eq!(back, serde_json::from_slice::<Value>(&bytes).unwrap());
}

#[test]
fn subtasks_may_be_texts() {
    let text = r#"{"tasks":[{"id":1,"title":"a","status":"todo","subtasks":["b","c"]},
        {"id":2,"title":"d","status":"done","subtasks":["e",7]}]}"#;
    let mut items = Items::new();
    let read = read_one(TrackerFormat::TaskMaster, "tasks.json", text.as_bytes());
    assert_eq!(reasons(&import(&mut items, read)), ["2: not an object"]);
    let second = item(&items, "1.2");
    assert_eq!(second.parent.as_ref().unwrap().as_str(), "1");
    assert_eq!((second.title.as_deref(), second.status), (Some("c"), ItemStatus::Queued));
    assert_eq!(item(&items, "2.1").status, ItemStatus::Completed);
    let back =
        render_task_master(&mut exported(&items, TrackerFormat::TaskMaster), &GivenIds::default());
    let subtasks = |task: usize| back["tasks"][task]["subtasks"].to_string();
    assert_eq!((subtasks(0), subtasks(1)), (r#"["b","c"]"#.into(), r#"["e"]"#.into()));
}

#[test]
fn a_file_without_tags_comes_out_without_tags() {
    let bytes = fixture("taskmaster/untagged.json");
    let mut items = Items::new();
    import(&mut items, read_one(TrackerFormat::TaskMaster, "tasks.json", &bytes));
    let back =
        render_task_master(&mut exported(&items, TrackerFormat::TaskMaster), &GivenIds::default());
    assert_eq!(back, serde_json::from_slice::<Value>(&bytes).unwrap());
}

#[test]
fn a_new_item_becomes_a_task_with_the_next_number() {
    let bytes = fixture("taskmaster/tasks.json");
    let mut items = Items::new();
    import(&mut items, read_one(TrackerFormat::TaskMaster, "tasks.json", &bytes));
    for (key, parent, on) in [("NEW", None, "3"), ("NEW-1", Some("1"), "NEW")] {
        let mut new = NewItem::new(key.parse().unwrap());
        new.parent = parent.map(|parent| parent.parse().unwrap());
        new.depends_on = vec![on.parse().unwrap()];
        items.insert(new.key.clone(), stored_item(&new));
    }
    let back =
        render_task_master(&mut exported(&items, TrackerFormat::TaskMaster), &GivenIds::default());
    let tasks = &back["master"]["tasks"];
    assert_eq!((&tasks[3]["id"], &tasks[3]["title"]), (&4.into(), &"NEW".into()));
    assert_eq!(tasks[0]["subtasks"][2]["id"], 3);
    assert_eq!(tasks[0]["subtasks"][2]["dependencies"], serde_json::json!(["4"]));
}

#[test]
fn what_is_no_list_of_tasks_is_refused() {
    for text in ["", "[]", "{}", "{\"tasks\": 1}", "{\"master\": {\"tasks\": {}}}"] {
        let file = SourceFile { path: "tasks.json", bytes: text.as_bytes() };
        assert!(read_tracker(TrackerFormat::TaskMaster, &[file]).is_err(), "{text}");
    }
}

#[test]
fn files_of_backlog_keep_order_status_and_every_byte() {
    let mut items = Items::new();
    let planned = import(&mut items, read_backlog());
    assert_eq!(reasons(&planned), [""; 0]);
    let pier = item(&items, "TASK-1");
    let description = pier.description.as_deref().unwrap();
    assert!(description.starts_with("All lamps") && description.ends_with("on the left."));
    let order = item(&items, "TASK-1.1");
    assert_eq!(
        order.title.as_deref(),
        Some("Order the lamps for the pier from the only maker who still has the old thread")
    );
    assert_eq!((order.status, order.position), (ItemStatus::Running, Some(3)));
    assert_eq!(keys(&item(&items, "task-2").depends_on), ["TASK-1", "TASK-1.1"]);
    let exported = exported(&items, TrackerFormat::Backlog);
    for (path, bytes) in backlog_files().iter().take(3) {
        let name = path.strip_prefix("backlog/").unwrap();
        let files = exported.items.iter().map(|item| render_backlog_file(item, &exported));
        let file = files.into_iter().find(|file| file.path == name).unwrap();
        assert_eq!(file.text.as_bytes(), bytes);
    }
}

#[test]
fn a_worked_file_of_backlog_differs_in_the_lines_that_changed() {
    let mut items = Items::new();
    import(&mut items, read_backlog());
    let wire = items.get_mut(&"task-2".parse().unwrap()).unwrap();
    wire.status = ItemStatus::Completed;
    wire.title = Some("Wire: all lamps".to_owned());
    wire.description = Some("Copper.".to_owned());
    wire.depends_on = vec!["TASK-1".parse().unwrap()];
    let exported = exported(&items, TrackerFormat::Backlog);
    let wire = exported.items.iter().find(|item| item.item.key.as_str() == "task-2").unwrap();
    let text = render_backlog_file(wire, &exported).text;
    assert_eq!(
        text,
        "---\nid: task-2\ntitle: 'Wire: all lamps'\nstatus: Done\ncreated_date: 2026-04-02\n\
         dependencies:\n  - TASK-1\npriority: low\nordinal: 2000\ncustom_field: kept as it is\n\
         ---\n\n## Description\n\nCopper.\n"
    );
}

#[test]
fn lists_of_the_client_wait_for_each_other_in_both_directions() {
    let mut items = Items::new();
    let planned = import(&mut items, client_tasks());
    assert_eq!(reasons(&planned), [""; 0]);
    assert_eq!(keys(&item(&items, "client-tasks:2").depends_on), ["client-tasks:1"]);
    assert_eq!(keys(&item(&items, "client-tasks:10").depends_on), ["client-tasks:2"]);
    assert_eq!(item(&items, "client-tasks:10").position, Some(3));
}

#[test]
fn every_tracker_makes_a_plan() {
    let beads = fixture("beads/issues.jsonl");
    let plan = ParsedPlan::from(read_one(TrackerFormat::Beads, "issues.jsonl", &beads));
    let ids: Vec<&str> = plan.tasks.iter().map(|task| task.task.id.as_str()).collect();
    assert_eq!(ids, ["bk-e1", "bk-e1.1", "bk-e1.2", "bk-z9", "bk-d1", "bk-t1"]);
    let done = &plan.tasks[1].task;
    assert_eq!((done.status, done.priority.as_deref()), (PlanTaskStatus::Completed, Some("0")));
    assert_eq!(done.extra["design"], "One sensor, one file a day.");
    // A parent comes after its children, as in every plan.
    let parent = plan.tasks[0].task.depends_on.as_ref().unwrap();
    assert_eq!(
        parent.iter().map(crate::model::PlanTaskId::as_str).collect::<Vec<_>>(),
        ["bk-e1.1", "bk-e1.2"]
    );
    for file in [
        read_one(TrackerFormat::TaskMaster, "t.json", &fixture("taskmaster/tasks.json")),
        read_backlog(),
        client_tasks(),
    ] {
        let count = file.records.len();
        let plan = ParsedPlan::from(file);
        assert_eq!(plan.tasks.len(), count);
        assert!(plan.skipped.iter().all(|line| !line.is_error), "{:?}", plan.skipped);
    }
}
