//! The schema's rules for plans: plain SQL cannot break them.

use trueup_core::model::{
    NewPlan, NewPlanTask, PlanTask, PlanTaskStatus, PlanTaskStep, PlanWorker,
};
use trueup_core::store::{PlanStore as _, PlanTaskStepRequest};

use super::claim_rules::assert_refuses;
use crate::fixture::{DatabaseFile, new_sqlite};
use crate::requests::{list_events, new_provenance};

fn file_with_plan() -> DatabaseFile {
    let mut file = new_sqlite();
    let task =
        |id: &str| NewPlanTask::new(id.parse().unwrap(), "t".to_owned(), PlanTaskStatus::Pending);
    let plan = NewPlan {
        id: "p".parse().unwrap(),
        path: "/p.md".to_owned(),
        title: None,
        extra: serde_json::Map::new(),
        tasks: vec![task("1.1"), task("1.2")],
    };
    file.store.import_plan(&plan, &new_provenance("user")).unwrap();
    let other = NewPlan { path: "/q.md".to_owned(), id: "q".parse().unwrap(), ..plan };
    file.store.import_plan(&other, &new_provenance("user")).unwrap();
    file
}

fn load_task(file: &mut DatabaseFile) -> PlanTask {
    let (plan, id) = ("p".parse().unwrap(), "1.1".parse().unwrap());
    file.store.load_plan_task(&plan, &id).unwrap().unwrap()
}

fn apply_task_step(file: &mut DatabaseFile, step: PlanTaskStep) {
    let change = PlanTaskStepRequest {
        plan: "p".parse().unwrap(),
        task: "1.1".parse().unwrap(),
        expected_revision: load_task(file).revision,
        step,
        provenance: new_provenance("user"),
    };
    file.store.apply_plan_task_step(&change).unwrap();
}

const FIRST_TASK: &str = "WHERE plan_id = 'p' AND id = '1.1'";

fn refuses_change(file: &DatabaseFile, set: &str, words: &str) {
    assert_refuses(file, &format!("UPDATE plan_tasks SET {set} {FIRST_TASK}"), words);
}

#[test]
fn a_status_goes_forward_by_its_edges_and_back_by_a_reopening() {
    let mut file = file_with_plan();
    refuses_change(&file, "status = 'doing'", "no legal change");
    file.execute_sql(&format!("UPDATE plan_tasks SET status = 'completed' {FIRST_TASK}"));
    for to in ["pending", "in_progress", "failed", "skipped"] {
        refuses_change(&file, &format!("status = '{to}'"), "no legal change");
    }
    let back = "status = 'pending', reopened = reopened + 1, last_op = 'x'";
    refuses_change(&file, back, "no legal change");
    refuses_change(&file, &format!("{back}, last_reason = ''"), "no legal change");
    let stale = "status = 'pending', last_op = 'x', last_reason = 'r'";
    refuses_change(&file, stale, "no legal change");
    file.execute_sql(&format!("UPDATE plan_tasks SET {back}, last_reason = 'r' {FIRST_TASK}"));
    assert_eq!(load_task(&mut file).status, PlanTaskStatus::Pending);
    refuses_change(&file, "reopened = 0", "never goes back");
}

#[test]
fn a_change_by_plain_sql_is_dated_and_recorded() {
    let mut file = file_with_plan();
    file.execute_sql(&format!(
        "UPDATE plan_tasks SET status = 'in_progress', started_at = 'never' {FIRST_TASK}"
    ));
    let task = load_task(&mut file);
    assert!(task.started_at.is_some());
    file.execute_sql(&format!("UPDATE plan_tasks SET status = 'skipped' {FIRST_TASK}"));
    let skipped = load_task(&mut file);
    assert!(skipped.completed_at >= task.started_at);
    assert_eq!(skipped.revision.0, task.revision.0 + 1);
    let last = list_events(&mut file.store).pop().unwrap();
    assert_eq!((last.actor.as_str(), last.kind.as_str()), ("sql", "status"));
    assert_eq!((last.before, last.after), (task.event_facts(), skipped.event_facts()));
}

#[test]
fn retries_are_counted_whoever_writes() {
    let mut file = file_with_plan();
    let back = |count: &str| {
        format!(
            "status = 'pending', retry_count = {count}, reopened = reopened + 1, \
             last_op = hex(randomblob(4)), last_reason = 'r'"
        )
    };
    for _ in 0..2 {
        file.execute_sql(&format!("UPDATE plan_tasks SET status = 'failed' {FIRST_TASK}"));
        refuses_change(&file, &back("retry_count"), "by a retry, which is counted");
        file.execute_sql(&format!(
            "UPDATE plan_tasks SET {} {FIRST_TASK}",
            back("retry_count + 1")
        ));
    }
    file.execute_sql(&format!("UPDATE plan_tasks SET status = 'failed' {FIRST_TASK}"));
    refuses_change(&file, &back("retry_count + 1"), "constraint failed");
    refuses_change(&file, "retry_count = 0", "never goes back");
    refuses_change(&file, "retry_count = 3", "constraint failed");
    assert_eq!(load_task(&mut file).retry_count, 2);
}

#[test]
fn plans_and_tasks_stay_and_keep_their_keys() {
    let mut file = file_with_plan();
    let worker = PlanWorker { actor: "ann".to_owned(), session: None, orchestrator: None };
    apply_task_step(&mut file, PlanTaskStep::Start(worker));
    let before = load_task(&mut file);
    for (sql, words) in [
        ("DELETE FROM plan_tasks", "a task of a plan stays"),
        ("DELETE FROM plans", "a plan stays"),
        (
            "INSERT OR REPLACE INTO plan_tasks (plan_id, id, title) VALUES ('p', '1.1', 'x')",
            "exists already",
        ),
        ("UPDATE OR REPLACE plan_tasks SET id = '1.2' WHERE id = '1.1'", "a key never changes"),
        ("UPDATE plan_tasks SET plan_id = 'q' WHERE id = '1.1'", "a key never changes"),
        (
            "INSERT INTO plan_tasks (plan_id, id, title) VALUES ('none', '1.1', 'x')",
            "a task is of a plan",
        ),
        (
            "INSERT INTO plan_tasks (plan_id, id, title, session) VALUES ('p', '1.9', 'x', 's9')",
            "a registered session",
        ),
        ("UPDATE plan_tasks SET session = 's9' WHERE id = '1.1'", "a registered session"),
        ("UPDATE plan_tasks SET depends_on = 'x'", "constraint failed"),
        ("UPDATE plans SET extra = 'x'", "constraint failed"),
    ] {
        assert_refuses(&file, sql, words);
    }
    assert_eq!(load_task(&mut file), before);
}
