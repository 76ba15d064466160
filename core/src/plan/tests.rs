//! Plans in Markdown: the grammar, and what people write beyond it.

mod dependencies;
pub(super) mod properties;
mod status_file;

use std::collections::BTreeSet;

use super::{ParsedPlan, PlanFormat, apply_edits, id_edits, read_markdown};
use crate::model::PlanTaskStatus;

pub(super) const SAMPLE_PLAN: &str = "# Fix the sync

Some prose, - [ ] 9.1 not at the start of a line.

## Phase 1: Setup

- [ ] 1.1 Write the migration
- [x] 1.2 Test it (depends: 1.1)
  - [X] **1.2.1** Nested

### Details

- [ ] 1.3 Below a heading of the phase

## Notes

- [ ] not a task
- [ ] 9.2 Looks like one

```
- [ ] 9.3 An example
```

## Phase 2 - Build it

~~~md
## Phase 9: in a fence
- [ ] 9.4 Another
~~~
<!--
- [ ] 9.5 Commented out
-->
* [ ] 2.1 All of phase 1 (depends: 1.1-1.3)
";

/// Parses a plan of the original format.
pub(super) fn parse_markdown(text: &str) -> ParsedPlan {
    read_markdown(PlanFormat::Trueup, text)
}

fn task_ids(plan: &ParsedPlan) -> Vec<&str> {
    let ids = plan.tasks.iter().map(|task| task.task.id.as_str());
    ids.collect()
}

fn depends_on(plan: &ParsedPlan, id: &str) -> Vec<String> {
    let task = plan.tasks.iter().find(|task| task.task.id.as_str() == id);
    let ids = task.unwrap().task.depends_on.iter().flatten();
    ids.map(ToString::to_string).collect()
}

fn skip_reasons(plan: &ParsedPlan) -> Vec<(usize, &str)> {
    let skipped = plan.skipped.iter();
    skipped.map(|s| (s.line, s.reason.as_str())).collect()
}

#[track_caller]
fn assert_skips(plan: &ParsedPlan, expected: &[(usize, &str)]) {
    let found = skip_reasons(plan);
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((line, reason), (expected, words)) in found.into_iter().zip(expected) {
        assert_eq!(line, *expected, "{reason}");
        assert!(reason.contains(words), "{reason:?} lacks {words:?}");
    }
}

#[test]
fn a_plan_is_read_as_it_stands() {
    let plan = parse_markdown(SAMPLE_PLAN);
    assert_eq!(plan.title.as_deref(), Some("Fix the sync"));
    assert_eq!(plan.phases, 2);
    assert_eq!(task_ids(&plan), ["1.1", "1.2", "1.2.1", "1.3", "2.1"]);
    let notes = "\"Notes\", which is not a phase";
    assert_skips(&plan, &[(17, notes), (18, notes)]);
    assert_eq!(plan.skipped[1].text, "- [ ] 9.2 Looks like one");
    let statuses: Vec<_> = plan.tasks.iter().map(|task| task.task.status).collect();
    let (pending, done) = (PlanTaskStatus::Pending, PlanTaskStatus::Completed);
    assert_eq!(statuses, [pending, done, done, pending, pending]);
    assert_eq!(depends_on(&plan, "1.2"), ["1.1", "1.2.1"], "its own and its child");
    assert_eq!(depends_on(&plan, "2.1"), ["1.1", "1.2", "1.3"]);
    let last = &plan.tasks[4].task;
    assert_eq!((last.phase_number, last.phase_title.as_deref()), (Some(2), Some("Build it")));
    assert_eq!(last.title, "All of phase 1");
}

#[test]
fn line_ends_and_a_byte_order_mark_make_no_difference() {
    let plain = parse_markdown(SAMPLE_PLAN);
    for end in ["\r\n", "\r"] {
        let other = parse_markdown(&format!("\u{feff}{}", SAMPLE_PLAN.replace('\n', end)));
        assert_eq!(other.skipped, plain.skipped);
        let tasks = |plan: &ParsedPlan| -> Vec<_> {
            let tasks = plan.tasks.iter();
            tasks.map(|task| (task.line, task.task.clone())).collect()
        };
        assert_eq!(tasks(&other), tasks(&plain), "{end:?}");
    }
}

#[test]
fn a_mark_is_where_its_checkbox_is() {
    for text in [SAMPLE_PLAN.to_owned(), format!("\u{feff}{}", SAMPLE_PLAN.replace('\n', "\r\n"))] {
        for task in parse_markdown(&text).tasks {
            let mark = task.checkbox.unwrap();
            let done = task.task.status == PlanTaskStatus::Completed;
            let found = text.get(mark.clone()).unwrap();
            assert_eq!(matches!(found, "x" | "X"), done, "{found:?}");
            assert_eq!(text.get(mark.start - 1..=mark.end).unwrap().len(), 3);
        }
    }
}

#[test]
fn headings_of_phases() {
    for (heading, number, name) in [
        ("## Phase 1: Setup", 1, Some("Setup")),
        ("## Phase 12", 12, None),
        ("## phase 0 - Prepare", 0, Some("Prepare")),
        ("## **Phase 2: Bold**", 2, Some("Bold")),
        ("## **Phase 2:** Half bold", 2, Some("Half bold")),
        ("### Phase 3: Deeper ###", 3, Some("Deeper")),
        ("   ## Phase 4 (optional)", 4, Some("(optional)")),
        ("## Phase 5 — Dash", 5, Some("Dash")),
    ] {
        let plan = parse_markdown(&format!("{heading}\n- [ ] 1.1 a"));
        assert_skips(&plan, &[]);
        let task = &plan.tasks[0].task;
        assert_eq!(
            (task.phase_number, task.phase_title.as_deref()),
            (Some(number), name),
            "{heading}"
        );
    }
    for heading in ["## Phase One: x", "## Phase 1a: x", "## Phase 1.5: x"] {
        let plan = parse_markdown(&format!("{heading}\n- [ ] 1.1 a"));
        assert_skips(&plan, &[(1, "not a phase heading"), (2, "not a phase")]);
    }
    for heading in [
        "## Phases",
        "## Phaseout 1",
        "##Phase 1: x",
        "# Phase 1: x",
        "####### Phase 1: x",
        "     ## Phase 1: code",
        "Phase 1: x",
    ] {
        let plan = parse_markdown(&format!("{heading}\n- [ ] 1.1 a"));
        assert_eq!(plan.phases, 0, "{heading}");
        assert_eq!(task_ids(&plan), ["1.1"], "without a phase every checkbox counts");
    }
}

#[test]
fn checkboxes_without_ids_get_some_that_stay() {
    let text = "## Phase 1: x\n- [ ] write it\n  - [ ] first\n  - [x] second\n- [ ] write it\n";
    let plan = parse_markdown(text);
    assert_skips(&plan, &[]);
    let made = task_ids(&plan);
    assert_eq!(made.iter().collect::<BTreeSet<_>>().len(), 4, "{made:?}");
    let before = format!("## Phase 1: x\n- [ ] before\n{}", text.split_once('\n').unwrap().1);
    assert_eq!(task_ids(&parse_markdown(&before))[1..], made, "what comes before changes none");
    let written = apply_edits(text, &id_edits(&plan));
    for (line, id) in written.lines().skip(1).zip(&made) {
        assert!(line.ends_with(&format!(" <!-- id: {id} -->")), "{line}");
    }
    let again = parse_markdown(&written);
    assert_eq!(task_ids(&again), made);
    assert_eq!(id_edits(&again), []);
    let titles: Vec<&str> = again.tasks.iter().map(|t| t.task.title.as_str()).collect();
    assert_eq!(titles, ["write it", "first", "second", "write it"]);
}

#[test]
fn children_come_before_their_parent() {
    let plan = parse_markdown(
        "- [ ] 1.1 parent\n  - [ ] 1.2 child\n    - [ ] 1.3 grandchild\n\t- [ ] 1.4 other\n\
         - [ ] 1.5 next\n  - [ ] 1.6 after all (depends: 1.5)\n",
    );
    assert_skips(&plan, &[]);
    assert_eq!(depends_on(&plan, "1.1"), ["1.2"]);
    assert_eq!(depends_on(&plan, "1.2"), ["1.3", "1.4"]);
    assert_eq!(depends_on(&plan, "1.3"), [""; 0]);
    assert_eq!(depends_on(&plan, "1.5"), [""; 0], "words count more than the indent");
    assert_eq!(depends_on(&plan, "1.6"), ["1.5"]);
}

#[test]
fn a_dependency_on_what_is_not_there_is_an_error_and_stays() {
    let plan = parse_markdown(
        "## Phase 1: x\n- [ ] 1.1 a\n- [ ] 1.2 b (depends: 1.9)\n- [ ] VERIFY-1 c ( DEPENDS: 1.1, VERIFY-2)\n",
    );
    assert_skips(&plan, &[(3, "depends on 1.9"), (4, "depends on VERIFY-2")]);
    assert!(plan.skipped.iter().all(|skipped| skipped.is_error));
    assert_eq!(depends_on(&plan, "1.2"), ["1.9"]);
    assert_eq!(depends_on(&plan, "VERIFY-1"), ["1.1", "VERIFY-2"]);
}

#[test]
fn nothing_that_looks_like_a_task_is_dropped_in_silence() {
    let plan = parse_markdown(
        "- [ ] 0.1 too early
## Phase 1: x
- [ ] 1.1 first
- [ ] 1.1 second (depends: 1.2)
- [ ] no id
- [  ] 1.3 odd mark
- [ ] 1.2 b (depends: 1.1, 7.7, sometime, 1.2, 1.4-1.2, 1.1-2.1
- [ ] 1.4 c (depends: 1.1, 7.7, sometime, 1.4, 1.4-1.2, 1.1-2.1)
## Phase 2: y
- [ ] 2.1 d
```
- [ ] 2.2 never ends
",
    );
    let found = task_ids(&plan);
    assert_eq!(found.len(), 5, "{found:?}");
    assert_eq!([&found[..1], &found[2..]].concat(), ["1.1", "1.2", "1.4", "2.1"]);
    assert_skips(
        &plan,
        &[
            (1, "before the first phase"),
            (4, "duplicate id 1.1"),
            (6, "neither"),
            (7, "no closing ')'"),
            (8, "depends on 7.7, which is not in this plan"),
            (8, "depends on sometime"),
            (8, "itself"),
            (8, "backwards"),
            (8, "two groups"),
            (11, "unclosed"),
        ],
    );
    let waits = ["1.1", "7.7", "sometime", "1.4-1.2", "1.1-2.1"];
    assert_eq!(depends_on(&plan, "1.4"), waits, "what was meant is waited for");
    assert_eq!(depends_on(&plan, "1.1"), [""; 0], "of the first of its id");
}

#[test]
fn what_every_task_repeats_is_cut() {
    let long = "x".repeat(5_000);
    let plan =
        parse_markdown(&format!("## Phase 1: {long}\n- [ ] 1.1 {long}\n## {long}\n- [ ] 2.1 a\n"));
    let task = &plan.tasks[0].task;
    assert_eq!(task.phase_title.as_ref().map(String::len), Some(200));
    assert_eq!(task.title, long, "what is its own is whole");
    assert!(plan.skipped.iter().all(|skipped| skipped.reason.len() < 300));
}
