//! Files of plans: the seed's grammar, what people write beyond it, and what no text may do.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::{ParsedPlan, apply_edits, id_edits, parse_markdown, parse_status_file};
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
    assert_skips(&plan, &[(18, "\"Notes\", which is not a phase")]);
    assert_eq!(plan.skipped[0].text, "- [ ] 9.2 Looks like one");
    let statuses: Vec<_> = plan.tasks.iter().map(|task| task.task.status).collect();
    let (pending, done) = (PlanTaskStatus::Pending, PlanTaskStatus::Completed);
    assert_eq!(statuses, [pending, done, done, pending, pending]);
    assert_eq!(
        depends_on(&plan, "1.2"),
        ["1.1", "1.2.1"],
        "its own and its child"
    );
    assert_eq!(depends_on(&plan, "2.1"), ["1.1", "1.2", "1.3"]);
    let last = &plan.tasks[4].task;
    assert_eq!(
        (last.phase_number, last.phase_title.as_deref()),
        (Some(2), Some("Build it"))
    );
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
    for text in [
        SAMPLE_PLAN.to_owned(),
        format!("\u{feff}{}", SAMPLE_PLAN.replace('\n', "\r\n")),
    ] {
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
        assert_eq!(
            task_ids(&plan),
            ["1.1"],
            "without a phase every checkbox counts"
        );
    }
}

#[test]
fn checkboxes_without_ids_get_some_that_stay() {
    let text = "## Phase 1: x\n- [ ] write it\n  - [ ] first\n  - [x] second\n- [ ] write it\n";
    let plan = parse_markdown(text);
    assert_skips(&plan, &[]);
    let made = task_ids(&plan);
    assert_eq!(made.iter().collect::<BTreeSet<_>>().len(), 4, "{made:?}");
    let before = format!(
        "## Phase 1: x\n- [ ] before\n{}",
        text.split_once('\n').unwrap().1
    );
    assert_eq!(
        task_ids(&parse_markdown(&before))[1..],
        made,
        "what comes before changes none"
    );
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
    assert_eq!(
        depends_on(&plan, "1.5"),
        [""; 0],
        "words count more than the indent"
    );
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
- [-] 1.3 odd mark
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
    assert_eq!(
        [&found[..1], &found[2..]].concat(),
        ["1.1", "1.2", "1.4", "2.1"]
    );
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
    assert_eq!(
        depends_on(&plan, "1.4"),
        waits,
        "what was meant is waited for"
    );
    assert_eq!(depends_on(&plan, "1.1"), [""; 0], "of the first of its id");
}

#[test]
fn a_circle_of_dependencies_is_opened_and_named() {
    let plan = parse_markdown(
        "## Phase 1: x
- [ ] 1.1 a (depends: 1.3)
- [ ] 1.2 b (depends: 1.1)
- [ ] 1.3 c (depends: 1.2)
- [ ] 1.4 d (depends: 1.1, 1.3)
",
    );
    assert_skips(&plan, &[(3, "1.1 -> 1.3 -> 1.2 -> 1.1")]);
    assert_eq!(depends_on(&plan, "1.1"), ["1.3"]);
    assert_eq!(depends_on(&plan, "1.2"), [""; 0]);
    assert_eq!(depends_on(&plan, "1.4"), ["1.1", "1.3"]);
}

#[test]
fn a_chain_as_long_as_a_plan_may_be_is_walked() {
    let task = |n: u32| format!("- [ ] 1.{n} t (depends: 1.{})\n", (n + 9_999) % 10_000);
    let tasks: String = (0..10_002).map(task).collect();
    let text = format!("## Phase 1: x\n{tasks}");
    let plan = parse_markdown(&text);
    assert_eq!(plan.tasks.len(), 10_000);
    let reasons = skip_reasons(&plan);
    assert_eq!(reasons.len(), 3, "the circle and two too many: {reasons:?}");
}

#[test]
fn long_circles_and_many_of_them_are_told_in_few_words() {
    let task = |n: u32| format!("- [ ] 1.{n} t (depends: 1.{}, 1.0)\n", (n + 1) % 2_000);
    let tasks: String = (0..2_000).map(task).collect();
    let plan = parse_markdown(&format!("## Phase 1: x\n{tasks}"));
    let reasons: Vec<&str> = plan.skipped.iter().map(|s| s.reason.as_str()).collect();
    // Each task closes a circle but the first, which depends on itself; a hundred are told.
    assert_eq!(reasons.len(), 1 + 100 + 1, "{reasons:?}");
    assert!(
        reasons.iter().all(|reason| reason.len() < 300),
        "{reasons:?}"
    );
    let longest = reasons
        .iter()
        .find(|r| r.ends_with("-> 1.19 -> … 1979 more … -> 1.1999 -> 1.0"));
    assert!(longest.is_some(), "{reasons:?}");
    let rest = "1899 more circular dependencies, ignored";
    assert!(reasons.contains(&rest), "{reasons:?}");
    assert_eq!(depends_on(&plan, "1.1998"), ["1.1999"]);
    assert_eq!(depends_on(&plan, "1.1999"), [""; 0]);
}

#[test]
fn a_range_is_of_its_own_group_whatever_lies_between() {
    let plan = parse_markdown(
        "## Phase 1: x
- [ ] 1.1 a
- [ ] 1.1.1 b
- [ ] 1.1.2 c
- [ ] 1.2 d
- [ ] 1.3 e (depends: 1.1-1.3, 1.1-1.2)
- [ ] 1.4 f (depends: 1.1.1-1.1.2)
",
    );
    assert_skips(&plan, &[]);
    assert_eq!(depends_on(&plan, "1.3"), ["1.1", "1.2"]);
    assert_eq!(depends_on(&plan, "1.4"), ["1.1.1", "1.1.2"]);
}

#[test]
fn a_plan_has_so_many_dependencies_and_what_is_left_out_is_named() {
    let task = |n: u32| format!("- [ ] 1.{n} t (depends: 1.1-1.150)\n");
    let tasks: String = (1..=1_500).map(task).collect();
    let plan = parse_markdown(&format!("## Phase 1: x\n{tasks}"));
    let counts = plan.tasks.iter().map(|task| task.task.depends_on.as_ref());
    let counted: usize = counts.flatten().map(Vec::len).sum();
    let closing = plan
        .skipped
        .iter()
        .filter(|s| s.reason.contains("circular"));
    assert!(counted + closing.count() <= 200_000, "{counted}");
    let last = plan.skipped.iter().filter(|s| s.line == 1_501);
    let reasons: Vec<&str> = last.map(|skipped| &*skipped.reason).collect();
    assert!(
        reasons.contains(&"more than 200000 dependencies in a plan; only 0 of these are used"),
        "{reasons:?}"
    );
}

#[test]
fn a_list_without_end_and_one_without_measure_are_named() {
    let task = |n: u32| format!("- [ ] 1.{n} t\n");
    let tasks: String = (0..300).map(task).collect();
    let ranges = |count: usize| vec!["1.0-1.299"; count].join(", ");
    let plan = parse_markdown(&format!(
        "## Phase 1: x\n{tasks}- [ ] 2.1 a (depends: {})\n- [ ] 2.2 b (see x) (depends: 1.0 \
         (depends: 1.1\n- [ ] 2.3 c (depends: {}, 7.7)\n",
        ranges(1_000),
        ranges(1_000),
    ));
    assert_skips(
        &plan,
        &[
            (302, "more than 200 dependencies"),
            (303, "no closing ')'"),
            (304, "more than 1000 entries; 1 are ignored"),
            (304, "more than 200 dependencies"),
        ],
    );
    assert_eq!(depends_on(&plan, "2.1").len(), 200);
    let titles: Vec<&str> = plan.tasks.iter().map(|t| t.task.title.as_str()).collect();
    assert!(
        titles.contains(&"b (see x) (depends: 1.0 (depends: 1.1"),
        "{titles:?}"
    );
}

#[test]
fn what_every_task_repeats_is_cut() {
    let long = "x".repeat(5_000);
    let plan = parse_markdown(&format!(
        "## Phase 1: {long}\n- [ ] 1.1 {long}\n## {long}\n- [ ] 2.1 a\n"
    ));
    let task = &plan.tasks[0].task;
    assert_eq!(task.phase_title.as_ref().map(String::len), Some(200));
    assert_eq!(task.title, long, "what is its own is whole");
    assert!(
        plan.skipped
            .iter()
            .all(|skipped| skipped.reason.len() < 300)
    );
}

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
    let [first, second, third, _, last] = &plan.tasks[..] else {
        panic!("{:?}", plan.tasks)
    };
    assert_eq!(first.task.phase_title.as_deref(), Some("Setup"));
    assert_eq!(
        first.task.completed_at.unwrap().to_string(),
        "2025-12-20T11:00:00.000Z"
    );
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
    assert_eq!(
        second.task.extra["executionConstraints"]["sequential"],
        true
    );
    assert_eq!(
        (third.task.retry_count, third.task.error.as_deref()),
        (2, Some("boom"))
    );
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
fn what_is_no_status_file_says_so() {
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

/// Lines that plans are made of, well formed and not.
fn arbitrary_line() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..4_u32, 0..5_u32, "[ xX-]{0,2}", "[a-z ]{0,6}")
            .prop_map(|(a, b, mark, title)| { format!("- [{mark}] {a}.{b} {title}") }),
        (0..4_u32, 0..5_u32, 0..5_u32, 0..5_u32).prop_map(|(a, b, c, d)| {
            format!("* [ ] {a}.{b} t (depends: {a}.{c}-{a}.{d}, {c}.{b})")
        }),
        (0..4_u32, "[a-z]{0,4}").prop_map(|(n, name)| format!("## Phase {n}: {name}")),
        Just("## Notes".to_owned()),
        Just("```".to_owned()),
        Just("~~~~".to_owned()),
        Just("<!-- x".to_owned()),
        Just("-->".to_owned()),
        "[ \\-*\\[\\]x0-9.()#>`é]{0,20}",
        "\\PC{0,30}",
    ]
}

pub(super) fn arbitrary_plan() -> impl Strategy<Value = String> {
    let end = prop_oneof![Just("\n"), Just("\r\n"), Just("\r")];
    let pieces = proptest::collection::vec((arbitrary_line(), end), 0..40);
    pieces.prop_map(|pieces| {
        let pieces = pieces.into_iter();
        pieces.map(|(piece, end)| piece + end).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_and_every_task_is_accounted_for(text in arbitrary_plan()) {
        let plan = parse_markdown(&text);
        let ids: BTreeSet<_> = plan.tasks.iter().map(|task| task.task.id.clone()).collect();
        prop_assert_eq!(ids.len(), plan.tasks.len(), "an id stands once");
        for task in &plan.tasks {
            let mark = text.get(task.checkbox.clone().unwrap()).unwrap();
            prop_assert!(matches!(mark, " " | "x" | "X"));
            for other in task.task.depends_on.iter().flatten() {
                let is_named = plan.skipped.iter().any(|s| s.is_error && s.line == task.line);
                prop_assert!(*other != task.task.id && (ids.contains(other) || is_named));
            }
        }
        // Seen from outside: whatever is neither code nor comment, and has the exact shape of
        // the seed, is a task or is named.
        if !text.contains(['`', '~', '<']) {
            let normal = text.replace("\r\n", "\n").replace('\r', "\n");
            let mut accounted: BTreeSet<usize> = plan.tasks.iter().map(|t| t.line).collect();
            accounted.extend(plan.skipped.iter().map(|s| s.line));
            for (number, line) in (1..).zip(normal.lines()) {
                let shape = line.strip_prefix("- [ ] ").or_else(|| line.strip_prefix("- [x] "));
                let id = shape.and_then(|rest| rest.split_once(' '));
                let is_task = id.is_some_and(|(id, title)| {
                    id.split('.').count() == 2
                        && id.split('.').all(|n| n.len() == 1 && n.as_bytes()[0].is_ascii_digit())
                        && !title.trim().is_empty()
                });
                prop_assert!(!is_task || accounted.contains(&number), "{}: {:?}", number, line);
            }
        }
    }

    #[test]
    fn dependencies_never_go_in_circles(text in arbitrary_plan()) {
        let plan = parse_markdown(&text);
        let mut done = BTreeSet::new();
        loop {
            let ready: Vec<_> = plan.tasks.iter()
                .filter(|task| !done.contains(&task.task.id))
                .filter(|task| {
                    let mut known = task.task.depends_on.iter().flatten();
                    known.all(|id| done.contains(id) || plan.tasks.iter().all(|t| t.task.id != *id))
                })
                .map(|task| task.task.id.clone())
                .collect();
            if ready.is_empty() {
                break;
            }
            done.extend(ready);
        }
        prop_assert_eq!(done.len(), plan.tasks.len());
    }

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
    let check = super::check_status_file(text).unwrap();
    let mended = super::apply_edits(text, &check.edits);
    assert_eq!(
        mended,
        text.replace("\"totalTasks\": 7", "\"totalTasks\": 2")
    );
}
