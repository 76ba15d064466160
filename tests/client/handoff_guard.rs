//! A hand-off is refused while the branch names another item, and only a hand-off.

use std::io::Write as _;

use support::client::{HarnessResult, Request, Scratch, ToolResult, Turn, repository_root};

use crate::fixture::{ITEM, OTHER_ITEM, session_with_claim};

/// A user's command that the default pattern takes for a hand-off.
const HANDOFF: &str = "sh handoff.sh PLAN-TO-EXEC";

/// Puts the user's command into the repository; it leaves a file behind when it runs.
fn add_handoff_command(scratch: &Scratch) -> HarnessResult<()> {
    std::fs::write(scratch.repo().join("handoff.sh"), "touch handed-on\n")?;
    Ok(())
}

fn result_of(request: &Request, fragment: &str) -> HarnessResult<ToolResult> {
    request.tool_result_of(fragment).ok_or_else(|| format!("no result of {fragment}").into())
}

#[test]
fn a_hand_off_on_a_drifted_branch_is_refused_and_names_what_mends_it() -> HarnessResult<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    let session = session_with_claim(&scratch)?;
    add_handoff_command(&scratch)?;
    let branch = format!("feat/{OTHER_ITEM}-x");
    let switch = format!("git checkout -q -b {branch}");
    let turns = [&switch, "echo ordinary work goes on", HANDOFF].map(Turn::bash);

    let run = scratch.plan_run(turns).resume(&session).run_prompt("hand it on")?;

    let request = run.last_request()?;
    assert!(!result_of(&request, &switch)?.is_error, "switching the branch is no hand-off");
    let ordinary = result_of(&request, "ordinary work")?;
    assert!(!ordinary.is_error && ordinary.text.trim() == "ordinary work goes on");
    let tool_result = result_of(&request, HANDOFF)?;
    assert!(tool_result.is_error, "handed on: {}", tool_result.text);
    let line = format!("⚠️ Branch mismatch: branch={branch} names {OTHER_ITEM}, db_claim={ITEM}");
    assert!(tool_result.text.contains(&line), "{line:?} is not in {:?}", tool_result.text);
    let fixes = ["git switch", "git checkout", "trueup claim", "trueup release"];
    assert!(
        fixes.iter().any(|command| tool_result.text.contains(command)),
        "no mending command: {}",
        tool_result.text
    );
    assert!(!scratch.repo().join("handed-on").exists(), "a refused command ran");
    Ok(())
}

#[test]
fn a_hand_off_behind_another_command_is_refused_too() -> HarnessResult<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    let session = session_with_claim(&scratch)?;
    add_handoff_command(&scratch)?;
    scratch.run_git(&["checkout", "-q", "-b", &format!("feat/{OTHER_ITEM}-x")])?;
    let hidden = format!("cd . && NOTE=1 {HANDOFF}");
    let run = scratch.plan_run([Turn::bash(&hidden)]).resume(&session).run_prompt("hand it on")?;
    let tool_result = result_of(&run.last_request()?, HANDOFF)?;
    assert!(tool_result.is_error, "handed on: {}", tool_result.text);
    assert!(tool_result.text.contains("⚠️ Branch mismatch: "), "{}", tool_result.text);
    Ok(())
}

#[test]
fn a_hand_off_in_step_goes_through() -> HarnessResult<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    let session = session_with_claim(&scratch)?;
    add_handoff_command(&scratch)?;
    scratch.run_git(&["checkout", "-q", "-b", &format!("feat/{ITEM}-x")])?;
    let run = scratch.plan_run([Turn::bash(HANDOFF)]).resume(&session).run_prompt("hand it on")?;
    let passed = result_of(&run.last_request()?, HANDOFF)?;
    assert!(!passed.is_error, "refused: {}", passed.text);
    assert!(scratch.repo().join("handed-on").exists(), "the command did not run");
    Ok(())
}

/// Stages the hooks for a client that knows shell lines in skills, and a skill with such a line;
/// `false` when this client does not know them yet.
fn add_skill_with_line(scratch: &Scratch, line: &str) -> HarnessResult<bool> {
    let stdout = scratch.client_command().arg("--version").output()?.stdout;
    let stdout = String::from_utf8_lossy(&stdout).into_owned();
    let version = stdout.split([' ', '\n']).next().unwrap_or_default();
    let numbers: Vec<u32> = version.split('.').filter_map(|n| n.parse().ok()).collect();
    if numbers < vec![2, 1, 332] {
        // Written to the stream directly, since the test runner captures the printing macros.
        let line =
            format!("\nSKIPPED: client {version} knows no event for shell lines of skills\n");
        drop(std::io::stderr().write_all(line.as_bytes()));
        return Ok(false);
    }
    let read = |path: std::path::PathBuf| -> HarnessResult<serde_json::Value> {
        Ok(serde_json::from_slice(&std::fs::read(path)?)?)
    };
    let place = scratch.plugin().join("hooks/hooks.json");
    let mut hooks = read(place.clone())?;
    let more = read(repository_root().join("hooks/hooks.since-2.1.332.json"))?;
    for (event, handlers) in more["hooks"].as_object().into_iter().flatten() {
        hooks["hooks"][event] = handlers.clone();
    }
    std::fs::write(place, hooks.to_string())?;
    let skill = scratch.plugin().join("skills/wrap");
    std::fs::create_dir_all(&skill)?;
    let text = format!(
        "---\nname: wrap\ndescription: Use to wrap up\nallowed-tools: Bash\n---\nIt says: !`{line}`\n"
    );
    std::fs::write(skill.join("SKILL.md"), text)?;
    Ok(true)
}

#[test]
fn a_shell_line_of_a_skill_is_no_way_around_the_gate() -> HarnessResult<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    if !add_skill_with_line(&scratch, HANDOFF)? {
        return Ok(());
    }
    let session = session_with_claim(&scratch)?;
    add_handoff_command(&scratch)?;
    let ran = || scratch.repo().join("handed-on").exists();
    scratch.run_git(&["checkout", "-q", "-b", &format!("feat/{OTHER_ITEM}-x")])?;
    scratch.plan_run([]).resume(&session).run_prompt("/trueup:wrap")?;
    assert!(!ran(), "the line of the skill handed on");
    scratch.run_git(&["checkout", "-q", "-b", &format!("feat/{ITEM}-x")])?;
    scratch.plan_run([]).resume(&session).run_prompt("/trueup:wrap")?;
    assert!(ran(), "the line did not run");
    Ok(())
}
