//! `kill -9` at random moments: no torn files, no acknowledged write lost, no leftovers.

use std::fs;

use support::home::{FIRST_SESSION, Home};

use super::kill_loop::{Fate, KillLoop};

/// Kills of the main loop.
const KILLS: usize = 220;

#[track_caller]
fn assert_cache_is_whole(home: &Home) {
    match fs::read_to_string(home.cache_path()) {
        Ok(text) => {
            let cache: serde_json::Value = serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("a torn cache ({error}): {text}"));
            assert_eq!(cache["sessionId"], FIRST_SESSION);
        }
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound),
    }
}

#[track_caller]
fn assert_database_is_whole(home: &Home) {
    assert_eq!(home.query_value::<String>("PRAGMA quick_check", []), "ok");
    assert_eq!(
        home.open_database()
            .prepare("PRAGMA foreign_key_check")
            .unwrap()
            .query([])
            .unwrap()
            .next()
            .unwrap()
            .map(|_| ()),
        None
    );
}

/// Lists the temporary files that killed writers left.
fn drafts(home: &Home) -> Vec<String> {
    let entries = fs::read_dir(home.trueup_home()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let all = names.chain(home.claude_names());
    all.filter(|name| name.contains(".tmp-") || name.starts_with(".new-database-")).collect()
}

#[test]
fn nothing_is_torn_or_lost_by_220_kills() {
    let home = Home::new().with_held_item();
    let mut kill_loop = KillLoop::new(KILLS);
    home.prepare_run("trueup").args(["set", "--task", "0", "--session", FIRST_SESSION]).wait().ok();
    let mut acknowledged = 0;
    while kill_loop.goes_on() {
        let number = kill_loop.runs() + 1;
        match kill_loop.chance.below(5) {
            0 => {
                home.set_state(FIRST_SESSION, "chain_orchestrators", number.is_multiple_of(2));
                let payload = home.payload("session-start.resume").to_bytes();
                kill_loop.kill(home.prepare_run("session-start-sync"), &payload);
            }
            1 => {
                if home.cache_path().exists() {
                    home.edit_cache("autoProceed", number.is_multiple_of(2));
                }
                let payload = home.payload("post-tool-use.write").to_bytes();
                kill_loop.kill(home.prepare_run("checkpoint-push"), &payload);
            }
            2 => {
                let payload = home.payload("pre-tool-use.agent").to_bytes();
                kill_loop.kill(home.prepare_run("pre-handoff-validate"), &payload);
            }
            _ => {
                let task = number.to_string();
                let run = home.prepare_run("trueup").args([
                    "set",
                    "--task",
                    &task,
                    "--session",
                    FIRST_SESSION,
                ]);
                if kill_loop.kill(run, b"") == Fate::Done {
                    acknowledged = number;
                }
            }
        }
        assert_cache_is_whole(&home);
        let stored =
            home.execution_state()["currentTask"].as_str().unwrap().parse::<usize>().unwrap();
        assert!(stored >= acknowledged, "{acknowledged} was acknowledged, {stored} is stored");
        if number.is_multiple_of(20) {
            assert_database_is_whole(&home);
        }
    }
    assert_database_is_whole(&home);
    let before = drafts(&home).len();
    home.set_state(FIRST_SESSION, "execution_state.currentPhase", "DONE");
    assert_eq!(home.start_session().code, Some(0));
    assert_eq!(home.read_cache()["currentPhase"], "DONE");
    assert_eq!(drafts(&home), [""; 0], "{before} drafts were there before the last write");
}

#[test]
fn a_database_whose_creation_was_killed_is_absent_or_whole() {
    let home = Home::new();
    let mut kill_loop = KillLoop::new(40);
    let payload = home.payload("session-start.startup").to_bytes();
    while kill_loop.goes_on() {
        for name in ["trueup.db", "trueup.db-wal", "trueup.db-shm"] {
            let _ = fs::remove_file(home.trueup_home().join(name));
        }
        kill_loop.kill(home.prepare_run("session-start-sync"), &payload);
        if home.trueup_home().join("trueup.db").exists() {
            assert_database_is_whole(&home);
            home.query_value::<String>("SELECT value FROM trueup_meta WHERE key = 'lineage'", []);
        }
    }
    let _ = fs::remove_file(home.trueup_home().join("trueup.db"));
    assert_eq!(home.start_session().code, Some(0));
    assert_eq!(drafts(&home), [""; 0]);
}
