//! What an import, some work and another import do to a plan of any format.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::model::{PlanTask, PlanTaskStatus, Timestamp, merge_reimported_task};
use crate::plan::tests::properties::arbitrary_plan;
use crate::plan::{
    ParsedPlan, PlanFormat, apply_edits, compare_checkboxes, id_edits, read_markdown,
};

const MARKDOWN: [PlanFormat; 7] = [
    PlanFormat::Trueup,
    PlanFormat::Checklist,
    PlanFormat::SpecKit,
    PlanFormat::Openspec,
    PlanFormat::Kiro,
    PlanFormat::Gsd,
    PlanFormat::TaskHeadings,
];

/// A task: its title, and whether it is done.
type ModelTask = (String, bool);

/// Parts of a plan, each with its tasks.
fn arbitrary_model() -> impl Strategy<Value = Vec<Vec<ModelTask>>> {
    let task = ("[a-z]{1,8}( [a-z]{1,8}){0,2}", any::<bool>());
    proptest::collection::vec(proptest::collection::vec(task, 1..5), 1..4)
}

/// Writes a plan as a format has it, with a line below each task.
fn render(format: PlanFormat, model: &[Vec<ModelTask>]) -> String {
    let mut text = "# Plan\n\n".to_owned();
    let mut total = 0;
    for (part, tasks) in (1..).zip(model) {
        let heading = match format {
            PlanFormat::Openspec => format!("## {part}. Part\n\n"),
            PlanFormat::Checklist | PlanFormat::Kiro => format!("## Part {part}\n\n"),
            _ => format!("## Phase {part}: Part\n\n"),
        };
        text.push_str(&heading);
        for (number, (title, is_done)) in (1..).zip(tasks) {
            total += 1;
            let mark = if *is_done { "x" } else { " " };
            let line = match format {
                PlanFormat::Checklist => format!("* [{mark}] {title}\n  - detail\n"),
                PlanFormat::SpecKit => format!("- [{mark}] T{total:03} [P] {title}\n"),
                PlanFormat::Kiro => {
                    format!("- [{mark}] {total}. {title}\n  - _Requirements: 1.1_\n")
                }
                PlanFormat::Gsd => format!("- [{mark}] {part:02}-{number:02}: {title}\n"),
                PlanFormat::TaskHeadings if number % 2 == 0 => {
                    let word = if *is_done { "Done" } else { "Pending" };
                    format!("### Task {part}.{number}: {title}\n**Status:** {word}\n")
                }
                PlanFormat::TaskHeadings => format!("### [{mark}] Task {part}.{number}: {title}\n"),
                _ => format!("- [{mark}] {part}.{number} {title}\n"),
            };
            text.push_str(&line);
        }
        text += "\n";
    }
    text
}

/// Makes the rows of an import.
fn import(plan: &ParsedPlan) -> Vec<PlanTask> {
    let id = "p".parse().unwrap();
    let tasks = plan.tasks.iter().zip(1..);
    tasks.map(|(task, at)| task.task.to_new_row(&id, at, Timestamp::from_millis(0))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_that_was_worked_on_is_the_same_plan(
        model in arbitrary_model(),
        work in proptest::collection::vec(any::<bool>(), 20),
        has_ids_written in any::<bool>(),
    ) {
        for format in MARKDOWN {
            let text = render(format, &model);
            let plan = read_markdown(format, &text);
            let titles: Vec<&str> = plan.tasks.iter().map(|it| it.task.title.as_str()).collect();
            let expected: Vec<&str> = model.iter().flatten().map(|(title, _)| title.as_str()).collect();
            prop_assert_eq!(titles, expected, "{}", format);
            prop_assert_eq!(&plan.skipped, &[]);
            for (task, (_, is_done)) in plan.tasks.iter().zip(model.iter().flatten()) {
                prop_assert_eq!(task.task.status.is_finished(), *is_done, "{}", format);
            }

            let mut rows = import(&plan);
            for (row, is_worked_on) in rows.iter_mut().zip(&work) {
                if *is_worked_on {
                    row.status = PlanTaskStatus::Completed;
                }
            }
            let mut written = apply_edits(&text, &compare_checkboxes(format, &text, &rows).edits);
            if has_ids_written {
                written = apply_edits(&written, &id_edits(&read_markdown(format, &written)));
            }
            let again = read_markdown(format, &written);
            prop_assert_eq!(&again.skipped, &[]);
            prop_assert_eq!(again.tasks.len(), rows.len());
            for ((row, task), at) in rows.iter().zip(&again.tasks).zip(1..) {
                prop_assert_eq!(&row.id, &task.task.id, "{}: {}", format, written);
                prop_assert_eq!(row.status, task.task.status, "{}: {}", format, written);
                prop_assert_eq!(&merge_reimported_task(row, &task.task, at), row);
            }
        }
    }

    #[test]
    fn any_text_is_read_in_any_format(text in arbitrary_text()) {
        for format in MARKDOWN {
            let plan = read_markdown(format, &text);
            let ids: BTreeSet<_> = plan.tasks.iter().map(|task| &task.task.id).collect();
            prop_assert_eq!(ids.len(), plan.tasks.len(), "an id occurs once");
            prop_assert!(plan.skipped.is_sorted_by_key(|skipped| skipped.line));
            assert_boxes_are_accounted_for(&text, &plan);
            assert_writing_back_settles(format, &text, &plan);
        }
    }
}

/// Texts with the lines of every format.
fn arbitrary_text() -> impl Strategy<Value = String> {
    let line = proptest::sample::select(vec![
        "- [ ] T001 [P] [US1] a",
        "- [ ] 1. a",
        "  - [~] 1.1 b (depends: 1)",
        "  - _Requirements: 1.1_",
        "  wrapped (depends on T001)",
        "- [ ] **Phase 2.1: a** - b",
        "- [x] 01-01-PLAN.md — a",
        "### Phase 2.1: a",
        "**Depends on**: Phase 1, 1.1",
        "### Task 1: a ✅",
        "#### [ ] Task 1: a",
        "**Status:** 🚧 In progress",
        "**Status:** Pending",
        "<task type=\"auto\">",
        "<name>Task 1: a</name>",
        "</task>",
        "- ⬜ a",
        "[ ] a <!-- id: t-1 -->",
        "- [] é",
        "- T001 → T002",
        "## 1. a",
    ]);
    let lines = proptest::collection::vec(line.prop_map(str::to_owned), 0..12);
    (lines, arbitrary_plan()).prop_map(|(lines, plan)| lines.join("\n") + "\n" + &plan)
}

/// Every line with a plain box, where nothing hides it, is a task or is listed.
#[track_caller]
fn assert_boxes_are_accounted_for(text: &str, plan: &ParsedPlan) {
    if text.contains(['`', '~']) || text.contains("<!--") {
        return;
    }
    let normal = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut accounted: BTreeSet<usize> = plan.tasks.iter().map(|task| task.line).collect();
    accounted.extend(plan.skipped.iter().map(|skipped| skipped.line));
    for (number, line) in (1..).zip(normal.lines()) {
        let is_box = line.starts_with("- [ ] ") || line.starts_with("- [x] ");
        assert!(!is_box || accounted.contains(&number), "{}: {line:?}", plan.format);
    }
}

/// Completing every task writes marks once; after that the file agrees, with the same tasks.
#[track_caller]
fn assert_writing_back_settles(format: PlanFormat, text: &str, plan: &ParsedPlan) {
    let mut rows = import(plan);
    for row in &mut rows {
        row.status = PlanTaskStatus::Completed;
    }
    let found = compare_checkboxes(format, text, &rows);
    let written = apply_edits(text, &found.edits);
    let after = compare_checkboxes(format, &written, &rows);
    assert_eq!(after.edits, [], "{format}: {written:?}");
    let lines = |plan: &ParsedPlan| -> BTreeMap<String, usize> {
        plan.tasks.iter().map(|task| (task.task.id.to_string(), task.line)).collect()
    };
    assert_eq!(lines(&after.file), lines(plan), "{format}: {written:?}");
}
