//! `plan status --watch` while tasks change.

use std::io::{BufRead as _, BufReader};
use std::process::Child;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use support::home::{Home, ProcessOutput};

use super::{assert_whole, import_plan, migrated, step_tasks_concurrently, trueup};

/// A running watch, and its output.
struct Watch {
    child: Child,
    lines: Receiver<Value>,
}

impl Watch {
    fn of(home: &Home, plan: &str) -> Self {
        let mut run = home.prepare_run("trueup").args(["plan", "watch", plan, "--json"]);
        let mut child = run.spawn();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in out.lines() {
                let line = serde_json::from_str(&line.unwrap()).unwrap();
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    fn next(&self) -> Value {
        let line = self.lines.recv_timeout(Duration::from_mins(2));
        line.unwrap_or_else(|_| panic!("nothing is shown any more"))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the status of each task, in the plan's order.
fn statuses(state: &Value) -> Vec<String> {
    let tasks = state["tasks"].as_array().unwrap();
    let status = |task: &Value| task["status"].as_str().unwrap().to_owned();
    tasks.iter().map(status).collect()
}

/// Returns every state that a plan was in, from its events, since each step is one transaction.
fn history(home: &Home, plan: &str, tasks: usize) -> Vec<Vec<String>> {
    let mut state = vec!["pending".to_owned(); tasks];
    let mut states = vec![state.clone()];
    let database = home.open_database();
    let mut statement = database
        .prepare(
            "SELECT substr(key, length(?1) + 4), after ->> 'status' FROM events
             WHERE entity = 'plan_task' AND key LIKE ?1 || '/%' AND kind <> 'added' ORDER BY seq",
        )
        .unwrap();
    let rows =
        statement.query_map([plan], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
    for row in rows.unwrap() {
        let (number, became) = row.unwrap();
        let place: usize = number.parse().unwrap();
        state[place - 1] = became;
        states.push(state.clone());
    }
    states
}

#[test]
fn a_watch_during_rapid_updates_shows_no_state_that_never_was() {
    const BUSY: usize = 6;
    const TASKS: usize = BUSY + 1;
    let home = migrated();
    import_plan(&home, "watched", TASKS);
    let watch = Watch::of(&home, "watched");
    let mut shown = vec![watch.next()];
    // One task is waited for; how many states of the others are seen depends on the scheduler.
    let slow = format!("watched/1.{TASKS}");
    for step in ["start", "complete"] {
        trueup(&home, &["plan", step, &slow]).ok();
        shown.push(watch.next());
    }
    step_tasks_concurrently(&home, "watched", BUSY, 3, || {
        let state = watch.lines.recv_timeout(Duration::from_millis(50));
        shown.extend(state.ok());
    });
    while shown.last().unwrap()["summary"]["completed"] != TASKS {
        shown.push(watch.next());
    }
    let history = history(&home, "watched", TASKS);
    assert_eq!(history.len(), 1 + 2 + BUSY * 8);
    let mut at = 0;
    for (n, state) in shown.iter().enumerate() {
        assert_whole(state, TASKS);
        assert!(n == 0 || shown[n - 1] != *state, "{state} is shown twice");
        let now = statuses(state);
        let later = history[at..].iter().position(|then| *then == now);
        at += later.unwrap_or_else(|| panic!("{now:?} never was, or was before"));
    }
    assert_eq!(at + 1, history.len(), "the last state is shown");
}

#[test]
fn a_watch_whose_reader_goes_away_ends_with_the_next_change() {
    let home = migrated();
    import_plan(&home, "left", 2);
    let mut run = home.prepare_run("trueup").args(["plan", "watch", "left"]);
    let mut child = run.spawn();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert!(line.starts_with("left "), "{line}");
    drop(out);
    trueup(&home, &["plan", "start", "1.1"]).ok();
    let answer = ProcessOutput::wait_for(child);
    assert_eq!((answer.code, answer.stderr.as_str()), (Some(0), ""));
}
