//! STATE.md is shared with the other repositories, and theirs are shown to the agent.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use support::client::{HarnessResult, Scratch, Turn};

use crate::fixture::{await_database, session_with_claim};

/// Runs a command as a person, after the session's client has ended.
fn as_a_person(scratch: &Scratch, arguments: &[&str]) -> HarnessResult<()> {
    let mut command = scratch.build_command(scratch.plugin().join("bin/trueup"));
    let output = command.args(arguments).output()?;
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    Ok(())
}

/// Registers the scratch's repository and another one; returns the other one's root.
fn with_neighbour(scratch: &Scratch) -> HarnessResult<PathBuf> {
    let other = scratch.repo().with_file_name("other");
    fs::create_dir(&other)?;
    for path in [&scratch.repo(), &other] {
        let status = Command::new("git").args(["init", "--quiet"]).arg(path).status()?;
        assert!(status.success(), "git init {}", path.display());
        as_a_person(scratch, &["repo", "add", &path.to_string_lossy()])?;
    }
    Ok(other)
}

#[test]
fn what_a_model_writes_into_its_state_reaches_the_others_when_its_turn_ends() -> HarnessResult<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    let session = session_with_claim(&scratch)?;
    let other = with_neighbour(&scratch)?;
    let run = scratch
        .plan_run([Turn::bash("printf '# Now\\n\\nfences stand' > STATE.md")])
        .resume(&session);
    run.run_prompt("write the state down")?;
    let cache = fs::read_to_string(other.join(".aibrain/global-state-cache.md"))?;
    assert!(cache.contains("# Now\n\nfences stand\n<!--"), "{cache}");
    Ok(())
}

#[test]
fn a_state_that_somebody_else_saves_is_passed_on_while_the_session_idles() -> HarnessResult<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    let session = session_with_claim(&scratch)?;
    with_neighbour(&scratch)?;
    let state = scratch.repo().join("STATE.md");
    fs::write(&state, "# Before\n")?;
    let mut live = scratch.plan_run([]).resume(&session).open_session()?;
    live.send("first")?;
    fs::write(&state, "# After\n")?;
    await_database(&scratch, "the state that was saved", |database| {
        let sql = "SELECT coalesce(content, '') = '# After' || char(10) FROM repos
                   WHERE slug = 'repo'";
        database.query_row(sql, [], |row| row.get(0))
    })?;
    live.finish().map(drop)
}

#[test]
fn a_session_that_starts_is_told_of_other_repositories_in_a_line_each() -> HarnessResult<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    session_with_claim(&scratch)?;
    let other = with_neighbour(&scratch)?;
    let text = "# Other\n\n**Current Phase**: EXEC\n\nThe body stays where it is.\n";
    fs::write(other.join("STATE.md"), text)?;
    as_a_person(&scratch, &["state", "sync", "other"])?;
    let run = scratch.plan_run([]).run_prompt("hello")?;
    let context = run.first_request()?.hook_context("SessionStart").join("\n");
    assert!(context.contains("other (") && context.contains("Current Phase: EXEC"), "{context}");
    assert!(!context.contains("The body stays"), "{context}");
    Ok(())
}

#[test]
fn a_model_trues_workplans_up_with_what_it_is_told_in_its_skills() -> HarnessResult<()> {
    let Some(scratch) = Scratch::with_product()? else {
        return Ok(());
    };
    let session = session_with_claim(&scratch)?;
    let plan = scratch.repo().join("workplans/DEMO-WP-0001.md");
    fs::create_dir(scratch.repo().join("workplans"))?;
    fs::write(
        &plan,
        "---\nid: DEMO-WP-0001\ntitle: Demo\nstatus: active\n---\n\n## T01\n\n```task\n\
         id: DEMO-WP-0001-T01\nstatus: todo\n```\n",
    )?;
    scratch.run_git(&["add", "-A"])?;
    scratch.run_git(&["commit", "-q", "-m", "a workplan"])?;
    let run = scratch
        .plan_run([Turn::bash(
            "trueup check --fix && trueup item transition DEMO-WP-0001-T01 completed && \
             trueup check --fix",
        )])
        .resume(&session)
        .run_prompt("true the workplans up")?;
    let result = run.last_request()?.tool_result_of("trueup check").ok_or("no result")?;
    assert!(!result.is_error, "{}", result.text);
    let text = fs::read_to_string(&plan)?;
    assert!(text.contains("status: done\n"), "{text}");
    assert!(text.contains("state_hub_task_id: \""), "{text}");
    Ok(())
}
