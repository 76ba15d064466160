//! A session start marks dead sessions lost, and no live ones.

use support::home::{FIRST_SESSION, Home, SECOND_SESSION, process_start_time, spawn_bystander};

/// A first session, with its own client, that holds an item.
fn start_first_session(home: &Home, pid: &str) {
    let payload = home.payload("session-start.startup");
    home.prepare_run("session-start-sync").payload(&payload).env("CLAUDE_PID", pid).wait().ok();
    home.claim(FIRST_SESSION, "SD-002C");
    home.set_state(FIRST_SESSION, "execution_state.currentTask", "half a test");
}

fn next_start(home: &Home) -> String {
    let payload = home.payload("session-start.startup").for_session(SECOND_SESSION);
    home.run_hook("session-start-sync", &payload).ok().context()
}

fn holder(home: &Home) -> Option<String> {
    home.query_value("SELECT holder FROM work_items WHERE key = 'SD-002C'", [])
}

#[test]
fn a_session_whose_process_is_gone_and_whose_lease_ran_out_is_lost() {
    let home = Home::new();
    let client = spawn_bystander();
    let pid = client.pid();
    start_first_session(&home, &pid);
    drop(client);
    home.expire_lease(FIRST_SESSION, 1_000);
    let context = next_start(&home);
    assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "lost");
    assert_eq!(holder(&home), None);
    assert_eq!(home.execution_state()["currentTask"], "half a test", "what it did stays readable");
    assert!(
        context.contains(&format!(
            "SD-002C was held by {FIRST_SESSION} (lease expired and process {pid} is gone)"
        )),
        "{context}"
    );
    assert!(context.contains("Next: continue with `trueup claim SD-002C`"), "{context}");
    assert_eq!(home.count_events("lost", FIRST_SESSION), 1);
    assert_eq!(home.count_events("released", "SD-002C"), 1);
    let again = home.payload("session-start.resume").for_session(SECOND_SESSION);
    let context = home.run_hook("session-start-sync", &again).ok().context();
    assert!(!context.contains("was held by"), "told once: {context}");
}

#[test]
fn a_session_whose_process_is_gone_within_its_lease_is_left() {
    let home = Home::new();
    let client = spawn_bystander();
    start_first_session(&home, &client.pid());
    drop(client);
    next_start(&home);
    assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "active");
    assert_eq!(holder(&home).as_deref(), Some(FIRST_SESSION));
}

#[test]
fn a_live_process_with_an_expired_lease_is_left() {
    let home = Home::new();
    let client = spawn_bystander();
    start_first_session(&home, &client.pid());
    home.expire_lease(FIRST_SESSION, 90_000);
    next_start(&home);
    assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "active");
    assert_eq!(holder(&home).as_deref(), Some(FIRST_SESSION));
}

#[test]
fn a_process_number_that_was_used_again_is_no_life() {
    let home = Home::new();
    let client = spawn_bystander();
    start_first_session(&home, &client.pid());
    assert_eq!(
        home.session_column::<i64>("pid_started", FIRST_SESSION),
        process_start_time(&client.pid())
    );
    home.execute_sql("UPDATE claude_sessions SET pid_started = pid_started - 1", []);
    home.expire_lease(FIRST_SESSION, 1_000);
    next_start(&home);
    assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "lost");
    assert_eq!(holder(&home), None);
}

#[test]
fn a_process_of_elsewhere_is_endured_up_to_the_ceiling() {
    for elsewhere in [
        "host = 'elsewhere'",
        "boot_id = 'another boot'",
        "machine_id = 'another machine'",
        "pid_namespace = 'pid:[1]'",
        // As an earlier release wrote it, without either column.
        "machine_id = NULL, pid_namespace = NULL",
    ] {
        for (silence, status) in [(1_700, "active"), (1_900, "lost")] {
            let home = Home::new();
            let client = spawn_bystander();
            start_first_session(&home, &client.pid());
            home.execute_sql(&format!("UPDATE claude_sessions SET {elsewhere}"), []);
            // Its process cannot be seen from here.
            drop(client);
            home.expire_lease(FIRST_SESSION, silence);
            next_start(&home);
            let found = home.session_column::<String>("status", FIRST_SESSION);
            assert_eq!(found, status, "{elsewhere} {silence} s");
        }
    }
}

#[test]
fn declared_silence_postpones_the_sweep_up_to_its_ceiling() {
    let home = Home::new();
    let client = spawn_bystander();
    start_first_session(&home, &client.pid());
    drop(client);
    home.execute_sql(
        "UPDATE claude_sessions SET silent_until = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+1000 seconds')",
        [],
    );
    for (silence, status) in [(2_600, "active"), (2_800, "lost")] {
        home.expire_lease(FIRST_SESSION, silence);
        next_start(&home);
        assert_eq!(home.session_column::<String>("status", FIRST_SESSION), status, "{silence} s");
    }
}

#[test]
fn a_claim_of_an_ended_session_is_freed_when_its_lease_is_over_and_not_before() {
    let home = Home::new().with_held_item();
    home.push_event("session-end.other").ok();
    next_start(&home);
    assert_eq!(holder(&home).as_deref(), Some(FIRST_SESSION));
    home.expire_lease(FIRST_SESSION, 1_000);
    let context = next_start(&home);
    assert_eq!(holder(&home), None);
    assert!(context.contains(&format!("SD-002C was held by {FIRST_SESSION} (ended: other)")));
    assert_eq!(
        home.session_column::<String>("status", FIRST_SESSION),
        "ended",
        "an end is not a loss"
    );
}

#[test]
fn the_item_of_a_session_that_ended_with_its_process_is_freed_at_the_next_start() {
    let home = Home::new();
    let client = spawn_bystander();
    start_first_session(&home, &client.pid());
    home.push_event("session-end.other").ok();
    drop(client);
    let context = next_start(&home);
    assert_eq!(holder(&home), None);
    assert!(context.contains("Next: continue with `trueup claim SD-002C`"), "{context}");
    assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "ended");
}

/// The first session is resumed by another client.
fn resume_first_session(home: &Home) -> String {
    let client = spawn_bystander();
    let payload = home.payload("session-start.resume");
    let run = home.prepare_run("session-start-sync").payload(&payload);
    run.env("CLAUDE_PID", client.pid()).wait().ok().context()
}

#[test]
fn a_resumed_session_takes_its_free_item_back() {
    for (taken, expected) in [(false, FIRST_SESSION), (true, SECOND_SESSION)] {
        let home = Home::new();
        let client = spawn_bystander();
        start_first_session(&home, &client.pid());
        home.push_event("session-end.other").ok();
        drop(client);
        next_start(&home);
        if taken {
            home.give_item(SECOND_SESSION, "SD-002C");
        }
        let context = resume_first_session(&home);
        assert_eq!(holder(&home).as_deref(), Some(expected), "{context}");
        let says = context.contains("item: SD-002C (claimed)");
        assert_eq!(says, !taken, "{context}");
        if !taken {
            assert_eq!(home.execution_state()["currentTask"], "half a test");
        }
    }
}

#[test]
fn a_session_that_released_its_item_does_not_take_it_back() {
    let home = Home::new();
    let client = spawn_bystander();
    start_first_session(&home, &client.pid());
    home.prepare_run("trueup")
        .args(["release", "SD-002C", "--session", FIRST_SESSION])
        .env("CLAUDE_PID", client.pid())
        .wait();
    home.push_event("session-end.other").ok();
    resume_first_session(&home);
    assert_eq!(holder(&home), None);
}

/// Shifts the times in a session's row, as if a clock had been wrong once.
fn shift_times(home: &Home, session: &str, shift: &str) {
    let changed = home.execute_sql(
        "UPDATE claude_sessions SET
             heartbeat_at = strftime('%Y-%m-%dT%H:%M:%fZ', heartbeat_at, ?2),
             lease_expires_at = strftime('%Y-%m-%dT%H:%M:%fZ', lease_expires_at, ?2)
         WHERE session_id = ?1",
        [session, shift],
    );
    assert_eq!(changed, 1);
}

#[test]
fn a_lease_that_a_wrong_clock_granted_is_no_life() {
    let home = Home::new();
    let client = spawn_bystander();
    start_first_session(&home, &client.pid());
    shift_times(&home, FIRST_SESSION, "+1 year");
    next_start(&home);
    assert_eq!(holder(&home).as_deref(), Some(FIRST_SESSION), "its process runs");
    drop(client);
    next_start(&home);
    assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "lost");
    assert_eq!(holder(&home), None);
}

#[test]
fn a_lease_that_a_wrong_clock_granted_is_granted_anew_to_its_owner() {
    for hook in ["prompt", "tool", "stop"] {
        let home = Home::new().with_held_item();
        shift_times(&home, FIRST_SESSION, "+1 year");
        match hook {
            "prompt" => home.send_prompt().ok(),
            "tool" => home.push_event("post-tool-use.write").ok(),
            _ => home.push_event("stop").ok(),
        };
        let ahead: i64 = home.query_value(
            "SELECT max(heartbeat_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+10 seconds'),
                 lease_expires_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+1000 seconds'))
             FROM claude_sessions",
            [],
        );
        assert_eq!(ahead, 0, "{hook}");
    }
}

#[test]
fn one_start_with_a_wrong_clock_parks_nobody_who_cannot_be_asked() {
    // The clock of everything before is a year behind that of this start.
    let home = Home::new();
    let client = spawn_bystander();
    start_first_session(&home, &client.pid());
    home.execute_sql("UPDATE claude_sessions SET host = 'elsewhere'", []);
    home.age_database("-1 year");
    next_start(&home);
    assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "active");
    assert_eq!(holder(&home).as_deref(), Some(FIRST_SESSION));
}

#[test]
fn a_session_does_not_sweep_itself() {
    let home = Home::new().with_held_item();
    home.expire_lease(FIRST_SESSION, 90_000);
    home.execute_sql("UPDATE claude_sessions SET boot_id = 'another boot'", []);
    let answer = home.start_session().ok();
    assert!(answer.context().contains("item: SD-002C (claimed)"), "{answer:?}");
    assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "active");
}

#[test]
fn a_session_that_was_given_up_hands_nothing_on_until_it_claims_again() {
    let home = Home::new();
    let client = spawn_bystander();
    start_first_session(&home, &client.pid());
    drop(client);
    home.expire_lease(FIRST_SESSION, 1_000);
    next_start(&home);
    let back = home.run_hook("session-start-sync", &home.payload("session-start.resume"));
    let line = "⚠️ claim on SD-002C now belongs to nobody since ";
    assert!(back.message().iter().any(|l| l.starts_with(line)), "{back:?}");
    assert!(back.context().contains("Next: continue with `trueup claim SD-002C`"), "{back:?}");
    let payload =
        home.payload("pre-tool-use.bash").with_input("command", "trueup handoff create X");
    let output = home.run_hook("pre-handoff-validate", &payload);
    assert_eq!(output.code, Some(2), "{output:?}");
    assert!(output.stderr.contains("Run: trueup claim SD-002C"), "{output:?}");
    let claim = home.prepare_run("trueup").args(["--session", FIRST_SESSION, "claim", "SD-002C"]);
    claim.wait().ok();
    home.run_hook("pre-handoff-validate", &payload).assert_silent();
    assert_eq!(home.execution_state()["currentTask"], "half a test", "it goes on where it was");
}

#[test]
fn the_next_start_fails_a_phase_that_gives_no_sign_of_life() {
    let home = Home::new();
    let client = spawn_bystander();
    start_first_session(&home, &client.pid());
    let run = |arguments: &[&str]| {
        let all = [&["--session", FIRST_SESSION], arguments].concat();
        home.prepare_run("trueup").args(all).wait().ok();
    };
    run(&["queue", "add", "SD-002C", "--phases", "plan,build"]);
    run(&["queue", "start", "SD-002C:1"]);
    let status = |number: i64| -> String {
        home.query_value("SELECT status FROM phase_queue WHERE phase_number = ?1", [number])
    };
    next_start(&home);
    assert_eq!(status(1), "running");
    home.expire_lease(FIRST_SESSION, 7_300);
    home.execute_sql("UPDATE phase_queue SET updated_at = '2020-01-01T00:00:00.000Z'", []);
    next_start(&home);
    assert_eq!((status(1), status(2)), ("failed".to_owned(), "blocked".to_owned()));
    assert_eq!(holder(&home).as_deref(), Some(FIRST_SESSION), "its process lives");
}

#[test]
fn a_hook_that_runs_on_after_its_client_brings_nobody_back() {
    for fixture in ["post-tool-use.todo-write", "post-tool-use.bash", "stop", "user-prompt-submit"]
    {
        let home = Home::new();
        let client = spawn_bystander();
        let pid = client.pid();
        start_first_session(&home, &pid);
        let run = |fixture: &str| {
            let binary = match fixture {
                "user-prompt-submit" => "session-start-sync",
                _ => "checkpoint-push",
            };
            let run = home.prepare_run(binary).payload(&home.payload(fixture));
            run.env("CLAUDE_PID", &pid).wait().ok()
        };
        run("session-end.other");
        drop(client);
        run(fixture);
        assert_eq!(home.session_column::<String>("status", FIRST_SESSION), "ended", "{fixture}");
    }
}
