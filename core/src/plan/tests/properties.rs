//! The laws of plans in Markdown, for any text.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::plan::tests::parse_markdown;

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

/// Plans of such lines, with any line ends.
pub(in crate::plan) fn arbitrary_plan() -> impl Strategy<Value = String> {
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
        prop_assert_eq!(ids.len(), plan.tasks.len(), "an id occurs once");
        for task in &plan.tasks {
            let mark = text.get(task.checkbox.clone().unwrap()).unwrap();
            prop_assert!(matches!(mark, " " | "x" | "X" | "-"));
            for other in task.task.depends_on.iter().flatten() {
                let is_named = plan.skipped.iter().any(|s| s.is_error && s.line == task.line);
                prop_assert!(*other != task.task.id && (ids.contains(other) || is_named));
            }
        }
        // Every line that is neither code nor comment and has the exact form of a task is a task,
        // or is listed as skipped.
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
}
