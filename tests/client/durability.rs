//! A client that dies without a word loses nothing.

use std::fs;

use support::client::{Outcome, Scratch, Turn, poll_until};

use crate::fixture::{ITEM, PHASE, TASK, assert_reasserted, session_with_claim};

#[test]
fn a_killed_client_leaves_item_phase_and_task_behind() -> Outcome<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    let session = session_with_claim(&scratch)?;
    let started = scratch.repo().join("started");
    let release = scratch.repo().join("release");
    // The shell outlives its client, so it also ends with the scratch.
    let waiting = "touch started; while [ -e started ] && [ ! -e release ]; do sleep 0.05; done";

    let live = scratch
        .run([Turn::bash(waiting)])
        .resume(&session)
        .begin("work")?;
    poll_until("the tool call is under way", || started.exists())?;
    live.kill()?;
    fs::write(&release, "")?;

    let data = scratch.trueup(&session, &["status", "--session", &session])?["data"].take();
    assert_eq!(data["item"]["key"], ITEM);
    assert_eq!(data["session"]["execution_state"]["currentPhase"], PHASE);
    assert_eq!(data["session"]["execution_state"]["currentTask"], TASK);
    let epoch = data["item"]["epoch"].clone();

    let run = scratch.run([]).resume(&session).say("go on")?;
    assert_reasserted(&run, "SessionStart:resume")?;
    let data = scratch.trueup(&session, &["status", "--session", &session])?["data"].take();
    assert_eq!(data["item"]["holder"], session.as_str());
    assert_eq!(
        data["item"]["epoch"], epoch,
        "the same owner needs no new claim"
    );
    Ok(())
}
