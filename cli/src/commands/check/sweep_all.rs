//! `trueup check --all`: checks every registered repository. Only one sweep runs at a time.

use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use trueup_core::fs::{FileLock, create_private_dir};
use trueup_core::repos::read_machine_name;
use trueup_core::text::path_from_text;

use super::arguments::CheckArgs;
use super::check_run::CheckRun;
use super::checkout_target::describe_checkout;
use super::repo_check::{RepoCheck, build_failed_outcome};
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::output::Output;

/// Time limit of a sweep. Repositories that are left are checked by the next one.
const SWEEP_BUDGET: Duration = Duration::from_mins(5);

pub(super) fn sweep_registered_repos(
    context: &CommandContext,
    arguments: &CheckArgs,
) -> CommandResult {
    let lock = context.run.settings.paths.sweep_lock();
    create_private_dir(lock.parent().unwrap_or(Path::new(".")))?;
    let _lock = match FileLock::acquire(&lock, Duration::ZERO) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            let reason = "another sweep is running; this one was skipped";
            let data = json!({"repos": [], "skipped": reason});
            return Ok(Output::new(vec![reason.to_owned()], data));
        }
        other => other?,
    };
    let started_at = Instant::now();
    let mut run = CheckRun::begin(context, arguments)?;
    let machine = read_machine_name(&context.run.settings.paths)?.unwrap_or_default();
    let repos = run.store.list_repos()?;
    let local_checkouts: Vec<_> = repos
        .iter()
        .flat_map(|repo| {
            let places = repo.checkouts_on(&machine);
            places.map(move |path| (repo, path_from_text(path)))
        })
        .collect();
    let bar = new_progress_bar(local_checkouts.len());
    let mut repo_checks = Vec::with_capacity(local_checkouts.len());
    for (repo, root) in local_checkouts {
        bar.set_message(repo.slug.to_string());
        let skip_reason = if !root.is_dir() {
            Some("its directory is missing".to_owned())
        } else if started_at.elapsed() > SWEEP_BUDGET {
            Some(format!("the time limit of {SWEEP_BUDGET:?} is used up"))
        } else {
            None
        };
        let mut repo_check = RepoCheck {
            repo: repo.slug.to_string(),
            root: root.clone(),
            outcome: None,
            skip_reason,
        };
        if repo_check.skip_reason.is_none() {
            let checkout = describe_checkout(&repos, &machine, root);
            let outcome = run.check(&checkout);
            // The other repositories are still checked.
            repo_check.outcome =
                Some(outcome.unwrap_or_else(|error| build_failed_outcome(&checkout, &error)));
        }
        repo_checks.push(repo_check);
        bar.inc(1);
    }
    bar.finish_and_clear();
    run.finish(repo_checks)
}

/// Makes a progress bar, which is shown only on a terminal.
fn new_progress_bar(repos: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(repos).unwrap_or(u64::MAX));
    let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
