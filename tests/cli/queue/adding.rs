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
        &["--phases", "plan,deploy"][..],
        &["--depends", "x"],
        &["--depends", "2=1;2="],
        &["--data", "[1]"],
        &["--priority", "soon"],
    ] {
        let all = [&["queue", "add", "SD-2"], arguments].concat();
        assert_eq!(object(&home, 2, &all)["error"]["code"], "usage", "{arguments:?}");
    }
    let unknown = trueup(&home, &["queue", "add", "SD-2", "--phases", "plan,deploy"]);
    assert!(
        unknown.stderr.contains("\"deploy\"") && unknown.stderr.contains("plan, validate, build"),
        "{unknown:?}"
    );
    let phases = data(&home, &["queue", "list"]);
    assert_eq!(phases["rows"].as_array().unwrap().len(), 2);
}
