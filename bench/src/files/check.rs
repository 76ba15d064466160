//! `trueup check` of many workplans, compared with a script that does the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::Value as Json;

use super::checkout::Checkouts;
use super::median_seconds;
use super::workplans::{REPO, count_differences, count_status_differences};
use crate::binaries::Binaries;
use crate::measure::{self, Task};
use crate::{BenchError, print_progress, scripts};

const CHECK_SCRIPT: &str = include_str!("../../baselines/check.py");

/// Rounds, and those before that count for nothing.
const ROUNDS: usize = 9;
const WARM_UP: usize = 2;

/// The result: medians in seconds, peak memory in bytes.
#[derive(Debug)]
pub(super) struct CheckTimes {
    /// Outside git.
    pub(super) folder: f64,
    /// In a repository without a remote.
    pub(super) repository: f64,
    pub(super) peak: u64,
    /// The scripts that could be run.
    pub(super) scripts: Vec<ScriptTimes>,
    /// What the first linking took.
    pub(super) linked_in: f64,
    /// Differences, which all of them found.
    pub(super) found: usize,
}

/// The result of a script: median in seconds, peak memory in bytes.
#[derive(Debug)]
pub(super) struct ScriptTimes {
    pub(super) name: &'static str,
    pub(super) time: f64,
    pub(super) peak: u64,
}

/// The ways in which the script reads front matter: the usual one, and lines alone.
const READERS: [(&str, &[&str], &str); 2] = [
    ("Python script with PyYAML", &["yaml"], "import sys, yaml"),
    ("Python script without", &[], "import sys"),
];

/// Runs all of them in turns.
pub(super) fn measure_check(binaries: &Binaries) -> Result<CheckTimes, BenchError> {
    let checkouts = Checkouts::create(binaries)?;
    let mut tasks =
        vec![checkouts.check_task(&checkouts.folder), checkouts.check_task(&checkouts.repository)];
    let mut names = Vec::new();
    for (name, words, imports) in READERS {
        match scripts::find_python(imports) {
            Ok((interpreter, _)) => {
                tasks.push(build_script_task(&checkouts, interpreter, words)?);
                names.push(name);
            }
            Err(error) => print_progress(&format!("NOT MEASURED: the {name}: {error}")),
        }
    }
    let found = check_agreement(&checkouts, &tasks)?;
    let mut times = vec![Vec::new(); tasks.len()];
    for round in 0..WARM_UP + ROUNDS {
        print_progress(&format!("round {round} of {}", WARM_UP + ROUNDS));
        for (task, times) in tasks.iter().zip(&mut times) {
            let time = measure::wall_time(task)?;
            if round >= WARM_UP {
                times.push(time);
            }
        }
    }
    let peaks: Result<Vec<u64>, BenchError> = tasks.iter().map(measure::peak_memory).collect();
    let peaks = peaks?;
    let mut medians = times.into_iter().map(median_seconds);
    let mut next = || medians.next().unwrap_or(f64::NAN);
    Ok(CheckTimes {
        folder: next(),
        repository: next(),
        peak: peaks.iter().take(2).copied().max().unwrap_or(u64::MAX),
        scripts: names
            .into_iter()
            .zip(peaks.iter().skip(2))
            .map(|(name, peak)| ScriptTimes { name, time: next(), peak: *peak })
            .collect(),
        linked_in: checkouts.linked_in.as_secs_f64(),
        found,
    })
}

fn build_script_task(
    checkouts: &Checkouts,
    interpreter: PathBuf,
    words: &[&str],
) -> Result<Task, BenchError> {
    let path = checkouts.yard.root().join("check.py");
    fs::write(&path, CHECK_SCRIPT)?;
    let mut task = Task::new(interpreter, checkouts.folder.clone(), Vec::new());
    task.argument(path);
    task.argument(checkouts.yard.database());
    task.argument(&checkouts.folder);
    task.argument(REPO);
    for word in words {
        task.argument(word);
    }
    Ok(task)
}

/// Makes sure that all find the same differences; returns how many.
fn check_agreement(checkouts: &Checkouts, tasks: &[Task]) -> Result<usize, BenchError> {
    let mut first: Option<BTreeSet<String>> = None;
    for (number, task) in tasks.iter().enumerate() {
        let text = measure::read_stdout(task)?;
        let found = if number < 2 { parse_report(&text)? } else { parse_script_lines(&text) };
        let expected = first.get_or_insert_with(|| found.clone());
        let statuses = found.iter().filter(|found| is_status(found)).count();
        if found != *expected || statuses != count_status_differences() {
            let root = checkouts.yard.root().display();
            return Err(format!("{root}: {expected:?} and {found:?} were found").into());
        }
    }
    Ok(first.map_or(0, |found| found.len()))
}

fn is_status(found: &str) -> bool {
    found.starts_with("C-10") || found.starts_with("C-15")
}

/// Returns codes and ids of an object that trueup printed.
fn parse_report(text: &str) -> Result<BTreeSet<String>, BenchError> {
    let object: Json = serde_json::from_str(text)?;
    let findings = object.get("divergences").and_then(Json::as_array);
    let findings = findings.ok_or("no findings are printed")?;
    if findings.len() != count_differences() {
        return Err(format!("{} differences are found", findings.len()).into());
    }
    let said = findings.iter().filter_map(|finding| {
        let word = |key| finding.get(key).and_then(Json::as_str);
        Some(format!("{} {}", word("code")?, word("subject")?))
    });
    Ok(said.collect())
}

/// Returns codes and ids of the script's lines.
fn parse_script_lines(text: &str) -> BTreeSet<String> {
    let words = text.lines().map(|line| line.split(' ').skip(1));
    words.filter_map(|mut words| Some(format!("{} {}", words.next()?, words.next()?))).collect()
}
