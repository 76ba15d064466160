//! Tasks of task-master that move to another list, and what they and others wait for.

use serde_json::json;

use super::days::{Files, PLACE, export_over, own_item, read};
use super::*;

const FORMAT: TrackerFormat = TrackerFormat::TaskMaster;

fn started(text: &Value) -> (Items, Files) {
    let files = vec![("tasks.json".to_owned(), text.to_string().into_bytes())];
    let mut items = Items::new();
    import(&mut items, read(FORMAT, &files));
    (items, files)
}

fn edit<'a>(items: &'a mut Items, key: &str) -> &'a mut Item {
    items.get_mut(&key.parse::<ItemKey>().unwrap()).unwrap()
}

fn move_below(items: &mut Items, key: &str, parent: Option<&str>) {
    edit(items, key).parent = parent.map(|parent| parent.parse().unwrap());
}

/// Exports, and imports what was written: nothing in it may be news.
fn export_and_import(items: &mut Items, files: &Files) -> (Files, Value) {
    let files = export_over(items, &[], FORMAT, files, PLACE).unwrap();
    let count = items.len();
    let planned = import(items, read(FORMAT, &files));
    assert_eq!((planned.changes, items.len()), (Vec::new(), count));
    let again = export_over(items, &[], FORMAT, &files, PLACE).unwrap();
    assert_eq!(again, files);
    let file = serde_json::from_slice(&files[0].1).unwrap();
    (files, file)
}

fn two_tasks() -> Value {
    json!({"master": {"tasks": [
        {"id": 1, "title": "one", "dependencies": [], "subtasks": [
            {"id": 1, "title": "a", "dependencies": [2]},
            {"id": 2, "title": "b", "dependencies": [3], "subtasks": [{"id": 7, "title": "deep"}]},
            {"id": 3, "title": "c"},
        ]},
        {"id": 2, "title": "two", "dependencies": ["1.2", 99, "1.2.7"]},
    ]}})
}

#[test]
fn a_subtask_that_becomes_a_task_gets_a_free_number_and_references_follow() {
    let (mut items, files) = started(&two_tasks());
    move_below(&mut items, "1.2", None);
    let (files, file) = export_and_import(&mut items, &files);
    let tasks = file["master"]["tasks"].as_array().unwrap();
    let moved = tasks.iter().find(|task| task["title"] == "b").unwrap();
    assert_eq!((&moved["id"], &moved["dependencies"]), (&json!(3), &json!(["1.3"])));
    assert_eq!(moved["subtasks"][0]["id"], 7);
    let two = tasks.iter().find(|task| task["title"] == "two").unwrap();
    assert_eq!((&two["id"], &two["dependencies"]), (&json!(2), &json!([3, 99, "3.7"])));
    assert_eq!(tasks[0]["subtasks"][0]["dependencies"], json!(["3"]));
    // And back below a task.
    move_below(&mut items, "1.2", Some("1"));
    let (_, file) = export_and_import(&mut items, &files);
    let tasks = &file["master"]["tasks"];
    assert_eq!(tasks[1]["dependencies"], json!(["1.4", 99, "1.4.7"]));
    assert_eq!(tasks[0]["subtasks"][0]["dependencies"], json!(["1.4"]));
}

#[test]
fn a_task_that_becomes_a_subtask_gets_a_free_number() {
    let (mut items, files) = started(&two_tasks());
    edit(&mut items, "2").depends_on.clear();
    move_below(&mut items, "2", Some("1"));
    let (_, file) = export_and_import(&mut items, &files);
    let subtasks = &file["master"]["tasks"][0]["subtasks"];
    let ids: Vec<&Value> = subtasks.as_array().unwrap().iter().map(|task| &task["id"]).collect();
    assert_eq!(ids, [1, 2, 3, 4]);
    // It is a missing task still, and no subtask.
    assert_eq!(subtasks[3]["dependencies"], json!(["master:99"]));
}

#[test]
fn a_task_moves_below_a_new_one_and_between_tags() {
    let text = json!({
        "master": {"tasks": [{"id": 1, "title": "m"}]},
        "x": {"tasks": [
            {"id": 1, "title": "x", "subtasks": [{"id": 1, "title": "y"}]},
            {"id": 2, "title": "z", "dependencies": ["1.1"]},
        ]},
    });
    let (mut items, files) = started(&text);
    let new = own_item("zz");
    items.insert(new.key.clone(), new);
    move_below(&mut items, "x:1.1", Some("zz"));
    let (_, file) = export_and_import(&mut items, &files);
    assert_eq!(file["master"]["tasks"][1]["subtasks"][0]["title"], "y");
    assert_eq!(file["x"]["tasks"][1]["dependencies"], json!(["master:2.1"]));
}

#[test]
fn a_text_subtask_behind_one_that_moved_keeps_its_number() {
    let text = json!({"tasks": [{"id": 1, "title": "one", "subtasks": ["a", "b"]}]});
    let (mut items, files) = started(&text);
    move_below(&mut items, "1.1", None);
    let (_, file) = export_and_import(&mut items, &files);
    assert_eq!(file["tasks"][0]["subtasks"][0]["id"], 2);
}

#[test]
fn a_copy_with_a_task_that_moved_is_exported_and_imported_again() {
    let (mut items, _) = started(&two_tasks());
    move_below(&mut items, "1.2", None);
    let copy = export_over(&mut items, &[], FORMAT, &Files::new(), "copy").unwrap();
    let again = export_over(&mut items, &[], FORMAT, &copy, "copy").unwrap();
    assert_eq!(again, copy);
    let count = items.len();
    let planned = import(&mut items, read(FORMAT, &copy));
    assert_eq!((planned.changes, items.len()), (Vec::new(), count));
}

#[test]
fn what_an_import_ignored_stays_when_another_dependency_changes() {
    let (mut items, files) = started(&json!({"tasks": [
        {"id": 1, "title": "one", "dependencies": [2]},
        {"id": 2, "title": "two", "dependencies": [1, 99, "later"]},
    ]}));
    let new = own_item("q");
    items.insert(new.key.clone(), new);
    let two = edit(&mut items, "2");
    let circle = two.depends_on.is_empty();
    two.depends_on.push("q".parse().unwrap());
    let other = edit(&mut items, "1");
    assert_ne!(circle, other.depends_on.is_empty());
    other.depends_on.push("q".parse().unwrap());
    let (_, file) = export_and_import(&mut items, &files);
    assert_eq!(file["tasks"][1]["dependencies"], json!([1, 99, "later", 3]));
    assert_eq!(file["tasks"][0]["dependencies"], json!([2, 3]));
}

#[test]
fn a_new_task_does_not_get_the_number_that_a_missing_one_has() {
    let text = json!({"tasks": [{"id": 1, "title": "one", "dependencies": [2]}]});
    let (mut items, files) = started(&text);
    let new = own_item("q");
    items.insert(new.key.clone(), new);
    let (_, file) = export_and_import(&mut items, &files);
    assert_eq!(file["tasks"][1]["id"], 3);
}

#[test]
fn an_id_without_a_tag_is_another_task_once_its_task_is_in_another_tag() {
    let (mut items, files) = started(&json!({
        "master": {"tasks": [
            {"id": 1, "title": "one", "subtasks": [
                {"id": 1, "title": "a"},
                {"id": 2, "title": "b", "dependencies": [1, "2"]},
            ]},
            {"id": 2, "title": "two"},
        ]},
        "night": {"tasks": [{"id": 1, "title": "dark"}]},
    }));
    // A list of the same number in another tag is another list.
    move_below(&mut items, "1.1", Some("night:1"));
    let (files, file) = export_and_import(&mut items, &files);
    let left = &file["master"]["tasks"][0]["subtasks"][0];
    assert_eq!(left["dependencies"], json!(["night:1.1", "2"]));
    move_below(&mut items, "1.1", Some("1"));
    let (files, _) = export_and_import(&mut items, &files);
    move_below(&mut items, "1", Some("night:1"));
    let (_, file) = export_and_import(&mut items, &files);
    let moved = &file["night"]["tasks"][0]["subtasks"][0]["subtasks"][1];
    assert_eq!(moved["dependencies"], json!(["1.1.3", "master:2"]));
}
