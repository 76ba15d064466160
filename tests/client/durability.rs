//! A client that is killed loses nothing.

use support::client::{HarnessResult, RunningToolCall, Scratch};

use crate::fixture::{ITEM, PHASE, TASK, assert_item_in_context, session_with_claim};

#[test]
fn a_killed_client_leaves_item_phase_and_task_behind() -> HarnessResult<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    let session = session_with_claim(&scratch)?;
    RunningToolCall::begin(&scratch, &session)?.kill()?;

    let data = scratch.run_trueup(&session, &["status", "--session", &session])?["data"].take();
    assert_eq!(data["item"]["key"], ITEM);
    assert_eq!(data["session"]["execution_state"]["currentPhase"], PHASE);
    assert_eq!(data["session"]["execution_state"]["currentTask"], TASK);
    let epoch = data["item"]["epoch"].clone();

    let run = scratch.plan_run([]).resume(&session).run_prompt("go on")?;
    assert_item_in_context(&run, "SessionStart:resume")?;
    let data = scratch.run_trueup(&session, &["status", "--session", &session])?["data"].take();
    assert_eq!(data["item"]["holder"], session.as_str());
    assert_eq!(data["item"]["epoch"], epoch, "the same owner needs no new claim");
    Ok(())
}
