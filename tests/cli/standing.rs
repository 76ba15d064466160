//! `trueup` alone: where the caller stands, and the command to go on with.

use serde_json::json;
use support::home::{FIRST_SESSION, Home, SECOND_SESSION};

use crate::fixture::{claimed, create_database, data, second, started, trueup};

/// The text may have fewer lines than this.
const MAX_LINES: usize = 15;

#[track_caller]
fn text(home: &Home) -> String {
    let text = trueup(home, &[]).ok().stdout;
    assert!(text.lines().count() < MAX_LINES, "{text}");
    text
}

/// Returns the command to go on with, without the name of the program.
#[track_caller]
fn next_command(home: &Home, caller: &[&str]) -> String {
    let command = data(home, caller)["command"].as_str().unwrap().to_owned();
    assert!(trueup(home, caller).ok().stdout.contains(&command));
    command.strip_prefix("trueup ").unwrap().to_owned()
}

#[test]
fn before_there_is_a_database_it_says_how_to_begin_and_creates_nothing() {
    let home = Home::new();
    let shown = text(&home);
    assert!(shown.contains("trueup db migrate") && shown.contains("trueup item add"), "{shown}");
    let object = home.prepare_run("trueup").args(["--json"]).wait().ok().json();
    assert_eq!(object["command"], "trueup");
    assert_eq!(object["data"]["database"], json!(false));
    assert!(!home.trueup_home().join("trueup.db").exists());
    data(&home, &next_command(&home, &[]).split(' ').collect::<Vec<_>>());
    assert_eq!(data(&home, &[])["database"], json!(true));
}

#[test]
fn a_person_sees_what_is_next_and_who_works_here() {
    let home = Home::new();
    create_database(&home);
    assert_eq!(next_command(&home, &[]), "item add SD-1 --title \"First item\"");
    data(&home, &["item", "add", "SD-1", "--title", "First"]);
    let shown = text(&home);
    assert!(shown.contains("a person") && shown.contains("SD-1 (queued)  First"), "{shown}");
    assert_eq!(next_command(&home, &[]), "top");
}

#[test]
fn without_items_the_next_task_of_a_plan_is_named() {
    let home = started();
    std::fs::write(home.project_dir().join("fix.md"), "## Phase 1: a\n- [ ] 1.1 Write\n").unwrap();
    data(&home, &["plan", "import", "fix.md"]);
    for expected in ["plan start fix/1.1", "plan complete fix/1.1"] {
        assert!(text(&home).contains("fix/1.1 ("), "{}", text(&home));
        assert_eq!(next_command(&home, &[]), expected);
        data(&home, &expected.split(' ').collect::<Vec<_>>());
    }
    assert!(next_command(&home, &[]).starts_with("item add "));
}

#[test]
fn a_session_is_led_from_command_to_command() {
    let home = started();
    second(&home, None);
    data(&home, &["item", "add", "SD-1", "--title", "First"]);
    data(&home, &["queue", "add", "SD-1", "--phases", "plan"]);
    let first = ["--session", FIRST_SESSION];
    for expected in [
        "next --claim",
        "queue start SD-1:1",
        "queue complete SD-1:1",
        "item transition SD-1 completed",
    ] {
        assert_eq!(next_command(&home, &first), expected);
        data(&home, &expected.split(' ').chain(first).collect::<Vec<_>>());
    }
    let standing = data(&home, &first);
    assert_eq!(standing["session"]["session_id"], json!(FIRST_SESSION));
    assert_eq!(standing["others"][0]["session_id"], json!(SECOND_SESSION));
    assert_eq!(standing["needs_me"], json!([]));
}

#[test]
fn interrupted_work_and_a_hand_off_come_first() {
    let home = started();
    second(&home, None);
    claimed(&home, "SD-1");
    let first = ["--session", FIRST_SESSION];
    data(&home, &[&["interrupt"], &first[..]].concat());
    assert_eq!(data(&home, &first)["command"], "trueup resume");
    let to = ["handoff", "create", "PLAN-TO-EXEC", "--to", SECOND_SESSION, "--summary", "s"];
    let created = data(&home, &[&to, &first[..]].concat());
    let id = created["handoff"]["id"].as_str().unwrap();
    let standing = data(&home, &["--session", SECOND_SESSION]);
    assert_eq!(standing["command"], format!("trueup handoff accept {id}"));
}

#[test]
fn a_session_that_may_take_a_hand_off_to_anybody_is_led_to_accept_it() {
    let home = started();
    claimed(&home, "SD-1");
    let created = data(&home, &["handoff", "create", "PLAN-TO-EXEC", "--summary", "s"]);
    let id = created["handoff"]["id"].as_str().unwrap();
    second(&home, None);
    let caller = ["--session", SECOND_SESSION];
    let standing = data(&home, &caller);
    assert_eq!(standing["command"], format!("trueup handoff accept {id}"));
    let shown = trueup(&home, &caller).ok().stdout;
    assert!(!shown.contains("handoff reject"), "{shown}");
    // Its sender is not told to accept what it hands on.
    let shown = trueup(&home, &["--session", FIRST_SESSION]).ok().stdout;
    assert!(!shown.contains("handoff accept"), "{shown}");
}
