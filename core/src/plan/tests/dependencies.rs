//! Cycles of dependencies, ranges and limits.

use super::{assert_skips, depends_on, skip_reasons};
use crate::plan::tests::parse_markdown;

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
    // Each task closes a cycle, and the first depends on itself; a hundred are described.
    assert_eq!(reasons.len(), 1 + 100 + 1, "{reasons:?}");
    assert!(reasons.iter().all(|reason| reason.len() < 300), "{reasons:?}");
    let longest = reasons.iter().find(|r| r.ends_with("-> 1.19 -> … 1979 more … -> 1.1999 -> 1.0"));
    assert!(longest.is_some(), "{reasons:?}");
    let rest = "1899 more circular dependencies ignored";
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
    let closing = plan.skipped.iter().filter(|s| s.reason.contains("circular"));
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
    assert!(titles.contains(&"b (see x) (depends: 1.0 (depends: 1.1"), "{titles:?}");
}
