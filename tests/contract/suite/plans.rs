//! Plans and their tasks.

use serde_json::Value as Json;
use trueup_core::model::{
    NewPlan, NewPlanTask, PlanState, PlanSummary, PlanTask, PlanTaskStatus, PlanTaskStep,
    PlanWorker, Revision,
};
use trueup_core::plan::{StepTaken, take_step};
use trueup_core::store::{PlanImported, PlanTaskChange, Provenance, Store};

use crate::fixture::Fixture;
use crate::request::{
    beat, by, cursor, events, id, kinds, orchestrator_id, refused, register, running,
};

on_every_store! {
    a_plan_is_imported_as_its_file_says
    the_same_file_is_the_same_plan_and_another_gets_a_number
    importing_again_changes_what_the_file_says_and_nothing_goes_back
    an_import_that_changes_nothing_writes_nothing
    an_import_is_one_operation
    a_step_is_recorded_once_with_who_and_when
    a_step_on_what_moved_on_is_a_conflict
    a_step_that_the_rules_forbid_is_denied
    going_back_empties_the_times_and_is_a_reopening
    a_retry_is_counted_twice_and_no_more
    a_worker_is_a_registered_session
    repeating_an_operation_changes_nothing
    a_step_tells_who_comes_too_late
    an_interruption_puts_back_what_an_orchestrator_had_in_progress
    what_gives_no_sign_of_life_is_failed
    a_sign_of_life_of_the_session_counts_for_its_task
    a_sign_of_life_of_the_orchestrator_counts_for_its_tasks
    plans_are_listed_with_their_counts
    a_failed_task_may_be_left_out
    a_removed_plan_is_gone_with_its_tasks_and_no_other
    a_removal_is_recorded_with_who_and_why
    removing_no_plan_is_a_conflict
    a_repeated_removal_removes_no_successor
}

fn new_task(text: &str, status: PlanTaskStatus) -> NewPlanTask {
    NewPlanTask {
        phase_number: Some(1),
        phase_title: Some("Setup".to_owned()),
        depends_on: Some(Vec::new()),
        ..NewPlanTask::new(text.parse().unwrap(), format!("do {text}"), status)
    }
}

fn new_plan(path: &str, tasks: &[&str]) -> NewPlan {
    NewPlan {
        id: "p".parse().unwrap(),
        path: path.to_owned(),
        title: Some("Plan".to_owned()),
        extra: serde_json::Map::new(),
        tasks: tasks
            .iter()
            .map(|id| new_task(id, PlanTaskStatus::Pending))
            .collect(),
    }
}

fn import(store: &mut dyn Store, plan: &NewPlan) -> PlanImported {
    store.import_plan(plan, &by("user")).unwrap()
}

pub(super) fn given(store: &mut dyn Store) {
    import(store, &new_plan("/p.md", &["1.1", "1.2", "1.3"]));
}

fn state(store: &mut dyn Store) -> PlanState {
    store.plan(&"p".parse().unwrap()).unwrap().unwrap()
}

pub(super) fn task(store: &mut dyn Store, text: &str) -> PlanTask {
    let plan = "p".parse().unwrap();
    let task = store.plan_task(&plan, &text.parse().unwrap());
    task.unwrap().unwrap()
}

pub(super) fn worker(session: Option<&str>, orchestrator: Option<&str>) -> PlanTaskStep {
    PlanTaskStep::Start(PlanWorker {
        actor: session.unwrap_or("ann").to_owned(),
        session: session.map(id),
        orchestrator: orchestrator.map(orchestrator_id),
    })
}

fn fail() -> PlanTaskStep {
    PlanTaskStep::Fail {
        error: "boom".to_owned(),
        stuck: false,
    }
}

/// A step on the task as it is.
fn change(store: &mut dyn Store, text: &str, step: PlanTaskStep) -> PlanTaskChange {
    PlanTaskChange {
        plan: "p".parse().unwrap(),
        task: text.parse().unwrap(),
        expected: task(store, text).revision,
        step,
        provenance: by("user"),
    }
}

#[track_caller]
pub(super) fn take(store: &mut dyn Store, text: &str, step: PlanTaskStep) -> PlanTask {
    let change = change(store, text, step);
    store.change_plan_task(&change).unwrap()
}

fn a_plan_is_imported_as_its_file_says(f: &mut impl Fixture) {
    let mut plan = new_plan("/a/p.md", &["1.1", "1.2"]);
    plan.extra.insert("createdAt".to_owned(), "x".into());
    plan.tasks[1].status = PlanTaskStatus::Completed;
    plan.tasks[1].depends_on = Some(vec!["1.1".parse().unwrap()]);
    plan.tasks[1].extra.insert("n".to_owned(), 1.into());
    let imported = import(f.store(), &plan);
    assert_eq!((imported.added, imported.changed), (2, 0));
    assert_eq!(imported.state, state(f.store()));
    let found = imported.state;
    assert_eq!(found.plan.path, "/a/p.md");
    assert_eq!(found.plan.title.as_deref(), Some("Plan"));
    assert_eq!(found.plan.extra, plan.extra);
    let [first, second] = &found.tasks[..] else {
        panic!("{found:?}")
    };
    assert_eq!(first.key(), "p/1.1");
    assert_eq!((first.position, second.position), (1, 2));
    assert_eq!(first.phase_title.as_deref(), Some("Setup"));
    assert_eq!((first.started_at, first.completed_at), (None, None));
    assert_eq!(second.depends_on, plan.tasks[1].depends_on.clone().unwrap());
    assert_eq!(second.extra, plan.tasks[1].extra);
    assert!(second.completed_at.is_some() && second.started_at.is_none());
    let at = f.store().plan_at("/a/p.md").unwrap();
    assert_eq!(at.as_ref(), Some(&found.plan.id));
    assert_eq!(f.store().plan_at("/other").unwrap(), None);
    assert_eq!(f.store().plan(&"q".parse().unwrap()).unwrap(), None);
    assert_eq!(f.store().plan_ids().unwrap(), [found.plan.id]);
    let kinds = kinds(f.store(), 0);
    assert_eq!(kinds, ["p added", "p/1.1 added", "p/1.2 added"]);
}

fn the_same_file_is_the_same_plan_and_another_gets_a_number(f: &mut impl Fixture) {
    for (path, expected) in [("/a/p.md", "p"), ("/b/p.md", "p-2"), ("/c/p.md", "p-3")] {
        for _ in 0..2 {
            let imported = import(f.store(), &new_plan(path, &["1.1"]));
            assert_eq!(imported.state.plan.id.as_str(), expected);
        }
    }
}

fn importing_again_changes_what_the_file_says_and_nothing_goes_back(f: &mut impl Fixture) {
    given(f.store());
    take(f.store(), "1.1", PlanTaskStep::Complete);
    take(f.store(), "1.3", worker(None, None));
    let mut plan = new_plan("/p.md", &["1.4", "1.1", "1.3"]);
    plan.title = Some("Renamed".to_owned());
    plan.tasks[1].title = String::from("new words");
    plan.tasks[2].status = PlanTaskStatus::Completed;
    let after = cursor(f.store());
    let imported = import(f.store(), &plan);
    assert_eq!((imported.added, imported.changed), (1, 2));
    assert_eq!(imported.not_in_file, ["1.2".parse().unwrap()]);
    assert_eq!(imported.state.plan.title.as_deref(), Some("Renamed"));
    let first = task(f.store(), "1.1");
    assert_eq!(
        (first.title.as_str(), first.status, first.position),
        ("new words", PlanTaskStatus::Completed, 2)
    );
    let third = task(f.store(), "1.3");
    assert_eq!(third.status, PlanTaskStatus::Completed);
    assert!(third.completed_at.is_some() && third.started_at.is_some());
    assert_eq!(task(f.store(), "1.2").status, PlanTaskStatus::Pending);
    let found = kinds(f.store(), after);
    let expected = ["p changed", "p/1.4 added", "p/1.1 changed", "p/1.3 status"];
    assert_eq!(found, expected);
}

fn an_import_that_changes_nothing_writes_nothing(f: &mut impl Fixture) {
    given(f.store());
    let before = (state(f.store()), cursor(f.store()));
    let imported = import(f.store(), &new_plan("/p.md", &["1.1", "1.2", "1.3"]));
    assert_eq!((imported.added, imported.changed), (0, 0));
    assert_eq!((state(f.store()), cursor(f.store())), before);
}

fn an_import_is_one_operation(f: &mut impl Fixture) {
    let provenance = Provenance {
        reason: Some("plan import".into()),
        ..by("user")
    };
    let plan = new_plan("/p.md", &["1.1", "1.2"]);
    f.store().import_plan(&plan, &provenance).unwrap();
    let longer = new_plan("/p.md", &["1.1", "1.2", "1.3"]);
    let again = f.store().import_plan(&longer, &provenance).unwrap();
    assert_eq!(again.state.tasks.len(), 2, "the answer of the first");
    let events = events(f.store());
    assert_eq!(events.len(), 3);
    for event in events {
        assert_eq!(event.op_id.as_deref(), Some(provenance.op_id.as_str()));
        assert_eq!(event.reason.as_deref(), provenance.reason.as_deref());
    }
}

fn a_step_is_recorded_once_with_who_and_when(f: &mut impl Fixture) {
    given(f.store());
    register(f.store(), "s1");
    let after = cursor(f.store());
    let begun = take(f.store(), "1.1", worker(Some("s1"), Some("o1")));
    assert_eq!(begun.status, PlanTaskStatus::InProgress);
    assert_eq!(
        (begun.session.clone(), begun.revision),
        (Some(id("s1")), Revision(2))
    );
    assert_eq!(begun.orchestrator.clone(), Some(orchestrator_id("o1")));
    assert_eq!(begun.started_by.as_deref(), Some("s1"));
    assert!(begun.started_at.is_some() && begun.completed_at.is_none());
    let failed = take(f.store(), "1.1", fail());
    assert_eq!(failed.error.as_deref(), Some("boom"));
    assert_eq!(failed.started_at, begun.started_at);
    assert!(failed.completed_at >= failed.started_at);
    let reason = "later".to_owned();
    let skipped = take(f.store(), "1.2", PlanTaskStep::Skip { reason });
    assert_eq!(skipped.skip_reason.as_deref(), Some("later"));
    let done = take(f.store(), "1.3", PlanTaskStep::Complete);
    assert!(
        done.started_at.is_none() && done.completed_at.is_some(),
        "never begun is legal"
    );
    let events: Vec<_> = events(f.store());
    let steps: Vec<_> = events
        .iter()
        .filter(|e| e.seq > after && e.entity == "plan_task")
        .collect();
    let told: Vec<_> = steps
        .iter()
        .map(|e| {
            (
                e.key.as_str(),
                e.kind.as_str(),
                e.reason.as_deref().unwrap_or_default(),
            )
        })
        .collect();
    let expected = [
        ("p/1.1", "status", "plan start"),
        ("p/1.1", "status", "boom"),
        ("p/1.2", "status", "later"),
        ("p/1.3", "status", "plan complete"),
    ];
    assert_eq!(told, expected);
    assert_eq!(steps[1].before, begun.facts());
    assert_eq!(steps[1].after, failed.facts());
}

fn a_step_on_what_moved_on_is_a_conflict(f: &mut impl Fixture) {
    given(f.store());
    let late = change(f.store(), "1.1", PlanTaskStep::Complete);
    take(f.store(), "1.1", worker(None, None));
    refused(f.store().change_plan_task(&late), "conflict");
    let unknown = PlanTaskChange {
        task: "7.7".parse().unwrap(),
        ..late
    };
    refused(f.store().change_plan_task(&unknown), "conflict");
    assert_eq!(task(f.store(), "1.1").status, PlanTaskStatus::InProgress);
}

fn a_step_that_the_rules_forbid_is_denied(f: &mut impl Fixture) {
    given(f.store());
    let done = take(f.store(), "1.1", PlanTaskStep::Complete);
    for step in [worker(None, None), fail(), PlanTaskStep::Retry] {
        let change = change(f.store(), "1.1", step);
        let error = refused(f.store().change_plan_task(&change), "denied");
        assert!(error.to_string().contains("p/1.1 is completed"), "{error}");
    }
    assert_eq!(task(f.store(), "1.1"), done);
}

fn going_back_empties_the_times_and_is_a_reopening(f: &mut impl Fixture) {
    given(f.store());
    take(f.store(), "1.1", worker(None, None));
    take(f.store(), "1.1", fail());
    let after = cursor(f.store());
    let retried = take(f.store(), "1.1", PlanTaskStep::Retry);
    assert_eq!((retried.started_at, retried.completed_at), (None, None));
    assert_eq!((retried.error, retried.started_by), (None, None));
    assert_eq!(kinds(f.store(), after), ["p/1.1 reopened"]);
}

fn a_retry_is_counted_twice_and_no_more(f: &mut impl Fixture) {
    given(f.store());
    for count in 1..=2 {
        take(f.store(), "1.1", fail());
        let retried = take(f.store(), "1.1", PlanTaskStep::Retry);
        assert_eq!(retried.retry_count, count);
    }
    take(f.store(), "1.1", fail());
    let third = change(f.store(), "1.1", PlanTaskStep::Retry);
    refused(f.store().change_plan_task(&third), "denied");
}

fn a_worker_is_a_registered_session(f: &mut impl Fixture) {
    given(f.store());
    let change = change(f.store(), "1.1", worker(Some("s9"), None));
    refused(f.store().change_plan_task(&change), "denied");
    assert_eq!(task(f.store(), "1.1").status, PlanTaskStatus::Pending);
}

fn repeating_an_operation_changes_nothing(f: &mut impl Fixture) {
    given(f.store());
    let first = change(f.store(), "1.1", fail());
    let failed = f.store().change_plan_task(&first).unwrap();
    assert_eq!(f.store().change_plan_task(&first).unwrap(), failed);
    let retried = take(f.store(), "1.1", PlanTaskStep::Retry);
    let after = cursor(f.store());
    assert_eq!(f.store().change_plan_task(&first).unwrap(), retried);
    assert_eq!(cursor(f.store()), after);
}

fn a_step_tells_who_comes_too_late(f: &mut impl Fixture) {
    given(f.store());
    register(f.store(), "s1");
    let (plan, first) = ("p".parse().unwrap(), "1.1".parse().unwrap());
    let mut step =
        |step: &PlanTaskStep| take_step(f.store(), &plan, &first, step, &by("ann")).unwrap();
    let taken = step(&worker(Some("s1"), None));
    assert!(matches!(
        taken,
        StepTaken::Changed {
            from: PlanTaskStatus::Pending,
            ..
        }
    ));
    assert!(matches!(
        step(&worker(Some("s1"), None)),
        StepTaken::Already(_)
    ));
    match step(&worker(None, None)) {
        StepTaken::Refused { refusal, task } => {
            assert_eq!(refusal.code(), "already_in_progress");
            assert_eq!(task.session, Some(id("s1")));
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        step(&PlanTaskStep::Complete),
        StepTaken::Changed { .. }
    ));
    assert!(matches!(
        step(&PlanTaskStep::Complete),
        StepTaken::Already(_)
    ));
    let none = "9.9".parse().unwrap();
    let unknown = take_step(f.store(), &plan, &none, &PlanTaskStep::Complete, &by("ann")).unwrap();
    assert!(matches!(unknown, StepTaken::Unknown));
}

fn an_interruption_puts_back_what_an_orchestrator_had_in_progress(f: &mut impl Fixture) {
    given(f.store());
    register(f.store(), "s1");
    take(f.store(), "1.1", worker(None, Some("o1")));
    take(f.store(), "1.2", worker(Some("s1"), Some("o1")));
    take(f.store(), "1.3", worker(Some("s1"), Some("o2")));
    let provenance = by("ann");
    let store = f.store();
    let put_back = store
        .interrupt_plan_tasks(&orchestrator_id("o1"), "the orchestrator died", &provenance)
        .unwrap();
    let ids: Vec<&str> = put_back.iter().map(|task| task.id.as_str()).collect();
    assert_eq!(ids, ["1.1", "1.2"]);
    for task in &put_back {
        assert_eq!(task.status, PlanTaskStatus::Pending);
        let error = task.error.as_deref();
        assert_eq!(error, Some("interrupted: the orchestrator died"));
        assert_eq!((task.retry_count, task.session.clone()), (0, None));
        assert_eq!((task.orchestrator.clone(), task.started_at), (None, None));
    }
    assert_eq!(task(f.store(), "1.3").status, PlanTaskStatus::InProgress);
    let after = cursor(f.store());
    let again = f
        .store()
        .interrupt_plan_tasks(&orchestrator_id("o1"), "x", &provenance)
        .unwrap();
    assert_eq!(again, put_back, "the first answer");
    let nothing = f
        .store()
        .interrupt_plan_tasks(&orchestrator_id("o1"), "x", &by("ann"))
        .unwrap();
    assert_eq!(nothing, []);
    assert_eq!(cursor(f.store()), after);
    let begun = take(f.store(), "1.1", worker(None, None));
    assert_eq!(
        begun.error, None,
        "what was interrupted goes on like any other"
    );
}

fn what_gives_no_sign_of_life_is_failed(f: &mut impl Fixture) {
    given(f.store());
    take(f.store(), "1.1", worker(None, None));
    f.advance(3_600);
    take(f.store(), "1.2", worker(None, None));
    f.advance(3_700);
    let after = cursor(f.store());
    let failed = f.store().fail_stuck_plan_tasks(7_200, &by("ann")).unwrap();
    let [failed] = &failed[..] else {
        panic!("{failed:?}")
    };
    assert_eq!(*failed, task(f.store(), "1.1"));
    assert_eq!(
        (failed.status, failed.stuck),
        (PlanTaskStatus::Failed, true)
    );
    let error = failed.error.as_deref().unwrap();
    assert!(error.contains("7200 s"), "{error}");
    assert_eq!(kinds(f.store(), after), ["p/1.1 status"]);
    let again = f.store().fail_stuck_plan_tasks(7_200, &by("ann")).unwrap();
    assert_eq!(again, []);
    let retried = take(f.store(), "1.1", PlanTaskStep::Retry);
    assert_eq!((retried.stuck, retried.retry_count), (false, 1));
}

fn a_sign_of_life_of_the_session_counts_for_its_task(f: &mut impl Fixture) {
    given(f.store());
    register(f.store(), "s1");
    register(f.store(), "s2");
    take(f.store(), "1.1", worker(Some("s1"), None));
    take(f.store(), "1.2", worker(Some("s2"), None));
    f.advance(86_400);
    f.store().heartbeat(&beat("s1")).unwrap();
    let failed = f.store().fail_stuck_plan_tasks(7_200, &by("ann")).unwrap();
    let ids: Vec<&str> = failed.iter().map(|task| task.id.as_str()).collect();
    assert_eq!(ids, ["1.2"]);
    assert_eq!(task(f.store(), "1.1").status, PlanTaskStatus::InProgress);
}

fn a_sign_of_life_of_the_orchestrator_counts_for_its_tasks(f: &mut impl Fixture) {
    given(f.store());
    for id in ["o1", "o2"] {
        running(f.store(), id, id);
    }
    take(f.store(), "1.1", worker(None, Some("o1")));
    take(f.store(), "1.2", worker(None, Some("o2")));
    take(f.store(), "1.3", worker(None, Some("unknown")));
    f.advance(86_400);
    f.store().beat_orchestrator(&orchestrator_id("o1")).unwrap();
    let failed = f.store().fail_stuck_plan_tasks(7_200, &by("ann")).unwrap();
    let ids: Vec<&str> = failed.iter().map(|task| task.id.as_str()).collect();
    assert_eq!(ids, ["1.2", "1.3"]);
}

fn plans_are_listed_with_their_counts(f: &mut impl Fixture) {
    assert_eq!(f.store().plans().unwrap(), []);
    given(f.store());
    import(f.store(), &new_plan("/empty/p.md", &[]));
    take(f.store(), "1.1", PlanTaskStep::Complete);
    take(f.store(), "1.2", worker(None, None));
    let listed = f.store().plans().unwrap();
    let ids: Vec<&str> = listed.iter().map(|plan| plan.plan.id.as_str()).collect();
    assert_eq!(ids, ["p", "p-2"]);
    assert_eq!(listed[0].summary, state(f.store()).summary());
    let expected = PlanSummary {
        total: 3,
        pending: 1,
        in_progress: 1,
        completed: 1,
        failed: 0,
        skipped: 0,
    };
    assert_eq!(listed[0].summary, expected);
    assert_eq!(listed[1].summary, PlanSummary::default());
}

fn a_failed_task_may_be_left_out(f: &mut impl Fixture) {
    given(f.store());
    take(f.store(), "1.1", fail());
    let skip = PlanTaskStep::Skip {
        reason: "not needed".to_owned(),
    };
    let left_out = take(f.store(), "1.1", skip);
    assert_eq!(left_out.status, PlanTaskStatus::Skipped);
    assert_eq!(left_out.skip_reason.as_deref(), Some("not needed"));
    assert_eq!(left_out.error, None);
}

fn a_removed_plan_is_gone_with_its_tasks_and_no_other(f: &mut impl Fixture) {
    given(f.store());
    take(f.store(), "1.1", worker(None, None));
    take(f.store(), "1.2", PlanTaskStep::Complete);
    let other = import(f.store(), &new_plan("/other/p.md", &["1.1"])).state;
    let plan = "p".parse().unwrap();
    f.store().remove_plan(&plan, &by("user")).unwrap();
    assert_eq!(f.store().plan(&plan).unwrap(), None);
    assert_eq!(f.store().plan_at("/p.md").unwrap(), None);
    let first = "1.1".parse().unwrap();
    assert_eq!(f.store().plan_task(&plan, &first).unwrap(), None);
    assert_eq!(
        f.store().plan_ids().unwrap(),
        std::slice::from_ref(&other.plan.id)
    );
    let kept = f.store().plan(&other.plan.id).unwrap();
    assert_eq!(kept.as_ref(), Some(&other));
    // The name is free, and what comes of it begins anew.
    given(f.store());
    let all = state(f.store()).tasks;
    assert!(
        all.iter()
            .all(|task| task.status == PlanTaskStatus::Pending)
    );
}

fn a_removal_is_recorded_with_who_and_why(f: &mut impl Fixture) {
    given(f.store());
    let facts = state(f.store()).plan.facts();
    let before = cursor(f.store());
    let why = Provenance {
        reason: Some("imported by mistake".into()),
        ..by("ann")
    };
    f.store().remove_plan(&"p".parse().unwrap(), &why).unwrap();
    assert_eq!(kinds(f.store(), before), ["p removed"]);
    let event = events(f.store()).pop().unwrap();
    assert_eq!(
        (event.entity.as_str(), event.actor.as_str()),
        ("plan", "ann")
    );
    assert_eq!(event.reason.as_deref(), Some("imported by mistake"));
    assert_eq!(event.op_id.as_deref(), Some(why.op_id.as_str()));
    assert_eq!((event.before, event.after), (facts, Json::Null));
}

fn removing_no_plan_is_a_conflict(f: &mut impl Fixture) {
    given(f.store());
    let before = cursor(f.store());
    let none = "q".parse().unwrap();
    refused(f.store().remove_plan(&none, &by("user")), "conflict");
    assert_eq!(cursor(f.store()), before);
    assert_eq!(state(f.store()).tasks.len(), 3);
}

fn a_repeated_removal_removes_no_successor(f: &mut impl Fixture) {
    given(f.store());
    let (plan, why) = ("p".parse().unwrap(), by("user"));
    f.store().remove_plan(&plan, &why).unwrap();
    f.store().remove_plan(&plan, &why).unwrap();
    given(f.store());
    f.store().remove_plan(&plan, &why).unwrap();
    assert_eq!(state(f.store()).tasks.len(), 3);
}
