//! Tasks in progress whose worker is gone.

use serde_json::Value;
use support::home::{FIRST_SESSION, Home};

use super::{count, import_plan, migrated, status, trueup};

/// Makes everything so far a day older.
fn a_day_later(home: &Home) {
    home.execute_sql(
        "UPDATE plan_tasks SET updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', updated_at, '-24 hours')",
        [],
    );
    home.expire_lease(FIRST_SESSION, 86_400);
}

#[test]
fn a_task_in_progress_for_a_day_is_failed_by_a_sweep_and_can_be_tried_again() {
    let home = migrated();
    import_plan(&home, "old", 3);
    home.start_session().ok();
    trueup(&home, &["plan", "start", "1.1", "--session", FIRST_SESSION]).ok();
    trueup(&home, &["plan", "start", "1.2"]).ok();
    let sweep = || trueup(&home, &["sessions", "sweep", "--json"]).ok().json()["data"].clone();
    assert_eq!(sweep()["failed"], Value::Array(Vec::new()), "it has just begun");
    a_day_later(&home);
    trueup(&home, &["plan", "start", "1.3"]).ok();
    let reading = status(&home, "old");
    assert_eq!(reading["summary"]["in_progress"], 3, "reading fails nothing");
    let swept = sweep();
    assert_eq!(swept["failed"], serde_json::json!(["old/1.1", "old/1.2"]), "{swept}");
    let after = status(&home, "old");
    assert_eq!(after["summary"]["in_progress"], 1);
    for task in &after["tasks"].as_array().unwrap()[..2] {
        assert_eq!(task["status"], "failed");
        let error = task["error"].as_str().unwrap();
        assert!(error.contains("no heartbeat") && error.contains("7200"), "{error}");
    }
    trueup(&home, &["plan", "retry", "1.1"]).ok();
    trueup(&home, &["plan", "start", "1.1"]).ok();
    assert_eq!(count(&home, "old", "in_progress"), 2);
}

#[test]
fn a_session_that_starts_sweeps_what_is_stuck_and_a_living_session_keeps_its_task() {
    let home = migrated();
    import_plan(&home, "old", 2);
    home.start_session().ok();
    trueup(&home, &["plan", "start", "1.1", "--session", FIRST_SESSION]).ok();
    // A shell in the session's worktree would act for it.
    let elsewhere = home.prepare_run("trueup").cwd(home.user_home());
    elsewhere.args(["plan", "start", "1.2", "--all-repos"]).wait().ok();
    a_day_later(&home);
    let context = home.start_session().context();
    assert!(
        context.contains("Failed for lack of a heartbeat")
            && context.contains("task old/1.2: no heartbeat"),
        "{context}"
    );
    assert_eq!(count(&home, "old", "in_progress"), 1);
    let kept: String =
        home.query_value("SELECT id FROM plan_tasks WHERE status = 'in_progress'", []);
    assert_eq!(kept, "1.1", "its session has just given a sign of life");
}
