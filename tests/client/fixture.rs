//! The starting point of most scenarios: a session that holds an item.

use std::time::Duration;

use rusqlite::Connection;
use support::client::{FinishedRun, HarnessResult, Scratch, Turn};
use trueup_core::deadline::Deadline;
use trueup_core::store::CommandStore as _;
use trueup_core::store::sqlite::SqliteStore;

/// How long to wait for another process before the test fails.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

pub(crate) const ITEM: &str = "SD-002C";
pub(crate) const OTHER_ITEM: &str = "SD-002B";
pub(crate) const PHASE: &str = "PLAN";
pub(crate) const TASK: &str = "write the fence test";

/// Lets an agent add, claim and set up [`ITEM`] through its shell; returns the session's id.
pub(crate) fn session_with_claim(scratch: &Scratch) -> HarnessResult<String> {
    let setup = format!(
        "trueup item add {ITEM} --title 'Fences' && trueup item add {OTHER_ITEM} && \
         trueup claim {ITEM} && trueup set --phase {PHASE} --task '{TASK}'"
    );
    let run = scratch.plan_run([Turn::bash(&setup)]).run_prompt("take the item")?;
    let result = run.last_request()?.tool_result_of("trueup claim").ok_or("Bash did not run")?;
    if result.is_error {
        return Err(format!("the item could not be claimed: {}", result.text).into());
    }
    run.session_id()
}

/// Asserts that one hook of `event`, and the first request to the model, name the item.
pub(crate) fn assert_item_in_context(run: &FinishedRun, event: &str) -> HarnessResult<()> {
    assert_hook_names_item(run, event);
    let context = run.first_request()?.hook_context("SessionStart");
    assert!(
        context.iter().any(|text| text.contains(ITEM)),
        "the model's first request has no session context that names {ITEM}: {context:?}"
    );
    Ok(())
}

/// Asserts that a hook of `event` gave the item to the model.
pub(crate) fn assert_hook_names_item(run: &FinishedRun, event: &str) {
    let hooks = run.hooks(event);
    assert!(
        hooks.iter().any(|hook| hook.context().contains(ITEM)),
        "no {event} hook put {ITEM} into the context: {hooks:?}"
    );
}

/// Opens the database directly.
pub(crate) fn database(scratch: &Scratch) -> HarnessResult<Connection> {
    let database = Connection::open(scratch.trueup_home().join("trueup.db"))?;
    database.busy_timeout(LIMIT)?;
    Ok(database)
}

/// Waits until a query on the database returns true.
pub(crate) fn await_database(
    scratch: &Scratch,
    what: &str,
    condition: impl Fn(&Connection) -> rusqlite::Result<bool>,
) -> HarnessResult<()> {
    let database = database(scratch)?;
    let path = scratch.trueup_home().join("trueup.db");
    let mut watch = SqliteStore::open(&path, Deadline::after(LIMIT))?;
    loop {
        let seen = watch.change_mark()?;
        if condition(&database)? {
            return Ok(());
        }
        let change = watch.wait_for_change(seen, LIMIT)?;
        change.ok_or_else(|| format!("{what} never came"))?;
    }
}
