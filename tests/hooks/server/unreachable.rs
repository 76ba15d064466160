//! A server that cannot be reached: everything as with a file that cannot, in time.

use std::fs;
use std::net::TcpListener;

use serde_json::json;
use support::home::{FIRST_SESSION, Home, ProcessOutput, without_times};

use support::postgres::TestDatabase;

use super::fixture::{claim_item, home_with_server, home_with_url, pull, query};

/// The deadline of these hooks, in milliseconds. The kernel's alarm would end one two seconds later
/// and without a word, so a hook that ends by itself has kept it to within that.
const DEADLINE_MS: &str = "300";

/// A server that is not there, and one that takes connections and never says a word.
fn unreachable_urls() -> (Vec<String>, TcpListener) {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = free.local_addr().unwrap().port();
    drop(free);
    let urls = ["postgres", "https"].into_iter().flat_map(|scheme| {
        [port, refused].map(|port| format!("{scheme}://me:s3cret@127.0.0.1:{port}/work"))
    });
    (urls.collect(), silent)
}

#[track_caller]
fn run(home: &Home, hook: &str, fixture: &str, environment: &[(&str, &str)]) -> ProcessOutput {
    let mut run = home.prepare_run(hook).payload(&home.payload(fixture));
    for (name, value) in environment {
        run = run.env(name, value);
    }
    let output = run.env("TRUEUP_DEADLINE_MS", DEADLINE_MS).wait();
    assert_eq!(output.code, Some(0), "{fixture}: {output:?}");
    assert!(!format!("{output:?}").contains("s3cret"), "{output:?}");
    output
}

#[test]
fn a_start_answers_from_the_cache_and_a_push_goes_to_the_outbox() {
    let (urls, _silent) = unreachable_urls();
    for url in urls {
        let home = home_with_url(&url);
        let output = run(&home, "session-start-sync", "session-start.startup", &[]);
        assert!(output.stderr.starts_with("trueup: the database cannot be used: "), "{output:?}");
        assert!(output.context().contains("There is no local cache either"), "{output:?}");
        assert!(output.message()[0].starts_with("⚠️ database unreachable"), "{output:?}");
        run(&home, "session-start-sync", "user-prompt-submit", &[]).single_line();
        let output = run(&home, "checkpoint-push", "task-created", &[]);
        assert!(
            output.stderr.ends_with("trueup: saved in the outbox; it is sent later\n"),
            "{output:?}"
        );
        run(&home, "checkpoint-push", "session-end.other", &[]);
        let waiting = home.read_lines("outbox.jsonl");
        assert_eq!(waiting.len(), 2, "{url}: {waiting:?}");
        assert!(!home.trueup_home().join("trueup.db").exists());
    }
}

#[test]
fn the_guard_asks_a_person_and_lets_unattended_work_pass() {
    let (urls, _silent) = unreachable_urls();
    for url in urls {
        let home = home_with_url(&url);
        let attended = [("CLAUDE_CODE_SESSION_ATTENDED", "1")];
        let output = run(&home, "pre-handoff-validate", "pre-tool-use.agent", &attended);
        assert_eq!(output.json()["hookSpecificOutput"]["permissionDecision"], "ask", "{output:?}");
        let output = run(&home, "pre-handoff-validate", "pre-tool-use.agent", &[]);
        assert_eq!(output.json(), json!({"systemMessage": output.stderr.trim_end()}));
        assert!(output.message()[0].starts_with("⚠️ database unreachable: "), "{output:?}");
        let output = run(&home, "pre-handoff-validate", "stop", &attended);
        assert_eq!(output.json(), json!({"systemMessage": output.stderr.trim_end()}));
    }
}

#[test]
fn what_waits_is_sent_once_when_the_server_is_back() {
    let Some((home, database)) = home_with_server() else { return };
    home.start_session().ok();
    claim_item(&home, FIRST_SESSION, "SD-002C");
    let config = home.trueup_home().join("config.toml");
    let reachable = fs::read_to_string(&config).unwrap();
    // The same address as far as it is shown, and a user that the server does not know.
    fs::write(&config, reachable.replace("postgres://", "postgres://unknown_")).unwrap();
    home.push_event("post-tool-use.todo-write").assert_silent();
    assert_eq!(home.read_lines("outbox.jsonl").len(), 1);
    fs::write(&config, reachable).unwrap();
    pull(&home, FIRST_SESSION);
    let task = "SELECT metadata #>> '{execution_state,currentTask}' FROM trueup.claude_sessions";
    assert_eq!(database.run(task).unwrap(), "write the test");
    assert!(!home.trueup_home().join("outbox.jsonl").exists());
    let cache = without_times(&home.read_cache().to_string());
    assert!(cache.contains("write the test"), "{cache}");
    home.push_event("post-tool-use.bash").assert_silent();
}

/// A name of the server by which it is never found.
const OTHER_URL: &str = "postgres://me:s3cret@127.0.0.1:1/work";

#[test]
fn what_was_written_under_another_url_of_the_database_is_sent_to_it() {
    let Some((home, database)) = home_with_server() else { return };
    home.start_session().ok();
    claim_item(&home, FIRST_SESSION, "SD-002C");
    let other = [("TRUEUP_DATABASE_URL", OTHER_URL)];
    let output = run(&home, "checkpoint-push", "post-tool-use.todo-write", &other);
    assert!(output.stderr.contains("saved in the outbox"), "{output:?}");
    assert_eq!(home.read_lines("outbox.jsonl").len(), 1);
    home.send_prompt().ok();
    pull(&home, FIRST_SESSION);
    assert_eq!(task_of(&database), "write the test");
    assert!(!home.trueup_home().join("outbox.elsewhere").exists());
}

#[test]
fn what_was_written_before_the_url_was_right_is_sent_once_the_session_is_known() {
    let Some((home, database)) = home_with_server() else { return };
    let other = [("TRUEUP_DATABASE_URL", OTHER_URL)];
    run(&home, "session-start-sync", "session-start.startup", &other);
    run(&home, "checkpoint-push", "post-tool-use.todo-write", &other);
    assert_eq!(home.read_lines("outbox.jsonl").len(), 1);
    let doctor = home.prepare_run("trueup").args(["doctor", "--json"]).wait().json();
    let checks = doctor["data"]["checks"].as_array().unwrap();
    let outbox = checks.iter().find(|check| check["name"] == "outbox").unwrap();
    let named = "for postgres://127.0.0.1:1/work, where no database was ever found";
    assert!(outbox["detail"].as_str().unwrap().contains(named), "{outbox}");
    // The first one registers the session.
    pull(&home, FIRST_SESSION);
    pull(&home, FIRST_SESSION);
    assert_eq!(task_of(&database), "write the test");
}

fn task_of(database: &TestDatabase) -> String {
    query(database, "SELECT metadata #>> '{execution_state,currentTask}' FROM claude_sessions")
}

#[test]
fn what_was_written_for_a_database_that_was_never_met_goes_to_it_alone() {
    let Some((home, before)) = home_with_server() else { return };
    home.start_session().ok();
    claim_item(&home, FIRST_SESSION, "SD-002C");
    let Some(after) = TestDatabase::create() else { return };
    let config = home.trueup_home().join("config.toml");
    let reachable = format!("database_url = {:?}\n", after.add_user("trueup_client"));
    fs::write(&config, reachable.replace("postgres://", "postgres://unknown_")).unwrap();
    home.push_event("post-tool-use.todo-write");
    let [waiting] = &home.read_lines("outbox.jsonl")[..] else { panic!("one write") };
    assert_eq!(waiting["origin"]["lineage"], json!(null), "{waiting}");
    fs::write(&config, reachable).unwrap();
    pull(&home, FIRST_SESSION);
    assert!(home.read_lines("outbox.jsonl").is_empty());
    assert_eq!(task_of(&after), "write the test");
    assert_eq!(task_of(&before), "");
}
