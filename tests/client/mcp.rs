//! The tools of `trueup mcp` in the real client.

use std::fs;

use serde_json::json;
use support::client::{HarnessResult, Scratch, Turn};

use crate::fixture::database;

#[test]
fn the_client_connects_and_calls_a_tool() -> HarnessResult<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    let program = scratch.plugin().join("bin/trueup");
    let servers = json!({"mcpServers": {"trueup": {"command": program, "args": ["mcp"]}}});
    let config = scratch.trueup_home().join("mcp.json");
    fs::write(&config, servers.to_string())?;
    let settings = scratch.repo().join(".claude");
    fs::create_dir_all(&settings)?;
    let allow = json!({"permissions": {"allow": ["mcp__trueup"]}});
    fs::write(settings.join("settings.json"), allow.to_string())?;

    let claim = json!({"item": "SD-77", "create": true});
    let turns = [Turn::call("mcp__trueup__claim", claim), Turn::say("done")];
    let run = scratch.plan_run(turns).option("--mcp-config", &config.to_string_lossy());
    let run = run.run_prompt("take the item")?;
    let result = run.last_request()?.tool_result_of("SD-77").ok_or("the tool did not run")?;
    assert!(!result.is_error && result.text.contains("claimed SD-77"), "{result:?}");

    let query = "SELECT actor FROM events WHERE kind = 'claimed' AND key = 'SD-77'";
    let actor: String = database(&scratch)?.query_row(query, [], |row| row.get(0))?;
    let session = run.session_id()?;
    assert!(actor == session || actor.contains("-mcp-claude"), "{actor} is not of {session}");
    Ok(())
}
