//! Arguments and settings that cannot be used: what a person is told of them.

use support::home::{Home, skip_over_postgres};

use crate::fixture::{data, object, started, trueup};

/// Runs a command that must be refused as a usage error; returns its message.
#[track_caller]
fn usage_error(home: &Home, arguments: &[&str]) -> String {
    let object = object(home, 2, arguments);
    assert_eq!(object["error"]["code"], "usage", "{object}");
    object["error"]["message"].as_str().unwrap().to_owned()
}

#[test]
fn an_edit_without_a_change_is_refused() {
    let home = started();
    data(&home, &["item", "add", "A"]);
    let message = usage_error(&home, &["item", "edit", "A"]);
    assert!(message.contains("--title"), "{message}");
    let help = trueup(&home, &["item", "edit", "--help"]).ok().stdout;
    assert!(help.contains("Usage: trueup item edit [OPTIONS] <KEY>"), "{help}");
}

#[test]
fn numbers_and_durations_are_refused_in_plain_words() {
    let home = started();
    data(&home, &["item", "add", "A"]);
    for (arguments, problem) in [
        (&["item", "edit", "A", "--position", "abc"][..], "not a whole number"),
        (&["log", "--limit", "99999999999"], "too large"),
        (&["log", "--limit", "-1"], "must not be negative"),
        (&["log", "--after", "x"], "not a whole number"),
        (&["queue", "add", "A", "--priority", "abc"], "not a whole number"),
        (&["queue", "add", "A", "--issue", "-3"], "must not be negative"),
        (&["plan", "next", "0"], "must be at least 1"),
        (&["claim", "A", "--span", "-5m"], "is not a duration"),
        (&["claim", "A", "--span", "0s"], "must be longer than 0"),
        (&["queue", "add", "A", "--adw", "x y"], "--adw"),
    ] {
        let message = usage_error(&home, arguments);
        assert!(message.contains(problem), "{arguments:?}: {message}");
    }
}

#[test]
fn a_project_is_a_directory() {
    let home = started();
    std::fs::write(home.project_dir().join("a"), "").unwrap();
    for command in ["status", "next"] {
        let message = usage_error(&home, &[command, "--project", "a"]);
        assert_eq!(message, "--project a: not a directory");
        let message = usage_error(&home, &[command, "--project", "b"]);
        assert_eq!(message, "--project b: there is no such directory");
    }
}

#[test]
fn a_setting_that_is_not_used_as_written_is_a_warning() {
    let home = started();
    for (name, value, used) in [
        ("TRUEUP_LOG", "loud", "warn is used"),
        ("TRUEUP_LEASE_SECONDS", "0", "1 is used"),
        ("TRUEUP_LEASE_SECONDS", "999999999", "86400 is used"),
    ] {
        let answer = home.prepare_run("trueup").args(["status"]).env(name, value).wait();
        assert_eq!(answer.code, Some(0), "{answer:?}");
        assert!(answer.stderr.starts_with(&format!("warning: {name}=")), "{answer:?}");
        assert!(answer.stderr.ends_with(&format!("{used}\n")), "{answer:?}");
    }
    let path = home.project_dir().join(".trueup.toml");
    std::fs::write(&path, "branch_pattern = \"(\"\n").unwrap();
    let answer = trueup(&home, &["status"]);
    let expected = format!("warning: {}: branch_pattern", path.display());
    assert!(answer.stderr.starts_with(&expected), "{answer:?}");
}

#[test]
fn an_unknown_filter_of_the_log_lists_the_known_ones() {
    let home = started();
    for (option, known) in [("--kind", "taken_over"), ("--entity", "plan_task")] {
        let object = object(&home, 1, &["log", option, "nope"]);
        let hint = object["error"]["hint"].as_str().unwrap();
        assert!(hint.contains(known), "{hint}");
    }
}

#[test]
fn help_has_the_global_options_apart() {
    let home = Home::new();
    let help = trueup(&home, &["claim", "--help"]).ok().stdout;
    let (own, global) = help.split_once("\nGlobal options:\n").unwrap();
    assert!(own.contains("--span") && !own.contains("--project"), "{help}");
    assert!(global.contains("--json") && global.contains("--session"), "{help}");
    let help = trueup(&home, &["--help"]).ok().stdout;
    assert!(help.contains("Exit codes: 0 done"), "{help}");
}

#[test]
fn paths_that_a_backup_or_a_directory_cannot_have_are_named() {
    if skip_over_postgres("backups of the file") {
        return;
    }
    let home = started();
    let answer = object(&home, 3, &["db", "backup", "/nope/x.db"]);
    assert_eq!(answer["error"]["message"], "the directory /nope does not exist");
    let answer = object(&home, 3, &["db", "restore", "/nope.db"]);
    let message = answer["error"]["message"].as_str().unwrap();
    assert_eq!(message.matches("/nope.db").count(), 1, "{message}");
    let answer = object(&home, 3, &["check", "/nope"]);
    assert_eq!(answer["error"]["hint"], "give an existing directory");
}
