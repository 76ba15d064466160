//! Plans in Markdown: what looks like a task is one or is named, and writing back checks boxes
//! and touches nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::text::assert_one_line;
use trueup_core::diagnostic::Divergence;
use trueup_core::model::{
    Plan, PlanId, PlanState, PlanTask, PlanTaskId, PlanTaskStatus, Revision, Timestamp,
};
use trueup_core::plan::{
    CheckboxRelation, ParsedPlan, PlanFile, PlanFormat, apply_edits, checkbox_findings,
    compare_checkboxes, id_edits, read_markdown, recognise_format, task_findings,
};

/// Checks a file.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    assert_eq!(apply_edits(text, &[]), text);
    recognise_format(Path::new("plan.md"), text);
    recognise_format(Path::new("plan.json"), text);
    recognise_format(Path::new("plan.jsonl"), text);
    for format in PlanFormat::ALL.iter().filter(|format| format.is_markdown()) {
        check_format(bytes, text, *format);
    }
}

/// Checks a file as one of a format, whatever it is.
fn check_format(bytes: &[u8], text: &str, format: PlanFormat) {
    let plan = read_markdown(format, text);
    assert_eq!(plan.format, format);
    tasks(&plan);
    places(text, &plan);
    nothing_is_lost(text, &plan);
    ids_are_written_once(text, &plan);
    for rows in [
        rows(&plan, |_| Some(PlanTaskStatus::Completed)),
        rows(&plan, |at| match (at + bytes.len()) % 6 {
            0 => None,
            status => PlanTaskStatus::ALL.get(status - 1).copied(),
        }),
    ] {
        writing_back(text, &plan, &rows);
    }
}

/// With the ids that it lacks written in, a file has the same tasks and lacks none.
fn ids_are_written_once(text: &str, plan: &ParsedPlan) {
    let written = apply_edits(text, &id_edits(plan));
    let again = read_markdown(plan.format, &written);
    let ids = |plan: &ParsedPlan| -> Vec<PlanTaskId> {
        plan.tasks.iter().map(|task| task.task.id.clone()).collect()
    };
    assert_eq!(ids(&again), ids(plan), "{:?}: {written:?}", plan.format);
    assert_eq!(id_edits(&again), []);
}

/// Whose the tasks are.
pub(crate) fn plan_id() -> PlanId {
    "plan".parse().expect("it is an id")
}

/// No id is there twice, and what a task waits for is another task, with no circles.
pub(crate) fn tasks(plan: &ParsedPlan) {
    let ids: BTreeSet<&PlanTaskId> = plan.tasks.iter().map(|task| &task.task.id).collect();
    assert_eq!(ids.len(), plan.tasks.len());
    let mut waits: BTreeMap<&PlanTaskId, BTreeSet<&PlanTaskId>> = BTreeMap::new();
    for task in plan.tasks.iter().map(|task| &task.task) {
        assert!(!task.title.trim().is_empty(), "{task:?}");
        let list = task.depends_on.iter().flatten();
        let others: BTreeSet<&PlanTaskId> = list.collect();
        assert_eq!(Some(others.len()), task.depends_on.as_ref().map(Vec::len).or(Some(0)));
        // What it waits for and is no task is named as an error.
        let unknown = others.iter().filter(|id| !ids.contains(**id)).count();
        let named = plan.skipped.iter().filter(|skipped| skipped.is_error).count();
        assert!(unknown <= named && !others.contains(&task.id), "{task:?}");
        let others: BTreeSet<&PlanTaskId> = others.intersection(&ids).copied().collect();
        waits.insert(&task.id, others);
    }
    // What waits for nothing can go; in a circle everything waits.
    while !waits.is_empty() {
        let free = waits.iter().filter(|(_, others)| others.is_empty());
        let gone: BTreeSet<&PlanTaskId> = free.map(|(id, _)| *id).collect();
        assert!(!gone.is_empty(), "a circle among {:?}", waits.keys());
        waits.retain(|id, _| !gone.contains(id));
        for others in waits.values_mut() {
            others.retain(|id| !gone.contains(id));
        }
    }
    for skipped in &plan.skipped {
        assert!(!skipped.reason.is_empty() && skipped.text.chars().count() <= 200);
    }
    assert!(plan.skipped.is_sorted_by_key(|skipped| skipped.line));
}

/// Splits a text into lines; any of the three line ends is one.
fn lines(text: &str) -> Vec<&str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let unix = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    unix.flat_map(|line| line.split('\r')).collect()
}

/// Every task has its mark in its line.
fn places(text: &str, plan: &ParsedPlan) {
    let mut end = 0;
    for task in &plan.tasks {
        assert!(task.task.title.lines().count() == 1, "{task:?}");
        // A task may begin with a heading or an element, and have details of many lines.
        let has_body = matches!(plan.format, PlanFormat::TaskHeadings | PlanFormat::Gsd);
        let Some(mark) = task.checkbox.clone() else {
            assert!(has_body);
            continue;
        };
        // Its status may stand below its checkboxes.
        assert!(mark.start >= end || has_body);
        end = mark.end.max(end);
        // The status, a word or a checkbox, may stand below the first line.
        let line = lines(&text[..mark.start]).len();
        let is_below = line > task.line && has_body;
        assert!(line == task.line || is_below, "{task:?}");
        if matches!(&text[mark], "x" | "X") {
            assert_eq!(task.task.status, PlanTaskStatus::Completed);
        }
    }
}

/// Where nothing can hide a line, each that is spelled as a task is one or is named.
fn nothing_is_lost(text: &str, plan: &ParsedPlan) {
    if text.contains(['`', '~', '<']) {
        return;
    }
    let tasks = plan.tasks.iter().map(|task| task.line);
    let named: BTreeSet<usize> = tasks.chain(plan.skipped.iter().map(|s| s.line)).collect();
    for (number, line) in (1..).zip(lines(text)) {
        let boxes = ["- [ ] ", "- [x] ", "- [X] "];
        let after = boxes.iter().find_map(|mark| line.strip_prefix(mark));
        let word = after.and_then(|text| text.split_whitespace().next());
        if word.is_some_and(is_numbered) {
            assert!(named.contains(&number), "line {number} is lost: {line:?}");
        }
    }
}

/// Returns whether a word is numbers with dots between them, as the ids of tasks are.
fn is_numbered(word: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    word.contains('.') && word.split('.').all(is_number)
}

/// Makes the rows that the tasks of a file have in a database, each with a status, or none.
pub(crate) fn rows(
    plan: &ParsedPlan,
    status: impl Fn(usize) -> Option<PlanTaskStatus>,
) -> Vec<PlanTask> {
    let tasks = plan.tasks.iter().enumerate();
    let rows = tasks.filter_map(|(at, parsed)| {
        let status = status(at)?;
        let position = i64::try_from(at).expect("there are few");
        let task = parsed.task.to_new_row(&plan_id(), position, Timestamp::from_millis(0));
        Some(PlanTask { status, ..task })
    });
    rows.collect()
}

/// Makes the plan of such rows.
pub(crate) fn state(plan: &ParsedPlan, tasks: Vec<PlanTask>) -> PlanState {
    PlanState {
        plan: Plan {
            id: plan_id(),
            path: "/plans/plan.md".to_owned(),
            title: plan.title.clone(),
            extra: plan.extra.clone(),
            revision: Revision(1),
            created_at: Timestamp::from_millis(0),
            updated_at: Timestamp::from_millis(0),
        },
        tasks,
    }
}

/// Findings are for a person, one line each.
pub(crate) fn told(found: &[Divergence]) {
    for divergence in found {
        assert_one_line(&divergence.message);
        assert_one_line(divergence.found.as_deref().unwrap_or_default());
        assert_one_line(&divergence.advice.to_string());
    }
}

fn writing_back(text: &str, plan: &ParsedPlan, rows: &[PlanTask]) {
    let id = plan_id();
    let found = compare_checkboxes(plan.format, text, rows);
    assert_eq!(&found.file, plan);
    assert!(found.not_in_file.is_empty());
    let unmarked = plan.tasks.iter().filter(|task| task.checkbox.is_none());
    let unmarked: BTreeSet<&PlanTaskId> = unmarked.map(|task| &task.task.id).collect();
    let marked = rows.iter().filter(|row| !unmarked.contains(&row.id));
    assert_eq!(found.checkboxes.len(), marked.count());
    assert_eq!(found.not_imported.len(), plan.tasks.len() - rows.len());
    let file = PlanFile { is_committed: true, path: "docs/plan.md", plan: Some(&id) };
    told(&checkbox_findings(&found, file));
    told(&task_findings(&state(plan, rows.to_vec())));

    let behind = |standing| standing == CheckboxRelation::DatabaseAhead;
    let count = found.checkboxes.iter().filter(|it| behind(it.relation)).count();
    assert_eq!(found.edits.len(), count);
    let after = apply_edits(text, &found.edits);
    // Nothing but the marks differs.
    let (mut at, mut after_at) = (0, 0);
    let mut edits = found.edits.clone();
    edits.sort_by_key(|edit| edit.range.start);
    for edit in &edits {
        let kept = edit.range.start - at;
        assert_eq!(text[at..edit.range.start], after[after_at..after_at + kept]);
        at = edit.range.end;
        after_at += kept + edit.replacement.len();
    }
    assert_eq!(text[at..], after[after_at..]);
    let again = compare_checkboxes(plan.format, &after, rows);
    assert_eq!(again.edits, []);
    assert_eq!(again.ahead_in_file, found.ahead_in_file);
    let shape = |plan: &ParsedPlan| -> Vec<(PlanTaskId, usize, String)> {
        let tasks = plan.tasks.iter().map(|task| (&task.task, task.line));
        tasks.map(|(task, line)| (task.id.clone(), line, task.title.clone())).collect()
    };
    assert_eq!(shape(&again.file), shape(plan));
    let unfinished = |plan: &ParsedPlan| {
        plan.tasks.iter().filter(|task| !task.task.status.is_finished()).count()
    };
    assert!(unfinished(&again.file) <= unfinished(plan));
    assert_eq!(again.file.skipped.len(), plan.skipped.len());
}
