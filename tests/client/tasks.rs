//! The current task is taken from the agent's task list.

use serde_json::json;
use support::client::{HarnessResult, Scratch, Turn};

use crate::fixture::session_with_claim;

const TASK: &str = "prove the fence";

/// Waits until the task is in the database; its hook runs in the background.
fn wait_for_task() -> Turn {
    Turn::bash(&format!(
        "for try in $(seq 200); do \
           trueup status --json | grep -q '\"{TASK}\"' && exit 0; sleep 0.05; \
         done; exit 1"
    ))
}

fn assert_task_arrived(scratch: &Scratch, session: &str) -> HarnessResult<()> {
    let status = scratch.run_trueup(session, &["status", "--session", session])?;
    assert_eq!(status["data"]["session"]["execution_state"]["currentTask"], TASK);
    Ok(())
}

#[test]
fn the_current_task_is_taken_from_the_todo_list() -> HarnessResult<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    let session = session_with_claim(&scratch)?;
    let todos = json!({"todos": [
        {"content": "read the plan", "status": "completed", "activeForm": "Reading the plan"},
        {"content": TASK, "status": "in_progress", "activeForm": "Proving the fence"},
        {"content": "write it down", "status": "pending", "activeForm": "Writing it down"},
    ]});
    // The pinned client offers this tool to older models only, and only without the task tools.
    scratch
        .plan_run([Turn::call("TodoWrite", todos), wait_for_task()])
        .resume(&session)
        .option("--model", "claude-sonnet-4-5")
        .env("CLAUDE_CODE_ENABLE_TASKS", "false")
        .run_prompt("plan it")?;
    assert_task_arrived(&scratch, &session)
}

#[test]
fn the_current_task_is_taken_from_the_task_tools() -> HarnessResult<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    let session = session_with_claim(&scratch)?;
    let create = json!({"subject": TASK, "description": "d", "activeForm": "Proving the fence"});
    let begin = json!({"taskId": "1", "status": "in_progress"});
    scratch
        .plan_run([
            Turn::call("TaskCreate", create),
            Turn::call("TaskUpdate", begin),
            wait_for_task(),
        ])
        .resume(&session)
        .env("CLAUDE_CODE_ENABLE_TASKS", "1")
        .run_prompt("plan it")?;
    assert_task_arrived(&scratch, &session)
}
