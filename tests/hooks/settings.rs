//! Invalid settings, and settings that a repository may not set.

use std::fs;

use support::home::{FIRST_SESSION, Home};

#[test]
fn a_bad_number_never_breaks_a_hook() {
    let home = Home::new();
    let payload = home.payload("session-start.startup");
    for name in ["TRUEUP_DEADLINE_MS", "TRUEUP_LEASE_SECONDS", "TRUEUP_CEILING_SECONDS"] {
        for bad in ["soon", "-1", "1e3", "99999999999999999999", "1.5"] {
            let answer =
                home.prepare_run("session-start-sync").payload(&payload).env(name, bad).wait();
            assert_eq!(answer.code, Some(0), "{name}={bad}");
            assert!(answer.context().contains("item: none"), "{name}={bad}: {answer:?}");
            assert_eq!(
                answer.stderr,
                format!("trueup: {name}=\"{bad}\" is not a whole number; the default is used\n")
            );
        }
    }
}

#[test]
fn a_huge_or_zero_number_breaks_no_hook_and_no_row() {
    let home = Home::new();
    let payload = home.payload("session-start.startup");
    for name in ["TRUEUP_LEASE_SECONDS", "TRUEUP_CEILING_SECONDS"] {
        for number in ["0", "18446744073709551615", "9223372036854775807"] {
            let run = home.prepare_run("session-start-sync").payload(&payload).env(name, number);
            let answer = run.wait();
            assert_eq!(answer.code, Some(0), "{name}={number}");
            assert!(answer.context().contains("item: none"), "{name}={number}: {answer:?}");
            home.start_session().ok();
        }
    }
}

#[test]
fn a_broken_config_file_is_named_with_its_line_and_breaks_no_hook() {
    let home = Home::new();
    let config = home.trueup_home().join("config.toml");
    for (text, line) in [("lease_seconds = 60\nbroken", 2), ("\n\nunknown = 1\n", 3)] {
        fs::write(&config, text).unwrap();
        let answer = home.start_session();
        assert_eq!(answer.code, Some(0));
        assert!(answer.stderr.contains(&format!("config.toml:{line}: ")), "{}", answer.stderr);
        assert_eq!(answer.stderr.lines().count(), 1, "{}", answer.stderr);
        assert!(answer.context().contains("item: none"));
    }
}

/// With the default database a hook would say that it is authoritative, and begin anew.
#[test]
fn a_broken_config_file_that_names_a_database_never_leads_to_the_default_one() {
    let home = Home::new();
    let default = home.trueup_home().join("trueup.db");
    for text in [
        "database_url = \"postgres://db.example/work\nlease_seconds = 60\n",
        "databse_url = \"postgres://db.example/work\"\n",
        "database_url = [1]\n",
    ] {
        fs::write(home.trueup_home().join("config.toml"), text).unwrap();
        let answer = home.start_session();
        assert_eq!(answer.code, Some(0), "{text}");
        assert!(answer.stdout.contains("database unreachable"), "{text}: {}", answer.stdout);
        assert!(answer.stderr.contains("config.toml:1: "), "{text}: {}", answer.stderr);
        assert!(!default.exists(), "{text}");
    }
}

#[test]
fn the_users_config_file_is_used_and_the_environment_beats_it() {
    let home = Home::new();
    fs::write(home.trueup_home().join("config.toml"), "lease_seconds = 77\n").unwrap();
    let length = "CAST(round((julianday(lease_expires_at) - julianday(heartbeat_at)) * 86400)
                  AS INTEGER)";
    home.start_session().ok();
    assert_eq!(home.session_column::<i64>(length, FIRST_SESSION), 77);
    home.expire_lease(FIRST_SESSION, 60);
    let payload = home.payload("session-start.startup");
    let run =
        home.prepare_run("session-start-sync").payload(&payload).env("TRUEUP_LEASE_SECONDS", "55");
    run.wait().ok();
    assert_eq!(home.session_column::<i64>(length, FIRST_SESSION), 55);
}

#[test]
fn a_repository_cannot_name_the_database_or_any_other_setting_of_the_user() {
    let home = Home::new();
    let evil = home.root().join("evil.db");
    let text = format!(
        "repo = \"app\"\ndatabase_url = \"sqlite:{}\"\nlease_seconds = 1\napi_key = \"k\"\n",
        evil.display()
    );
    fs::write(home.project_dir().join(".trueup.toml"), text).unwrap();
    let answer = home.start_session();
    assert_eq!(answer.code, Some(0));
    let expected = "not allowed in a repository: api_key, database_url, lease_seconds";
    assert!(answer.stderr.contains(expected), "{}", answer.stderr);
    assert_eq!(answer.stderr.lines().count(), 1, "{}", answer.stderr);
    assert!(!evil.exists());
    assert!(home.trueup_home().join("trueup.db").exists());
    assert_eq!(home.session_column::<String>("repo", FIRST_SESSION), "app");
}

#[test]
fn a_broken_repository_file_is_reported_and_breaks_nothing() {
    let home = Home::new();
    fs::write(home.project_dir().join(".trueup.toml"), "repo = [\n").unwrap();
    let answer = home.start_session();
    assert_eq!(answer.code, Some(0));
    assert_eq!(answer.stderr.lines().count(), 1);
    assert!(answer.stderr.contains(".trueup.toml:"), "{}", answer.stderr);
    assert!(answer.context().contains("item: none"));
}

#[test]
fn a_relative_home_is_refused_in_one_line() {
    let home = Home::new();
    let payload = home.payload("session-start.startup");
    let run = home.prepare_run("session-start-sync").payload(&payload).env("TRUEUP_HOME", "here");
    let line = run.wait().single_line();
    assert_eq!(line, "trueup: session-start-sync: TRUEUP_HOME=here must be an absolute path");
    assert!(!home.project_dir().join("here").exists());
}

#[test]
fn a_database_url_that_makes_no_sense_is_one_line() {
    let home = Home::new();
    let payload = home.payload("post-tool-use.write");
    for url in ["mysql://x", "sqlite:relative.db", "sqlite:", "nonsense"] {
        let run =
            home.prepare_run("checkpoint-push").payload(&payload).env("TRUEUP_DATABASE_URL", url);
        let line = run.wait().single_line();
        assert!(line.contains("database URL: "), "{line}");
    }
}

#[test]
fn a_pattern_of_the_repository_finds_its_own_items_and_a_broken_one_finds_nothing() {
    let home = Home::new().with_held_item();
    home.run_git(&["switch", "--quiet", "-c", "fix/issue-170-x"]);
    let file = home.project_dir().join(".trueup.toml");
    fs::write(&file, "branch_pattern = \"issue-([0-9]+)\"\n").unwrap();
    assert_eq!(home.start_session().ok().message(), [""; 0], "170 is no item yet");
    let add = ["item", "add", "170"];
    home.prepare_run("trueup").args(add).wait().ok();
    assert_eq!(
        home.start_session().ok().message(),
        ["⚠️ Branch mismatch: branch=fix/issue-170-x names 170, db_claim=SD-002C"]
    );
    fs::write(&file, "branch_pattern = \"(\"\n").unwrap();
    let answer = home.start_session();
    assert_eq!((answer.code, answer.message()), (Some(0), Vec::new()));
}

#[test]
fn a_pattern_of_the_repository_cannot_put_a_command_into_the_way_back() {
    let home = Home::new().with_held_item();
    home.run_git(&["switch", "--quiet", "-c", "x;touch${IFS}/tmp/evil"]);
    fs::write(home.project_dir().join(".trueup.toml"), "branch_pattern = \"(.*)\"\n").unwrap();
    let payload = home.payload("pre-tool-use.agent");
    let answer = home.run_hook("pre-handoff-validate", &payload);
    assert!(!format!("{answer:?}").contains("trueup claim x;"), "{answer:?}");
    assert_eq!(answer.code, Some(0), "what is no key of an item is no mismatch: {answer:?}");
}
