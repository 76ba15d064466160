//! `trueup db` and `trueup doctor` with a database that machines share.

use serde_json::Value;
use support::home::{Home, ProcessOutput};
use support::postgres::TestDatabase;
use trueup_core::store::SCHEMA_VERSION;

use crate::fixture::{data, keys};

/// Runs `trueup` with the database of a URL.
fn run_with(home: &Home, url: &str, arguments: &[&str]) -> ProcessOutput {
    home.prepare_run("trueup").args(arguments).env("TRUEUP_DATABASE_URL", url).wait()
}

/// Runs `trueup … --json`; returns the object.
#[track_caller]
fn object_with(home: &Home, url: &str, code: i32, arguments: &[&str]) -> Value {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    let answer = run_with(home, url, &arguments);
    assert_eq!(answer.code, Some(code), "{answer:?}");
    answer.json()
}

/// Returns the check of this name.
fn find_check<'c>(doctor: &'c Value, name: &str) -> &'c Value {
    let checks = doctor["data"]["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{name}: {doctor}"))
}

#[test]
fn only_its_owner_creates_a_shared_database_and_the_hint_says_how() {
    let Some(database) = TestDatabase::create_empty() else {
        return;
    };
    let (home, url) = (Home::new(), database.url());
    for arguments in [&["item", "list"][..], &["item", "add", "SD-1"], &["status"]] {
        let failed = object_with(&home, &url, 3, arguments);
        assert_eq!(failed["error"]["code"], "store_missing", "{failed}");
        assert!(failed["error"]["hint"].as_str().unwrap().contains("`trueup db migrate`"));
    }
    let doctor = object_with(&home, &url, 1, &["doctor"]);
    let user = find_check(&doctor, "database user");
    assert_eq!(user["status"], "skip", "{user}");
    assert!(!user.to_string().contains("GRANT"), "the role does not exist yet: {user}");
    let created = object_with(&home, &url, 0, &["db", "migrate"])["data"].clone();
    assert_eq!(keys(&created), ["created", "from", "known", "path", "to"]);
    assert_eq!(created["created"], true);
    assert!(created["from"].is_null() && created["path"].is_null());
    assert_eq!(created["to"], created["known"]);
    let again = object_with(&home, &url, 0, &["db", "migrate"])["data"].clone();
    assert_eq!((&again["created"], &again["from"]), (&Value::Bool(false), &again["to"]));
    object_with(&home, &url, 0, &["item", "add", "SD-1"]);
    // A client of the database changes no schema.
    let client = database.add_user("trueup_client");
    let refused = object_with(&home, &client, 3, &["db", "migrate"]);
    assert!(refused["error"]["message"].as_str().unwrap().contains("permission denied"));
    assert!(refused["error"]["hint"].as_str().unwrap().contains("trueup db schema"));
    assert_eq!(
        object_with(&home, &client, 0, &["item", "list"])["data"]["items"][0]["key"],
        "SD-1"
    );
}

#[test]
fn an_older_schema_is_named_with_the_command_that_upgrades_it() {
    let Some(database) = TestDatabase::create() else {
        return;
    };
    let (home, url) = (Home::new(), database.url());
    let shift = |by: i64| {
        let to = SCHEMA_VERSION + by;
        let sql = format!(
            "UPDATE trueup.schema_migrations SET version = {to}
             WHERE version = (SELECT max(version) FROM trueup.schema_migrations);
             CREATE OR REPLACE FUNCTION trueup.schema_version() RETURNS bigint
             LANGUAGE sql IMMUTABLE RETURN {to}::bigint"
        );
        database.run(&sql).unwrap();
    };
    shift(1000);
    let failed = object_with(&home, &url, 3, &["item", "list"]);
    assert_eq!(failed["error"]["code"], "schema_too_new");
    let failed = object_with(&home, &url, 3, &["db", "migrate"]);
    assert_eq!(failed["error"]["code"], "schema_too_new");
    shift(0);
    let lower = "DELETE FROM trueup.schema_migrations WHERE version = trueup.schema_version();
         CREATE OR REPLACE FUNCTION trueup.schema_version() RETURNS bigint
         LANGUAGE sql IMMUTABLE RETURN 18::bigint";
    database.run(lower).unwrap();
    let failed = object_with(&home, &url, 3, &["item", "list"]);
    assert_eq!(failed["error"]["code"], "schema_too_old");
    assert!(failed["error"]["hint"].as_str().unwrap().contains("`trueup db migrate`"));
}

#[test]
fn status_says_the_same_of_a_shared_database_and_more_of_its_server() {
    let Some(database) = TestDatabase::create() else {
        return;
    };
    let home = Home::new();
    data(&home, &["db", "migrate"]);
    let embedded = data(&home, &["db", "status"]);
    let url = database.add_user("trueup_client");
    let shared = object_with(&home, &url, 0, &["db", "status"])["data"].clone();
    let mut known = keys(&shared);
    known.retain(|key| *key != "server");
    assert_eq!(known, keys(&embedded));
    assert!(shared["path"].is_null() && shared["size_bytes"].is_null());
    assert_eq!(shared["schema"]["version"], embedded["schema"]["version"]);
    let applied = shared["schema"]["applied"].as_array().unwrap();
    assert!(applied.iter().all(|migration| migration["unchanged"] == true), "{applied:?}");
    let server = &shared["server"];
    assert!(server["version"].as_str().unwrap().starts_with(|c: char| c.is_ascii_digit()));
    assert_eq!((&server["is_client"], &server["is_owner"]), (&true.into(), &false.into()));
    // A row that breaks a rule is found there as well.
    database
        .run(
            "SET search_path = trueup; SET session_replication_role = replica; \
             INSERT INTO work_items (key, created_at) VALUES ('SD-1', 'yesterday')",
        )
        .unwrap();
    let flawed = object_with(&home, &url, 1, &["db", "status"])["data"].clone();
    let flaw = &flawed["compliance"][0];
    assert_eq!((&flaw["row"], &flaw["field"]), (&"SD-1".into(), &"created_at".into()));
}

#[test]
fn doctor_checks_the_server_and_what_the_user_may_do() {
    let Some(database) = TestDatabase::create() else {
        return;
    };
    let home = Home::new();
    let client = database.add_user("trueup_client");
    let reader = database.add_user("trueup_reader");
    for (url, user, opened) in
        [(&client, "ok", "ok"), (&database.url(), "warn", "ok"), (&reader, "fail", "fail")]
    {
        let code = i32::from(opened == "fail");
        let doctor = object_with(&home, url, code, &["doctor"]);
        assert_eq!(find_check(&doctor, "database")["status"], opened, "{doctor}");
        let server = find_check(&doctor, "database server");
        assert_eq!(server["status"], "ok");
        assert!(server["detail"].as_str().unwrap().starts_with("PostgreSQL "), "{server}");
        assert_eq!(find_check(&doctor, "database user")["status"], user, "{doctor}");
    }
    let embedded = home.prepare_run("trueup").args(["doctor", "--json"]).wait().json();
    let checks = embedded["data"]["checks"].as_array().unwrap();
    assert!(checks.iter().all(|check| check["name"] != "database server"));
}

#[test]
fn the_schema_is_printed_for_the_configured_kind_of_server_or_the_one_that_is_named() {
    let home = Home::new();
    let wrapper = "public.trueup_exchange";
    for (url, flag, flavor) in [
        ("postgres://db.example.com/work", None, "postgres"),
        ("https://db.example.com", None, "supabase"),
        ("https://db.example.com", Some("--postgres"), "postgres"),
        ("postgres://db.example.com/work", Some("--supabase"), "supabase"),
    ] {
        let arguments: Vec<&str> = ["db", "schema"].into_iter().chain(flag).collect();
        let object = object_with(&home, url, 0, &arguments);
        let script = object["data"]["script"].as_str().unwrap();
        assert_eq!(object["data"]["flavor"], flavor);
        assert_eq!(script.contains(wrapper), flavor == "supabase");
        assert_eq!(run_with(&home, url, &arguments).stdout, script);
    }
}

#[test]
fn what_only_a_file_has_is_refused_for_a_server_and_a_schema_over_https() {
    let home = Home::new();
    for (url, arguments) in [
        ("postgres://db.example.com/work", &["db", "backup", "x"][..]),
        ("postgres://db.example.com/work", &["db", "restore", "x"]),
        ("https://db.example.com", &["db", "migrate"]),
    ] {
        let refused = object_with(&home, url, 3, arguments);
        assert_eq!(refused["error"]["code"], "store_unavailable", "{refused}");
    }
}

#[test]
fn of_two_that_resume_a_session_at_once_one_does() {
    let Some(database) = TestDatabase::create() else {
        return;
    };
    let (home, url) = (Home::new(), database.add_user("trueup_client"));
    let start = home.prepare_run("session-start-sync").env("TRUEUP_DATABASE_URL", &url);
    start.payload(&home.payload("session-start.startup")).wait().ok();
    run_with(&home, &url, &["claim", "SD-1", "--create"]).ok();
    run_with(&home, &url, &["interrupt"]).ok();
    // Both have read the interrupted session, and wait for their turn to write.
    let turn = database.hold_turn();
    let resume = || {
        let run = home.prepare_run("trueup").args(["resume"]);
        run.env("TRUEUP_DATABASE_URL", &url).spawn()
    };
    let both = [resume(), resume()];
    database.await_waiting(2);
    turn.release();
    let mut texts = both.map(|one| ProcessOutput::wait_for(one).ok().stdout);
    texts.sort();
    let resumed = "No longer interrupted.\nresume count: 0 -> 1\n";
    assert_eq!(texts, [resumed, "nothing was interrupted\n"]);
}
