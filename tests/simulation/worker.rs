//! The processes that play: each has a clock that libfaketime shows it, and seeds of its own.

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Instant, SystemTime};

use support::host_name::{PROGRAM, can_rename_host, rename_arguments};
use support::postgres::skip_or_fail;

use crate::run::{RunReport, play_seed};
use crate::server::Server;
use crate::world::Setting;

/// The variable by which a process knows that it plays: the remainder of its seeds.
const WORKER: &str = "TRUEUP_SIMULATION_WORKER";
const SEED: &str = "TRUEUP_SIMULATION_SEED";
const STEPS: &str = "TRUEUP_SIMULATION_STEPS";
const RUNS: &str = "TRUEUP_SIMULATION_RUNS";
const TRACE: &str = "TRUEUP_SIMULATION_TRACE";
const DIRECTORY: &str = "TRUEUP_SIMULATION_DIRECTORY";
const RENAMES: &str = "TRUEUP_SIMULATION_RENAMES_HOST";

/// How many processes play at once.
const WORKERS: u64 = 2;

/// How many steps a run has. Most of what goes wrong needs few steps, and a new world is cheap.
const STEPS_PER_RUN: u64 = 3_000;

/// How many runs there are where nobody says otherwise.
const DEFAULT_RUNS: u64 = 20;

/// The first seed where nobody says otherwise.
const FIRST_SEED: u64 = 1;

/// The test that a worker runs.
const TEST: &str = "worker::every_seed_keeps_every_promise";

fn read_number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{name}={text}: {error}")))
}

/// Finds the library that shows a process another time.
fn find_faketime() -> Option<PathBuf> {
    let libraries = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let of_folder = libraries.map(|entry| entry.path().join("faketime/libfaketime.so.1"));
    of_folder.into_iter().find(|path| path.is_file())
}

#[test]
fn every_seed_keeps_every_promise() {
    if let Some(worker) = read_number(WORKER) {
        return play_as_worker(worker);
    }
    let Some(library) = find_faketime() else {
        return skip_or_fail("libfaketime is not installed, without which nothing sets the clocks");
    };
    let exe = env::current_exe().unwrap();
    let pull = exe.with_file_name("trueup");
    assert!(!pull.exists(), "{} would be started by hooks", pull.display());
    // Where files are in memory, to wait for a disk costs nothing.
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_owned() } else { env::temp_dir() };
    let directory = tempfile::tempdir_in(parent).unwrap();
    let begun = Instant::now();
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| start_worker(worker, &library, &exe, directory.path()))
        .map(|mut command| thread::spawn(move || run_worker(&mut command)))
        .collect();
    let steps: Vec<Option<u64>> = workers.into_iter().map(|it| it.join().unwrap()).collect();
    assert!(steps.iter().all(Option::is_some), "a seed failed; see above");
    let steps: u64 = steps.into_iter().flatten().sum();
    println!("{steps} steps in {:.0?}", begun.elapsed());
}

/// Prepares the call of a process that plays.
fn start_worker(worker: u64, library: &Path, exe: &Path, directory: &Path) -> Command {
    let own = directory.join(format!("worker-{worker}"));
    fs::create_dir_all(&own).unwrap();
    let clock = own.join("clock");
    fs::write(&clock, "2020-03-01 12:00:00.0005\n").unwrap();
    let renames_host = can_rename_host();
    let mut command = if renames_host {
        let mut command = Command::new(PROGRAM);
        command.args(rename_arguments("simulation")).arg(exe);
        command
    } else {
        Command::new(exe)
    };
    command
        .args(["--exact", TEST, "--nocapture", "--test-threads=1"])
        .env(WORKER, worker.to_string())
        .env(DIRECTORY, &own)
        .env(RENAMES, u64::from(renames_host).to_string())
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", &clock)
        .env("FAKETIME_NO_CACHE", "1")
        .env("DONT_FAKE_MONOTONIC", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("NO_FAKE_STAT", "1")
        .env("TZ", "UTC")
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

/// Runs a process that plays and prints what it prints; returns how many steps it played, unless
/// it failed.
fn run_worker(command: &mut Command) -> Option<u64> {
    let mut child = command.spawn().unwrap();
    let mut steps = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        // The test runner has begun a line of its own.
        match line.split_once("steps: ") {
            Some((_, count)) => steps += count.parse::<u64>().unwrap(),
            None => println!("{line}"),
        }
    }
    child.wait().unwrap().success().then_some(steps)
}

/// Plays every seed that is this process's.
fn play_as_worker(worker: u64) {
    let directory = PathBuf::from(env::var_os(DIRECTORY).unwrap());
    check_clock(&directory.join("clock"));
    let template = directory.join("template.db");
    Server::create_template(&template);
    let steps = read_number(STEPS).unwrap_or(STEPS_PER_RUN);
    let chosen = read_number(SEED);
    let runs = read_number(RUNS).unwrap_or(if chosen.is_some() { 1 } else { DEFAULT_RUNS });
    let first = chosen.unwrap_or(FIRST_SEED);
    let mut total = 0;
    for seed in (first..first + runs).filter(|seed| (seed - first) % WORKERS == worker) {
        let setting = Setting {
            run_dir: &directory.join("run"),
            clock_file: &directory.join("clock"),
            template: &template,
            seed,
            is_loud: read_number(TRACE) == Some(1),
            renames_host: read_number(RENAMES) == Some(1),
        };
        let report = play_seed(setting, steps);
        total += report.steps;
        fail_with(&report, steps);
        if seed == first {
            let again = play_seed(setting, steps);
            assert_eq!(report.digest, again.digest, "two runs of seed {seed} differ");
            total += again.steps;
        }
    }
    println!("steps: {total}");
}

/// Fails if a promise was broken, with everything that is needed to see it again.
fn fail_with(report: &RunReport, steps: u64) {
    let Some((problem, trace)) = &report.failure else {
        return;
    };
    let (seed, at) = (report.seed, report.steps);
    panic!(
        "seed {seed}, step {at}: {problem}\n{trace}\nto play it again:\n  {SEED}={seed} \
         {STEPS}={steps} {TRACE}=1 cargo test -p trueup-tests --test simulation -- --nocapture\n"
    );
}

/// Checks that this process sees the time that the file names, and files keep theirs.
fn check_clock(clock: &Path) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(now.as_secs(), 1_583_064_000, "libfaketime does not show the simulated time");
    let note = fs::File::options().write(true).open(clock).unwrap();
    let time = SystemTime::now();
    note.set_times(fs::FileTimes::new().set_modified(time)).unwrap();
    let dated = note.metadata().unwrap().modified().unwrap();
    assert!(dated.duration_since(time).is_ok_and(|by| by.as_secs() < 1), "files have other times");
}
