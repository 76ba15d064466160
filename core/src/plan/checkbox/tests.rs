//! Differences between checkboxes and rows, and edits of checkboxes.

use proptest::prelude::*;

use super::*;
use crate::model::PlanTaskStatus::{Completed, Failed, InProgress, Pending, Skipped};
use crate::model::{NewPlanTask, Timestamp};
use crate::plan::tests::properties::arbitrary_plan;
use crate::plan::tests::{SAMPLE_PLAN, parse_markdown};
use crate::plan::{PlanFormat, apply_edits};

/// Compares a plan of the original format.
fn compare(text: &str, tasks: &[PlanTask]) -> Checkboxes {
    compare_checkboxes(PlanFormat::Trueup, text, tasks)
}

fn plan_task(id: &PlanTaskId, status: PlanTaskStatus) -> PlanTask {
    let new = NewPlanTask::new(id.clone(), "t".to_owned(), status);
    new.to_new_row(&"p".parse().unwrap(), 1, Timestamp::from_millis(0))
}

fn plan_tasks(statuses: &[(&str, PlanTaskStatus)]) -> Vec<PlanTask> {
    let statuses = statuses.iter();
    statuses.map(|(id, status)| plan_task(&id.parse().unwrap(), *status)).collect()
}

fn write_back(text: &str, statuses: &[(&str, PlanTaskStatus)]) -> String {
    apply_edits(text, &compare(text, &plan_tasks(statuses)).edits)
}

#[test]
fn every_status_against_every_box() {
    for (status, open, checked) in [
        (Pending, CheckboxRelation::Equal, CheckboxRelation::FileAhead),
        (InProgress, CheckboxRelation::Equal, CheckboxRelation::FileAhead),
        (Completed, CheckboxRelation::DatabaseAhead, CheckboxRelation::Equal),
        (Failed, CheckboxRelation::Equal, CheckboxRelation::DatabaseKeeps),
        (Skipped, CheckboxRelation::Equal, CheckboxRelation::DatabaseKeeps),
    ] {
        for (mark, expected) in [(' ', open), ('x', checked), ('X', checked)] {
            let text = format!("## Phase 1: a\n- [{mark}] 1.1 a\n");
            let tasks = plan_tasks(&[("1.1", status)]);
            let found = compare(&text, &tasks);
            assert_eq!(found.checkboxes[0].relation, expected, "{status} {mark:?}");
            let ahead = expected == CheckboxRelation::FileAhead;
            assert_eq!(found.ahead_in_file.len(), usize::from(ahead), "{status} {mark:?}");
            let written = apply_edits(&text, &found.edits);
            let is_written = expected == CheckboxRelation::DatabaseAhead;
            assert_eq!(written != text, is_written, "{status} {mark:?}");
        }
    }
}

#[test]
fn a_reopened_task_gets_an_open_box_in_the_style_of_its_mark() {
    for (format, text, expected) in [
        (
            PlanFormat::Trueup,
            "## Phase 1: a\n- [X] 1.1 a\n- [x] 1.2 b\n",
            "- [ ] 1.1 a\n- [x] 1.2 b\n",
        ),
        (PlanFormat::Trueup, "## Phase 1: a\n- [-] 1.1 a\n", "- [ ] 1.1 a\n"),
        (PlanFormat::Trueup, "## Phase 1: a\n- [ ] 1.1 a\n", "- [ ] 1.1 a\n"),
        (
            PlanFormat::TaskHeadings,
            "### Task 1.1: a\n**Status:** ✅ Completed\n",
            "** ⏳ Pending\n",
        ),
        (PlanFormat::TaskHeadings, "### Task 1.1: a\n**Status:** completed\n", "** pending\n"),
    ] {
        let edits = clear_checkbox(format, text, &"1.1".parse().unwrap());
        let written = apply_edits(text, &edits);
        assert!(written.ends_with(expected), "{written}");
        assert_eq!(clear_checkbox(format, &written, &"1.1".parse().unwrap()), []);
    }
}

#[test]
fn the_byte_between_the_brackets_and_no_other_is_written() {
    let all = [
        ("1.1", Completed),
        ("1.2", Completed),
        ("1.2.1", Completed),
        ("1.3", Failed),
        ("2.1", Completed),
        ("9.1", Completed),
        ("9.2", Completed),
        ("9.3", Completed),
        ("9.4", Completed),
        ("9.5", Completed),
    ];
    let expected = SAMPLE_PLAN.replace("- [ ] 1.1", "- [x] 1.1").replace("* [ ] 2.1", "* [x] 2.1");
    assert_eq!(write_back(SAMPLE_PLAN, &all), expected);
    for end in ["\r\n", "\r"] {
        let other = |text: &str| format!("\u{feff}{}", text.replace('\n', end));
        assert_eq!(write_back(&other(SAMPLE_PLAN), &all), other(&expected), "{end:?}");
    }
    let no_end = SAMPLE_PLAN.trim_end();
    assert_eq!(write_back(no_end, &all), expected.trim_end());
}

#[test]
fn hidden_duplicate_and_odd_checkboxes_stay() {
    for text in [
        "## Phase 1: a\n```\n- [ ] 1.1 a\n",
        "## Phase 1: a\n<!--\n- [ ] 1.1 a\n-->\n",
        "- [ ] 1.1 before\n## Phase 1: a\n",
        "## Phase 1: a\n> - [ ] 1.1 a\n",
        "## Phase 1: a\n- [  ] 1.1 a\n",
        "",
        "\u{feff}",
    ] {
        assert_eq!(write_back(text, &[("1.1", Completed)]), text);
    }
    // Of duplicate ids the first counts, as in an import.
    let twice = "## Phase 1: a\n\t- [ ] 1.1 a\n- [ ] 1.1 b";
    assert_eq!(
        write_back(twice, &[("1.1", Completed)]),
        "## Phase 1: a\n\t- [x] 1.1 a\n- [ ] 1.1 b"
    );
}

#[test]
fn places_are_lines_and_characters() {
    let text = "\u{feff}- [ ] 9.9 early\r\n## Phase 1: a\r  - [ ] 1.1 a\n\u{a0}\t* [x] 1.2 b\r\n10. [ ] 1.3 c";
    let found = compare(text, &plan_tasks(&[("1.1", Pending), ("1.2", Pending)]));
    let places: Vec<(usize, usize)> =
        found.checkboxes.iter().map(|it| (it.position.line, it.position.column)).collect();
    assert_eq!(places, [(3, 6), (4, 6)]);
    let (id, place) = &found.not_imported[0];
    assert_eq!((id.as_str(), place.line, place.column), ("1.3", 5, 6));
    let first = "\u{feff}## Phase 1: a\n- [ ] 1.1 a";
    assert_eq!(column_at(first, 3), 1, "a byte order mark is no column");
}

#[test]
fn tasks_on_one_side_only_are_reported() {
    let found = compare(SAMPLE_PLAN, &plan_tasks(&[("1.1", Completed), ("7.7", Pending)]));
    let alone: Vec<&str> = found.not_imported.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(alone, ["1.2", "1.2.1", "1.3", "2.1"]);
    let alone: Vec<&str> = found.not_in_file.iter().map(PlanTaskId::as_str).collect();
    assert_eq!(alone, ["7.7"]);
    assert_eq!(found.checkboxes.len(), 1);
}

#[test]
fn a_plan_as_large_as_one_may_be_is_compared_at_once() {
    let lines = (0..10_000).map(|n| format!("{}- [ ] 1.{n} t\r", " ".repeat(n % 100)));
    let text = format!("## Phase 1: x\r{}", lines.collect::<Vec<_>>().concat());
    let ids: Vec<PlanTaskId> = (0..10_000).map(|n| format!("1.{n}").parse().unwrap()).collect();
    let tasks: Vec<PlanTask> = ids.iter().map(|id| plan_task(id, Completed)).collect();
    let found = compare(&text, &tasks);
    assert_eq!(found.edits.len(), 10_000);
    assert_eq!(apply_edits(&text, &found.edits), text.replace("[ ]", "[x]"));
}

/// Texts that begin with a phase, so that most of them have tasks.
fn plan_text() -> impl Strategy<Value = String> {
    arbitrary_plan().prop_map(|text| format!("## Phase 1: x\r\n{text}"))
}

fn any_status() -> impl Strategy<Value = PlanTaskStatus> {
    proptest::sample::select(PlanTaskStatus::ALL.to_vec())
}

/// The lines of a text, with their ends.
fn split_lines(text: &str) -> Vec<&str> {
    text.split_inclusive(['\n', '\r']).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn written_checkboxes_agree_and_other_bytes_are_unchanged(
        text in plan_text(),
        is_whole in any::<bool>(),
        mark in "\u{feff}?",
        statuses in proptest::collection::vec(any_status(), 40),
    ) {
        // Some texts have no line end at their end.
        let text = format!("{mark}{}", if is_whole { &text } else { text.trim_end() });
        let ids = parse_markdown(&text).tasks.into_iter().map(|task| task.task.id);
        let tasks: Vec<PlanTask> =
            ids.zip(&statuses).map(|(id, status)| plan_task(&id, *status)).collect();
        let before = compare(&text, &tasks);
        let written = apply_edits(&text, &before.edits);
        let after = compare(&written, &tasks);

        prop_assert_eq!(written.len(), text.len());
        let differing = text.bytes().zip(written.bytes()).enumerate().filter(|(_, (a, b))| a != b);
        let differing: Vec<usize> = differing.map(|(at, _)| at).collect();
        let mut edited: Vec<usize> = before.edits.iter().map(|edit| edit.range.start).collect();
        edited.sort_unstable();
        prop_assert_eq!(&differing, &edited);
        for at in differing {
            prop_assert_eq!(text.get(at - 1..at + 2), Some("[ ]"));
            prop_assert_eq!(written.get(at - 1..at + 2), Some("[x]"));
        }

        prop_assert_eq!(&after.edits, &[]);
        prop_assert_eq!(&after.ahead_in_file, &before.ahead_in_file);
        prop_assert_eq!(after.checkboxes.len(), before.checkboxes.len());
        for (after, before) in after.checkboxes.iter().zip(&before.checkboxes) {
            let expected = match before.relation {
                CheckboxRelation::DatabaseAhead => CheckboxRelation::Equal,
                other => other,
            };
            prop_assert_eq!(after.relation, expected);
            prop_assert_eq!((&after.id, after.position), (&before.id, before.position));
        }
        // The excerpt of a skipped line shows the new mark.
        let reasons = |found: &Checkboxes| -> Vec<(usize, String)> {
            let skipped = found.file.skipped.iter();
            skipped.map(|it| (it.line, it.reason.clone())).collect()
        };
        prop_assert_eq!(reasons(&after), reasons(&before));
    }

    #[test]
    fn without_a_completed_task_no_byte_changes(text in plan_text(), status in any_status()) {
        let status = if status == Completed { Pending } else { status };
        let parsed = parse_markdown(&text).tasks;
        let tasks: Vec<PlanTask> = parsed.iter().map(|it| plan_task(&it.task.id, status)).collect();
        let found = compare(&text, &tasks);
        prop_assert_eq!(apply_edits(&text, &found.edits), text);
    }

    #[test]
    fn one_task_that_changed_is_one_line_that_differs(text in plan_text(), which in any::<proptest::sample::Index>()) {
        let parsed = parse_markdown(&text).tasks;
        if parsed.is_empty() {
            return Ok(());
        }
        let chosen = which.get(&parsed);
        // All others are as in the file.
        let tasks: Vec<PlanTask> = parsed.iter().map(|it| {
            let is_chosen = it.task.id == chosen.task.id;
            plan_task(&it.task.id, if is_chosen { Completed } else { it.task.status })
        }).collect();
        let written = apply_edits(&text, &compare(&text, &tasks).edits);
        let both = split_lines(&text);
        let differing = both.iter().zip(split_lines(&written)).filter(|(a, b)| **a != *b).count();
        let was_open = !chosen.task.status.is_finished();
        prop_assert_eq!(differing, usize::from(was_open));
        let again = parse_markdown(&written);
        let now = again.tasks.iter().find(|it| it.task.id == chosen.task.id).unwrap();
        let expected = if was_open { Completed } else { chosen.task.status };
        prop_assert_eq!(now.task.status, expected);
        prop_assert_eq!(now.line, chosen.line);
    }
}
