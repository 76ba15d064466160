//! The phase queue under many processes at once: one start wins, and no completion is lost.

use std::collections::BTreeSet;

use support::home::{Home, ProcessOutput};
use support::race::{PROCESSES, run_at_once};

/// How often concurrent completions, which the original tools lost, are tried.
const REPETITIONS: usize = 20;

/// How many processes complete at the same time.
const COMPLETING: usize = 30;

fn racer_id(number: usize) -> String {
    format!("racer-{number:02}")
}

/// A scratch with `count` registered sessions.
fn home_with_sessions(count: usize) -> Home {
    let home = Home::new();
    home.start_session().ok();
    for number in 0..count {
        home.execute_sql(
            "INSERT INTO claude_sessions (session_id, worktree) VALUES (?1, ?2)",
            [racer_id(number), home.project_dir().display().to_string()],
        );
    }
    home
}

/// Adds an item with so many phases without dependencies, by plain SQL.
fn add(home: &Home, item: &str, phases: usize) {
    home.add_item(item);
    for number in 1..=phases {
        home.execute_sql(
            "INSERT INTO phase_queue (queue_id, item, phase_number, current_phase, status)
             VALUES (?1 || ':' || ?2, ?1, CAST(?2 AS INTEGER), 'build', 'ready')",
            [item.to_owned(), number.to_string()],
        );
    }
}

fn assert_told(answer: &ProcessOutput, code: &str) {
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert_eq!(answer.json()["error"]["code"], code, "{answer:?}");
}

#[test]
fn of_64_processes_that_take_the_next_phase_each_gets_another() {
    let home = home_with_sessions(PROCESSES);
    add(&home, "WORK", PROCESSES);
    // The slower one asks again, as a worker does.
    let take = |number: usize| loop {
        let run = |arguments: &[&str]| {
            let session = racer_id(number);
            let all = [arguments, &["--json", "--session", &session]].concat();
            home.prepare_run("trueup").args(all).wait()
        };
        let next = run(&["queue", "next"]).ok().json();
        let id = next["data"]["row"]["queue_id"].as_str().unwrap().to_owned();
        let phase = run(&["queue", "start", &id]);
        if phase.code == Some(0) {
            break id;
        }
        assert_told(&phase, "illegal_transition");
    };
    let claims: Vec<String> = std::thread::scope(|scope| {
        let take = &take;
        let start = |n| scope.spawn(move || take(n));
        let workers: Vec<_> = (0..PROCESSES / 4).map(start).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let distinct: BTreeSet<&String> = claims.iter().collect();
    assert_eq!(distinct.len(), claims.len(), "{claims:?}");
    let running: i64 =
        home.query_value("SELECT count(*) FROM phase_queue WHERE status = 'running'", []);
    assert_eq!(running, i64::try_from(claims.len()).unwrap());
}

#[test]
fn of_30_completions_at_once_30_are_recorded_every_time() {
    let home = home_with_sessions(0);
    for round in 0..REPETITIONS {
        let item = format!("PLAN-{round}");
        add(&home, &item, COMPLETING);
        // A phase that waits for all of them is ready in the end, whichever came last.
        let all: Vec<String> = (1..=COMPLETING).map(|n| n.to_string()).collect();
        home.execute_sql(
            "INSERT INTO phase_queue (queue_id, item, phase_number, current_phase, depends_on_phases)
             VALUES (?1 || ':99', ?1, 99, 'ship', ?2)",
            [item.clone(), format!("[{}]", all.join(","))],
        );
        let answers = run_at_once(COMPLETING, |n| {
            let id = format!("{item}:{}", n + 1);
            home.prepare_run("trueup").args(["queue", "complete", &id])
        });
        for answer in &answers {
            assert_eq!((answer.code, answer.stderr.as_str()), (Some(0), ""));
        }
        let recorded: i64 = home.query_value(
            "SELECT count(*) FROM phase_queue WHERE item = ?1 AND status = 'completed'",
            [&item],
        );
        assert_eq!(recorded, 30, "round {round}");
        let events: i64 = home.query_value(
            "SELECT count(*) FROM events WHERE entity = 'phase' AND key LIKE ?1 || ':%'
                 AND after ->> 'status' = 'completed'",
            [&item],
        );
        assert_eq!(events, 30, "round {round}");
        let last: String = home
            .query_value("SELECT status FROM phase_queue WHERE queue_id = ?1 || ':99'", [&item]);
        assert_eq!(last, "ready", "round {round}");
    }
}
