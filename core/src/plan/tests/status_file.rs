//! How `status.json` files are read: forms, summaries and damaged input.

use proptest::prelude::*;
use serde_json::json;

use super::{assert_skips, depends_on, task_ids};
use crate::model::PlanTaskStatus;
use crate::plan::tests::parse_markdown;
use crate::plan::{apply_edits, check_status_file, parse_status_file};

const SAMPLE_STATUS_FILE: &str = r#"{
  "_comment": "kept",
  "planPath": "docs/plans/fix.md",
  "planName": "Fix",
  "createdAt": "2025-12-20T10:00:00.000Z",
  "summary": {"totalTasks": 77},
  "tasks": [
    {"id": "1.1", "phase": "Phase 1: Setup", "description": "a", "status": "completed",
     "startedAt": "2025-12-20T10:00:00.000Z", "completedAt": "2025-12-20T11:00:00.000Z",
     "duration": 3600000.50, "findingsPath": null},
    {"id": "1.2", "phase": "Loose", "description": "b", "status": "In Progress",
     "dependencies": ["1.1", "8.8"], "executionConstraints": {"sequential": true}},
    {"id": "1.3", "description": "c", "status": "almost"},
    {"id": 1.10, "description": "d", "retryCount": 7, "priority": "high",
     "error": "boom", "status": "failed", "completedAt": "yesterday"},
    {"id": "1.1", "description": "again", "status": "pending"},
    {"id": "one", "description": "e"},
    7,
    {"id": "1.4", "description": "  "},
    {"id": "1.5", "title": "f", "phase": 3, "status": "skipped", "skipReason": "later"}
  ]
}"#;

#[test]
fn a_status_file_is_read_value_for_value() {
    let plan = parse_status_file(&format!("\u{feff}{SAMPLE_STATUS_FILE}")).unwrap();
    assert_eq!(plan.title.as_deref(), Some("Fix"));
    assert_eq!(plan.plan_path.as_deref(), Some("docs/plans/fix.md"));
    assert_eq!(plan.extra["_comment"], "kept");
    assert_eq!(plan.extra["summary"]["totalTasks"], 77);
    assert_eq!(plan.extra.get("tasks"), None);
    assert_eq!(task_ids(&plan), ["1.1", "1.2", "1.10", "one", "1.5"]);
    let [first, second, third, _, last] = &plan.tasks[..] else { panic!("{:?}", plan.tasks) };
    assert_eq!(first.task.phase_title.as_deref(), Some("Setup"));
    assert_eq!(first.task.completed_at.unwrap().to_string(), "2025-12-20T11:00:00.000Z");
    let duration = first.task.extra["duration"].to_string();
    assert_eq!(duration, "3600000.50", "a number keeps its digits");
    assert_eq!(first.task.extra["findingsPath"], json!(null));
    assert_eq!(first.task.depends_on, None);
    assert_eq!(second.task.status, PlanTaskStatus::InProgress);
    assert_eq!(
        (second.task.phase_number, second.task.phase_title.as_deref()),
        (None, Some("Loose"))
    );
    assert_eq!(depends_on(&plan, "1.2"), ["1.1", "8.8"]);
    assert_eq!(second.task.extra["executionConstraints"]["sequential"], true);
    assert_eq!((third.task.retry_count, third.task.error.as_deref()), (2, Some("boom")));
    assert_eq!(third.task.extra["retryCount"], 7);
    assert_eq!(third.task.extra["completedAt"], "yesterday");
    assert_eq!(third.task.priority.as_deref(), Some("high"));
    assert_eq!(
        (last.task.phase_number, last.task.skip_reason.as_deref()),
        (Some(3), Some("later"))
    );
    assert_skips(
        &plan,
        &[
            (11, "depends on 8.8"),
            (13, "\"almost\"; known are pending"),
            (16, "duplicate id 1.1"),
            (18, "not an object"),
            (19, "no description"),
        ],
    );
}

#[test]
fn a_file_that_is_no_status_file_is_rejected() {
    for (text, words) in [
        ("", "does not parse"),
        ("{", "does not parse"),
        ("[]", "does not parse"),
        ("{}", "no list of tasks"),
        (r#"{"tasks": {}}"#, "no list of tasks"),
        (r#"{"tasks": [], "tasks": {}}"#, "no list of tasks"),
    ] {
        let error = parse_status_file(text).unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
    let deep = "[".repeat(100_000);
    parse_status_file(&format!("{{\"tasks\": [{deep}")).unwrap_err();
}

#[test]
fn a_status_file_with_half_a_character_is_read_whole() {
    let text = r#"{"planName": "a \ud83d", "tasks": [], "tasks": [
        {"id": "1.1", "description": "b \udc00", "status": "completed"},
        {"id": "1.2", "description": "c", "status": "pending"}],
        "summary": {"totalTasks": 7}}"#;
    let plan = parse_status_file(text).unwrap();
    assert_eq!(plan.title.as_deref(), Some("a \u{fffd}"));
    let titles: Vec<&str> = plan.tasks.iter().map(|t| &*t.task.title).collect();
    assert_eq!(titles, ["b \u{fffd}", "c"]);
    let check = check_status_file(text).unwrap();
    let fixed = apply_edits(text, &check.edits);
    assert_eq!(fixed, text.replace("\"totalTasks\": 7", "\"totalTasks\": 2"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_of_a_status_file_are_an_answer(at in 0..SAMPLE_STATUS_FILE.len(), byte in "\\PC") {
        let mut broken = SAMPLE_STATUS_FILE.to_owned();
        if broken.is_char_boundary(at) && broken.is_char_boundary(at + 1) {
            broken.replace_range(at..=at, &byte);
        }
        let _ = parse_status_file(&broken);
        let _ = parse_markdown(&broken);
    }
}
