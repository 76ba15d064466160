//! What `checkpoint-push` records besides tasks and leases.

use std::fs;

use support::home::{FIRST_SESSION, Home};

#[test]
fn a_change_of_branch_is_recorded_after_git_ran() {
    let home = Home::new().with_held_item();
    home.run_git(&["switch", "--quiet", "-c", "feat/SD-002C-x"]);
    let payload =
        home.payload("post-tool-use.bash").with_input("command", "git switch -c feat/SD-002C-x");
    home.run_hook("checkpoint-push", &payload).assert_silent();
    assert_eq!(home.session_column::<String>("branch", FIRST_SESSION), "feat/SD-002C-x");
    assert_eq!(home.read_cache()["branch"], "feat/SD-002C-x");
}

#[test]
fn a_subagent_in_a_worktree_of_its_own_does_not_move_the_branch() {
    let home = Home::new().with_held_item();
    let own = home.project_dir().join(".claude/worktrees/agent-a1");
    home.run_git(&["worktree", "add", "--quiet", "-b", "agents-own", &own.to_string_lossy()]);
    let payload = home.payload("post-tool-use.bash-of-subagent");
    let run = home.prepare_run("checkpoint-push").payload(&payload);
    run.env("CLAUDE_PROJECT_DIR", home.project_dir()).wait().assert_silent();
    assert_eq!(home.session_column::<String>("branch", FIRST_SESSION), "main");
    assert_eq!(home.read_cache()["branch"], "main");
    assert!(!own.join(".claude").exists());
}

#[test]
fn a_stop_makes_idle_and_work_makes_active() {
    let home = Home::new().with_held_item();
    for _ in 0..2 {
        home.push_event("stop").assert_silent();
        assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "idle");
        home.send_prompt().assert_silent();
        assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "active");
    }
    assert_eq!(home.count_events("idle", FIRST_SESSION), 0, "turns are no news");
}

#[test]
fn an_end_is_recorded_with_its_reason_and_the_claim_is_kept() {
    for reason in ["other", "clear", "prompt_input_exit"] {
        let home = Home::new().with_held_item();
        home.push_event(&format!("session-end.{reason}")).assert_silent();
        assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "ended");
        assert_eq!(home.session_column::<String>("ended_reason", FIRST_SESSION), reason);
        let state = home.execution_state();
        assert_eq!(state["wasInterrupted"], true);
        assert_eq!(state["currentSd"], "SD-002C");
        assert_eq!(state["currentPhase"], "PLAN");
        assert!(state["lastInterruptedAt"].as_str().is_some_and(|time| time.ends_with('Z')));
        let holder: String =
            home.query_value("SELECT holder FROM work_items WHERE key = 'SD-002C'", []);
        assert_eq!(holder, FIRST_SESSION);
        assert_eq!(home.read_cache()["wasInterrupted"], true);
        assert_eq!(home.count_events("ended", FIRST_SESSION), 1);
    }
}

#[test]
fn an_end_without_an_item_interrupts_nothing() {
    let home = Home::new();
    home.start_session().ok();
    home.push_event("session-end.other").assert_silent();
    assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "ended");
    assert_eq!(home.read_cache()["wasInterrupted"], false);
}

#[test]
fn the_clients_compaction_agent_is_nobody() {
    let home = Home::new();
    home.prepare_run("trueup").args(["db", "migrate"]).wait().ok();
    let sessions = || home.query_value::<i64>("SELECT count(*) FROM claude_sessions", []);
    home.push_event("subagent-stop.compaction").assert_silent();
    assert_eq!(sessions(), 0, "its stop is not even looked at");
    home.push_event("subagent-stop").assert_silent();
    assert_eq!(sessions(), 1);
}

#[test]
fn compaction_leaves_a_checkpoint_and_a_pushed_edit() {
    for fixture in ["pre-compact.manual", "pre-compact.auto"] {
        let home = Home::new().with_held_item();
        home.edit_cache("currentTask", "before compaction");
        home.push_event(fixture).assert_silent();
        assert_eq!(home.execution_state()["currentTask"], "before compaction");
        assert_eq!(home.count_events("checkpoint", FIRST_SESSION), 1);
        let reason: String =
            home.query_value("SELECT reason FROM events WHERE kind = 'checkpoint'", []);
        assert_eq!(reason, "compaction");
    }
}

#[test]
fn a_tool_call_of_a_session_whose_start_was_missed_registers_it() {
    let home = Home::new();
    home.push_event("post-tool-use.write").assert_silent();
    assert!(!home.trueup_home().join("trueup.db").exists(), "only a start makes a database");
    home.prepare_run("trueup").args(["db", "migrate"]).wait().ok();
    home.push_event("post-tool-use.write").assert_silent();
    home.send_prompt().assert_silent();
    assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "active");
    assert_eq!(home.read_cache()["sessionId"], FIRST_SESSION);
}

#[test]
fn a_session_that_was_given_up_and_works_again_is_active() {
    for status in ["lost", "ended"] {
        let home = Home::new().with_held_item();
        home.execute_sql("UPDATE claude_sessions SET status = ?1", [status]);
        home.push_event("post-tool-use.write").assert_silent();
        assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "active", "{status}");
    }
}

#[test]
fn every_change_of_state_is_an_event_with_actor_and_reason() {
    let home = Home::new().with_held_item();
    home.edit_cache("currentPhase", "EXEC");
    home.push_event("post-tool-use.write").assert_silent();
    let (actor, reason, after): (String, String, String) = home
        .open_database()
        .query_row(
            "SELECT actor, reason, after FROM events WHERE kind = 'state' ORDER BY seq DESC LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .unwrap();
    assert_eq!((actor.as_str(), reason.as_str()), (FIRST_SESSION, "local edit"));
    assert!(after.contains(r#""currentPhase":"EXEC""#), "{after}");
}

#[test]
fn a_database_that_is_gone_is_not_made_again_and_the_cache_stays() {
    let home = Home::new().with_held_item();
    let before = fs::read(home.cache_path()).unwrap();
    fs::remove_file(home.trueup_home().join("trueup.db")).unwrap();
    let answer = home.push_event("session-end.other");
    assert_eq!(answer.code, Some(0));
    assert!(answer.stderr.contains("saved in the outbox"), "{answer:?}");
    assert_eq!(home.send_prompt().code, Some(0));
    assert!(!home.trueup_home().join("trueup.db").exists());
    assert_eq!(fs::read(home.cache_path()).unwrap(), before);
}
