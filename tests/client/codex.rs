//! The product in the real Codex client.

use std::fs;

use support::client::{HarnessResult, repository_root};
use support::codex::{CodexScratch, CodexTurn};
use support::home::FIRST_SESSION;

fn exec(command: &str) -> CodexTurn {
    CodexTurn::Exec(command.to_owned())
}

#[test]
fn a_start_trues_up_and_its_context_reaches_the_model() -> HarnessResult<()> {
    let Some(scratch) = CodexScratch::with_product()? else { return Ok(()) };
    let run = scratch.run_prompt(vec![CodexTurn::Say("hello".to_owned())], &[])?;
    let told = run.told(0);
    assert!(told.contains("item: none") && told.contains("<trueup-data "), "{told}");
    assert!(!run.stderr.contains("Failed"), "{}", run.stderr);
    let metadata: String = scratch.home.session_column("metadata", &run.session);
    assert!(metadata.contains("\"agent\":\"codex\""), "{metadata}");
    let pid: Option<i64> = scratch.home.session_column("pid", &run.session);
    assert!(pid.is_some(), "the client's process is known");
    let status: String = scratch.home.session_column("status", &run.session);
    assert_eq!(status, "ended");
    assert_eq!(scratch.home.read_cache()["sessionId"], run.session);
    Ok(())
}

#[test]
fn a_tool_call_leaves_a_checkpoint_and_commands_know_their_session() -> HarnessResult<()> {
    let Some(scratch) = CodexScratch::with_product()? else { return Ok(()) };
    fs::write(scratch.home.trueup_home().join("config.toml"), "checkpoint_every = 2\n")?;
    let patch = "*** Begin Patch\n*** Add File: a.txt\n+trueup handoff create X\n*** End Patch\n";
    let turns = vec![
        exec("trueup item add SD-002C && trueup claim SD-002C"),
        CodexTurn::Patch(patch.to_owned()),
        exec("git switch --quiet -c feat/SD-002C-x; trueup status --json"),
    ];
    let run = scratch.run_prompt(turns, &[])?;
    assert!(scratch.home.project_dir().join("a.txt").is_file(), "{}", run.told(2));
    let holder = "SELECT actor FROM events WHERE kind = 'claimed'";
    assert_eq!(scratch.home.query_value::<String>(holder, []), run.session);
    let checkpoints = "SELECT count(*) FROM events WHERE kind = 'checkpoint' AND actor = ?1";
    assert!(scratch.home.query_value::<i64>(checkpoints, [&run.session]) >= 1);
    assert!(run.told(2).contains("trueup checkpoint: 2 operations"), "{}", run.told(2));
    let metadata: String = scratch.home.session_column("metadata", &run.session);
    assert!(metadata.contains("feat/SD-002C-x"), "{metadata}");
    Ok(())
}

#[test]
fn a_handoff_is_refused_while_copies_differ_and_the_agent_is_told_how_to_go_on() -> HarnessResult<()>
{
    let Some(scratch) = CodexScratch::with_product()? else { return Ok(()) };
    let turns = vec![
        exec("trueup item add SD-002C && trueup item add SD-002B && trueup claim SD-002C"),
        exec("git switch --quiet -c feat/SD-002B-x"),
        exec("trueup handoff create PLAN-TO-EXEC"),
        exec("git switch --quiet -c feat/SD-002C"),
        exec("trueup handoff create PLAN-TO-EXEC"),
    ];
    let run = scratch.run_prompt(turns, &[])?;
    let refusal = run.told(3);
    assert!(refusal.contains("blocked by PreToolUse hook: <trueup-data "), "{refusal}");
    assert!(refusal.contains("names SD-002B, db_claim=SD-002C"), "{refusal}");
    assert!(refusal.contains("Run: git switch -c feat/SD-002C"), "{refusal}");
    let handoffs = "SELECT count(*) FROM handoffs";
    assert_eq!(scratch.home.query_value::<i64>(handoffs, []), 1, "{}", run.told(5));
    Ok(())
}

#[test]
fn sessions_of_two_makers_never_hold_one_item() -> HarnessResult<()> {
    let Some(scratch) = CodexScratch::with_product()? else { return Ok(()) };
    scratch.home.start_session().ok();
    scratch.home.add_item("SD-002C");
    let of_claude_code = format!("TRUEUP_SESSION_ID={FIRST_SESSION} trueup claim SD-002C");
    let turns = vec![
        exec("trueup claim SD-002C && echo codex has it"),
        exec(&format!("{of_claude_code} && echo both have it")),
    ];
    let run = scratch.run_prompt(turns, &[])?;
    let told = run.told(2);
    assert!(told.contains("codex has it") && !told.contains("both have it"), "{told}");
    assert!(told.contains(&run.session[..8]), "the refusal names the holder: {told}");
    Ok(())
}

#[test]
fn a_codex_that_claude_code_started_speaks_for_its_own_session() -> HarnessResult<()> {
    let Some(mut scratch) = CodexScratch::with_product()? else { return Ok(()) };
    scratch.home.start_session().ok();
    scratch.home.add_item("SD-002C");
    // As Claude Code sets them for a command; the process is not the one that runs this Codex.
    scratch.inherited = vec![
        ("TRUEUP_SESSION_ID", FIRST_SESSION),
        ("CLAUDE_CODE_SESSION_ID", FIRST_SESSION),
        ("CLAUDE_PID", "1"),
    ];
    let run = scratch.run_prompt(vec![exec("trueup claim SD-002C")], &[])?;
    let holder = "SELECT actor FROM events WHERE kind = 'claimed'";
    assert_eq!(scratch.home.query_value::<String>(holder, []), run.session, "{}", run.told(1));
    assert_ne!(scratch.home.session_column::<Option<i64>>("pid", &run.session), Some(1));
    Ok(())
}

#[test]
fn a_repository_that_is_a_plugin_of_codex_runs_none_of_claude_codes_hooks() -> HarnessResult<()> {
    let Some(scratch) = CodexScratch::without_hooks()? else { return Ok(()) };
    let plugin = scratch.home.root().join("plugin");
    for file in [
        ".claude-plugin/plugin.json",
        ".claude-plugin/marketplace.json",
        ".codex-plugin/plugin.json",
        "hooks/hooks.json",
        "skills/claim/SKILL.md",
    ] {
        let to = plugin.join(file);
        fs::create_dir_all(to.parent().ok_or("a file lies in no directory")?)?;
        fs::copy(repository_root().join(file), to)?;
    }
    // Hooks that were run would leave a trace.
    fs::create_dir(plugin.join("bin"))?;
    let trace = scratch.home.root().join("trace");
    for name in ["session-start-sync", "checkpoint-push", "pre-handoff-validate"] {
        let script = format!("#!/bin/sh\ntouch '{}'\n", trace.display());
        support::program::write_program(&plugin.join("bin").join(name), &script)?;
    }
    scratch.run_command(&["plugin", "marketplace", "add", &plugin.to_string_lossy()])?;
    scratch.run_command(&["plugin", "add", "trueup@trueup"])?;
    let run = scratch.run_prompt(vec![exec("echo handoff")], &[])?;
    assert!(run.told(0).contains("trueup:claim"), "its skills are there");
    assert!(!trace.exists());
    Ok(())
}

#[test]
fn a_resumed_session_is_the_same_one() -> HarnessResult<()> {
    let Some(scratch) = CodexScratch::with_product()? else { return Ok(()) };
    let turns = vec![exec("trueup item add SD-002C && trueup claim SD-002C")];
    let first = scratch.run_prompt(turns, &[])?;
    let again = scratch.run_prompt(Vec::new(), &["resume", &first.session])?;
    assert_eq!(again.session, first.session);
    assert!(again.told(0).contains("item: SD-002C"), "{}", again.told(0));
    Ok(())
}
