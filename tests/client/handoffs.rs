//! A hand-off is shown to another session's agent at its start and at its next prompt.

use support::client::{HarnessResult, Scratch, Turn};

use crate::fixture::{ITEM, PHASE, TASK, session_with_claim};

/// Lets the agent of a session hand its item off; returns the hand-off's id.
fn hand_on(scratch: &Scratch, session: &str, to: &str) -> HarnessResult<String> {
    let create = format!(
        "trueup handoff create PLAN-TO-EXEC {to} --summary 'the plan stands' \
         --actions 'write the code'"
    );
    let run = scratch.plan_run([Turn::bash(&create)]).resume(session).run_prompt("hand it on")?;
    let result = run.last_request()?.tool_result_of("handoff create").ok_or("Bash did not run")?;
    assert!(!result.is_error, "not handed on: {}", result.text);
    let handoffs = scratch.run_trueup(session, &["handoff", "list"])?;
    let id = handoffs["data"]["handoffs"][0]["id"].as_str();
    Ok(id.ok_or("no open hand-offs")?.to_owned())
}

#[track_caller]
fn assert_told(told: &[String], id: &str) {
    let text = told.iter().find(|text| text.contains(id));
    let text = text.unwrap_or_else(|| panic!("{id} is in none of {told:?}"));
    for part in [
        "PLAN-TO-EXEC",
        ITEM,
        "summary: the plan stands",
        "actions: write the code",
        "known issues: not given",
        &format!("`trueup handoff accept {id}`"),
    ] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

#[test]
fn a_session_that_starts_is_shown_the_handoff_and_takes_it() -> HarnessResult<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    let sender = session_with_claim(&scratch)?;
    let id = hand_on(&scratch, &sender, "")?;
    let accept = format!("trueup handoff accept {id}");
    let run = scratch.plan_run([Turn::bash(&accept)]).run_prompt("anything to do?")?;
    let receiver = run.session_id()?;
    assert_ne!(receiver, sender);
    assert_told(&run.first_request()?.hook_context("SessionStart"), &id);
    let result = run.last_request()?.tool_result_of(&accept).ok_or("no result")?;
    assert!(!result.is_error, "not accepted: {}", result.text);

    let status = scratch.run_trueup(&receiver, &["status", "--session", &receiver])?;
    assert_eq!(status["data"]["item"]["key"], ITEM);
    let state = &status["data"]["session"]["execution_state"];
    assert_eq!(
        (state["currentPhase"].as_str(), state["currentTask"].as_str()),
        (Some(PHASE), Some(TASK))
    );
    assert_eq!(status["data"]["cache"]["state"], "fresh");
    Ok(())
}

#[test]
fn a_running_session_is_shown_the_handoff_at_its_next_prompt_and_the_sender_the_answer()
-> HarnessResult<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    let sender = session_with_claim(&scratch)?;
    let receiver = scratch.plan_run([]).run_prompt("hello")?.session_id()?;
    let mut live = scratch.plan_run([]).resume(&receiver).open_session()?;
    let context = |live: &support::client::LiveClient| {
        let last = live.conversation().pop();
        last.map(|request| request.hook_context("UserPromptSubmit")).unwrap_or_default()
    };
    live.send("first")?;
    assert_eq!(context(&live), Vec::<String>::new());

    let id = hand_on(&scratch, &sender, &format!("--to {receiver}"))?;
    live.send("second")?;
    assert_told(&context(&live), &id);
    live.send("third")?;
    assert_eq!(context(&live).len(), 1, "shown again");

    scratch.run_trueup(
        &receiver,
        &["handoff", "reject", &id, "--reason", "tests fail", "--session", &receiver],
    )?;
    live.finish()?;
    let run = scratch.plan_run([]).resume(&sender).run_prompt("go on")?;
    let context = run.first_request()?.hook_context("SessionStart");
    let rejected = format!("was rejected by {receiver}: tests fail");
    assert!(context.iter().any(|text| text.contains(&rejected)), "{context:?}");
    Ok(())
}
