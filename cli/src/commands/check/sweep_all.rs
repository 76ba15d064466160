//! `trueup check --all`: checks every registered repository. Only one sweep runs at a time.

use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use trueup_core::consistency::check_checkout;
use trueup_core::deadline::Deadline;
use trueup_core::fs::{FileLock, create_private_dir};
use trueup_core::repos::read_machine_name;
use trueup_core::store::HookStore as _;
use trueup_core::text::path_from_text;

use super::{
    RepoCheck, WRITE_PATIENCE, build_failed_outcome, build_output, build_request, checkout_target,
    open_store,
};
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::commands::check::CheckArgs;
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
    let mut store = open_store(context, arguments)?;
    let (request, session) = build_request(context, &mut store, arguments)?;
    let machine = read_machine_name(&context.run.settings.paths)?.unwrap_or_default();
    let repos = store.list_repos()?;
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
            store.set_deadline(Deadline::after(WRITE_PATIENCE.max(context.patience())));
            let checkout = checkout_target::describe_checkout(&repos, &machine, root);
            let paths = &context.run.settings.paths;
            let outcome = check_checkout(&mut store, &checkout, &request, paths);
            // The other repositories are still checked.
            repo_check.outcome =
                Some(outcome.unwrap_or_else(|error| build_failed_outcome(&checkout, &error)));
        }
        repo_check.set_fix_directories(context);
        repo_checks.push(repo_check);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let mut warnings = Vec::new();
    if let Some(session) = session {
        context.true_up_after_change(&mut store, &session.id, &mut warnings)?;
    }
    let mut output = build_output(context, arguments, &repo_checks);
    output.warnings.extend(warnings);
    Ok(output)
}

/// Makes a progress bar, which is shown only on a terminal.
fn new_progress_bar(repos: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(repos).unwrap_or(u64::MAX));
    let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
