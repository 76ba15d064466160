//! Files of pruned sessions.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::json;
use support::home::{FIRST_SESSION, Home};

use super::{home_with_old_sessions, session, sessions};
use crate::fixture::{claimed, data, object, started};

/// Makes a file's modification time so many days old.
fn set_age(path: &Path, days: u64) {
    let then = SystemTime::now() - Duration::from_secs(days * 86_400);
    File::options().write(true).open(path).unwrap().set_modified(then).unwrap();
}

#[test]
fn files_of_those_that_went_go_with_them_and_others_stay() {
    let home = started();
    claimed(&home, "SD-1");
    session(&home, "gone", "ended", 100);
    session(&home, "edited", "ended", 100);
    session(&home, "foreign", "ended", 100);
    let project = home.project_dir().to_string_lossy().into_owned();
    let host = trueup_core::liveness::host_name();
    home.execute_sql(
        "UPDATE claude_sessions SET worktree = ?1, host = ?2 WHERE session_id <> ?3",
        [&project, &host, FIRST_SESSION],
    );
    let own = |id: &str| home.project_dir().join(format!(".claude/auto-proceed-state.{id}.json"));
    let mut cache = home.read_cache();
    for id in ["gone", "edited", "foreign"] {
        cache["sessionId"] = json!(id);
        if id == "edited" {
            cache["currentTask"] = json!("by hand");
        }
        if id == "foreign" {
            cache["_trueup"]["lineage"] = json!("another");
        }
        fs::write(own(id), cache.to_string()).unwrap();
    }
    let counters = home.trueup_home().join("counters");
    fs::create_dir_all(&counters).unwrap();
    for name in ["gone", FIRST_SESSION] {
        fs::write(counters.join(name), "...").unwrap();
    }
    let dry = data(&home, &["db", "prune", "--dry-run"]);
    let counts = data(&home, &["db", "prune"]);
    for answer in [&dry, &counts] {
        assert_eq!(answer["sessions"], 3);
        assert_eq!(
            (&answer["files"]["caches"], &answer["files"]["counters"]),
            (&json!(1), &json!(1))
        );
    }
    assert!(!own("gone").exists(), "ours, and nothing else");
    assert!(own("edited").exists(), "somebody's work");
    assert!(own("foreign").exists(), "another database's");
    assert!(home.cache_path().exists());
    assert!(!counters.join("gone").exists() && counters.join(FIRST_SESSION).exists());
}

#[test]
fn only_files_that_are_old_and_nobodys_go() {
    let home = started();
    let locks = home.trueup_home().join("locks");
    fs::create_dir_all(&locks).unwrap();
    for name in ["trueup.db-wal.orphan-1", "x.corrupt-20200101", "notes.txt", "locks/0123"] {
        fs::write(home.trueup_home().join(name), "x").unwrap();
        set_age(&home.trueup_home().join(name), 400);
    }
    // Written long ago but set aside just now: the time in the name counts.
    let counts = data(&home, &["db", "prune"]);
    assert_eq!(counts["files"], json!({"caches": 0, "counters": 0, "locks": 0, "set_aside": 0}));
    for name in ["trueup.db-wal.orphan-1", "x.corrupt-20200101", "notes.txt", "locks/0123"] {
        assert!(home.trueup_home().join(name).exists(), "{name}");
    }
}

#[test]
fn a_journal_that_cannot_be_read_stops_it() {
    let home = home_with_old_sessions();
    let journal = home.trueup_home().join("journal.jsonl");
    fs::remove_file(&journal).unwrap();
    fs::create_dir(&journal).unwrap();
    let object = object(&home, 3, &["db", "prune", "--dry-run"]);
    assert_eq!(object["error"]["code"], "io");
    assert!(sessions(&home).contains("gone"));
}

#[test]
fn what_is_known_of_a_session_on_a_server_goes_once_it_is_not_read_any_more() {
    let can = Command::new("faketime").args(["-f", "+1d", "true"]).status();
    if !can.is_ok_and(|status| status.success()) {
        println!("SKIPPED: there is no faketime; install the package of this name");
        return;
    }
    // The sign of life of a session would cast doubt on the clock.
    let home = Home::new();
    object(&home, 0, &["db", "migrate"]);
    let replica = home.trueup_home().join("replica/lineage/s.json");
    fs::create_dir_all(replica.parent().unwrap()).unwrap();
    fs::write(&replica, "{}").unwrap();
    assert_eq!(data(&home, &["db", "prune"])["files"]["caches"], 0);
    let prune = home.prepare_run("trueup").args(["db", "prune", "--json"]);
    let later = prune.run_through("faketime", |program: &OsStr| {
        vec!["-f".into(), "+400d".into(), program.into()]
    });
    assert_eq!(later.wait().ok().json()["data"]["files"]["caches"], 1);
    assert!(!replica.exists());
}
