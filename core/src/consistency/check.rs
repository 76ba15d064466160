//! The whole of a check: observe, decide, act, and look again.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

use super::assessment::{CheckoutSnapshot, assess_checkout};
use super::check_lock::{self, CheckLock};
use super::finding::CheckFinding;
use super::git_preflight::{self, CheckMode, GitPreflight};
use super::row_updates::{self, FixActor, find_foreign_keys};
use super::workplan_file::WorkplanFile;
use super::writeback::{self, WritebackPaths};
use super::{checkout_files, plan_files, undo_log};
use crate::fs::write_private;
use crate::liveness;
use crate::model::{ItemKey, RepoSlug};
use crate::reconcile::{Code, Divergence, Way};
use crate::repos::{load_repo_name, record_repo_name, slug_from_path};
use crate::settings::{Paths, RepositoryConfig};
use crate::store::{Provenance, Store, StoreError};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct CheckRequest {
    /// Whether what can be mended is.
    pub fix: bool,
    /// Whether files may be written.
    pub writeback: bool,
    /// Whether the checkout is brought up to date first.
    pub pull: bool,
    /// Which commits are pushed.
    pub push: PushScope,
    /// In whose name.
    pub actor: FixActor,
}

/// Which commits are pushed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PushScope {
    /// Those made here, where no other would go with them.
    #[default]
    Own,
    /// The user's as well.
    All,
    /// None.
    Never,
}

/// A repository on this machine.
#[derive(Debug, Clone)]
pub struct Checkout {
    /// Its root.
    pub root: PathBuf,
    /// Its name, where it is registered.
    pub slug: Option<RepoSlug>,
    /// The names of registered repositories that it is not.
    pub other_repos: Vec<RepoSlug>,
}

/// What came of a check.
#[derive(Debug, Default)]
pub struct CheckReport {
    /// The name by which the database knows the repository.
    pub repo: String,
    /// How many workplans it has.
    pub workplan_count: usize,
    /// What was found, before anything was mended.
    pub findings: Vec<CheckFinding>,
    /// Which of these are mended, in their order.
    pub mended: Vec<bool>,
    /// The files of the commit.
    pub written_files: Vec<String>,
    /// The commit.
    pub commit: Option<String>,
    /// Whether its remote has it.
    pub pushed: bool,
    /// Why nothing was written, or not all.
    pub skipped: Vec<String>,
    /// What was tried in vain, a line each.
    pub notes: Vec<String>,
}

impl CheckReport {
    /// Says of what `check --fix` did not end that its cause comes first: to run it again alone
    /// would end nothing.
    fn advise_retry_for_unfixed(&mut self) {
        let left = self.findings.iter_mut().zip(&self.mended);
        for (finding, _) in left.filter(|(_, mended)| !**mended) {
            let fix = &mut finding.divergence.fix;
            if *fix.way() == Way::FixCheckout {
                *fix = Way::RetryCheckout.into();
            }
        }
    }
}

/// Why a check could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The database cannot be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The checkout cannot be read, or trueup's own files not written.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Checks a repository.
///
/// # Errors
///
/// When the database or the checkout cannot be read. What git or single files refuse is said in
/// the answer, and the rest goes on.
pub fn check_checkout(
    store: &mut dyn Store,
    checkout: &Checkout,
    request: &CheckRequest,
    paths: &Paths,
) -> Result<CheckReport, CheckError> {
    let root = &checkout.root;
    let lock = paths.lock_of(&root.join("workplans"));
    let aim = match (request.pull, request.fix) {
        (true, _) => CheckMode::Pull,
        (false, true) => CheckMode::Write,
        (false, false) => CheckMode::Read,
    };
    let turn = match aim {
        // What it reads is what the other is about to change.
        CheckMode::Read => check_lock::probe_lock(&lock),
        CheckMode::Write | CheckMode::Pull => check_lock::acquire_lock(&lock, root)?,
    };
    let CheckLock::Granted(_turn) = turn else {
        return Ok(skipped_within_check(checkout));
    };
    let repo_name = checkout.slug.as_ref().map(|slug| slug.as_str().to_owned());
    let name = repo_name.or_else(|| read_configured_name(root));
    let is_given = name.is_some();
    let host = liveness::host_name();
    let remembered = match &name {
        None => load_repo_name(store, root, &host)?,
        Some(_) => None,
    };
    let remembered = remembered.filter(|name| is_own_name(name, &checkout.other_repos));
    let record = paths.undo_log_of(root);
    let git_lock = paths.lock_of(&root.join(".git"));
    let mut notes = Vec::new();
    if request.fix && request.writeback {
        notes = undo_log::undo_interrupted_run(&record, &git_lock, root);
    }
    let look_at_remote = || git_preflight::inspect_checkout(root, aim, request.push);
    // What is pulled must be there before files are read.
    let early = request.pull.then(look_at_remote);
    let (gate, reading) = thread::scope(|scope| {
        let late = early.is_none().then(|| scope.spawn(look_at_remote));
        let snapshot = read_checkout(store, root, name, remembered, &checkout.other_repos);
        let gate = match (early, late) {
            (Some(gate), _) => gate,
            (None, Some(thread)) => match thread.join() {
                Ok(gate) => gate,
                Err(panic) => std::panic::resume_unwind(panic),
            },
            (None, None) => GitPreflight::default(),
        };
        (gate, snapshot)
    });
    let (mut snapshot, files) = reading?;
    snapshot.is_outdated = gate.is_outdated;
    let places = WritebackPaths {
        root,
        undo_log: &record,
        git_lock: &git_lock,
    };
    let mut checked = decide_and_apply(store, places, request, gate, snapshot, files)?;
    checked.notes.splice(0..0, notes);
    if request.fix {
        mark_checked(paths, root);
        if !is_given {
            // Sessions and items of other clones are of the same repository as its files.
            let by = Provenance::new(&request.actor.name, "check");
            record_repo_name(store, root, &host, &checked.repo, &by)?;
        }
    }
    Ok(checked)
}

/// What a check says that was started by a hook of git within another check.
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

/// Notes that a checkout was trued up, so that a session is not offered that again. Where it
/// cannot be noted it is offered once more, which harms nobody.
fn mark_checked(paths: &Paths, root: &Path) {
    let _ = write_private(&paths.check_marker(root), b"");
}

fn decide_and_apply(
    store: &mut dyn Store,
    places: WritebackPaths<'_>,
    request: &CheckRequest,
    mut preflight: GitPreflight,
    mut snapshot: CheckoutSnapshot,
    files: usize,
) -> Result<CheckReport, CheckError> {
    let root = places.root;
    preflight.report_branch(&snapshot.repo, request.fix);
    let mut assessment = assess_checkout(&snapshot);
    if assessment.findings.iter().any(is_missing_file)
        && let Some(text) = preflight.describe_not_checked_out(root)
    {
        preflight.notes.push(text);
        snapshot.is_partial = true;
        assessment = assess_checkout(&snapshot);
    }
    let reading = &snapshot;
    let mut checked = CheckReport {
        repo: reading.repo.clone(),
        workplan_count: files,
        findings: assessment.findings,
        ..CheckReport::default()
    };
    let deeds = assessment.fixes;
    let open = |gate: &GitPreflight| request.fix && gate.write_obstacle.is_none();
    if open(&preflight) {
        checked.pushed = preflight.publish_unpushed(&reading.repo);
    }
    let before = checked.findings.len();
    let mut is_half_done = false;
    if request.fix && request.writeback {
        let held = assessment.held_back.iter().filter_map(|(sheet, reason)| {
            let path = &reading.workplans.get(*sheet)?.path;
            Some(writeback::describe_not_written(path, reason))
        });
        checked.skipped.extend(held);
    }
    if open(&preflight) && !deeds.is_empty() {
        let written = row_updates::apply_row_fixes(store, reading, root, &deeds, &request.actor)?;
        checked.notes.extend(written.refused);
        if request.writeback {
            let mut links = written.new_links;
            links.retain(|(spot, _)| !assessment.held_back.contains_key(&spot.workplan));
            let back = writeback::write_back(reading, places, &deeds, &links, &mut preflight);
            is_half_done = back.has_unrestored_file;
            checked.written_files = back.written;
            checked.commit = back.commit;
            checked.pushed |= back.pushed;
            checked.skipped.extend(back.skipped);
            checked.notes.extend(back.notes);
        }
        // What was reported done proves nothing: it is read again.
        let (mut snapshot_after, _) = read_checkout(
            store,
            root,
            Some(reading.repo.clone()),
            None,
            &reading.other_repos,
        )?;
        snapshot_after.is_outdated = reading.is_outdated;
        snapshot_after.is_partial = reading.is_partial;
        let left = assess_checkout(&snapshot_after).findings;
        let left: HashSet<_> = left.iter().map(finding_identity).collect();
        // What stands in a file that is neither committed nor as it was mends nothing.
        let is_mended = |it| !is_half_done && !left.contains(&finding_identity(it));
        checked.mended = checked.findings.iter().map(is_mended).collect();
    } else if request.fix {
        checked.skipped.extend(preflight.write_obstacle.clone());
    }
    checked.mended.resize(before, false);
    if request.fix && request.writeback {
        checked.advise_retry_for_unfixed();
    }
    checked.notes.append(&mut preflight.notes);
    let own = preflight.findings.len();
    checked.findings.splice(0..0, preflight.findings);
    checked.mended.splice(0..0, std::iter::repeat_n(false, own));
    Ok(checked)
}

/// Tells whether a finding is that a file is not there.
fn is_missing_file(finding: &CheckFinding) -> bool {
    let code = finding.divergence.code;
    [Code::C01, Code::C07, Code::C08, Code::C14].contains(&code)
}

/// What makes a finding the same one in a later reading: its line may have moved.
fn finding_identity(finding: &CheckFinding) -> (Code, &str, Option<&str>, Option<&str>) {
    let Divergence {
        code,
        subject,
        expected,
        ..
    } = &finding.divergence;
    // Several dependencies of one task may be missing.
    let which = expected.as_deref().filter(|_| *code == Code::C20);
    (*code, subject, finding.path.as_deref(), which)
}

/// Reads everything but git.
pub(super) fn read_checkout(
    store: &mut dyn Store,
    root: &Path,
    name: Option<String>,
    remembered: Option<String>,
    other_repos: &[RepoSlug],
) -> Result<(CheckoutSnapshot, usize), CheckError> {
    // A fork has the files of another, and they say the other's name.
    let is_own = |name: &String| is_own_name(name, other_repos);
    let paths = checkout_files::list_workplan_paths(root)?;
    let paths = paths.as_deref();
    let said = || checkout_files::read_repo_name(root, paths.unwrap_or_default()).filter(is_own);
    let name = name.or_else(said).or(remembered);
    let (files, repo, rows) = if let Some(name) = name {
        // The database is asked while files are read.
        thread::scope(|scope| {
            let files = scope.spawn(|| checkout_files::read_workplans(root, paths));
            let rows = store.load_workplan_rows(&name);
            match files.join() {
                Ok(files) => (files, name, rows),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    } else {
        let files = checkout_files::read_workplans(root, paths);
        let mut said = files.workplans.iter().filter_map(WorkplanFile::repo_slug);
        let name = match said.find(|name| is_own(name)) {
            Some(name) => name,
            None => match find_known_name(store, &files)?.filter(is_own) {
                Some(name) => name,
                None => make_distinct_name(directory_name(root), other_repos),
            },
        };
        let rows = store.load_workplan_rows(&name);
        (files, name, rows)
    };
    let (count, rows) = (files.count, rows?);
    let mut snapshot = CheckoutSnapshot {
        repo,
        has_folder: files.has_folder,
        workplans: files.workplans,
        problems: files.problems,
        rows: rows.linked,
        unlinked_rows: rows.unlinked,
        other_repos: other_repos.to_vec(),
        plans: plan_files::read_plan_files(store, root)?,
        ..CheckoutSnapshot::default()
    };
    let (keys, links) = find_foreign_keys(&snapshot);
    if !keys.is_empty() || !links.is_empty() {
        snapshot.foreign_rows = store.find_workplan_rows(&keys, &links)?;
    }
    Ok((snapshot, count))
}

/// Tells whether a name is none of another repository's.
fn is_own_name(name: &str, other_repos: &[RepoSlug]) -> bool {
    !other_repos.iter().any(|other| other.is_same(name))
}

/// Returns the name that the repository's own file gives it.
fn read_configured_name(root: &Path) -> Option<String> {
    let project = crate::settings::Project {
        dir: root.to_owned(),
        git: None,
        is_home: false,
    };
    let config: RepositoryConfig = project.read_config().ok()?;
    config.repo
}

/// Returns the name by which the database knows the files already: a clone may have any name.
fn find_known_name(
    store: &mut dyn Store,
    files: &checkout_files::CheckoutFiles,
) -> Result<Option<String>, StoreError> {
    let keys: Vec<ItemKey> = files
        .workplans
        .iter()
        .map(|sheet| sheet.key.clone())
        .collect();
    if keys.is_empty() {
        return Ok(None);
    }
    let rows = store.find_workplan_rows(&keys, &[])?;
    let mut tied = rows.into_iter().filter(|row| row.link.is_some());
    Ok(tied.find_map(|row| row.repo))
}

/// Returns a name that is none of these.
fn make_distinct_name(name: String, other_repos: &[RepoSlug]) -> String {
    let is_free = |name: &String| is_own_name(name, other_repos);
    if is_free(&name) {
        return name;
    }
    let mut numbered = (2..).map(|number| format!("{name}-{number}"));
    numbered.find(is_free).unwrap_or(name)
}

/// Returns the name of the repository's directory; of a linked worktree, of the repository.
fn directory_name(root: &Path) -> String {
    let git = crate::git::Worktree::discover(root).filter(|git| git.root == *root);
    let name = git.and_then(|git| git.name());
    let name = name.or_else(|| Some(slug_from_path(root)?.as_str().to_owned()));
    name.unwrap_or_else(|| "repository".to_owned())
}
