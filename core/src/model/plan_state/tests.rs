//! Steps of tasks, imports over what is there, and what is computed from tasks.

use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;
use crate::model::PlanTaskStatus::{Completed, Failed, InProgress, Pending, Skipped};

fn build_task(id: &str, status: PlanTaskStatus) -> PlanTask {
    let new = NewPlanTask {
        depends_on: Some(Vec::new()),
        ..NewPlanTask::new(id.parse().unwrap(), "t".to_owned(), status)
    };
    new.to_new_row(&"p".parse().unwrap(), 1, Timestamp::from_millis(0))
}

fn build_worker(session: Option<&str>, orchestrator: Option<&str>) -> PlanWorker {
    PlanWorker {
        actor: session.unwrap_or("ann").to_owned(),
        session: session.map(|id| id.parse().unwrap()),
        orchestrator: orchestrator.map(|id| id.parse().unwrap()),
    }
}

fn start_step(session: Option<&str>, orchestrator: Option<&str>) -> PlanTaskStep {
    PlanTaskStep::Start(build_worker(session, orchestrator))
}

fn fail_step() -> PlanTaskStep {
    PlanTaskStep::Fail { error: "boom".to_owned(), stuck: false }
}

fn skip_step() -> PlanTaskStep {
    PlanTaskStep::Skip { reason: "later".to_owned() }
}

fn reopen_step() -> PlanTaskStep {
    PlanTaskStep::Reopen { reason: "it was wrong".to_owned() }
}

fn interrupt_step() -> PlanTaskStep {
    PlanTaskStep::Interrupt { reason: "it died".to_owned() }
}

#[test]
fn every_step_from_every_status() {
    use PlanTaskVerdict::{Already, Go, Refuse};
    let no = Refuse(PlanTaskRefusal::Illegal);
    let elsewhere = Refuse(PlanTaskRefusal::InProgressElsewhere);
    let from = [Pending, InProgress, Completed, Failed, Skipped];
    for (step, expected) in [
        (start_step(None, None), [Go, elsewhere, no, no, no]),
        (PlanTaskStep::Complete, [Go, Go, Already, no, no]),
        (fail_step(), [Go, Go, no, Already, no]),
        // What failed may be left out: with its retries spent nothing else ends the wait for it.
        (skip_step(), [Go, Go, no, Go, Already]),
        (PlanTaskStep::Retry, [Already, no, no, Go, no]),
        (reopen_step(), [Already, no, Go, no, Go]),
        (interrupt_step(), [Already, Go, no, no, no]),
    ] {
        for (from, expected) in from.into_iter().zip(expected) {
            let verdict = decide_plan_task_step(&build_task("1.1", from), &step);
            assert_eq!(verdict, expected, "{step:?} from {from}");
        }
    }
}

#[test]
fn a_task_in_progress_is_its_workers_own() {
    let mut own = build_task("1.1", Pending);
    let taken_by = |task: &PlanTask, session, orchestrator| {
        decide_plan_task_step(task, &start_step(session, orchestrator)) == PlanTaskVerdict::Already
    };
    start_step(Some("s1"), Some("o1")).apply(&mut own);
    assert!(taken_by(&own, Some("s1"), None));
    assert!(!taken_by(&own, Some("s2"), Some("o1")));
    assert!(!taken_by(&own, None, Some("o1")));
    assert!(!taken_by(&own, None, None));
    start_step(None, Some("o1")).apply(&mut own);
    assert!(taken_by(&own, None, Some("o1")));
    assert!(taken_by(&own, Some("s1"), Some("o1")), "its orchestrator's");
    assert!(!taken_by(&own, None, Some("o2")));
    start_step(None, None).apply(&mut own);
    assert!(!taken_by(&own, None, None), "people cannot be told apart");
}

#[test]
fn a_retry_is_counted_and_there_are_two() {
    let mut task = build_task("1.1", Pending);
    for spent in 0..=MAX_RETRIES {
        fail_step().apply(&mut task);
        let verdict = decide_plan_task_step(&task, &PlanTaskStep::Retry);
        if spent == MAX_RETRIES {
            assert_eq!(verdict, PlanTaskVerdict::Refuse(PlanTaskRefusal::RetryLimit));
        } else {
            assert_eq!(verdict, PlanTaskVerdict::Go);
            PlanTaskStep::Retry.apply(&mut task);
            assert_eq!((task.status, task.retry_count), (Pending, spent + 1));
            assert_eq!(task.error, None);
        }
    }
    let mut task = super::tests::build_task("1.1", InProgress);
    interrupt_step().apply(&mut task);
    assert_eq!((task.status, task.retry_count), (Pending, 0));
    assert_eq!(task.error.as_deref(), Some("interrupted: it died"));
}

#[test]
fn what_is_next_is_in_progress_first_then_ready_in_order() {
    let depends = |id: &str, status, on: &[&str]| PlanTask {
        depends_on: on.iter().map(|id| id.parse().unwrap()).collect(),
        ..build_task(id, status)
    };
    let state = PlanState {
        plan: Plan {
            id: "p".parse().unwrap(),
            path: "/p.md".to_owned(),
            title: None,
            extra: Map::new(),
            revision: Revision(1),
            created_at: Timestamp::from_millis(0),
            updated_at: Timestamp::from_millis(0),
        },
        tasks: vec![
            depends("1.1", Completed, &[]),
            depends("1.2", Pending, &["1.1", "1.6"]),
            depends("1.3", Pending, &["1.4"]),
            depends("1.4", InProgress, &[]),
            depends("1.5", Failed, &[]),
            depends("1.6", Skipped, &[]),
            depends("1.7", Pending, &["1.5"]),
            depends("1.8", Pending, &["9.9"]),
        ],
    };
    let next: Vec<&str> = state.next_tasks().map(|task| task.id.as_str()).collect();
    assert_eq!(next, ["1.4", "1.2"], "nobody knows what 9.9 is");
    assert_eq!(state.unknown_dependencies(&state.tasks[7]), [&"9.9".parse().unwrap()]);
    let waits = state.open_dependencies(&state.tasks[6]);
    assert_eq!(waits.map(|t| t.id.as_str()).collect::<Vec<_>>(), ["1.5"]);
}

#[test]
fn where_a_plan_stands_is_computed() {
    for (statuses, expected) in [
        (&[][..], Pending),
        (&[Pending, Pending], Pending),
        (&[Pending, InProgress], InProgress),
        (&[Pending, Completed], InProgress),
        (&[Failed, Pending], InProgress),
        (&[Failed, Completed], Failed),
        (&[Skipped, Completed], Completed),
        (&[Skipped, Skipped], Skipped),
    ] {
        let summary = PlanSummary::from_statuses(statuses.iter().copied());
        assert_eq!(summary.status(), expected, "{statuses:?}");
    }
}

#[test]
fn ids_are_words_without_spaces_and_sort_as_people_count() {
    for text in ["1.1", "01.2", "10.20.30", "1", "VERIFY-1", "3.2.A", "é-1", "1.4294967296"] {
        assert_eq!(text.parse::<PlanTaskId>().unwrap().as_str(), text);
    }
    let long = "1".repeat(101);
    for text in ["", ".1", "+1.2", " 1.2", "1 2", "1/2", "a,b", "(1)", "-1", &long] {
        assert!(text.parse::<PlanTaskId>().is_err(), "{text:?}");
    }
    for (text, id) in [("see x", "see-x"), ("(1", "1"), ("", "unnamed"), ("--", "unnamed")] {
        assert_eq!(PlanTaskId::from_text(text).as_str(), id, "{text:?}");
    }
    let id = |text: &str| text.parse::<PlanTaskId>().unwrap();
    let sorted = ["1.2", "1.2.1", "1.10", "2.1", "2.100000000000000000000", "A-2", "A-10"];
    assert!(sorted.map(id).is_sorted());
}

#[test]
fn a_file_decides_what_a_task_is_about_and_never_sets_it_back() {
    let mut there = build_task("1.1", Completed);
    there.extra = Map::from_iter([("a".to_owned(), json!(1)), ("b".to_owned(), json!(2))]);
    there.priority = Some("high".to_owned());
    let mut file = NewPlanTask::new("1.1".parse().unwrap(), "new".to_owned(), Pending);
    file.depends_on = Some(vec!["1.2".parse().unwrap()]);
    file.extra = Map::from_iter([("b".to_owned(), json!(3))]);
    let after = merge_reimported_task(&there, &file, 7);
    assert_eq!((after.title.as_str(), after.position), ("new", 7));
    assert_eq!((after.status, after.depends_on.len()), (Completed, 1));
    assert_eq!(after.extra["a"], 1);
    assert_eq!(after.extra["b"], 3);
    assert_eq!(after.priority.as_deref(), Some("high"));
    file.depends_on = None;
    assert_eq!(merge_reimported_task(&after, &file, 7).depends_on, after.depends_on);
}

/// Splits an id into its numbers and its characters, one by one; a number comes before characters.
fn split_by_hand(id: &str) -> Vec<Result<u64, char>> {
    let mut parts: Vec<Result<u64, char>> = Vec::new();
    for c in id.chars() {
        match (c.to_digit(10).map(u64::from), parts.last_mut()) {
            (Some(digit), Some(Ok(number))) => *number = *number * 10 + digit,
            (Some(digit), _) => parts.push(Ok(digit)),
            (None, _) => parts.push(Err(c)),
        }
    }
    parts
}

proptest! {
    #[test]
    fn ids_with_a_common_beginning_sort_as_by_their_parts(
        beginning in "[01a]{0,3}", a in "[01.a]{0,4}", b in "[01.a]{0,4}",
    ) {
        let (a, b) = (format!("1{beginning}{a}"), format!("1{beginning}{b}"));
        let expected = split_by_hand(&a).cmp(&split_by_hand(&b)).then(a.cmp(&b));
        let [a, b]: [PlanTaskId; 2] = [a, b].map(|text| text.parse().unwrap());
        prop_assert_eq!(a.cmp(&b), expected);
    }
}

fn any_status() -> impl Strategy<Value = PlanTaskStatus> {
    proptest::sample::select(&PlanTaskStatus::ALL[..])
}

fn any_step() -> impl Strategy<Value = PlanTaskStep> {
    prop_oneof![
        Just(start_step(None, None)),
        Just(start_step(Some("s1"), Some("o"))),
        Just(PlanTaskStep::Complete),
        Just(fail_step()),
        Just(skip_step()),
        Just(PlanTaskStep::Retry),
        Just(reopen_step()),
        Just(interrupt_step()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_import_keeps_the_rank_and_is_idempotent(there in any_status(), file in any_status()) {
        let there = build_task("1.1", there);
        let file = NewPlanTask::new("1.1".parse().unwrap(), "t".to_owned(), file);
        let after = merge_reimported_task(&there, &file, 1);
        prop_assert!(after.status.rank() >= there.status.rank());
        prop_assert!(after.status == there.status || after.status == file.status);
        prop_assert_eq!(&merge_reimported_task(&after, &file, 1), &after);
    }

    #[test]
    fn steps_that_may_be_taken_keep_every_rule(steps in proptest::collection::vec(any_step(), 0..20)) {
        let mut task = build_task("1.1", Pending);
        for step in steps {
            let before = task.clone();
            if decide_plan_task_step(&task, &step) != PlanTaskVerdict::Go {
                continue;
            }
            step.apply(&mut task);
            prop_assert_eq!(step.is_back(), task.status.rank() < before.status.rank());
            prop_assert!(task.retry_count <= MAX_RETRIES);
            prop_assert_eq!(task.skip_reason.is_some(), task.status == Skipped);
            prop_assert!(task.status != Failed || task.error.is_some());
            prop_assert!(task.status != Pending || task.started_by.is_none());
            prop_assert!(!step.reason().is_empty());
        }
    }
}
