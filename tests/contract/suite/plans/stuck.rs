//! Tasks whose worker gives no sign of life.

use trueup_core::model::{PlanTaskStatus, PlanTaskStep};

use super::{apply_plan_step, import_example, load_task, start_task_step};
use crate::fixture::StoreFixture;
use crate::requests::{
    begin_run, last_event_id, list_event_kinds, new_heartbeat, new_provenance, orchestrator_id,
    register_session,
};

on_every_store! {
    an_interruption_puts_back_what_an_orchestrator_had_in_progress
    what_gives_no_sign_of_life_is_failed
    a_sign_of_life_of_the_session_counts_for_its_task
    a_sign_of_life_of_the_orchestrator_counts_for_its_tasks
}

fn an_interruption_puts_back_what_an_orchestrator_had_in_progress(f: &mut impl StoreFixture) {
    import_example(f.store());
    register_session(f.store(), "s1");
    apply_plan_step(f.store(), "1.1", start_task_step(None, Some("o1")));
    apply_plan_step(f.store(), "1.2", start_task_step(Some("s1"), Some("o1")));
    apply_plan_step(f.store(), "1.3", start_task_step(Some("s1"), Some("o2")));
    let provenance = new_provenance("ann");
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
    assert_eq!(load_task(f.store(), "1.3").status, PlanTaskStatus::InProgress);
    let after = last_event_id(f.store());
    let again = f.store().interrupt_plan_tasks(&orchestrator_id("o1"), "x", &provenance).unwrap();
    assert_eq!(again, put_back, "the first answer");
    let nothing = f
        .store()
        .interrupt_plan_tasks(&orchestrator_id("o1"), "x", &new_provenance("ann"))
        .unwrap();
    assert_eq!(nothing, []);
    assert_eq!(last_event_id(f.store()), after);
    let task = apply_plan_step(f.store(), "1.1", start_task_step(None, None));
    assert_eq!(task.error, None, "what was interrupted goes on like any other");
}

fn what_gives_no_sign_of_life_is_failed(f: &mut impl StoreFixture) {
    import_example(f.store());
    apply_plan_step(f.store(), "1.1", start_task_step(None, None));
    f.advance_time(3_600);
    apply_plan_step(f.store(), "1.2", start_task_step(None, None));
    f.advance_time(3_700);
    let after = last_event_id(f.store());
    let failed_tasks = f.store().fail_stuck_plan_tasks(7_200, &new_provenance("ann")).unwrap();
    let [failed_tasks] = &failed_tasks[..] else { panic!("{failed_tasks:?}") };
    assert_eq!(*failed_tasks, load_task(f.store(), "1.1"));
    assert_eq!((failed_tasks.status, failed_tasks.stuck), (PlanTaskStatus::Failed, true));
    let error = failed_tasks.error.as_deref().unwrap();
    assert!(error.contains("7200 s"), "{error}");
    assert_eq!(list_event_kinds(f.store(), after), ["p/1.1 status"]);
    let again = f.store().fail_stuck_plan_tasks(7_200, &new_provenance("ann")).unwrap();
    assert_eq!(again, []);
    let retried = apply_plan_step(f.store(), "1.1", PlanTaskStep::Retry);
    assert_eq!((retried.stuck, retried.retry_count), (false, 1));
}

fn a_sign_of_life_of_the_session_counts_for_its_task(f: &mut impl StoreFixture) {
    import_example(f.store());
    register_session(f.store(), "s1");
    register_session(f.store(), "s2");
    apply_plan_step(f.store(), "1.1", start_task_step(Some("s1"), None));
    apply_plan_step(f.store(), "1.2", start_task_step(Some("s2"), None));
    f.advance_time(86_400);
    f.store().record_heartbeat(&new_heartbeat("s1")).unwrap();
    let failed_tasks = f.store().fail_stuck_plan_tasks(7_200, &new_provenance("ann")).unwrap();
    let ids: Vec<&str> = failed_tasks.iter().map(|task| task.id.as_str()).collect();
    assert_eq!(ids, ["1.2"]);
    assert_eq!(load_task(f.store(), "1.1").status, PlanTaskStatus::InProgress);
}

fn a_sign_of_life_of_the_orchestrator_counts_for_its_tasks(f: &mut impl StoreFixture) {
    import_example(f.store());
    for id in ["o1", "o2"] {
        begin_run(f.store(), id, id);
    }
    apply_plan_step(f.store(), "1.1", start_task_step(None, Some("o1")));
    apply_plan_step(f.store(), "1.2", start_task_step(None, Some("o2")));
    apply_plan_step(f.store(), "1.3", start_task_step(None, Some("unknown")));
    f.advance_time(86_400);
    f.store().record_orchestrator_heartbeat(&orchestrator_id("o1")).unwrap();
    let failed_tasks = f.store().fail_stuck_plan_tasks(7_200, &new_provenance("ann")).unwrap();
    let ids: Vec<&str> = failed_tasks.iter().map(|task| task.id.as_str()).collect();
    assert_eq!(ids, ["1.2", "1.3"]);
}
