//! What checkpoint-push records beside tasks and leases.

use std::fs;

use support::home::{Home, SESSION};

#[test]
fn a_change_of_branch_is_recorded_after_git_ran() {
    let home = Home::new().holding();
    home.git(&["switch", "--quiet", "-c", "feat/SD-002C-x"]);
    let payload = home
        .payload("post-tool-use.bash")
        .input("command", "git switch -c feat/SD-002C-x");
    home.hook("checkpoint-push", &payload).assert_silent();
    assert_eq!(home.session::<String>("branch", SESSION), "feat/SD-002C-x");
    assert_eq!(home.cached()["branch"], "feat/SD-002C-x");
}

#[test]
fn a_subagent_in_a_worktree_of_its_own_does_not_move_the_branch() {
    let home = Home::new().holding();
    let own = home.project().join(".claude/worktrees/agent-a1");
    home.git(&[
        "worktree",
        "add",
        "--quiet",
        "-b",
        "agents-own",
        &own.to_string_lossy(),
    ]);
    let payload = home.payload("post-tool-use.bash-of-subagent");
    let run = home.run("checkpoint-push").payload(&payload);
    run.env("CLAUDE_PROJECT_DIR", home.project())
        .finish()
        .assert_silent();
    assert_eq!(home.session::<String>("branch", SESSION), "main");
    assert_eq!(home.cached()["branch"], "main");
    assert!(!own.join(".claude").exists());
}

#[test]
fn a_stop_makes_idle_and_work_makes_active() {
    let home = Home::new().holding();
    for _ in 0..2 {
        home.push("stop").assert_silent();
        assert_eq!(home.session::<String>("status", SESSION), "idle");
        home.prompt().assert_silent();
        assert_eq!(home.session::<String>("status", SESSION), "active");
    }
    assert_eq!(home.events("idle", SESSION), 0, "turns are no news");
}

#[test]
fn an_end_is_recorded_with_its_reason_and_the_claim_is_kept() {
    for reason in ["other", "clear", "prompt_input_exit"] {
        let home = Home::new().holding();
        home.push(&format!("session-end.{reason}")).assert_silent();
        assert_eq!(home.session::<String>("status", SESSION), "ended");
        assert_eq!(home.session::<String>("ended_reason", SESSION), reason);
        let state = home.state();
        assert_eq!(state["wasInterrupted"], true);
        assert_eq!(state["currentSd"], "SD-002C");
        assert_eq!(state["currentPhase"], "PLAN");
        assert!(
            state["lastInterruptedAt"]
                .as_str()
                .is_some_and(|time| time.ends_with('Z'))
        );
        let holder: String = home.ask("SELECT holder FROM work_items WHERE key = 'SD-002C'", []);
        assert_eq!(holder, SESSION);
        assert_eq!(home.cached()["wasInterrupted"], true);
        assert_eq!(home.events("ended", SESSION), 1);
    }
}

#[test]
fn an_end_without_an_item_interrupts_nothing() {
    let home = Home::new();
    home.start().ok();
    home.push("session-end.other").assert_silent();
    assert_eq!(home.session::<String>("status", SESSION), "ended");
    assert_eq!(home.cached()["wasInterrupted"], false);
}

#[test]
fn the_clients_compaction_agent_is_nobody() {
    let home = Home::new();
    home.run("trueup").args(["db", "migrate"]).finish().ok();
    let sessions = || home.ask::<i64>("SELECT count(*) FROM claude_sessions", []);
    home.push("subagent-stop.compaction").assert_silent();
    assert_eq!(sessions(), 0, "its stop is not even looked at");
    home.push("subagent-stop").assert_silent();
    assert_eq!(sessions(), 1);
}

#[test]
fn compaction_leaves_a_checkpoint_and_a_pushed_edit() {
    for fixture in ["pre-compact.manual", "pre-compact.auto"] {
        let home = Home::new().holding();
        home.edit("currentTask", "before compaction");
        home.push(fixture).assert_silent();
        assert_eq!(home.state()["currentTask"], "before compaction");
        assert_eq!(home.events("checkpoint", SESSION), 1);
        let reason: String = home.ask("SELECT reason FROM events WHERE kind = 'checkpoint'", []);
        assert_eq!(reason, "compaction");
    }
}

#[test]
fn a_tool_call_of_a_session_whose_start_was_missed_registers_it() {
    let home = Home::new();
    home.push("post-tool-use.write").assert_silent();
    assert!(
        !home.trueup().join("trueup.db").exists(),
        "only a start makes a database"
    );
    home.run("trueup").args(["db", "migrate"]).finish().ok();
    home.push("post-tool-use.write").assert_silent();
    home.prompt().assert_silent();
    assert_eq!(home.session::<String>("status", SESSION), "active");
    assert_eq!(home.cached()["sessionId"], SESSION);
}

#[test]
fn a_session_that_was_given_up_and_works_again_is_active() {
    for status in ["lost", "ended"] {
        let home = Home::new().holding();
        home.sql("UPDATE claude_sessions SET status = ?1", [status]);
        home.push("post-tool-use.write").assert_silent();
        assert_eq!(
            home.session::<String>("status", SESSION),
            "active",
            "{status}"
        );
    }
}

#[test]
fn every_change_of_state_is_an_event_with_actor_and_reason() {
    let home = Home::new().holding();
    home.edit("currentPhase", "EXEC");
    home.push("post-tool-use.write").assert_silent();
    let (actor, reason, after): (String, String, String) = home
        .database()
        .query_row(
            "SELECT actor, reason, after FROM events WHERE kind = 'state' ORDER BY seq DESC LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .unwrap();
    assert_eq!((actor.as_str(), reason.as_str()), (SESSION, "local edit"));
    assert!(after.contains(r#""currentPhase":"EXEC""#), "{after}");
}

#[test]
fn a_database_that_is_gone_is_not_made_again_and_the_cache_stays() {
    let home = Home::new().holding();
    let before = fs::read(home.cache()).unwrap();
    fs::remove_file(home.trueup().join("trueup.db")).unwrap();
    let answer = home.push("session-end.other");
    assert_eq!(answer.code, Some(0));
    assert!(answer.stderr.contains("saved in the outbox"), "{answer:?}");
    assert_eq!(home.prompt().code, Some(0));
    assert!(!home.trueup().join("trueup.db").exists());
    assert_eq!(fs::read(home.cache()).unwrap(), before);
}
