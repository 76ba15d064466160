//! A session in a long tool call is not taken for dead.

use serde_json::json;
use support::client::{HarnessResult, RunningToolCall, Scratch};

use crate::fixture::{ITEM, await_database, database, session_with_claim};

/// Returns whether the session has announced a quiet period.
const ANNOUNCED: &str =
    "SELECT coalesce(silent_until, '') > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+400 seconds')
     FROM claude_sessions WHERE session_id = ?1";

#[test]
fn a_sweep_does_not_park_a_session_in_a_long_command_though_its_lease_is_over() -> HarnessResult<()>
{
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    let session = session_with_claim(&scratch)?;
    let underway = RunningToolCall::begin_with(&scratch, &session, 500_000)?;
    await_database(&scratch, "the announcement of silence", |database| {
        database.query_row(ANNOUNCED, [&session], |row| row.get(0))
    })?;
    let database = database(&scratch)?;

    // As seen from another machine: a process that cannot be seen, silent beyond the ceiling.
    database.execute(
        "UPDATE claude_sessions SET host = 'elsewhere',
             heartbeat_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1900 seconds'),
             lease_expires_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1000 seconds')
         WHERE session_id = ?1",
        [&session],
    )?;
    let swept = scratch.run_trueup("somebody", &["sessions", "sweep"])?;
    assert_eq!(swept["data"]["released"], json!([]));
    let item = scratch.run_trueup(&session, &["item", "show", ITEM])?;
    assert_eq!(item["data"]["item"]["holder"], session.as_str());

    // Only the announcement protects it.
    database.execute("UPDATE claude_sessions SET silent_until = NULL", [])?;
    let swept = scratch.run_trueup("somebody", &["sessions", "sweep"])?;
    assert_eq!(swept["data"]["released"][0]["item"], ITEM);
    underway.finish().map(drop)
}
