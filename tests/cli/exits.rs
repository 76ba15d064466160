//! Exit codes, and refused files, which stay unchanged.

use std::fs;

use support::home::{FIRST_SESSION, Home, SECOND_SESSION, skip_over_postgres};

use crate::fixture::{
    codes, create_database, findings, object, refused, started, trueup, validate,
};

/// Commands that read, and commands that write.
const COMMANDS: &[&[&str]] = &[
    &["status"],
    &["item", "list"],
    &["item", "add", "SD-9"],
    &["claim", "SD-9", "--create"],
    &["set", "--phase", "PLAN"],
    &["sessions", "sweep"],
    &["log"],
    &["db", "status"],
];

#[track_caller]
fn assert_unavailable(home: &Home, code: &str) {
    let path = home.trueup_home().join("trueup.db");
    let before = fs::read(&path).unwrap();
    for arguments in COMMANDS.iter().chain(&[&["db", "migrate"][..]]) {
        let object = object(home, 3, arguments);
        assert_eq!(object["error"]["code"], code, "{arguments:?}: {object}");
        assert!(object["error"]["hint"].is_string(), "{arguments:?}");
        assert!(fs::read(&path).unwrap() == before, "{arguments:?} changed the file");
    }
    for arguments in [&[][..], &["--fix"], &["--all"]] {
        let object = findings(home, 3, arguments);
        assert_eq!(object["error"]["code"], code, "{arguments:?}: {object}");
        assert!(fs::read(&path).unwrap() == before, "{arguments:?} changed the file");
    }
}

#[test]
fn unknown_commands_and_flags_are_usage() {
    let home = started();
    for arguments in [&["frobnicate"][..], &["status", "--x"], &["claim", "a b"], &["item"]] {
        let answer = trueup(&home, arguments);
        assert_eq!(answer.code, Some(2), "{answer:?}");
        assert!(answer.stdout.is_empty() && !answer.stderr.is_empty(), "{answer:?}");
    }
    assert_eq!(validate(&home, &["--x"]).code, Some(2));
}

#[test]
fn no_session_is_usage_and_an_unknown_one_is_refused() {
    let home = Home::new();
    create_database(&home);
    for arguments in [&["status"][..], &["set", "--phase", "P"], &["interrupt"], &["release"]] {
        let object = object(&home, 2, arguments);
        assert_eq!(object["error"]["code"], "no_session", "{arguments:?}");
        assert!(object["error"]["hint"].as_str().unwrap().contains("--session"));
    }
    assert_eq!(findings(&home, 2, &[])["error"]["code"], "no_session");
    refused(&home, "phantom_session", &["status", "--session", SECOND_SESSION]);
    refused(&home, "phantom_session", &["sessions", "show", SECOND_SESSION]);
    assert_eq!(
        findings(&home, 1, &["--session", SECOND_SESSION])["error"]["code"],
        "phantom_session"
    );
}

#[test]
fn a_missing_database_is_named_with_what_creates_it_and_no_other_command_does() {
    if skip_over_postgres("the file is missing") {
        return;
    }
    let home = Home::new();
    for arguments in COMMANDS {
        let object = object(&home, 3, arguments);
        assert_eq!(object["error"]["code"], "store_missing", "{arguments:?}");
        assert!(object["error"]["hint"].as_str().unwrap().contains("trueup db migrate"));
    }
    assert_eq!(findings(&home, 3, &["--fix"])["error"]["code"], "store_missing");
    assert!(!home.trueup_home().join("trueup.db").exists());
}

#[test]
fn a_damaged_database_is_refused_and_stays_byte_for_byte() {
    if skip_over_postgres("the file is damaged") {
        return;
    }
    let home = started();
    fs::write(home.trueup_home().join("trueup.db"), "no database, but long enough ".repeat(9))
        .unwrap();
    assert_unavailable(&home, "store_corrupt");
}

#[test]
fn a_database_of_another_program_is_refused_and_stays_byte_for_byte() {
    if skip_over_postgres("the file is of another program") {
        return;
    }
    let home = Home::new();
    let other = home.open_database();
    other.execute_batch("CREATE TABLE work_items (x); INSERT INTO work_items VALUES (1)").unwrap();
    other.close().unwrap();
    assert_unavailable(&home, "store_corrupt");
}

#[test]
fn a_newer_schema_is_refused_and_stays_byte_for_byte() {
    if skip_over_postgres("the file is compared byte for byte") {
        return;
    }
    let home = started();
    let database = home.open_database();
    let journal = "PRAGMA journal_mode = DELETE; PRAGMA user_version = 9999";
    database.execute_batch(journal).unwrap();
    database.close().unwrap();
    assert_unavailable(&home, "schema_too_new");
}

#[test]
fn an_unreachable_database_is_reported_with_the_age_of_the_cache() {
    if skip_over_postgres("the file is damaged") {
        return;
    }
    let home = started();
    fs::write(home.trueup_home().join("trueup.db"), "garbage ".repeat(99)).unwrap();
    for arguments in [&[][..], &["--session", FIRST_SESSION]] {
        let object = findings(&home, 3, arguments);
        assert_eq!(codes(&object), ["S-12"]);
        let message = object["error"]["message"].as_str().unwrap();
        assert!(message.starts_with("⚠️ database unreachable; cache used, "), "{message}");
        assert!(message.contains(" s old"), "{message}");
    }
}

#[test]
fn a_broken_configuration_names_file_and_line() {
    let home = started();
    fs::write(home.trueup_home().join("config.toml"), "lease_seconds = 60\n\nbroken\n").unwrap();
    for arguments in [&["status"][..], &["item", "add", "SD-1"]] {
        let object = object(&home, 3, arguments);
        assert_eq!(object["error"]["code"], "config");
        let message = object["error"]["message"].as_str().unwrap();
        let place = format!("{}:3: ", home.trueup_home().join("config.toml").display());
        assert!(message.starts_with(&place), "{message}");
    }
    assert_eq!(findings(&home, 3, &[])["error"]["code"], "config");
}

#[test]
fn a_pattern_of_the_configuration_that_is_no_pattern_is_exit_3() {
    let home = started();
    fs::write(home.trueup_home().join("config.toml"), "branch_pattern = \"(\"\n").unwrap();
    let object = object(&home, 3, &["status"]);
    let message = object["error"]["message"].as_str().unwrap();
    assert!(message.contains("branch_pattern"), "{message}");
}

#[test]
fn a_pattern_of_a_repository_that_is_no_pattern_is_a_warning() {
    let home = started();
    fs::write(home.project_dir().join(".trueup.toml"), "branch_pattern = \"(\"\n").unwrap();
    let object = object(&home, 0, &["status"]);
    let warnings = object["warnings"].to_string();
    assert!(warnings.contains("branch_pattern"), "{warnings}");
}

#[test]
fn a_store_this_release_cannot_reach_is_exit_3_without_its_password() {
    let home = started();
    for url in ["postgres://me:s3cret@db.example/x", "https://me:s3cret@hub.example"] {
        let run =
            home.prepare_run("trueup").args(["status", "--json"]).env("TRUEUP_DATABASE_URL", url);
        let answer = run.wait();
        assert_eq!(answer.code, Some(3), "{answer:?}");
        assert!(!answer.stdout.contains("s3cret"), "{answer:?}");
    }
}
