//! A check from start to end: observe, decide, act, and observe again.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::thread;

use super::assessment::assess_checkout;
use super::check_lock::{CheckLock, acquire_lock, probe_lock};
use super::checkout_reader::{RepoNames, directory_name, read_checkout, read_configured_name};
use super::finding::CheckFinding;
use super::git_preflight::{CheckMode, GitPreflight, inspect_checkout};
use super::report::{CheckError, CheckReport, PushScope};
use super::row_updates::{FixActor, apply_row_fixes};
use super::snapshot::CheckoutSnapshot;
use super::undo_log;
use super::writeback::{TouchedFiles, WritebackPaths, describe_not_written, write_back};
use crate::diagnostic::AdviceKind;
use crate::fs::write_private;
use crate::liveness;
use crate::model::RepoSlug;
use crate::repos::{load_repo_name, record_repo_name};
use crate::settings::Paths;
use crate::store::{Provenance, Store};

/// What a check is to do.
#[derive(Debug, Clone)]
pub struct CheckRequest {
    /// Whether fixes are applied.
    pub fix: bool,
    /// Whether fixes may write files.
    pub writeback: bool,
    /// Whether the branch is brought up to date first.
    pub pull: bool,
    /// Which commits are pushed.
    pub push: PushScope,
    /// Who applies the fixes.
    pub actor: FixActor,
}

/// A checkout of a repository on this machine.
#[derive(Debug, Clone)]
pub struct Checkout {
    /// Its root directory.
    pub root: PathBuf,
    /// The name under which the repository is registered.
    pub slug: Option<RepoSlug>,
    /// The names of all other registered repositories.
    pub other_repos: Vec<RepoSlug>,
}

/// Checks a repository, and applies fixes if the request says so.
///
/// # Errors
///
/// When the database or the checkout cannot be read. What git or a single file refuses is in the
/// report, and the rest goes on.
pub fn check_checkout(
    store: &mut dyn Store,
    checkout: &Checkout,
    request: &CheckRequest,
    paths: &Paths,
) -> Result<CheckReport, CheckError> {
    let root = &checkout.root;
    let lock = paths.lock_of(&root.join("workplans"));
    let mode = match (request.pull, request.fix) {
        (true, _) => CheckMode::Pull,
        (false, true) => CheckMode::Write,
        (false, false) => CheckMode::Read,
    };
    let lock = match mode {
        // What it would read is what the other check is about to change.
        CheckMode::Read => probe_lock(&lock),
        CheckMode::Write | CheckMode::Pull => acquire_lock(&lock, root)?,
    };
    let CheckLock::Granted(_lock) = lock else {
        return Ok(skipped_within_check(checkout));
    };
    let slug = checkout.slug.as_ref().map(|slug| slug.as_str().to_owned());
    let host = liveness::host_name();
    let mut names = RepoNames {
        given: slug.or_else(|| read_configured_name(root)),
        remembered: None,
        others: &checkout.other_repos,
    };
    let is_given = names.given.is_some();
    if !is_given {
        let remembered = load_repo_name(store, root, &host)?;
        names.remembered = remembered.filter(|name| names.is_free(name));
    }
    let undo_log = paths.undo_log_of(root);
    let git_lock = paths.lock_of(&root.join(".git"));
    let mut notes = Vec::new();
    if request.fix && request.writeback {
        notes = undo_log::undo_interrupted_run(&undo_log, &git_lock, root);
    }
    let inspect = || inspect_checkout(root, mode, request.push);
    // A pull changes the files, so it comes before they are read; else git is queried meanwhile.
    let pulled = request.pull.then(inspect);
    let (preflight, snapshot) = thread::scope(|scope| {
        let inspection = pulled.is_none().then(|| scope.spawn(inspect));
        let snapshot = read_checkout(store, root, &names, request.fix);
        let inspected = inspection.map(|thread| match thread.join() {
            Ok(preflight) => preflight,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        (pulled.or(inspected).unwrap_or_default(), snapshot)
    });
    let mut snapshot = snapshot?;
    snapshot.is_outdated = preflight.is_outdated;
    let folders = snapshot.list_package_folders();
    let writeback_paths = WritebackPaths { root, undo_log: &undo_log, git_lock: &git_lock };
    let mut report = decide_and_apply(store, writeback_paths, request, preflight, snapshot)?;
    report.notes.splice(0..0, notes);
    if request.fix {
        mark_checked(paths, root, &folders);
        if !is_given {
            // Sessions and items of other clones belong to the same repository.
            let provenance = Provenance::new(&request.actor.name, "check");
            record_repo_name(store, root, &host, &report.repo, &provenance)?;
        }
    }
    Ok(report)
}

/// Returns the report of a check that a git hook started inside another check.
fn skipped_within_check(checkout: &Checkout) -> CheckReport {
    let slug = checkout.slug.as_ref().map(ToString::to_string);
    CheckReport {
        repo: slug.unwrap_or_else(|| directory_name(&checkout.root)),
        skipped: vec![
            "another check of this repository is running, and this one was started by its hook"
                .to_owned(),
        ],
        ..CheckReport::default()
    }
}

/// Marks a checkout as checked, so that sessions stop suggesting it, and notes which packages have
/// workplans, so that hooks need not search for them. If that fails, the next session suggests the
/// check once more, which does no harm.
fn mark_checked(paths: &Paths, root: &Path, folders: &[String]) {
    let lines: String = folders.iter().flat_map(|folder| [folder, "\n"]).collect();
    let _ = write_private(&paths.check_marker(root), lines.as_bytes());
}

fn decide_and_apply(
    store: &mut dyn Store,
    paths: WritebackPaths<'_>,
    request: &CheckRequest,
    mut preflight: GitPreflight,
    mut snapshot: CheckoutSnapshot,
) -> Result<CheckReport, CheckError> {
    preflight.report_branch(&snapshot.repo, request.fix);
    let mut assessment = assess_checkout(&snapshot);
    if assessment.findings.iter().any(CheckFinding::is_missing_file)
        && let Some(text) = preflight.describe_not_checked_out(paths.root)
    {
        preflight.notes.push(text);
        snapshot.is_partial = true;
        assessment = assess_checkout(&snapshot);
    }
    let mut report = CheckReport {
        repo: snapshot.repo.clone(),
        workplan_count: snapshot.file_count,
        findings: assessment.findings,
        ..CheckReport::default()
    };
    if request.fix {
        if request.writeback {
            let held_back = assessment.held_back.iter().filter_map(|(number, reason)| {
                let path = &snapshot.workplans.get(*number)?.path;
                Some(describe_not_written(path, reason))
            });
            report.skipped.extend(held_back);
        }
        if preflight.write_obstacle.is_none() {
            report.pushed = preflight.publish_unpushed(&snapshot.repo);
        }
        if let Some(obstacle) = &preflight.write_obstacle {
            report.skipped.push(obstacle.clone());
        } else if !assessment.fixes.is_empty() {
            let (fixes, held_back) = (&assessment.fixes, &assessment.held_back);
            let rows = apply_row_fixes(store, &snapshot, fixes, &request.actor)?;
            report.notes.extend(rows.refused);
            let mut touched = TouchedFiles::default();
            if request.writeback {
                let mut links = rows.new_links;
                links.retain(|(node, _)| !held_back.contains_key(&node.workplan));
                let preflight = &mut preflight;
                touched = write_back(&snapshot, paths, fixes, &links, preflight, &mut report);
            }
            // An applied fix proves nothing: what it touched is read again.
            let after = snapshot.refresh(store, paths.root, &touched.paths)?;
            let left = assess_checkout(&after).findings;
            let findings: HashSet<_> = left.iter().map(CheckFinding::identity).collect();
            for finding in &mut report.findings {
                // A file that is neither committed nor restored ends no finding.
                finding.is_fixed =
                    !touched.has_unrestored && !findings.contains(&finding.identity());
            }
        }
        if request.writeback {
            advise_retry(&mut report.findings);
        }
    }
    report.notes.append(&mut preflight.notes);
    report.findings.splice(0..0, preflight.findings);
    Ok(report)
}

/// Advises to end the cause first where `check --fix` did not end a finding: running it again
/// would not either.
fn advise_retry(findings: &mut [CheckFinding]) {
    for finding in findings.iter_mut().filter(|finding| !finding.is_fixed) {
        let advice = &mut finding.divergence.advice;
        if *advice.kind() == AdviceKind::FixCheckout {
            *advice = AdviceKind::RetryCheckout.into();
        }
    }
}
