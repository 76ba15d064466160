//! Many processes at the same time: one winner, and no lost update.

use std::collections::BTreeSet;
use std::thread;

use serde_json::Value;
use support::home::{FIRST_SESSION, Home, ProcessOutput, ProcessRun};
use support::race::{PROCESSES, run_at_once};

const ROUNDS: usize = 5;

fn id(n: usize) -> String {
    format!("racer-{n:02}")
}

/// A scratch with as many live sessions as there are processes.
fn home_with_racers() -> Home {
    let home = Home::new();
    home.start_session().ok();
    for n in 0..PROCESSES {
        home.execute_sql(
            "INSERT INTO claude_sessions (session_id, worktree) VALUES (?1, ?2)",
            [id(n), home.project_dir().display().to_string()],
        );
    }
    home
}

/// Prepares `trueup … --json` for one of them.
fn prepare_racer<'h>(home: &'h Home, n: usize, words: &str) -> ProcessRun<'h> {
    let run = home.prepare_run("trueup").args(words.split(' '));
    run.args(["--json", "--session", &id(n)])
}

/// Asserts that exactly one succeeded; returns which.
#[track_caller]
fn only_winner(answers: &[ProcessOutput]) -> usize {
    let winners: Vec<usize> = (0..answers.len()).filter(|n| answers[*n].code == Some(0)).collect();
    assert_eq!(winners.len(), 1, "{winners:?} won: {answers:?}");
    winners[0]
}

#[test]
fn of_64_processes_that_claim_one_item_exactly_one_wins() {
    let home = home_with_racers();
    for round in 0..ROUNDS {
        let key = format!("RACE-{round}");
        home.add_item(&key);
        let claim = format!("claim {key}");
        let answers = run_at_once(PROCESSES, |n| prepare_racer(&home, n, &claim));
        let winner = only_winner(&answers);
        let holder: String =
            home.query_value("SELECT holder FROM work_items WHERE key = ?1", [&key]);
        assert_eq!(holder, id(winner));
        for (n, answer) in answers.iter().enumerate().filter(|(n, _)| *n != winner) {
            assert_eq!(answer.code, Some(1), "round {round}, {n}: {answer:?}");
            assert_eq!(answer.json()["error"]["code"], "held_by_live_session", "{answer:?}");
            assert_eq!(answer.json()["data"]["holder"]["session_id"], holder);
        }
        assert_eq!(home.count_events("claimed", &key), 1);
        let epoch: i64 =
            home.query_value("SELECT claim_epoch FROM work_items WHERE key = ?1", [&key]);
        assert_eq!(epoch, 1);
    }
}

/// Adds a parent with children in the order of their names.
fn add_family(home: &Home, parent: &str, children: usize) -> Vec<String> {
    home.add_item(parent);
    let names: Vec<String> = (0..children).map(|n| format!("{parent}.{n:02}")).collect();
    for (position, name) in (0_i64..).zip(&names) {
        home.execute_sql(
            "INSERT INTO work_items (key, parent, position) VALUES (?1, ?2, ?3)",
            (name, parent, position),
        );
    }
    names
}

#[test]
fn of_64_processes_that_move_on_each_gets_a_child_of_its_own_and_none_is_skipped() {
    let home = home_with_racers();
    for round in 0..ROUNDS {
        let parent = format!("ORCH-{round}");
        let children = add_family(&home, &parent, PROCESSES + 10);
        let next = format!("next --claim --parent {parent}");
        let answers = run_at_once(PROCESSES, |n| prepare_racer(&home, n, &next));
        let mut claims = Vec::new();
        for (n, answer) in answers.iter().enumerate() {
            assert_eq!(answer.code, Some(0), "round {round}, {n}: {answer:?}");
            let answer = answer.json();
            assert_eq!(answer["data"]["outcome"], "claimed", "{answer}");
            let key = answer["data"]["item"]["key"].as_str().unwrap().to_owned();
            let holder: Option<String> =
                home.query_value("SELECT holder FROM work_items WHERE key = ?1", [&key]);
            assert_eq!(holder, Some(id(n)), "round {round}: {key} was given twice");
            assert_eq!(home.count_events("claimed", &key), 1);
            claims.push(key);
        }
        claims.sort();
        assert_eq!(claims, children[..PROCESSES], "round {round}");
        let finished = home.execute_sql(
            "UPDATE work_items SET status = 'completed', holder = NULL, under_epoch = claim_epoch
             WHERE holder IS NOT NULL",
            [],
        );
        assert_eq!(finished, PROCESSES);
    }
}

#[test]
fn of_64_processes_that_start_one_phase_exactly_one_begins_it() {
    let home = home_with_racers();
    for round in 0..ROUNDS {
        let key = format!("QUEUE-{round}");
        home.add_item(&key);
        prepare_racer(&home, 0, &format!("queue add {key} --phases plan,build")).wait().ok();
        let start = format!("queue start {key}:1");
        let answers = run_at_once(PROCESSES, |n| prepare_racer(&home, n, &start));
        let winner = only_winner(&answers);
        let worker: Option<String> = home.query_value(
            "SELECT assigned_to FROM phase_queue WHERE queue_id = ?1",
            [format!("{key}:1")],
        );
        assert_eq!(worker, Some(id(winner)), "round {round}");
        for (n, answer) in answers.iter().enumerate().filter(|(n, _)| *n != winner) {
            assert_eq!(answer.code, Some(1), "round {round}, {n}: {answer:?}");
            assert_eq!(answer.json()["error"]["code"], "illegal_transition", "{answer:?}");
        }
        assert_eq!(home.count_events("status", &format!("{key}:1")), 1);
    }
}

#[test]
fn of_64_processes_that_push_different_keys_none_is_lost() {
    let home = Home::new();
    home.start_session().ok();
    for round in 0..ROUNDS {
        let answers = run_at_once(PROCESSES, |n| {
            let pair = format!("k{round}_{n}={n}");
            home.prepare_run("trueup").args([
                "set",
                "--metadata",
                &pair,
                "--session",
                FIRST_SESSION,
            ])
        });
        for answer in &answers {
            assert_eq!((answer.code, answer.stderr.as_str()), (Some(0), ""));
        }
        let text: String = home.session_column("metadata", FIRST_SESSION);
        let metadata: Value = serde_json::from_str(&text).unwrap();
        for earlier in 0..=round {
            for n in 0..PROCESSES {
                assert_eq!(metadata[format!("k{earlier}_{n}")], n, "round {round}: {text}");
            }
        }
        assert_eq!(metadata["branch"], "main");
    }
}

#[test]
fn sessions_that_start_at_once_share_one_new_database() {
    for _ in 0..ROUNDS {
        let home = Home::new();
        thread::scope(|scope| {
            for n in 0..16 {
                let payload = home.payload("session-start.startup").for_session(&format!("s{n}"));
                let home = &home;
                scope.spawn(move || home.run_hook("session-start-sync", &payload).ok());
            }
        });
        let known: i64 = home.query_value("SELECT count(*) FROM claude_sessions", []);
        assert_eq!(known, 16);
        assert_eq!(
            home.query_value::<i64>("SELECT count(*) FROM trueup_meta WHERE key = 'lineage'", []),
            1
        );
        let exclude = home.project_dir().join(".git/info/exclude");
        let text = std::fs::read_to_string(exclude).unwrap();
        assert!(text.contains("**/.claude/auto-proceed-state*\n"), "{text}");
        assert!(home.claude_names().iter().all(|name| !name.contains(".tmp-")));
    }
}

#[test]
fn of_64_changes_of_one_session_each_reports_its_own() {
    let home = Home::new();
    home.start_session().ok();
    let answers = run_at_once(PROCESSES, |n| {
        let (task, key) = (format!("task-{n}"), format!("key-{n}={n}"));
        home.prepare_run("trueup").args(["set", "--json", "--task", &task, "--metadata", &key])
    });
    // Each task replaced another one, so that the changes form one chain.
    let mut replaced = BTreeSet::new();
    for (n, answer) in answers.iter().enumerate() {
        assert_eq!(answer.code, Some(0), "{n}: {answer:?}");
        let changed = answer.json()["data"]["changed"].clone();
        let keys: Vec<&String> = changed.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["currentTask", &format!("key-{n}")], "{changed}");
        assert_eq!(changed["currentTask"]["to"], format!("task-{n}"));
        assert!(replaced.insert(changed["currentTask"]["from"].to_string()), "{changed}");
    }
    assert!(replaced.contains("null"), "{replaced:?}");
}
