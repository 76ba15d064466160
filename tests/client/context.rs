//! The context at a session start, and what is fixed before it is given.

use std::fs;

use serde_json::json;
use support::client::{HarnessResult, Scratch, Turn};

use crate::fixture::{ITEM, OTHER_ITEM, PHASE, assert_item_in_context, session_with_claim};

#[test]
fn a_resumed_session_is_told_its_item_before_the_model_answers() -> HarnessResult<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    let session = session_with_claim(&scratch)?;
    let run = scratch.plan_run([]).resume(&session).run_prompt("go on")?;
    assert_eq!(run.session_id()?, session);
    assert_item_in_context(&run, "SessionStart:resume")?;
    let context = run.first_request()?.hook_context("SessionStart");
    assert!(context.iter().any(|text| text.contains(PHASE)), "the phase is missing: {context:?}");
    Ok(())
}

#[test]
fn a_drifted_cache_is_fixed_and_named_at_resume() -> HarnessResult<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    let session = session_with_claim(&scratch)?;
    let mut cache = scratch.read_cache()?;
    assert_eq!(cache["currentSd"], ITEM, "the cache is out of date after the claim");
    cache["currentSd"] = json!(OTHER_ITEM);
    fs::write(scratch.cache_path(), cache.to_string())?;

    let run = scratch.plan_run([]).resume(&session).run_prompt("go on")?;

    let contexts: Vec<String> = run
        .hooks("SessionStart")
        .iter()
        .map(support::client::HookResponse::system_message)
        .collect();
    let line = format!("⚠️ SD mismatch: file={OTHER_ITEM}, db_claim={ITEM}");
    assert!(
        contexts.iter().any(|text| text.lines().any(|one| one == line)),
        "not said: {contexts:?}"
    );
    assert_eq!(scratch.read_cache()?["currentSd"], ITEM, "the file was not fixed");
    assert_item_in_context(&run, "SessionStart:resume")
}

#[test]
fn the_shell_of_the_model_knows_the_session() -> HarnessResult<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    let command = r#"echo "speaks for [$TRUEUP_SESSION_ID]""#;
    let run = scratch.plan_run([Turn::bash(command)]).run_prompt("who am I")?;
    let result = run.last_request()?.tool_result_of("speaks for").ok_or("Bash did not run")?;
    assert_eq!(result.text.trim(), format!("speaks for [{}]", run.session_id()?));
    Ok(())
}
