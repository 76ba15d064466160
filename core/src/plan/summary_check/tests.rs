//! The summary of a status file, compared with its tasks.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::plan::apply_edits;

const STATUS: &str = "\u{feff}{\r\n\t\"_comment\": \"caf\\u00e9\", \"huge\": 1e400,\r\n\
    \"summary\" : {\"totalTasks\":4.0, \"completed\" :  77 , \"percentage\": 0.50,\r\n \
    \"pending\": 1, \"in_progress\": -1,\"failed\": 00000, \"skipped\":9e9},\r\n\
    \"tasks\": []}";

/// A status file with these tasks and this summary, the summary first.
fn status_file(summary: &str, tasks: &str) -> String {
    format!("{{\"summary\": {summary},\n\"tasks\": [{tasks}]}}")
}

const TASKS: &str = r#"
    {"id": "1.1", "description": "a", "status": "completed"},
    {"id": "1.2", "description": "b", "status": "Done"},
    {"id": "1.3", "description": "c"},
    {"id": "1.4", "description": "d", "status": "in-progress"},
    {"id": "1.5", "description": "e", "status": "failed"},
    {"id": "1.6", "description": "f", "status": "skipped"}"#;

fn wrong_fields(check: &StatusFileCheck) -> Vec<(&str, &str, u64)> {
    let wrong = check.wrong_counts.iter();
    wrong.map(|wrong| (wrong.field, wrong.written.as_str(), wrong.expected)).collect()
}

fn problems(check: &StatusFileCheck) -> Vec<&str> {
    let odd = check.problems.iter();
    odd.map(|oddity| oddity.problem.as_str()).collect()
}

#[test]
fn a_summary_is_compared_number_by_number() {
    for (summary, expected) in [
        (
            r#"{"totalTasks": 6, "completed": 2, "pending": 1, "in_progress": 1, "failed": 1, "skipped": 1}"#,
            &[][..],
        ),
        (
            r#"{"totalTasks": 6.0, "completed": 2e0, "pending": 1, "in_progress": 1, "failed": 1, "skipped": 1}"#,
            &[],
        ),
        (
            r#"{"skipped": 1, "totalTasks": 77, "completed": -2, "pending": 1.5, "in_progress": 1e400, "failed": 123456789012345678901234567890}"#,
            &[
                ("totalTasks", "77", 6),
                ("completed", "-2", 2),
                ("pending", "1.5", 1),
                ("in_progress", "1e400", 1),
                ("failed", "123456789012345678901234567890", 1),
            ],
        ),
    ] {
        let text = status_file(summary, TASKS);
        let check = check_status_file(&text).unwrap();
        assert_eq!(wrong_fields(&check), expected, "{summary}");
        assert_eq!(problems(&check), [""; 0], "{summary}");
        let fixed = apply_edits(&text, &check.edits);
        assert_eq!(wrong_fields(&check_status_file(&fixed).unwrap()), []);
    }
}

#[test]
fn only_the_bytes_of_wrong_numbers_are_written() {
    let text = STATUS.replace("00000", "0").replace(
        "\"tasks\": []",
        "\"tasks\": [{\"id\": \"1.1\", \"description\": \"a\", \"status\": \"done\"}]",
    );
    let check = check_status_file(&text).unwrap();
    let expected = text
        .replace("4.0", "1")
        .replace(" 77 ", " 1 ")
        .replace("\"pending\": 1", "\"pending\": 0")
        .replace("-1", "0")
        .replace("9e9", "0");
    assert_eq!(apply_edits(&text, &check.edits), expected);
    assert_eq!(check.written_summary().unwrap()["completed"], 77);
    let place = check.wrong_counts[1].position;
    assert_eq!((place.line, place.column), (3, 47));
}

#[test]
fn every_entry_of_the_list_counts_whatever_an_import_makes_of_it() {
    let tasks = r#"{"id": "1.1", "description": "a", "status": "completed"},
           {"id": "1.1", "description": "again", "status": "completed"},
           {"id": "VERIFY-1", "description": "b", "status": "pending"},
           {"id": "3.2.A", "description": "c", "status": "failed"},
           {"id": "no id", "description": "d", "status": "skipped"},
           {"id": "1.2", "description": "e", "status": "almost"}"#;
    let right = r#"{"totalTasks": 6, "completed": 2, "pending": 1, "in_progress": 1, "failed": 1, "skipped": 1}"#;
    let check = check_status_file(&status_file(right, tasks)).unwrap();
    assert_eq!(wrong_fields(&check), [], "what is almost may be in progress");
    let ids: Vec<&str> = check.file.tasks.iter().map(|t| t.task.id.as_str()).collect();
    assert_eq!(ids, ["1.1", "VERIFY-1", "3.2.A"]);
    let lines: Vec<usize> = check.file.skipped.iter().map(|it| it.line).collect();
    assert_eq!(lines, [3, 6, 7]);
    let other = right.replace("\"completed\": 2", "\"completed\": 77");
    let check = check_status_file(&status_file(&other, tasks)).unwrap();
    assert_eq!(wrong_fields(&check), [("completed", "77", 2)]);
}

#[test]
fn odd_values_are_reported_and_not_written() {
    for (text, problem, line) in [
        (r#"{"tasks": []}"#.to_owned(), "summary is missing", None),
        (status_file("[1]", ""), "summary is not an object", Some(1)),
        (status_file("null", ""), "summary is not an object", Some(1)),
        (
            status_file(
                r#"{"completed": 0, "pending": 0, "in_progress": 0, "failed": 0, "skipped": 0}"#,
                "",
            ),
            "summary.totalTasks is missing, should be 0",
            Some(1),
        ),
        (
            status_file(
                "{\"totalTasks\": 0, \"completed\": 0, \"pending\": 0, \"in_progress\": 0,\n\"failed\": \"77\", \"skipped\": 0}",
                "",
            ),
            "summary.failed is not a number, should be 0",
            Some(2),
        ),
        (
            status_file(
                r#"{"totalTasks": 0, "completed": 9, "completed": 0, "pending": 0, "in_progress": 0, "failed": 0, "skipped": 0}"#,
                "",
            ),
            "summary.completed occurs twice; the last one counts",
            Some(1),
        ),
    ] {
        let check = check_status_file(&text).unwrap();
        assert_eq!(problems(&check), [problem], "{text}");
        assert_eq!(check.problems[0].position.map(|place| place.line), line);
        assert_eq!(apply_edits(&text, &check.edits), text);
    }
}

#[test]
fn of_two_summaries_the_last_one_counts() {
    let text = r#"{"summary": {"completed": 5}, "tasks": [], "summary": {"totalTasks": 0,
        "compl\u0065ted": 5, "pending": 0, "in_progress": 0, "failed": 0, "skipped": 0}}"#;
    let check = check_status_file(text).unwrap();
    assert_eq!(wrong_fields(&check), [("completed", "5", 0)]);
    assert_eq!(
        apply_edits(text, &check.edits),
        text.replace(r#""compl\u0065ted": 5"#, r#""compl\u0065ted": 0"#)
    );
    assert_eq!(problems(&check), [""; 0]);
}

#[test]
fn a_file_that_is_no_status_file_is_rejected() {
    for text in ["", "{", "[]", "{}", r#"{"tasks": {}}"#, STATUS] {
        // A number such as 00000 is not JSON.
        check_status_file(text).unwrap_err();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_fixed_summary_is_correct_and_other_bytes_are_unchanged(
        numbers in proptest::collection::vec(prop_oneof![0..4_u32, any::<u32>()], 6),
        statuses in proptest::collection::vec("(pending|completed|failed|skipped|in_progress|odd)", 0..8),
        mark in "\u{feff}?",
    ) {
        let tasks: Vec<String> = statuses.iter().enumerate().map(|(n, status)| {
            format!("{{\"id\": \"1.{n}\",\r\n\"description\": \"é\", \"status\": \"{status}\"}}")
        }).collect();
        let summary = json!({
            "completed": numbers[0], "mine": {"completed": 7}, "totalTasks": numbers[1],
            "pending": numbers[2], "in_progress": numbers[3], "failed": numbers[4],
            "skipped": numbers[5],
        });
        let text = format!("{mark}{}", status_file(&summary.to_string(), &tasks.join(",")));
        let check = check_status_file(&text).unwrap();
        let fixed = apply_edits(&text, &check.edits);
        let after = check_status_file(&fixed).unwrap();
        prop_assert_eq!(&after.wrong_counts, &[]);
        prop_assert_eq!(after.counted, check.counted);
        let mut expected: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
        for wrong in &check.wrong_counts {
            expected["summary"][wrong.field] = json!(wrong.expected);
        }
        let found: Value = serde_json::from_str(fixed.trim_start_matches('\u{feff}')).unwrap();
        prop_assert_eq!(found, expected);
        // Apart from numbers, nothing differs.
        let bare = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
        prop_assert_eq!(bare(&fixed), bare(&text));
        if check.wrong_counts.is_empty() {
            prop_assert_eq!(fixed, text);
        }
    }

    #[test]
    fn any_bytes_are_an_answer(at in 0..STATUS.len(), piece in "\\PC") {
        let mut broken = STATUS.replace("00000", "0");
        if broken.is_char_boundary(at) && broken.is_char_boundary(at + 1) {
            broken.replace_range(at..=at, &piece);
        }
        if let Ok(check) = check_status_file(&broken) {
            let fixed = apply_edits(&broken, &check.edits);
            prop_assert_eq!(check_status_file(&fixed).unwrap().wrong_counts, []);
        }
    }
}
