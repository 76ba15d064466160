//! The context is given again after `/clear` and `/compact`.

use support::client::{HarnessResult, RequestKind, Scratch};

use crate::fixture::{ITEM, assert_hook_names_item, assert_item_in_context, session_with_claim};

#[test]
fn clearing_starts_a_new_session_that_knows_what_the_old_one_held() -> HarnessResult<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    let session = session_with_claim(&scratch)?;
    let run = scratch.plan_run([]).resume(&session).run_prompt("/clear")?;
    assert_hook_names_item(&run, "SessionStart:clear");

    let hooks = run.hooks("SessionStart:clear");
    let successor = hooks.first().ok_or("no hook ran")?.session_id.clone();
    assert_ne!(successor, session);
    let shown_session = scratch.run_trueup(&successor, &["sessions", "show", &successor])?;
    assert_eq!(shown_session["data"]["session"]["predecessor"], session.as_str());
    Ok(())
}

#[test]
fn compaction_reasserts_the_item_at_once_and_in_the_next_request() -> HarnessResult<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    let session = session_with_claim(&scratch)?;
    let compacted = scratch.plan_run([]).resume(&session).run_prompt("/compact")?;
    assert_eq!(compacted.count(RequestKind::Compaction), 1, "nothing was compacted");
    assert_hook_names_item(&compacted, "SessionStart:compact");

    let run = scratch.plan_run([]).resume(&session).run_prompt("go on")?;
    assert_item_in_context(&run, "SessionStart:resume")?;
    let status = scratch.run_trueup(&session, &["status"])?;
    assert_eq!(status["data"]["item"]["key"], ITEM);
    assert_eq!(status["data"]["item"]["holder"], session.as_str());
    Ok(())
}
