//! `queue add`: phases, their order and their dependencies.

use serde_json::{Value, json};

use super::{ROW_KEYS, home_with_queue};
use crate::fixture::{data, keys, object, refused, started, trueup};

#[test]
fn an_item_gets_all_ten_phases_in_a_row() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    let phases = data(&home, &["queue", "add", "SD-1"]);
    assert_eq!(keys(&phases), ["rows"]);
    let rows = phases["rows"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["current_phase"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "plan", "validate", "build", "lint", "test", "review", "document", "ship", "cleanup",
            "verify"
        ]
    );
    for (number, row) in (1..).zip(rows) {
        assert_eq!(keys(row), ROW_KEYS);
        assert_eq!(row["queue_id"], format!("SD-1:{number}"));
        assert_eq!((&row["item"], &row["phase_number"]), (&json!("SD-1"), &json!(number)));
        let (status, on) = match number {
            1 => ("ready", json!([])),
            _ => ("queued", json!([number - 1])),
        };
        assert_eq!((&row["status"], &row["depends_on_phases"]), (&json!(status), &on));
        assert_eq!((&row["priority"], &row["revision"]), (&json!(50), &json!(1)));
        for absent in [
            "issue_number",
            "feature_id",
            "parent_issue",
            "assigned_to",
            "adw_id",
            "pr_number",
            "completed_at",
            "phase_data",
            "started_timestamp",
            "error_message",
        ] {
            assert!(row[absent].is_null(), "{absent}");
        }
    }
    assert!(rows[0]["ready_timestamp"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn everything_said_of_the_phases_is_kept() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    let arguments = [
        "queue",
        "add",
        "SD-1",
        "--phases",
        "plan,validate,build,lint,test",
        "--depends",
        "4=1,3;5=4",
        "--depends",
        "2=",
        "--priority",
        "10",
        "--adw",
        "77c90e61",
        "--issue",
        "170",
        "--parent-issue",
        "7",
        "--data",
        r#"{"model": "base", "n": 1.50}"#,
    ];
    let added = data(&home, &arguments);
    let on: Vec<&Value> =
        added["rows"].as_array().unwrap().iter().map(|row| &row["depends_on_phases"]).collect();
    assert_eq!(on, [&json!([]), &json!([]), &json!([2]), &json!([1, 3]), &json!([4])]);
    let row = &added["rows"][1];
    assert_eq!(row["status"], "ready");
    assert_eq!(
        (&row["issue_number"], &row["parent_issue"], &row["feature_id"]),
        (&json!(170), &json!(7), &json!(7))
    );
    assert_eq!((&row["adw_id"], &row["priority"]), (&json!("77c90e61"), &json!(10)));
    assert_eq!(row["phase_data"]["model"], "base");
    let parent: i64 = home.query_value("SELECT parent_issue FROM phase_queue LIMIT 1", []);
    assert_eq!(parent, 7);
}

#[test]
fn phases_of_own_names_are_worked_on_like_the_usual_ones() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    let add = ["queue", "add", "SD-1", "--phases", "design,build,security-review", "--adw", "w1"];
    let added = object(&home, 0, &add);
    assert_eq!(added["warnings"], json!([]));
    for number in ["1", "2", "3"] {
        let phase = format!("SD-1:{number}");
        if number != "2" {
            // No field of the metadata file is required; build requires some.
            data(&home, &["queue", "start", &phase]);
        }
        data(&home, &["queue", "complete", &phase]);
    }
    let listed = data(&home, &["queue", "list"]);
    let rows = listed["rows"].as_array().unwrap().iter();
    let rows: Vec<Value> = rows.map(|row| json!([row["current_phase"], row["status"]])).collect();
    assert_eq!(
        json!(rows),
        json!([["design", "completed"], ["build", "completed"], ["security-review", "completed"]])
    );
}

#[test]
fn an_own_name_that_looks_like_a_typing_error_is_asked_about() {
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    let added = object(&home, 0, &["queue", "add", "SD-1", "--phases", "plan,biuld,design"]);
    let warning = "biuld is a phase of its own; did you mean build?";
    assert_eq!(added["warnings"], json!([warning]));
    assert_eq!(added["data"]["rows"][1]["current_phase"], "biuld");
    let checked = object(&home, 0, &["meta", "check", "--phase", "biuld"]);
    assert_eq!(checked["warnings"], json!([warning]));
}

#[test]
fn what_cannot_be_added_is_refused_by_name() {
    let home = home_with_queue("plan,build");
    refused(&home, "item_not_found", &["queue", "add", "SD-9"]);
    let again = refused(&home, "phases_exist", &["queue", "add", "SD-1"]);
    assert_eq!(again["data"]["rows"].as_array().unwrap().len(), 2);
    data(&home, &["item", "add", "SD-2"]);
    for (depends, code) in [("1=2;2=1", "dependency_cycle"), ("2=9", "phase_not_found")] {
        let arguments = ["queue", "add", "SD-2", "--phases", "plan,build", "--depends", depends];
        refused(&home, code, &arguments);
    }
    let circle = ["queue", "add", "SD-2", "--depends", "2=4"];
    let circle = refused(&home, "dependency_cycle", &circle);
    let message = circle["error"]["message"].as_str().unwrap();
    assert!(message.contains("2 -> 4 -> 3 -> 2"), "{message}");
    for arguments in [
        &["--phases", "plan,Deploy"][..],
        &["--depends", "x"],
        &["--depends", "2=1;2="],
        &["--data", "[1]"],
        &["--priority", "soon"],
    ] {
        let all = [&["queue", "add", "SD-2"], arguments].concat();
        assert_eq!(object(&home, 2, &all)["error"]["code"], "usage", "{arguments:?}");
    }
    let bad_name = trueup(&home, &["queue", "add", "SD-2", "--phases", "plan,Deploy"]);
    assert!(
        bad_name.stderr.contains("\"Deploy\"")
            && bad_name.stderr.contains("small letters, digits and dashes"),
        "{bad_name:?}"
    );
    let phases = data(&home, &["queue", "list"]);
    assert_eq!(phases["rows"].as_array().unwrap().len(), 2);
}
