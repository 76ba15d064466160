//! Several sessions of one machine, whose writes wait in one outbox.

use std::fs;
use std::time::Duration;

use support::home::{FIRST_SESSION, Home, ProcessOutput, SECOND_SESSION};
use trueup_core::fs::FileLock;
use trueup_core::settings::Paths;

use super::fixture::{home_with_server, pull, query};

fn hook(home: &Home, hook: &str, fixture: &str, session: &str) -> ProcessOutput {
    let payload = home.payload(fixture).for_session(session);
    home.prepare_run(hook).payload(&payload).wait().ok()
}

fn start(home: &Home) {
    for session in [FIRST_SESSION, SECOND_SESSION] {
        hook(home, "session-start-sync", "session-start.startup", session);
        pull(home, session);
        hook(home, "session-start-sync", "user-prompt-submit", session);
    }
}

#[test]
fn a_pull_of_one_session_keeps_none_of_another_from_its_work() {
    let Some((home, database)) = home_with_server() else { return };
    start(&home);
    let paths = Paths { config: home.trueup_home(), data: home.trueup_home() };
    let mut addresses = fs::read_dir(home.trueup_home().join("databases")).unwrap().flatten();
    let address = addresses.next().unwrap().file_name().into_string().unwrap();
    let locks = paths.pull_locks(&address, &FIRST_SESSION.parse().unwrap());
    let patience = Duration::from_secs(30);
    let _held = [locks.turn, locks.next].map(|path| FileLock::acquire(&path, patience).unwrap());
    let state = "SELECT metadata #>> '{execution_state,currentTask}' FROM claude_sessions
                 WHERE session_id = ";
    hook(&home, "checkpoint-push", "post-tool-use.todo-write", SECOND_SESSION);
    let run = home.prepare_run("trueup").args(["pull", "--detached", "--session", SECOND_SESSION]);
    run.wait().ok();
    // The one that the push started may be at it still.
    pull(&home, SECOND_SESSION);
    assert_eq!(query(&database, &format!("{state} '{SECOND_SESSION}'")), "write the test");
}

#[test]
fn what_became_of_a_write_is_told_to_the_session_that_made_it() {
    let Some((home, database)) = home_with_server() else { return };
    start(&home);
    let url = std::fs::read_to_string(home.trueup_home().join("config.toml")).unwrap();
    // The same address as far as it is shown, and a user that the server does not know.
    let away = url.replace("postgres://", "postgres://unknown_");
    std::fs::write(home.trueup_home().join("config.toml"), away).unwrap();
    hook(&home, "checkpoint-push", "post-tool-use.todo-write", SECOND_SESSION);
    let foreign = format!(
        "UPDATE claude_sessions SET metadata =
             jsonb_set(metadata, '{{execution_state,currentPhase}}', '\"EXEC\"')
         WHERE session_id = '{SECOND_SESSION}'"
    );
    query(&database, &foreign);
    std::fs::write(home.trueup_home().join("config.toml"), url).unwrap();
    pull(&home, FIRST_SESSION);
    let prompt = |session| hook(&home, "session-start-sync", "user-prompt-submit", session);
    prompt(FIRST_SESSION).assert_silent();
    let told = prompt(SECOND_SESSION).message();
    assert!(told[0].contains("local edit lost to a newer database state"), "{told:?}");
    assert!(!told[0].contains("of session"), "{told:?}");
    assert_eq!(home.read_lines("journal.jsonl").len(), 1);
}

#[test]
fn of_several_starts_of_a_session_that_wait_one_does_the_work_of_all() {
    let Some((home, database)) = home_with_server() else { return };
    start(&home);
    let mut addresses = fs::read_dir(home.trueup_home().join("databases")).unwrap().flatten();
    let address = addresses.next().unwrap().file_name().into_string().unwrap();
    let paths = Paths { config: home.trueup_home(), data: home.trueup_home() };
    let locks = paths.pull_locks(&address, &"third".parse().unwrap());
    let waiting = FileLock::acquire(&locks.next_start, Duration::from_secs(30)).unwrap();
    let begin = || {
        let pull = ["pull", "--detached", "--session", "third", "--start", "startup"];
        home.prepare_run("trueup").args(pull).wait().ok();
        query(&database, "SELECT count(*) FROM claude_sessions WHERE session_id = 'third'")
    };
    assert_eq!(begin(), "0", "the one that waits has not begun");
    drop(waiting);
    assert_eq!(begin(), "1");
}
