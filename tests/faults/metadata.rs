//! Metadata files with many writers, kills and full disks: a file is the old or the new one,
//! complete.

use std::fs;
use std::path::PathBuf;
use std::thread;

use serde_json::Value;
use support::home::{Home, ProcessOutput, ProcessRun};
use support::race::{PROCESSES, run_at_once};

use super::kill_loop::{Fate, KillLoop};
use super::mount::Mount;

const ID: &str = "77c90e61";

/// How many kills; those that came too late do not count.
const KILLS: usize = 80;

fn path(home: &Home) -> PathBuf {
    home.project_dir().join("agents").join(ID).join("adw_state.json")
}

fn setting<'h>(home: &'h Home, pair: &str) -> ProcessRun<'h> {
    home.prepare_run("trueup").args(["meta", "set", ID, pair])
}

fn set(home: &Home, pair: &str) -> ProcessOutput {
    setting(home, pair).wait()
}

/// Lists the names in the file's directory.
fn names(home: &Home) -> Vec<String> {
    let entries = fs::read_dir(path(home).parent().unwrap()).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn of_64_processes_that_set_different_fields_none_is_lost() {
    let home = Home::new();
    for answer in run_at_once(PROCESSES, |n| setting(&home, &format!("k{n}={n}"))) {
        answer.ok();
    }
    let state = Home::read_json(&path(&home));
    for n in 0..PROCESSES {
        assert_eq!(state[format!("k{n}")], n, "{state}");
    }
    assert_eq!(state.as_object().unwrap().len(), PROCESSES + 1);
    assert_eq!(names(&home), ["adw_state.json"]);
}

/// In the original tool, a parent process overwrote its child's results with its own old copy.
#[test]
fn a_parent_and_a_child_that_save_at_once_lose_nothing() {
    const SAVES: usize = 20;
    let home = Home::new();
    set(&home, "phase_note=none").ok();
    thread::scope(|scope| {
        for who in ["parent", "child"] {
            let home = &home;
            scope.spawn(move || {
                for n in 0..SAVES {
                    let result = format!("{who}_{n}={{\"success\": true, \"n\": {n}}}");
                    set(home, &result).ok();
                    set(home, &format!("phase_note={who} {n}")).ok();
                }
            });
        }
    });
    let state = Home::read_json(&path(&home));
    for who in ["parent", "child"] {
        for n in 0..SAVES {
            assert_eq!(state[format!("{who}_{n}")]["n"], n, "{state}");
        }
    }
}

#[test]
fn a_killed_set_leaves_the_old_or_the_new_file() {
    let home = Home::new();
    // Large enough that a kill would catch a write in place half done.
    let ballast = "x".repeat(60_000);
    set(&home, &format!("ballast={ballast}")).ok();
    set(&home, "n=0").ok();
    let mut kill_loop = KillLoop::new(KILLS);
    let mut acknowledged = 0;
    while kill_loop.goes_on() {
        let number = u64::try_from(kill_loop.runs() + 1).unwrap();
        let before = Home::read_json(&path(&home));
        let pair = format!("n={number}");
        let run = home.prepare_run("trueup").args(["meta", "set", ID, &pair]);
        if kill_loop.kill(run, b"") == Fate::Done {
            acknowledged = number;
        }
        let state: Value = Home::read_json(&path(&home));
        assert!(
            state["n"] == before["n"] || state["n"] == number,
            "neither old nor new: {}",
            state["n"]
        );
        assert!(state["n"].as_u64().unwrap() >= acknowledged);
        assert_eq!(state["ballast"], ballast);
        assert_eq!(state.as_object().unwrap().len(), 3);
    }
    set(&home, "n=0").ok();
    assert_eq!(names(&home), ["adw_state.json"], "drafts of the dead are gone");
}

#[test]
fn a_full_disk_leaves_the_old_file_whole() {
    let Some((home, mount)) = Mount::under_a_repository() else {
        return;
    };
    set(&home, "a=1").ok();
    let before = fs::read(path(&home)).unwrap();
    mount.fill();
    let answer = set(&home, &format!("a={}", "x".repeat(8_000)));
    assert_eq!(answer.code, Some(3), "{answer:?}");
    assert!(answer.stderr.contains("No space left"), "{answer:?}");
    assert_eq!(fs::read(path(&home)).unwrap(), before);
    assert_eq!(names(&home), ["adw_state.json"], "no draft is left");
    mount.free();
    set(&home, "a=2").ok();
    assert_eq!(Home::read_json(&path(&home))["a"], 2);
}

#[test]
fn a_read_only_repository_is_read_and_not_written() {
    let Some((home, mount)) = Mount::under_a_repository() else {
        return;
    };
    set(&home, "a=1").ok();
    mount.read_only(true);
    let answer = set(&home, "a=2");
    assert_eq!(answer.code, Some(3), "{answer:?}");
    assert!(answer.stderr.contains("Read-only file system"), "{answer:?}");
    let read = home.prepare_run("trueup").args(["meta", "get", ID, "a"]).wait();
    assert_eq!(read.ok().stdout, "1\n");
    mount.read_only(false);
}
