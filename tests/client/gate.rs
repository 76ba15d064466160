//! A hand-off is refused while the branch names another item, and only a hand-off.

use support::client::{Outcome, Request, Scratch, ToolResult, Turn};

use crate::fixture::{ITEM, OTHER_ITEM, session_with_claim};

/// A command of a user's own that hands work on: the word is in it, as in the default pattern.
const HANDOFF: &str = "sh handoff.sh PLAN-TO-EXEC";

/// Puts the user's command into the repository; it leaves a file behind when it runs.
fn add_handoff_command(scratch: &Scratch) -> Outcome<()> {
    std::fs::write(scratch.repo().join("handoff.sh"), "touch handed-on\n")?;
    Ok(())
}

fn result_of(request: &Request, fragment: &str) -> Outcome<ToolResult> {
    request
        .tool_result_of(fragment)
        .ok_or_else(|| format!("no result of {fragment}").into())
}

#[test]
fn a_hand_off_on_a_drifted_branch_is_refused_and_names_what_mends_it() -> Outcome<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    let session = session_with_claim(&scratch)?;
    add_handoff_command(&scratch)?;
    let branch = format!("feat/{OTHER_ITEM}-x");
    let switch = format!("git checkout -q -b {branch}");
    let turns = [&switch, "echo ordinary work goes on", HANDOFF].map(Turn::bash);

    let run = scratch.run(turns).resume(&session).say("hand it on")?;

    let request = run.last_request()?;
    assert!(
        !result_of(&request, &switch)?.is_error,
        "switching the branch is no hand-off"
    );
    let ordinary = result_of(&request, "ordinary work")?;
    assert!(!ordinary.is_error && ordinary.text.trim() == "ordinary work goes on");
    let refused = result_of(&request, HANDOFF)?;
    assert!(refused.is_error, "handed on: {}", refused.text);
    let line = format!("⚠️ Branch mismatch: branch={branch} names {OTHER_ITEM}, db_claim={ITEM}");
    assert!(
        refused.text.contains(&line),
        "{line:?} is not in {:?}",
        refused.text
    );
    let mends = [
        "git switch",
        "git checkout",
        "trueup claim",
        "trueup release",
    ];
    assert!(
        mends.iter().any(|command| refused.text.contains(command)),
        "no mending command: {}",
        refused.text
    );
    assert!(
        !scratch.repo().join("handed-on").exists(),
        "a refused command ran"
    );
    Ok(())
}

#[test]
fn a_hand_off_behind_another_command_is_refused_too() -> Outcome<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    let session = session_with_claim(&scratch)?;
    add_handoff_command(&scratch)?;
    scratch.git(&["checkout", "-q", "-b", &format!("feat/{OTHER_ITEM}-x")])?;
    let hidden = format!("cd . && NOTE=1 {HANDOFF}");
    let run = scratch
        .run([Turn::bash(&hidden)])
        .resume(&session)
        .say("hand it on")?;
    let refused = result_of(&run.last_request()?, HANDOFF)?;
    assert!(refused.is_error, "handed on: {}", refused.text);
    assert!(
        refused.text.contains("⚠️ Branch mismatch: "),
        "{}",
        refused.text
    );
    Ok(())
}

#[test]
fn a_hand_off_in_step_goes_through() -> Outcome<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    let session = session_with_claim(&scratch)?;
    add_handoff_command(&scratch)?;
    scratch.git(&["checkout", "-q", "-b", &format!("feat/{ITEM}-x")])?;
    let run = scratch
        .run([Turn::bash(HANDOFF)])
        .resume(&session)
        .say("hand it on")?;
    let passed = result_of(&run.last_request()?, HANDOFF)?;
    assert!(!passed.is_error, "refused: {}", passed.text);
    assert!(
        scratch.repo().join("handed-on").exists(),
        "the command did not run"
    );
    Ok(())
}
