//! A session inside one long tool call is not taken for dead.

use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::json;
use support::client::{Outcome, Scratch, Underway};

use crate::fixture::{ITEM, session_with_claim};

/// Pause between two looks at the database, which tells other processes nothing.
const PAUSE: Duration = Duration::from_millis(20);

/// How long the hook beside the tool call may take before the test gives up on it.
const LIMIT: Duration = Duration::from_mins(1);

/// Waits until the session's silence is announced.
fn await_announcement(database: &Connection, session: &str) -> Outcome<()> {
    let deadline = Instant::now() + LIMIT;
    let announced = "SELECT silent_until > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+400 seconds')
                     FROM claude_sessions WHERE session_id = ?1";
    while Instant::now() < deadline {
        let found: Option<bool> = database.query_row(announced, [session], |row| row.get(0))?;
        if found == Some(true) {
            return Ok(());
        }
        thread::sleep(PAUSE);
    }
    Err("no silence was announced".into())
}

#[test]
fn a_sweep_does_not_park_a_session_in_a_long_command_though_its_lease_is_over() -> Outcome<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    let session = session_with_claim(&scratch)?;
    let underway = Underway::begin_with(&scratch, &session, 500_000)?;
    let database = Connection::open(scratch.trueup_home().join("trueup.db"))?;
    database.busy_timeout(LIMIT)?;
    await_announcement(&database, &session)?;

    // As another machine sees it: a process that cannot be asked, silent beyond the ceiling.
    database.execute(
        "UPDATE claude_sessions SET host = 'elsewhere',
             heartbeat_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1900 seconds'),
             lease_expires_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1000 seconds')
         WHERE session_id = ?1",
        [&session],
    )?;
    let swept = scratch.trueup("somebody", &["sessions", "sweep"])?;
    assert_eq!(swept["data"]["released"], json!([]));
    let shown = scratch.trueup(&session, &["item", "show", ITEM])?;
    assert_eq!(shown["data"]["item"]["holder"], session.as_str());

    // Nothing but the announcement protects it.
    database.execute("UPDATE claude_sessions SET silent_until = NULL", [])?;
    let swept = scratch.trueup("somebody", &["sessions", "sweep"])?;
    assert_eq!(swept["data"]["released"][0]["item"], ITEM);
    underway.finish().map(drop)
}
