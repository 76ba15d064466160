//! `trueup check --all`: every registered repository, by one sweep at a time.

use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use trueup_core::cache::lock::FileLock;
use trueup_core::consistency::check;
use trueup_core::deadline::Deadline;
use trueup_core::files::path_from_text;
use trueup_core::repos::machine;
use trueup_core::settings::private_dir;
use trueup_core::store::RepoStore as _;

use super::{Looked, WRITES, answer, failed, open, request, target};
use crate::args::CheckArgs;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::report::Answer;

/// How long a sweep may take: what is left then waits for the next one.
const BUDGET: Duration = Duration::from_mins(5);

pub(super) fn run(desk: &Desk, arguments: &CheckArgs) -> Result<Answer, Failure> {
    let lock = desk.site.settings.paths.sweep_lock();
    private_dir(lock.parent().unwrap_or(Path::new(".")))?;
    let _lock = match FileLock::exclusive(&lock, Duration::ZERO) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            let reason = "another sweep is running; this one was skipped";
            let data = json!({"repos": [], "skipped": reason});
            return Ok(Answer::new(vec![reason.to_owned()], data));
        }
        other => other?,
    };
    let began = Instant::now();
    let mut store = open(desk, arguments)?;
    let (request, session) = request(desk, &mut store, arguments)?;
    let machine = machine(&desk.site.settings.paths)?.unwrap_or_default();
    let repos = store.repos()?;
    let here: Vec<_> = repos
        .iter()
        .flat_map(|repo| {
            let places = repo.checkouts_on(&machine);
            places.map(move |path| (repo, path_from_text(path)))
        })
        .collect();
    let bar = bar(here.len());
    let mut all = Vec::with_capacity(here.len());
    for (repo, root) in here {
        bar.set_message(repo.slug.to_string());
        let passed = if !root.is_dir() {
            Some("its directory is missing".to_owned())
        } else if began.elapsed() > BUDGET {
            Some(format!("the time limit of {BUDGET:?} is used up"))
        } else {
            None
        };
        let mut looked = Looked {
            repo: repo.slug.to_string(),
            root: root.clone(),
            checked: None,
            passed,
        };
        if looked.passed.is_none() {
            store.set_deadline(Deadline::after(WRITES.max(desk.patience())));
            let checkout = target::checkout(&repos, &machine, root);
            let paths = &desk.site.settings.paths;
            let checked = check(&mut store, &checkout, &request, paths);
            // The others are looked at all the same.
            looked.checked = Some(checked.unwrap_or_else(|error| failed(&checkout, &error)));
        }
        looked.advise(desk);
        all.push(looked);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let mut warnings = Vec::new();
    if let Some(session) = session {
        desk.after_change(&mut store, &session.id, &mut warnings)?;
    }
    let mut answer = answer(desk, arguments, &all);
    answer.warnings.extend(warnings);
    Ok(answer)
}

/// Shows how far a sweep is, on a terminal alone.
fn bar(repos: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(repos).unwrap_or(u64::MAX));
    let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
