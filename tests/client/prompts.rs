//! A change made elsewhere is shown to the agent at the next prompt, once.

use rusqlite::Connection;
use support::client::{HarnessResult, LiveClient, Scratch};

use crate::fixture::session_with_claim;

/// Changes the phase by plain SQL.
fn set_phase_by_sql(scratch: &Scratch, session: &str, phase: &str) -> HarnessResult<()> {
    let database = Connection::open(scratch.trueup_home().join("trueup.db"))?;
    let changed = database.execute(
        "UPDATE claude_sessions
            SET metadata = json_set(metadata, '$.execution_state.currentPhase', ?2)
          WHERE session_id = ?1",
        [session, phase],
    )?;
    assert_eq!(changed, 1, "the session has no row");
    Ok(())
}

/// Returns the context that prompt hooks have given so far.
fn told_at_prompts(live: &LiveClient) -> Vec<String> {
    let last = live.conversation().pop();
    last.map(|request| request.hook_context("UserPromptSubmit")).unwrap_or_default()
}

#[test]
fn a_foreign_change_is_reasserted_once_at_the_next_prompt() -> HarnessResult<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    let session = session_with_claim(&scratch)?;
    let mut live = scratch.plan_run([]).resume(&session).open_session()?;

    live.send("first")?;
    assert_eq!(told_at_prompts(&live), Vec::<String>::new(), "nothing has changed yet");

    set_phase_by_sql(&scratch, &session, "EXEC")?;
    live.send("second")?;
    let contexts = told_at_prompts(&live);
    assert!(
        contexts.iter().any(|text| text.contains("EXEC")),
        "the change was not told: {contexts:?}"
    );
    assert_eq!(scratch.read_cache()?["currentPhase"], "EXEC", "the file was not fixed");

    live.send("third")?;
    assert_eq!(told_at_prompts(&live), contexts, "the same change was told again");
    live.finish().map(drop)
}
