//! The current task is recorded from the client's events.

use serde_json::{Value, json};
use support::home::{FIRST_SESSION, Home};

fn task(home: &Home) -> Value {
    assert_eq!(
        home.read_cache()["currentTask"],
        home.execution_state()["currentTask"],
        "copies agree"
    );
    home.execution_state()["currentTask"].clone()
}

#[test]
fn the_todo_in_progress_is_the_task_and_none_clears_it() {
    let home = Home::new().with_held_item();
    home.push_event("post-tool-use.todo-write").assert_silent();
    assert_eq!(task(&home), "write the test");
    let done = home
        .payload("post-tool-use.todo-write")
        .with_input("todos", json!([{"content": "write the test", "status": "completed"}]));
    home.run_hook("checkpoint-push", &done).assert_silent();
    assert_eq!(task(&home), Value::Null);
}

#[test]
fn a_task_created_and_put_in_progress_is_the_task() {
    let home = Home::new().with_held_item();
    home.push_event("task-created").assert_silent();
    assert_eq!(task(&home), Value::Null, "a task that waits is not worked on");
    home.push_event("post-tool-use.task-update").assert_silent();
    assert_eq!(task(&home), "do it");
    home.push_event("task-completed").assert_silent();
    assert_eq!(task(&home), Value::Null);
}

#[test]
fn the_task_tool_alone_is_enough() {
    let home = Home::new().with_held_item();
    home.push_event("post-tool-use.task-create").assert_silent();
    home.push_event("post-tool-use.task-update").assert_silent();
    assert_eq!(task(&home), "do it");
    let done = home.payload("post-tool-use.task-update").with_input("status", "completed");
    home.run_hook("checkpoint-push", &done).assert_silent();
    assert_eq!(task(&home), Value::Null);
}

#[test]
fn finishing_another_task_changes_nothing() {
    let home = Home::new().with_held_item();
    home.push_event("task-created").ok();
    let other = home.payload("task-created").with("task_id", "2").with("task_subject", "other");
    home.run_hook("checkpoint-push", &other).ok();
    home.push_event("post-tool-use.task-update").ok();
    let done = home.payload("task-completed").with("task_id", "2");
    home.run_hook("checkpoint-push", &done).assert_silent();
    assert_eq!(task(&home), "do it");
}

#[test]
fn an_update_of_a_task_nobody_knows_changes_nothing() {
    let home = Home::new().with_held_item();
    home.set_state(FIRST_SESSION, "execution_state.currentTask", "kept");
    home.send_prompt().ok();
    home.push_event("post-tool-use.task-update").assert_silent();
    home.push_event("task-completed").assert_silent();
    assert_eq!(task(&home), "kept");
}

#[test]
fn a_subagents_list_is_its_own() {
    let home = Home::new().with_held_item();
    for fixture in ["post-tool-use.todo-write", "task-created", "post-tool-use.task-update"] {
        let payload = home.payload(fixture).with("agent_id", "a1").with("agent_type", "Explore");
        home.run_hook("checkpoint-push", &payload).assert_silent();
    }
    assert_eq!(task(&home), Value::Null);
}

#[test]
fn a_task_of_any_length_is_kept_within_bounds() {
    let home = Home::new().with_held_item();
    let long = "é".repeat(50_000);
    let payload = home
        .payload("post-tool-use.todo-write")
        .with_input("todos", json!([{"content": long, "status": "in_progress"}]));
    home.run_hook("checkpoint-push", &payload).assert_silent();
    assert_eq!(task(&home).as_str().unwrap().chars().count(), 2_000);
    assert!(home.start_session().ok().context().chars().count() <= 9_500);
}

#[test]
fn a_task_that_is_renamed_when_it_starts_ends_under_its_new_name() {
    let home = Home::new().with_held_item();
    home.push_event("task-created").ok();
    let renamed = home.payload("post-tool-use.task-update").with_input("subject", "do it well");
    home.run_hook("checkpoint-push", &renamed).assert_silent();
    assert_eq!(task(&home), "do it well");
    home.push_event("task-completed").assert_silent();
    assert_eq!(task(&home), Value::Null);
}

#[test]
fn a_task_that_is_put_back_is_not_worked_on() {
    let home = Home::new().with_held_item();
    home.push_event("task-created").ok();
    home.push_event("post-tool-use.task-update").ok();
    let back = home.payload("post-tool-use.task-update").with_input("status", "pending");
    home.run_hook("checkpoint-push", &back).assert_silent();
    assert_eq!(task(&home), Value::Null);
}

#[test]
fn an_unreadable_todo_does_not_hide_the_others() {
    let unreadable = || json!({"content": 5, "status": "in_progress"});
    for (todos, expected) in [
        (json!([unreadable()]), "before"),
        (json!([{"content": "  ", "status": "in_progress"}]), "before"),
        (json!([{"content": "x", "status": 7}]), "before"),
        (json!(["?"]), "before"),
        (json!([unreadable(), {"content": "second", "status": "in_progress"}]), "second"),
    ] {
        let home = Home::new().with_held_item();
        home.set_state(FIRST_SESSION, "execution_state.currentTask", "before");
        home.send_prompt().ok();
        let payload = home.payload("post-tool-use.todo-write").with_input("todos", todos.clone());
        home.run_hook("checkpoint-push", &payload).assert_silent();
        assert_eq!(task(&home), expected, "{todos}");
    }
}
