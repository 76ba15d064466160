//! The start of a session whose server answers late, or not at all.

use std::fs;
use std::path::PathBuf;

use serde_json::json;
use support::client::find_binary;
use support::home::{FIRST_SESSION, Home, ProcessOutput};
use support::postgres::TestDatabase;
use support::program::{copy_program, write_program};

use super::fixture::{
    claim_item, home_with_server, home_with_url, on_host, pull, query, trueup, wait_until,
};

/// A `trueup` that begins once it is allowed to.
const HELD_BACK: &str = r#"#!/bin/sh
while [ ! -e "$TRUEUP_HOME/go" ]; do sleep 0.01; done
exec "$TRUEUP_HOME/../bin/real" "$@"
"#;

/// A machine whose pulls begin once it allows them.
struct SlowMachine {
    home: Home,
    bin: PathBuf,
}

impl SlowMachine {
    fn new(home: Home) -> Self {
        let bin = home.root().join("bin");
        fs::create_dir(&bin).unwrap();
        let program = |name| find_binary(name).unwrap();
        copy_program(&program("session-start-sync"), &bin.join("session-start-sync")).unwrap();
        copy_program(&program("trueup"), &bin.join("real")).unwrap();
        write_program(&bin.join("trueup"), HELD_BACK).unwrap();
        Self { home, bin }
    }

    fn allow_pulls(&self) {
        fs::write(self.home.trueup_home().join("go"), "").unwrap();
    }

    fn hold_pulls_back(&self) {
        fs::remove_file(self.home.trueup_home().join("go")).unwrap();
    }

    /// Runs the hook. Nothing waits for the deadline where the pull is allowed.
    fn run(&self, fixture: &str, deadline_ms: &str) -> ProcessOutput {
        let hook = self.bin.join("session-start-sync");
        let run = self.home.prepare_run("session-start-sync").payload(&self.home.payload(fixture));
        let run = run.env("TRUEUP_DEADLINE_MS", deadline_ms);
        run.run_through("env", |_| vec![hook.clone().into()]).wait()
    }

    fn start(&self) -> ProcessOutput {
        self.run("session-start.startup", "60000")
    }

    fn start_late(&self) -> ProcessOutput {
        self.run("session-start.resume", "300")
    }

    fn prompt(&self) -> ProcessOutput {
        self.run("user-prompt-submit", "60000")
    }

    /// Somebody on another machine sets the phase of the session.
    fn set_phase_elsewhere(&self, phase: &str) {
        let elsewhere = Home::new();
        let config = "config.toml";
        fs::copy(self.home.trueup_home().join(config), elsewhere.trueup_home().join(config))
            .unwrap();
        let set = ["set", "--phase", phase, "--session", FIRST_SESSION];
        let run = elsewhere.prepare_run("trueup").args(set).cwd(elsewhere.project_dir());
        on_host(run, "elsewhere").wait().ok();
    }

    /// The replica of the session, if there is one.
    fn replica(&self) -> Option<serde_json::Value> {
        let lineages = fs::read_dir(self.home.trueup_home().join("replica")).ok()?;
        let name = format!("{FIRST_SESSION}.json");
        let mut files = lineages.flatten().map(|lineage| lineage.path().join(&name));
        let text = fs::read_to_string(files.find(|file| file.exists())?).ok()?;
        serde_json::from_str(&text).ok()
    }

    fn has_briefing(&self) -> bool {
        self.replica().is_some_and(|replica| replica["briefing"].is_object())
    }
}

#[test]
fn a_pull_that_comes_too_late_is_told_by_the_next_prompt_once() {
    let Some((home, _database)) = home_with_server() else { return };
    let machine = SlowMachine::new(home);
    machine.allow_pulls();
    let output = machine.start().ok();
    assert!(output.context().starts_with("trueup: this is session "), "{output:?}");
    claim_item(&machine.home, FIRST_SESSION, "SD-002C");
    pull(&machine.home, FIRST_SESSION);

    machine.hold_pulls_back();
    machine.set_phase_elsewhere("EXEC");
    let output = machine.start_late();
    let [message] = &output.message()[..] else { panic!("{output:?}") };
    assert!(message.starts_with("⚠️ database unreachable; cache used, "), "{message}");
    assert!(message.ends_with("no answer in time; trueup pull goes on)"), "{message}");
    let context = output.context();
    assert!(context.starts_with("trueup: the database did not answer, so this is"), "{context}");
    assert!(context.contains("phase: PLAN"), "{context}");
    assert_eq!(machine.home.read_cache()["currentPhase"], "PLAN");

    machine.allow_pulls();
    wait_until(|| machine.has_briefing());
    pull(&machine.home, FIRST_SESSION);
    assert_eq!(machine.home.read_cache()["currentPhase"], "EXEC");
    let output = machine.prompt().ok();
    assert!(output.context().starts_with("trueup: this is session "), "{output:?}");
    assert!(output.context().contains("phase: EXEC"), "{output:?}");
    pull(&machine.home, FIRST_SESSION);
    machine.prompt().assert_silent();
}

#[test]
fn a_first_start_without_the_server_says_so_and_the_session_works_from_then_on() {
    let Some((home, _database)) = home_with_server() else { return };
    let machine = SlowMachine::new(home);
    let output = machine.start_late();
    let [message] = &output.message()[..] else { panic!("{output:?}") };
    assert!(message.starts_with("⚠️ database unreachable; no cache available "), "{message}");
    assert!(output.context().contains("it is unknown what this session holds"), "{output:?}");
    let pushed = machine.home.push_event("post-tool-use.todo-write");
    assert!(pushed.stderr.ends_with("saved in the outbox; it is sent later\n"), "{pushed:?}");

    machine.allow_pulls();
    wait_until(|| machine.has_briefing());
    pull(&machine.home, FIRST_SESSION);
    let output = machine.prompt().ok();
    assert!(output.context().starts_with("trueup: this is session "), "{output:?}");
    let status = trueup(&machine.home, &["status", "--json", "--session", FIRST_SESSION]).json();
    assert_eq!(
        status["data"]["session"]["execution_state"]["currentTask"], "write the test",
        "{status}"
    );
}

#[test]
fn a_start_tells_the_users_own_lost_edit_whoever_pulls() {
    let Some((home, _database)) = home_with_server() else { return };
    let machine = SlowMachine::new(home);
    machine.allow_pulls();
    machine.start().ok();
    claim_item(&machine.home, FIRST_SESSION, "SD-002C");
    pull(&machine.home, FIRST_SESSION);
    machine.home.edit_cache("currentPhase", "NOWHERE TO BE FOUND");
    machine.set_phase_elsewhere("EXEC");
    let output = machine.run("session-start.resume", "60000");
    assert!(output.message().iter().any(|line| line.contains("journal")), "{output:?}");
    assert_eq!(machine.home.read_cache()["currentPhase"], "EXEC");
}

#[test]
fn a_server_without_a_database_is_named_at_the_start_and_nothing_is_kept() {
    let Some(database) = TestDatabase::create_empty() else { return };
    let home = home_with_url(&database.url());
    let output = home.run_hook("session-start-sync", &home.payload("session-start.startup"));
    assert!(output.message()[0].contains("trueup db migrate"), "{output:?}");
    assert_eq!(output.json().get("hookSpecificOutput"), None);
    assert_eq!(json!(home.read_lines("outbox.jsonl")), json!([]));
}

#[test]
fn an_agent_that_was_never_told_anything_gets_its_briefing_from_a_later_pull() {
    let Some((home, database)) = home_with_server() else { return };
    home.start_session().ok();
    pull(&home, FIRST_SESSION);
    // As if the pull of the start had died behind the registration.
    query(&database, "UPDATE claude_sessions SET acknowledged_revision = 0");
    fs::remove_dir_all(home.trueup_home().join("replica")).unwrap();
    pull(&home, FIRST_SESSION);
    let output = home.send_prompt().ok();
    assert!(output.context().starts_with("trueup: this is session "), "{output:?}");
    pull(&home, FIRST_SESSION);
    home.send_prompt().assert_silent();
}

#[test]
fn a_copy_of_another_database_is_not_shown_as_that_of_the_address() {
    let Some((home, _database)) = home_with_server() else { return };
    home.start_session().ok();
    claim_item(&home, FIRST_SESSION, "SD-002C");
    let config = home.trueup_home().join("config.toml");
    fs::write(&config, "database_url = \"postgres://me@127.0.0.1:1/work\"\n").unwrap();
    let output = home.run_hook("session-start-sync", &home.payload("session-start.resume"));
    let expected = "nothing was ever read from this address, so the local copy may be of another";
    assert!(output.context().contains(expected), "{output:?}");
}

#[test]
fn what_keeps_a_pull_from_its_work_on_this_machine_is_named_at_the_start() {
    let Some((home, _database)) = home_with_server() else { return };
    fs::write(home.trueup_home().join("locks"), "in the way").unwrap();
    let output = home.run_hook("session-start-sync", &home.payload("session-start.startup"));
    assert!(output.message()[0].contains("File exists"), "{output:?}");
}

/// Lets the server count the requests that it gets.
fn count_requests(database: &TestDatabase) {
    let wrapper = "
        CREATE SEQUENCE requests MINVALUE 0;
        ALTER FUNCTION exchange(text) RENAME TO exchange_uncounted;
        CREATE FUNCTION exchange(request text) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
            SET search_path = trueup AS $$
            BEGIN
                PERFORM nextval('requests');
                RETURN exchange_uncounted(request);
            END $$;
        GRANT EXECUTE ON FUNCTION exchange(text) TO trueup_client;";
    query(database, wrapper);
}

/// How many requests the server got since the last time.
fn take_requests(database: &TestDatabase) -> u64 {
    query(database, "SELECT nextval('requests')");
    let count = query(database, "SELECT setval('requests', 0, false) + last_value FROM requests");
    count.trim().parse().unwrap()
}

#[test]
fn a_start_and_a_pull_ask_the_server_a_few_times() {
    let Some((home, database)) = home_with_server() else { return };
    count_requests(&database);
    // The first start of all names the repository, and prunes.
    home.start_session().ok();
    pull(&home, FIRST_SESSION);
    take_requests(&database);
    let other = home.payload("session-start.startup").with("session_id", "another");
    home.run_hook("session-start-sync", &other).ok();
    // What is known, the registration, dead sessions, and that the agent was told.
    assert_eq!(take_requests(&database), 4);
    claim_item(&home, FIRST_SESSION, "SD-002C");
    pull(&home, FIRST_SESSION);
    take_requests(&database);
    pull(&home, FIRST_SESSION);
    assert_eq!(take_requests(&database), 1);
}
