//! The hand-off guard while the database is unreachable.

use std::fs;

use serde_json::json;
use support::home::{Home, ProcessOutput};

/// A session whose database file was damaged.
fn home_with_damaged_database() -> Home {
    let home = Home::new().with_held_item();
    fs::write(home.trueup_home().join("trueup.db"), "garbage that is no database".repeat(9))
        .unwrap();
    home
}

fn run_guard(home: &Home, fixture: &str, attended: &str) -> ProcessOutput {
    let payload = home.payload(fixture).with_input("command", "trueup handoff create X");
    let run = home.prepare_run("pre-handoff-validate").payload(&payload);
    run.env("CLAUDE_CODE_SESSION_ATTENDED", attended).wait()
}

#[test]
fn a_person_is_asked() {
    let home = home_with_damaged_database();
    let answer = run_guard(&home, "pre-tool-use.bash", "1");
    assert_eq!(answer.code, Some(0));
    let line = answer.stderr.trim_end();
    assert!(
        line.starts_with("⚠️ database unreachable: this hand-off could not be checked ("),
        "{line}"
    );
    assert_eq!(
        answer.json(),
        json!({"hookSpecificOutput": {
            "hookEventName": "PreToolUse", "permissionDecision": "ask",
            "permissionDecisionReason": format!(
                "{line}. First replace BACKUP with the path of a backup, then run `trueup db \
                 restore BACKUP`"
            ),
        }})
    );
}

#[test]
fn unattended_work_goes_on_with_a_warning() {
    let home = home_with_damaged_database();
    for attended in ["", "0"] {
        let answer = run_guard(&home, "pre-tool-use.bash", attended);
        assert_eq!(answer.code, Some(0));
        assert_eq!(answer.json(), json!({"systemMessage": answer.stderr.trim_end()}));
        assert!(answer.message()[0].starts_with("⚠️ database unreachable"));
    }
}

#[test]
fn a_stop_is_never_blocked_by_ignorance() {
    let home = home_with_damaged_database();
    for attended in ["", "1"] {
        let payload = home.payload("stop");
        let run = home.prepare_run("pre-handoff-validate").payload(&payload);
        let answer = run.env("CLAUDE_CODE_SESSION_ATTENDED", attended).wait();
        assert_eq!(answer.code, Some(0));
        assert_eq!(answer.json(), json!({"systemMessage": answer.stderr.trim_end()}));
    }
}

#[test]
fn a_database_that_this_release_cannot_reach_is_reported_without_its_password() {
    let home = Home::new().with_held_item();
    let payload = home.payload("pre-tool-use.agent");
    for url in ["postgres://me:s3cret@db.example/x", "https://me:s3cret@hub.example"] {
        let run = home.prepare_run("pre-handoff-validate").payload(&payload);
        let answer = run.env("TRUEUP_DATABASE_URL", url).wait();
        assert_eq!(answer.code, Some(0));
        assert!(answer.message()[0].starts_with("⚠️ database unreachable"));
        assert!(!format!("{answer:?}").contains("s3cret"), "{answer:?}");
    }
    let log = fs::read_to_string(home.trueup_home().join("trueup.log")).unwrap_or_default();
    assert!(!log.contains("s3cret"), "{log}");
}

#[test]
fn a_database_that_is_gone_is_one_that_cannot_be_asked() {
    let home = Home::new().with_held_item();
    fs::remove_file(home.trueup_home().join("trueup.db")).unwrap();
    let answer = run_guard(&home, "pre-tool-use.bash", "1");
    assert_eq!(answer.json()["hookSpecificOutput"]["permissionDecision"], "ask");
    assert!(!home.trueup_home().join("trueup.db").exists(), "the guard makes no database");
}
