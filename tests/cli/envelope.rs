//! With `--json`, stdout holds exactly one object, whatever happens.

use std::fs;

use support::home::{Home, skip_over_postgres};

use crate::fixture::{envelope, object, started, trueup};

#[test]
fn success_has_no_error_and_names_the_command() {
    let home = started();
    for (command, arguments) in [
        ("status", &["status"][..]),
        ("item list", &["item", "list"]),
        ("sessions list", &["sessions", "list"]),
        ("db status", &["db", "status"]),
    ] {
        let object = object(&home, 0, arguments);
        assert_eq!(object["command"], command);
        assert!(object["error"].is_null());
        assert!(object["data"].is_object());
    }
}

#[test]
fn a_command_line_that_makes_no_sense_is_an_object_too() {
    let home = Home::new();
    for (arguments, part) in [
        (&["frobnicate"][..], "frobnicate"),
        (&["status", "--frobnicate"], "--frobnicate"),
        (&["claim"], "<KEY>"),
        (&["claim", "../x"], "../x"),
        (&["set"], "--phase"),
        (&["set", "--auto-proceed", "maybe"], "maybe"),
        (&["status", "--session", ""], "--session"),
        (&["item"], "command"),
    ] {
        let object = object(&home, 2, arguments);
        assert_eq!(object["command"], "trueup", "{arguments:?}");
        let error = &object["error"];
        assert_eq!(error["code"], "usage", "{arguments:?}");
        let hint = error["hint"].as_str().unwrap();
        assert!(hint.starts_with("`trueup ") && hint.contains(" --help` "), "{hint}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(part), "{arguments:?}: {message}");
        assert!(!message.contains('\n') && !message.contains("error:"), "{message}");
    }
    let run = home.prepare_run("validate-session-state").args(["--json", "--frobnicate"]);
    let object = envelope(&run.wait(), 2);
    assert_eq!(object["command"], "validate-session-state");
}

#[test]
fn a_refusal_keeps_its_message_and_hint() {
    let home = started();
    let object = object(&home, 1, &["item", "show", "SD-9"]);
    assert_eq!(object["error"]["code"], "item_not_found");
    assert_eq!(object["error"]["message"], "item SD-9 does not exist");
    assert_eq!(object["error"]["hint"], "`trueup item list` shows the items");
    assert_eq!(object["data"], serde_json::json!({}));
}

#[test]
fn without_json_the_answer_is_on_stdout_and_an_error_on_stderr() {
    let home = started();
    let answer = trueup(&home, &["item", "list"]).ok();
    assert_eq!(answer.stdout, "no items; add one with `trueup item add KEY`\n");
    let answer = trueup(&home, &["item", "show", "SD-9"]);
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(1), ""));
    assert_eq!(
        answer.stderr,
        "item show: item SD-9 does not exist\nhint: `trueup item list` shows the items\n"
    );
}

#[test]
fn a_bad_number_is_a_warning_of_whatever_is_answered() {
    let home = started();
    for (code, arguments) in [(0, &["status", "--json"]), (1, &["release", "--json"])] {
        let run = home.prepare_run("trueup").args(arguments).env("TRUEUP_LEASE_SECONDS", "many");
        let object = envelope(&run.wait(), code);
        let line = "TRUEUP_LEASE_SECONDS=\"many\" is not a whole number; the default is used";
        assert_eq!(object["warnings"], serde_json::json!([line]));
    }
    let run = home.prepare_run("trueup").args(["status"]).env("TRUEUP_CEILING_SECONDS", "-1");
    let answer = run.wait();
    assert_eq!(answer.code, Some(0));
    assert!(answer.stderr.starts_with("warning: TRUEUP_CEILING_SECONDS=\"-1\""), "{answer:?}");
}

#[test]
fn what_a_repository_may_not_set_is_a_warning_and_is_not_obeyed() {
    if skip_over_postgres("the path of the file is shown") {
        return;
    }
    let home = started();
    fs::write(home.project_dir().join(".trueup.toml"), "database_url = \"sqlite:/evil.db\"\n")
        .unwrap();
    let object = object(&home, 0, &["db", "status"]);
    let warning = object["warnings"][0].as_str().unwrap();
    assert!(warning.contains(".trueup.toml") && warning.contains("database_url"), "{warning}");
    let path = home.trueup_home().join("trueup.db");
    assert_eq!(object["data"]["path"], *path.to_string_lossy());
}
