//! Everything as JSON Lines, and back.

use super::*;
use crate::fixture::{create_database, object, started};

/// A home with items of beads and its own, a plan, phases and a hand-off.
fn worked_home() -> Home {
    let home = started();
    import(&home, &fixture("beads/issues.jsonl"));
    write(&home, "plan.md", "# Plan\n\n## Phase 1: All\n\n- [x] 1.1 One\n- [ ] 1.2 Two\n");
    for arguments in [
        &["plan", "import", "plan.md"][..],
        &["item", "add", "OWN-1", "--title", "Own", "--depends", "bk-e1.1"],
        &["item", "edit", "OWN-1", "--description", "two\nlines", "--priority", "0"],
        &["claim", "OWN-1"],
        &["queue", "add", "OWN-1", "--phases", "plan,build"],
        &["handoff", "create", "PLAN-TO-EXEC", "--summary", "s", "--actions", "a"],
    ] {
        data(&home, arguments);
    }
    home
}

/// What an item is, without what depends on the database it is in.
fn essence(line: &Map<String, Value>) -> Value {
    let kept = [
        "key",
        "title",
        "kind",
        "parent",
        "position",
        "priority",
        "description",
        "depends_on",
        "status",
    ];
    kept.iter().map(|key| ((*key).to_owned(), line[*key].clone())).collect()
}

fn of_type<'a>(
    lines: &'a [Map<String, Value>],
    kind: &'a str,
) -> impl Iterator<Item = &'a Map<String, Value>> {
    lines.iter().filter(move |line| line["type"] == kind)
}

#[test]
fn everything_of_the_repository_is_one_object_a_line() {
    let home = worked_home();
    let lines = parse_lines(&export(&home, "json-lines", "all.jsonl"));
    assert_eq!((&lines[0]["type"], &lines[0]["version"]), (&"export".into(), &1.into()));
    let mut kinds: Vec<&str> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    kinds.dedup();
    assert_eq!(kinds, ["export", "item", "plan", "plan_task", "phase", "handoff", "event"]);
    let counted =
        ["item", "plan", "plan_task", "phase", "handoff"].map(|kind| of_type(&lines, kind).count());
    assert_eq!(counted, [7, 1, 2, 2, 1]);
    let added = of_type(&lines, "event").filter(|event| event["kind"] == "added");
    assert!(added.count() >= 7 + 2 + 2);
    assert_eq!(lines, parse_lines(&export(&home, "json-lines", "all.jsonl")));
}

#[test]
fn an_export_is_imported_by_another_database() {
    let home = worked_home();
    let all = export(&home, "json-lines", "all.jsonl");
    let other = Home::new();
    create_database(&other);
    write(&other, "all.jsonl", &all);
    let imported = data(&other, &["item", "import", "all.jsonl"]);
    assert_eq!((&imported["format"], texts(&imported["added"]).len()), (&"json-lines".into(), 7));
    assert_eq!(imported["skipped"], serde_json::json!([]));
    let lines = parse_lines(&all);
    let again = parse_lines(&export(&other, "json-lines", "again.jsonl"));
    let essences = |lines: &[Map<String, Value>]| {
        let mut items: Vec<Value> = of_type(lines, "item").map(essence).collect();
        items.sort_by_key(|item| item["key"].as_str().unwrap().to_owned());
        items
    };
    assert_eq!(essences(&again), essences(&lines));
    // The history of the first database is kept.
    let own = of_type(&again, "item").find(|item| item["key"] == "OWN-1").unwrap();
    let events = own["extra"]["source"]["record"]["events"].as_array().unwrap();
    assert!(events.iter().any(|event| event["kind"] == "claimed"), "{events:?}");
    // An item that came from beads still goes back to beads.
    let back = parse_lines(&export(&other, "beads", "back.jsonl"));
    let before = parse_lines(&fs::read(fixture("beads/issues.jsonl")).unwrap());
    assert_eq!(back[..before.len()], before);
    let twice = data(&other, &["item", "import", "all.jsonl"]);
    assert_eq!((&twice["changed"], &twice["unchanged"]), (&serde_json::json!([]), &7.into()));
}

#[test]
fn items_of_an_export_are_no_plan() {
    let home = started();
    data(&home, &["item", "add", "OWN-1"]);
    export(&home, "json-lines", "all.jsonl");
    let refused = object(&home, 1, &["plan", "import", "all.jsonl"]);
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("an export without plans, whose items `trueup item import`"),
        "{message}"
    );
    assert_eq!(data(&home, &["plan", "list"])["plans"], serde_json::json!([]));
}

#[test]
fn items_of_other_repositories_are_exported_only_on_demand() {
    let home = Home::new();
    create_database(&home);
    import(&home, &fixture("taskmaster/untagged.json"));
    let elsewhere = home.root().join("elsewhere");
    fs::create_dir_all(elsewhere.join(".git")).unwrap();
    let count = |extra: &[&str]| {
        let output = home
            .prepare_run("trueup")
            .cwd(&elsewhere)
            .without("CLAUDE_PROJECT_DIR")
            .args([&["export"], extra].concat())
            .wait();
        parse_lines(output.ok().stdout.as_bytes()).len()
    };
    assert_eq!(count(&[]), 1);
    assert!(count(&["--all-repos"]) >= 3);
}

#[test]
fn the_whole_history_is_exported_however_busy_the_database_is() {
    let home = started();
    data(&home, &["item", "add", "FIRST"]);
    data(&home, &["item", "transition", "FIRST", "completed"]);
    let issues = (0..1_200).map(|number| {
        format!("{{\"type\":\"item\",\"key\":\"N-{number}\",\"title\":\"N {number}\"}}\n")
    });
    write(&home, "many.jsonl", issues.collect::<String>());
    data(&home, &["item", "import", "many.jsonl"]);
    let lines = parse_lines(&export(&home, "json-lines", "all.jsonl"));
    let of_first: Vec<&str> = of_type(&lines, "event")
        .filter(|event| event["entity"] == "item" && event["key"] == "FIRST")
        .map(|event| event["kind"].as_str().unwrap())
        .collect();
    assert_eq!(of_first, ["added", "status"]);
    let added = of_type(&lines, "event").filter(|event| event["kind"] == "added");
    assert_eq!(added.count(), 1_201);
}

#[test]
fn an_import_names_what_it_leaves_of_an_export() {
    let home = worked_home();
    data(&home, &["item", "add", "DONE-1"]);
    data(&home, &["item", "transition", "DONE-1", "completed", "--evidence", "run 7"]);
    let all = export(&home, "json-lines", "all.jsonl");
    let events = of_type(&parse_lines(&all), "event").count();
    let other = Home::new();
    create_database(&other);
    write(&other, "all.jsonl", &all);
    let imported = object(&other, 0, &["item", "import", "all.jsonl"]);
    let warnings = texts(&imported["warnings"]);
    let [left] = warnings[..] else { panic!("{warnings:?}") };
    let parts = format!("2 phases, 1 hand-off, {events} events, evidence of ");
    assert!(left.starts_with("not taken from "), "{left}");
    assert!(left.contains(&parts), "{left}");
    write(&other, "plain.jsonl", "{\"type\":\"item\",\"key\":\"P-1\",\"title\":\"P\"}\n");
    let imported = object(&other, 0, &["item", "import", "plain.jsonl"]);
    assert_eq!(imported["warnings"], serde_json::json!([]));
}
