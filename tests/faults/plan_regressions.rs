//! Regressions of the original tools with tasks of plans, each with real processes. The assertions
//! are on the database, never on what a process printed about itself.

mod stuck;
mod watching;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, thread};

use serde_json::Value;
use support::home::{Home, ProcessOutput};
use support::race;

use crate::kill_loop::{Fate, KillLoop};

/// Tasks completed at the same time, as in the original's incident.
const TASKS: usize = 30;

/// How often; the original lost some each time.
const REPETITIONS: usize = 20;

fn plan(title: &str, tasks: usize) -> String {
    let task = |n: usize| format!("- [ ] 1.{n} task {n}\n");
    let tasks: String = (1..=tasks).map(task).collect();
    format!("# {title}\n\n## Phase 1: All\n{tasks}")
}

/// Writes a plan `name.md` and imports it.
fn import_plan(home: &Home, name: &str, tasks: usize) {
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

/// Counts the tasks of a plan with a status.
fn count(home: &Home, plan: &str, status: &str) -> i64 {
    home.query_value(
        "SELECT count(*) FROM plan_tasks WHERE plan_id = ?1 AND status = ?2",
        [plan, status],
    )
}

/// Runs `count` commands at the same moment.
fn at_once(
    home: &Home,
    count: usize,
    command: impl Fn(usize) -> Vec<String>,
) -> Vec<ProcessOutput> {
    race::run_at_once(count, |n| home.prepare_run("trueup").args(command(n + 1)))
}

fn split_words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// Asserts that a plan's counts add up and that no task is half written.
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

/// Steps the tasks of a plan from many processes for some rounds, and calls `meanwhile` repeatedly
/// until they end.
fn step_tasks_concurrently(
    home: &Home,
    plan: &str,
    tasks: usize,
    rounds: usize,
    mut meanwhile: impl FnMut(),
) {
    let is_done = AtomicBool::new(false);
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
        let is_done = &is_done;
        scope.spawn(move || {
            for worker in workers {
                // A failed process has printed its error; the others are waited for.
                let _ = worker.join();
            }
            is_done.store(true, Ordering::Relaxed);
        });
        while !is_done.load(Ordering::Relaxed) {
            meanwhile();
        }
    });
}

#[test]
fn two_processes_that_update_the_same_task_lose_nothing() {
    let home = migrated();
    for round in 0..REPETITIONS {
        let name = format!("same-{round}");
        import_plan(&home, &name, 1);
        let steps = [
            format!("plan complete {name}/1.1 --json"),
            format!("plan fail {name}/1.1 --error boom --json"),
        ];
        let answers = at_once(&home, 2, |n| split_words(&steps[n - 1]));
        let winners: Vec<usize> = (0..2).filter(|n| answers[*n].code == Some(0)).collect();
        assert_eq!(winners.len(), 1, "{answers:?}");
        let expected = ["completed", "failed"][winners[0]];
        assert_eq!(count(&home, &name, expected), 1, "the winner's write is kept");
        assert_eq!(home.count_events("status", &format!("{name}/1.1")), 1);
        let loser = &answers[1 - winners[0]];
        assert_eq!(loser.code, Some(1), "{loser:?}");
        assert_eq!(loser.json()["error"]["code"], "illegal_transition");
        assert_eq!(loser.json()["data"]["task"]["status"], expected);
        let same = at_once(&home, 2, |_| split_words(&format!("plan start {name}/1.1 --json")));
        assert!(same.iter().all(|answer| answer.code == Some(1)), "{same:?}");
    }
}

#[test]
fn of_two_completions_of_a_task_one_is_recorded_and_both_get_an_answer() {
    let home = migrated();
    for round in 0..REPETITIONS {
        let name = format!("twice-{round}");
        import_plan(&home, &name, 1);
        let answers = at_once(&home, 2, |_| split_words(&format!("plan complete {name}/1.1")));
        let already = answers.into_iter().map(ProcessOutput::ok);
        let already = already.filter(|answer| answer.stdout.contains("already")).count();
        assert_eq!(already, 1);
        assert_eq!(home.count_events("status", &format!("{name}/1.1")), 1);
    }
}

#[test]
fn of_two_processes_that_start_the_same_task_one_begins_it() {
    let home = migrated();
    for round in 0..REPETITIONS {
        let name = format!("start-{round}");
        import_plan(&home, &name, 1);
        let answers = at_once(&home, 2, |_| split_words(&format!("plan start {name}/1.1 --json")));
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
        import_plan(&home, &name, TASKS);
        let answers =
            at_once(&home, TASKS, |n| split_words(&format!("plan complete {name}/1.{n}")));
        assert_eq!(count(&home, &name, "completed"), 30, "round {round}: {answers:?}");
        let key = format!("{name}/%");
        let events: i64 = home.query_value(
            "SELECT count(*) FROM events WHERE kind = 'status' AND key LIKE ?1",
            [key],
        );
        assert_eq!(events, 30, "round {round}");
        assert!(answers.iter().all(|answer| answer.code == Some(0)), "{answers:?}");
    }
}

#[test]
fn a_status_read_while_others_write_is_never_torn() {
    let home = migrated();
    import_plan(&home, "busy", 6);
    let mut read = 0;
    step_tasks_concurrently(&home, "busy", 6, 3, || {
        assert_whole(&status(&home, "busy"), 6);
        read += 1;
    });
    assert!(read > 3, "only {read} were read");
    assert_eq!(status(&home, "busy")["summary"]["completed"], 6);
}

#[test]
fn counts_stay_consistent_in_every_list_during_concurrent_updates() {
    let home = migrated();
    import_plan(&home, "busy", 6);
    step_tasks_concurrently(&home, "busy", 6, 3, || {
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
                    let plan = run(n, &["plan", "import", "plan.md"]).ok().json();
                    let path = place(n).join("plan.md").to_string_lossy().into_owned();
                    assert_eq!(plan["data"]["plan"]["path"], path);
                    assert_eq!(plan["data"]["plan"]["title"], format!("plan of {n}"));
                    assert_eq!(plan["data"]["imported"], n);
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
        home.query_value::<i64>("SELECT count(*) FROM plan_tasks WHERE status = 'completed'", []),
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
        let run = home.prepare_run("trueup").args(["plan", "import", &format!("{name}.md")]);
        let fate = kill_loop.kill(run, b"");
        let tasks = count(&home, &name, "pending");
        let plans: i64 = home.query_value("SELECT count(*) FROM plans WHERE plan_id = ?1", [&name]);
        let all = i64::try_from(SIZE).unwrap();
        assert!(
            (plans, tasks) == (0, 0) || (plans, tasks) == (1, all),
            "{name}: {plans} plans, {tasks} tasks"
        );
        assert!(fate != Fate::Done || tasks == all, "{name} was acknowledged");
        nothing += usize::from(tasks == 0);
        trueup(&home, &["plan", "import", &format!("{name}.md")]).ok();
        assert_eq!(count(&home, &name, "pending"), all, "{name}: the second import");
    }
    assert!(nothing > 0, "every run was killed after its write");
    assert_eq!(home.query_value::<String>("PRAGMA quick_check", []), "ok");
}

#[test]
fn a_queue_file_that_vanishes_while_others_wait_loses_no_update() {
    let home = migrated();
    import_plan(&home, "queue", TASKS);
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let (home, is_done) = (&home, &is_done);
        scope.spawn(move || {
            while !is_done.load(Ordering::Relaxed) {
                let _ = fs::remove_file(home.trueup_home().join("trueup.db.queue"));
                thread::yield_now();
            }
        });
        let answers = at_once(home, TASKS, |n| split_words(&format!("plan complete queue/1.{n}")));
        is_done.store(true, Ordering::Relaxed);
        assert!(answers.iter().all(|answer| answer.code == Some(0)), "{answers:?}");
    });
    assert_eq!(count(&home, "queue", "completed"), 30);
}
