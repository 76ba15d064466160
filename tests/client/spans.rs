//! A session inside one long tool call is not taken for dead.

use std::time::Duration;

use rusqlite::Connection;
use serde_json::json;
use support::client::{Outcome, Scratch, Underway};
use trueup_core::deadline::Deadline;
use trueup_core::store::sqlite::SqliteStore;

use crate::fixture::{ITEM, session_with_claim};

/// How long the hook beside the tool call may take before the test gives up on it.
const LIMIT: Duration = Duration::from_mins(1);

/// Waits until the session's silence is announced.
fn await_announcement(scratch: &Scratch, database: &Connection, session: &str) -> Outcome<()> {
    let path = scratch.trueup_home().join("trueup.db");
    let watch = SqliteStore::open(&path, Deadline::after(LIMIT))?;
    let announced = "SELECT silent_until > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+400 seconds')
                     FROM claude_sessions WHERE session_id = ?1";
    loop {
        let seen = watch.seen()?;
        let found: Option<bool> = database.query_row(announced, [session], |row| row.get(0))?;
        if found == Some(true) {
            return Ok(());
        }
        let change = watch.wait_for_change(seen, LIMIT)?;
        change.ok_or("no silence was announced")?;
    }
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
    await_announcement(&scratch, &database, &session)?;

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
