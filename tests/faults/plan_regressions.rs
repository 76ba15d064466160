//! The regressions that the audit of seed 4 asks for, as far as they concern tasks of plans,
//! each with real processes. What is asserted is what the database holds, never what a
//! process said of itself.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use support::home::{FIRST_SESSION, Home, ProcessOutput};
use support::race;

use crate::kill_loop::{Fate, KillLoop};

/// Tasks completed at once; the seed's number.
const TASKS: usize = 30;
/// How often; the original lost some in every one.
const REPETITIONS: usize = 20;

fn plan(title: &str, tasks: usize) -> String {
    let task = |n: usize| format!("- [ ] 1.{n} task {n}\n");
    let tasks: String = (1..=tasks).map(task).collect();
    format!("# {title}\n\n## Phase 1: All\n{tasks}")
}

/// Writes a plan `name.md` and takes it in.
fn planned(home: &Home, name: &str, tasks: usize) {
    let file = format!("{name}.md");
    fs::write(home.project_dir().join(&file), plan(name, tasks)).unwrap();
    trueup(home, &["plan", "import", &file]).ok();
}

fn migrated() -> Home {
    let home = Home::new();
    trueup(&home, &["db", "migrate"]).ok();
    home
}

fn trueup(home: &Home, arguments: &[&str]) -> ProcessOutput {
    home.prepare_run("trueup").args(arguments).wait()
}

fn status(home: &Home, plan: &str) -> Value {
    let answer = trueup(home, &["plan", "status", plan, "--json"]).ok();
    answer.json()["data"].clone()
}

/// Counts the tasks of a plan that stand somewhere.
fn count(home: &Home, plan: &str, status: &str) -> i64 {
    home.query_value(
        "SELECT count(*) FROM plan_tasks WHERE plan_id = ?1 AND status = ?2",
        [plan, status],
    )
}

/// Runs commands at once, one for each of the numbers.
fn at_once(
    home: &Home,
    count: usize,
    command: impl Fn(usize) -> Vec<String>,
) -> Vec<ProcessOutput> {
    race::run_at_once(count, |n| home.prepare_run("trueup").args(command(n + 1)))
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// Asserts that a state adds up and that no task of it is half written.
#[track_caller]
fn assert_whole(state: &Value, tasks: usize) {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let all = state["tasks"].as_array().unwrap();
    assert_eq!(all.len(), tasks, "{state}");
    for task in all {
        let status = task["status"].as_str().unwrap();
        *counts.entry(status).or_default() += 1;
        let is = |key: &str| !task[key].is_null();
        assert_eq!(
            is("completed_at"),
            matches!(status, "completed" | "failed" | "skipped"),
            "{task}"
        );
        assert_eq!(is("error"), status == "failed", "{task}");
        assert!(status != "in_progress" || is("started_at"), "{task}");
    }
    let summary = &state["summary"];
    assert_eq!(summary["totalTasks"], all.len());
    for status in ["pending", "in_progress", "completed", "failed", "skipped"] {
        let counted = counts.get(status).copied().unwrap_or(0);
        assert_eq!(summary[status], counted, "{status}: {state}");
    }
}

/// Lets processes move the tasks of a plan about until they are done with their rounds; calls
/// `meanwhile` again and again as long.
fn busy(home: &Home, plan: &str, tasks: usize, rounds: usize, mut meanwhile: impl FnMut()) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let workers: Vec<_> = (1..=tasks)
            .map(|n| {
                scope.spawn(move || {
                    for round in 0..rounds {
                        let task = format!("{plan}/1.{n}");
                        trueup(home, &["plan", "start", &task]).ok();
                        if round + 1 == rounds {
                            trueup(home, &["plan", "complete", &task]).ok();
                        } else {
                            trueup(home, &["plan", "fail", &task, "--error", "e"]).ok();
                            trueup(home, &["plan", "retry", &task]).ok();
                        }
                    }
                })
            })
            .collect();
        let done = &done;
        scope.spawn(move || {
            for worker in workers {
                // One that failed has said so; the others are waited for.
                let _ = worker.join();
            }
            done.store(true, Ordering::Relaxed);
        });
        while !done.load(Ordering::Relaxed) {
            meanwhile();
        }
    });
}

#[test]
fn two_processes_that_update_the_same_task_lose_nothing() {
    let home = migrated();
    for round in 0..REPETITIONS {
        let name = format!("same-{round}");
        planned(&home, &name, 1);
        let steps = [
            format!("plan complete {name}/1.1 --json"),
            format!("plan fail {name}/1.1 --error boom --json"),
        ];
        let answers = at_once(&home, 2, |n| words(&steps[n - 1]));
        let winners: Vec<usize> = (0..2).filter(|n| answers[*n].code == Some(0)).collect();
        assert_eq!(winners.len(), 1, "{answers:?}");
        let expected = ["completed", "failed"][winners[0]];
        assert_eq!(
            count(&home, &name, expected),
            1,
            "the winner's is what stands"
        );
        assert_eq!(home.count_events("status", &format!("{name}/1.1")), 1);
        let loser = &answers[1 - winners[0]];
        assert_eq!(loser.code, Some(1), "{loser:?}");
        assert_eq!(loser.json()["error"]["code"], "illegal_transition");
        assert_eq!(loser.json()["data"]["task"]["status"], expected);
        let same = at_once(&home, 2, |_| {
            words(&format!("plan start {name}/1.1 --json"))
        });
        assert!(same.iter().all(|answer| answer.code == Some(1)), "{same:?}");
    }
}

#[test]
fn of_two_processes_that_complete_the_same_task_one_is_recorded_and_both_are_told() {
    let home = migrated();
    for round in 0..REPETITIONS {
        let name = format!("twice-{round}");
        planned(&home, &name, 1);
        let answers = at_once(&home, 2, |_| words(&format!("plan complete {name}/1.1")));
        let already = answers.into_iter().map(ProcessOutput::ok);
        let already = already
            .filter(|answer| answer.stdout.contains("already"))
            .count();
        assert_eq!(already, 1);
        assert_eq!(home.count_events("status", &format!("{name}/1.1")), 1);
    }
}

#[test]
fn of_two_processes_that_start_the_same_task_one_begins_it() {
    let home = migrated();
    for round in 0..REPETITIONS {
        let name = format!("start-{round}");
        planned(&home, &name, 1);
        let answers = at_once(&home, 2, |_| {
            words(&format!("plan start {name}/1.1 --json"))
        });
        let codes: i32 = answers.iter().filter_map(|answer| answer.code).sum();
        assert_eq!(codes, 1, "{answers:?}");
        assert_eq!(home.count_events("status", &format!("{name}/1.1")), 1);
        assert_eq!(count(&home, &name, "in_progress"), 1);
    }
}

#[test]
fn thirty_completes_of_thirty_tasks_at_once_are_thirty_recorded_in_each_of_twenty_rounds() {
    let home = migrated();
    for round in 0..REPETITIONS {
        let name = format!("p{round}");
        planned(&home, &name, TASKS);
        let answers = at_once(&home, TASKS, |n| {
            words(&format!("plan complete {name}/1.{n}"))
        });
        assert_eq!(
            count(&home, &name, "completed"),
            30,
            "round {round}: {answers:?}"
        );
        let key = format!("{name}/%");
        let events: i64 = home.query_value(
            "SELECT count(*) FROM events WHERE kind = 'status' AND key LIKE ?1",
            [key],
        );
        assert_eq!(events, 30, "round {round}");
        assert!(
            answers.iter().all(|answer| answer.code == Some(0)),
            "{answers:?}"
        );
    }
}

#[test]
fn a_status_read_while_others_write_is_never_torn() {
    let home = migrated();
    planned(&home, "busy", 6);
    let mut read = 0;
    busy(&home, "busy", 6, 3, || {
        assert_whole(&status(&home, "busy"), 6);
        read += 1;
    });
    assert!(read > 3, "only {read} were read");
    assert_eq!(status(&home, "busy")["summary"]["completed"], 6);
}

#[test]
fn counts_stay_consistent_in_every_list_during_concurrent_updates() {
    let home = migrated();
    planned(&home, "busy", 6);
    busy(&home, "busy", 6, 3, || {
        let list = trueup(&home, &["plan", "list", "--json"]).ok().json();
        let summary = &list["data"]["plans"][0]["summary"];
        let of = |key: &str| summary[key].as_i64().unwrap();
        let sum = of("pending") + of("in_progress") + of("completed") + of("failed");
        assert_eq!(sum + of("skipped"), 6, "{summary}");
        assert_eq!(of("totalTasks"), 6);
    });
    assert_eq!(count(&home, "busy", "completed"), 6);
    assert_eq!(
        home.query_value::<i64>("SELECT sum(retry_count) FROM plan_tasks", []),
        12,
        "no retry was lost"
    );
}

#[test]
fn commands_from_different_directories_keep_to_their_own() {
    const PLACES: usize = 12;
    let home = migrated();
    let place = |n: usize| home.project_dir().join(format!("place-{n}"));
    for n in 1..=PLACES {
        fs::create_dir(place(n)).unwrap();
        fs::write(place(n).join("plan.md"), plan(&format!("plan of {n}"), n)).unwrap();
    }
    let run = |n: usize, arguments: &[&str]| {
        let run = home.prepare_run("trueup").cwd(place(n)).args(arguments);
        run.args(["--json"]).wait()
    };
    for round in 0..3 {
        thread::scope(|scope| {
            for n in 1..=PLACES {
                scope.spawn(move || {
                    let imported = run(n, &["plan", "import", "plan.md"]).ok().json();
                    let path = place(n).join("plan.md").to_string_lossy().into_owned();
                    assert_eq!(imported["data"]["plan"]["path"], path);
                    assert_eq!(imported["data"]["plan"]["title"], format!("plan of {n}"));
                    assert_eq!(imported["data"]["imported"], n);
                    run(n, &["plan", "complete", "1.1", "--plan", "plan.md"]).ok();
                    let status = run(n, &["plan", "status", "plan.md"]).ok().json();
                    assert_eq!(status["data"]["plan"]["path"], path);
                    assert_whole(&status["data"], n);
                    assert_eq!(status["data"]["summary"]["completed"], 1);
                });
            }
        });
        let plans: i64 = home.query_value("SELECT count(*) FROM plans", []);
        assert_eq!(plans, i64::try_from(PLACES).unwrap(), "round {round}");
    }
    assert_eq!(
        home.query_value::<i64>(
            "SELECT count(*) FROM plan_tasks WHERE status = 'completed'",
            []
        ),
        i64::try_from(PLACES).unwrap()
    );
}

#[test]
fn an_import_killed_at_any_moment_leaves_nothing_or_all() {
    const SIZE: usize = 300;
    const KILLS: usize = 40;
    let home = migrated();
    let mut kill_loop = KillLoop::new(KILLS);
    let mut nothing = 0;
    while kill_loop.goes_on() {
        let number = kill_loop.runs();
        let name = format!("k{number}");
        let file: PathBuf = home.project_dir().join(format!("{name}.md"));
        fs::write(&file, plan(&name, SIZE)).unwrap();
        let run = home
            .prepare_run("trueup")
            .args(["plan", "import", &format!("{name}.md")]);
        let fate = kill_loop.kill(run, b"");
        let tasks = count(&home, &name, "pending");
        let plans: i64 = home.query_value("SELECT count(*) FROM plans WHERE plan_id = ?1", [&name]);
        let all = i64::try_from(SIZE).unwrap();
        assert!(
            (plans, tasks) == (0, 0) || (plans, tasks) == (1, all),
            "{name}: {plans} plans, {tasks} tasks"
        );
        assert!(
            fate != Fate::Done || tasks == all,
            "{name} was acknowledged"
        );
        nothing += usize::from(tasks == 0);
        trueup(&home, &["plan", "import", &format!("{name}.md")]).ok();
        assert_eq!(
            count(&home, &name, "pending"),
            all,
            "{name}: the second import"
        );
    }
    assert!(nothing > 0, "every run was killed after its write");
    assert_eq!(home.query_value::<String>("PRAGMA quick_check", []), "ok");
}

#[test]
fn a_queue_file_that_vanishes_while_others_wait_loses_no_update() {
    let home = migrated();
    planned(&home, "queue", TASKS);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let (home, done) = (&home, &done);
        scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                let _ = fs::remove_file(home.trueup_home().join("trueup.db.queue"));
                thread::yield_now();
            }
        });
        let answers = at_once(home, TASKS, |n| {
            words(&format!("plan complete queue/1.{n}"))
        });
        done.store(true, Ordering::Relaxed);
        assert!(
            answers.iter().all(|answer| answer.code == Some(0)),
            "{answers:?}"
        );
    });
    assert_eq!(count(&home, "queue", "completed"), 30);
}

/// Is a watch that runs, and what it prints.
struct Watch {
    child: Child,
    lines: Receiver<Value>,
}

impl Watch {
    fn of(home: &Home, plan: &str) -> Self {
        let mut run = home
            .prepare_run("trueup")
            .args(["plan", "watch", plan, "--json"]);
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

/// Returns where each task stands, in the plan's order.
fn statuses(state: &Value) -> Vec<String> {
    let tasks = state["tasks"].as_array().unwrap();
    let status = |task: &Value| task["status"].as_str().unwrap().to_owned();
    tasks.iter().map(status).collect()
}

/// Returns every state that a plan was in, by its events: each step was one transaction.
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
    let rows = statement.query_map([plan], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    });
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
    planned(&home, "watched", TASKS);
    let watch = Watch::of(&home, "watched");
    let mut shown = vec![watch.next()];
    // One task is waited for; how much is seen of the others is the scheduler's.
    let slow = format!("watched/1.{TASKS}");
    for step in ["start", "complete"] {
        trueup(&home, &["plan", step, &slow]).ok();
        shown.push(watch.next());
    }
    busy(&home, "watched", BUSY, 3, || {
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
    planned(&home, "left", 2);
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

/// Lets everything have happened a day ago.
fn a_day_later(home: &Home) {
    home.execute_sql(
        "UPDATE plan_tasks SET updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', updated_at, '-24 hours')",
        [],
    );
    home.expire_lease(FIRST_SESSION, 86_400);
}

#[test]
fn a_task_in_progress_for_a_day_is_failed_by_a_sweep_and_can_be_tried_again() {
    let home = migrated();
    planned(&home, "old", 3);
    home.start_session().ok();
    trueup(&home, &["plan", "start", "1.1", "--session", FIRST_SESSION]).ok();
    trueup(&home, &["plan", "start", "1.2"]).ok();
    let sweep = || trueup(&home, &["sessions", "sweep", "--json"]).ok().json()["data"].clone();
    assert_eq!(
        sweep()["failed"],
        Value::Array(Vec::new()),
        "it has just begun"
    );
    a_day_later(&home);
    trueup(&home, &["plan", "start", "1.3"]).ok();
    let reading = status(&home, "old");
    assert_eq!(
        reading["summary"]["in_progress"], 3,
        "reading fails nothing"
    );
    let swept = sweep();
    assert_eq!(
        swept["failed"],
        serde_json::json!(["old/1.1", "old/1.2"]),
        "{swept}"
    );
    let after = status(&home, "old");
    assert_eq!(after["summary"]["in_progress"], 1);
    for task in &after["tasks"].as_array().unwrap()[..2] {
        assert_eq!(task["status"], "failed");
        let error = task["error"].as_str().unwrap();
        assert!(
            error.contains("no heartbeat") && error.contains("7200"),
            "{error}"
        );
    }
    trueup(&home, &["plan", "retry", "1.1"]).ok();
    trueup(&home, &["plan", "start", "1.1"]).ok();
    assert_eq!(count(&home, "old", "in_progress"), 2);
}

#[test]
fn a_session_that_starts_sweeps_what_is_stuck_and_a_living_session_keeps_its_task() {
    let home = migrated();
    planned(&home, "old", 2);
    home.start_session().ok();
    trueup(&home, &["plan", "start", "1.1", "--session", FIRST_SESSION]).ok();
    // A shell in the session's worktree would speak for it.
    let elsewhere = home.prepare_run("trueup").cwd(home.user_home());
    elsewhere.args(["plan", "start", "1.2"]).wait().ok();
    a_day_later(&home);
    let context = home.start_session().context();
    assert!(
        context.contains("Failed for lack of a heartbeat")
            && context.contains("task old/1.2: no heartbeat"),
        "{context}"
    );
    assert_eq!(count(&home, "old", "in_progress"), 1);
    let kept: String =
        home.query_value("SELECT id FROM plan_tasks WHERE status = 'in_progress'", []);
    assert_eq!(kept, "1.1", "its session has just given a sign of life");
}
