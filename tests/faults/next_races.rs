//! Concurrent `trueup next`: every child is claimed once, and none is skipped.

use std::collections::BTreeMap;
use std::thread;

use support::home::{Home, ProcessOutput};

const PROCESSES: usize = 64;
const CHILDREN: usize = 40;
const ROUNDS: usize = 3;

fn id(n: usize) -> String {
    format!("racer-{n:02}")
}

fn child(n: usize) -> String {
    format!("RACE.{n:02}")
}

/// Runs `trueup next --claim` in every session at once.
fn at_once(home: &Home, arguments: &[&str]) -> Vec<ProcessOutput> {
    thread::scope(|scope| {
        let start = |n| {
            scope.spawn(move || {
                let run = home.prepare_run("trueup").args(arguments);
                run.args(["--json", "--session", &id(n)]).wait()
            })
        };
        let workers: Vec<_> = (0..PROCESSES).map(start).collect();
        let answers = workers.into_iter().map(|worker| worker.join().unwrap());
        answers.collect()
    })
}

fn home_with_racers() -> Home {
    let home = Home::new();
    home.start_session().ok();
    for n in 0..PROCESSES {
        home.execute_sql(
            "INSERT INTO claude_sessions (session_id, worktree) VALUES (?1, ?2)",
            [id(n), home.project_dir().display().to_string()],
        );
    }
    home.add_item("RACE");
    for n in 0..CHILDREN {
        home.execute_sql(
            "INSERT INTO work_items (key, parent, position) VALUES (?1, 'RACE', ?2)",
            (child(n), i64::try_from(n).unwrap()),
        );
    }
    home
}

#[test]
fn of_64_processes_that_want_the_next_of_40_children_each_child_goes_to_one() {
    for round in 0..ROUNDS {
        let home = home_with_racers();
        let answers = at_once(&home, &["next", "--parent", "RACE", "--claim"]);
        let mut claimed_items: BTreeMap<String, usize> = BTreeMap::new();
        let mut empty = 0;
        for (n, answer) in answers.iter().enumerate() {
            assert_eq!((answer.code, answer.stderr.as_str()), (Some(0), ""), "{answer:?}");
            let data = &answer.json()["data"];
            let Some(key) = data["item"]["key"].as_str() else {
                assert_eq!(data["reason"], "all_held", "{data}");
                assert!(data["outcome"].is_null(), "{data}");
                empty += 1;
                continue;
            };
            assert_eq!(data["outcome"], "claimed", "{data}");
            let holder: String =
                home.query_value("SELECT holder FROM work_items WHERE key = ?1", [key]);
            assert_eq!(holder, id(n), "round {round}: {key}");
            let twice = claimed_items.insert(key.to_owned(), n);
            assert_eq!(twice, None, "round {round}: {key} went to two");
        }
        let all: Vec<String> = (0..CHILDREN).map(child).collect();
        assert_eq!(claimed_items.into_keys().collect::<Vec<_>>(), all, "round {round}");
        assert_eq!(empty, PROCESSES - CHILDREN);
        let claims: i64 = home.query_value(
            "SELECT count(*) FROM events WHERE kind = 'claimed' AND key LIKE 'RACE.%'",
            [],
        );
        assert_eq!(usize::try_from(claims).unwrap(), CHILDREN, "round {round}");
    }
}

/// Each process completes its item and moves on until nothing is left.
#[test]
fn workers_that_complete_and_move_on_finish_every_child_once() {
    let home = home_with_racers();
    let done: Vec<String> = thread::scope(|scope| {
        let home = &home;
        let work = |n: usize| {
            let mut done = Vec::new();
            let session = id(n);
            let run = |arguments: &[&str]| {
                let run = home.prepare_run("trueup").args(arguments);
                let answer = run.args(["--json", "--session", &session]).wait();
                assert_eq!((answer.code, answer.stderr.as_str()), (Some(0), ""), "{answer:?}");
                answer.json()["data"].clone()
            };
            loop {
                let next = run(&["next", "--parent", "RACE", "--claim"]);
                let Some(key) = next["item"]["key"].as_str() else {
                    return done;
                };
                if key == "RACE" {
                    return done;
                }
                run(&["item", "transition", key, "completed"]);
                done.push(key.to_owned());
            }
        };
        let workers: Vec<_> = (0..8).map(|n| scope.spawn(move || work(n))).collect();
        let done = workers.into_iter().flat_map(|worker| worker.join().unwrap());
        done.collect()
    });
    let mut sorted = done.clone();
    sorted.sort();
    let all: Vec<String> = (0..CHILDREN).map(child).collect();
    assert_eq!(sorted, all);
    let unfinished: i64 = home.query_value(
        "SELECT count(*) FROM work_items WHERE parent = 'RACE' AND status <> 'completed'",
        [],
    );
    assert_eq!(unfinished, 0);
}
