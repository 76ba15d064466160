//! Pruning at a session's start and in a sweep.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use support::home::{FIRST_SESSION, Home};

use super::{session, sessions};
use crate::fixture::{data, started};

fn marker(home: &Home) -> std::path::PathBuf {
    home.trueup_home().join("pruned")
}

/// Makes the last automatic pruning so many hours old.
fn rested(home: &Home, hours: u64) {
    let then = SystemTime::now() - Duration::from_hours(hours);
    File::create(marker(home)).unwrap().set_modified(then).unwrap();
}

#[test]
fn a_start_prunes_by_itself_once_a_day() {
    let home = started();
    assert!(marker(&home).exists(), "the first start was the first try");
    session(&home, "gone", "ended", 100);
    session(&home, "young", "ended", 80);
    rested(&home, 23);
    home.start_session().ok();
    assert!(sessions(&home).contains("gone"), "not yet");
    rested(&home, 25);
    home.start_session().ok();
    assert!(!sessions(&home).contains("gone") && sessions(&home).contains("young"));
    let age = fs::metadata(marker(&home)).unwrap().modified().unwrap().elapsed();
    assert!(age.unwrap() < Duration::from_hours(1), "the day begins anew");
    let note = &data(&home, &["log", "--kind", "pruned"])["events"][0];
    assert_eq!((&note["actor"], &note["after"]["sessions"]), (&json!(FIRST_SESSION), &json!(1)));
}

#[test]
fn a_start_in_a_hurry_does_not_prune() {
    let home = started();
    session(&home, "gone", "ended", 100);
    rested(&home, 25);
    let payload = home.payload("session-start.startup");
    let run = home.prepare_run("session-start-sync").payload(&payload);
    run.env("TRUEUP_DEADLINE_MS", "900").wait().ok();
    assert!(sessions(&home).contains("gone"));
}

#[test]
fn a_sweep_prunes_too() {
    let home = started();
    session(&home, "gone", "lost", 100);
    rested(&home, 25);
    assert_eq!(data(&home, &["sessions", "sweep"])["released"], json!([]));
    assert!(!sessions(&home).contains("gone"));
}

#[test]
fn how_long_is_the_users_to_say() {
    let home = started();
    session(&home, "gone", "ended", 100);
    let config = home.trueup_home().join("config.toml");
    for (days, goes) in [(0, false), (200, false), (99, true)] {
        fs::write(&config, format!("retention_days = {days}\n")).unwrap();
        rested(&home, 25);
        home.start_session().ok();
        assert_eq!(!sessions(&home).contains("gone"), goes, "{days}");
    }
    session(&home, "older", "ended", 100);
    let dry = |keep: &[&str]| -> Value {
        data(&home, &[&["db", "prune", "--dry-run"], keep].concat())["sessions"].clone()
    };
    assert_eq!((dry(&[]), dry(&["--keep", "101d"])), (json!(1), json!(0)));
}
