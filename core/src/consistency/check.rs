//! The whole of a check: observe, decide, act, and look again.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

use super::assess::{Reading, assess};
use super::finding::Finding;
use super::gate::{self, Aim, Gate};
use super::rows::{self, Mover, strangers};
use super::sheet::Sheet;
use super::turn::{self, Turn};
use super::writeback::{self, Places};
use super::{files, plans, unfinished};
use crate::files::write_own;
use crate::liveness;
use crate::model::{ItemKey, RepoSlug};
use crate::reconcile::{Code, Divergence, Way};
use crate::repos::{keep_repo_name, kept_repo_name, named_after};
use crate::settings::{Paths, RepositoryConfig};
use crate::store::{Provenance, Store, StoreError};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Whether what can be mended is.
    pub fix: bool,
    /// Whether files may be written.
    pub writeback: bool,
    /// Whether the checkout is brought up to date first.
    pub pull: bool,
    /// Which commits are pushed.
    pub push: Push,
    /// In whose name.
    pub mover: Mover,
}

/// Which commits are pushed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Push {
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
    pub others: Vec<RepoSlug>,
}

/// What came of a check.
#[derive(Debug, Default)]
pub struct Checked {
    /// The name by which the database knows the repository.
    pub repo: String,
    /// How many workplans it has.
    pub files: usize,
    /// What was found, before anything was mended.
    pub findings: Vec<Finding>,
    /// Which of these are mended, in their order.
    pub mended: Vec<bool>,
    /// The files of the commit.
    pub written: Vec<String>,
    /// The commit.
    pub commit: Option<String>,
    /// Whether its remote has it.
    pub pushed: bool,
    /// Why nothing was written, or not all.
    pub skipped: Vec<String>,
    /// What was tried in vain, a line each.
    pub notes: Vec<String>,
}

impl Checked {
    /// Says of what `check --fix` did not end that its cause comes first: to run it again alone
    /// would end nothing.
    fn advise_another_way(&mut self) {
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
pub fn check(
    store: &mut dyn Store,
    checkout: &Checkout,
    request: &Request,
    paths: &Paths,
) -> Result<Checked, CheckError> {
    let root = &checkout.root;
    let lock = paths.lock_of(&root.join("workplans"));
    let aim = match (request.pull, request.fix) {
        (true, _) => Aim::Pull,
        (false, true) => Aim::Write,
        (false, false) => Aim::Read,
    };
    let turn = match aim {
        // What it reads is what the other is about to change.
        Aim::Read => turn::glance(&lock),
        Aim::Write | Aim::Pull => turn::take(&lock, root)?,
    };
    let Turn::Granted(_turn) = turn else {
        return Ok(within_another(checkout));
    };
    let name = checkout.slug.as_ref().map(|slug| slug.as_str().to_owned());
    let name = name.or_else(|| configured(root));
    let is_given = name.is_some();
    let host = liveness::host_name();
    let kept = match &name {
        None => kept_repo_name(store, root, &host)?,
        Some(_) => None,
    };
    let kept = kept.filter(|name| is_own(name, &checkout.others));
    let record = paths.unfinished_of(root);
    let git_lock = paths.lock_of(&root.join(".git"));
    let mut notes = Vec::new();
    if request.fix && request.writeback {
        notes = unfinished::recover(&record, &git_lock, root);
    }
    let look_at_remote = || gate::look(root, aim, request.push);
    // What is pulled must be there before files are read.
    let early = request.pull.then(look_at_remote);
    let (gate, reading) = thread::scope(|scope| {
        let late = early.is_none().then(|| scope.spawn(look_at_remote));
        let reading = observe(store, root, name, kept, &checkout.others);
        let gate = match (early, late) {
            (Some(gate), _) => gate,
            (None, Some(thread)) => match thread.join() {
                Ok(gate) => gate,
                Err(panic) => std::panic::resume_unwind(panic),
            },
            (None, None) => Gate::default(),
        };
        (gate, reading)
    });
    let (mut reading, files) = reading?;
    reading.is_outdated = gate.is_outdated;
    let places = Places {
        root,
        record: &record,
        lock: &git_lock,
    };
    let mut checked = conclude(store, places, request, gate, reading, files)?;
    checked.notes.splice(0..0, notes);
    if request.fix {
        note(paths, root);
        if !is_given {
            // Sessions and items of other clones are of the same repository as its files.
            let by = Provenance::new(&request.mover.actor, "check");
            keep_repo_name(store, root, &host, &checked.repo, &by)?;
        }
    }
    Ok(checked)
}

/// What a check says that was started by a hook of git within another check.
fn within_another(checkout: &Checkout) -> Checked {
    let slug = checkout.slug.as_ref().map(ToString::to_string);
    Checked {
        repo: slug.unwrap_or_else(|| directory(&checkout.root)),
        skipped: vec![
            "another check of this repository is running, and this one was started by its hook"
                .to_owned(),
        ],
        ..Checked::default()
    }
}

/// Notes that a checkout was trued up, so that a session is not offered that again. Where it
/// cannot be noted it is offered once more, which harms nobody.
fn note(paths: &Paths, root: &Path) {
    let _ = write_own(&paths.checked(root), b"");
}

fn conclude(
    store: &mut dyn Store,
    places: Places<'_>,
    request: &Request,
    mut gate: Gate,
    mut reading: Reading,
    files: usize,
) -> Result<Checked, CheckError> {
    let root = places.root;
    gate.judge(&reading.repo, request.fix);
    let mut assessment = assess(&reading);
    if assessment.findings.iter().any(is_absence)
        && let Some(text) = gate.not_checked_out(root)
    {
        gate.notes.push(text);
        reading.is_partial = true;
        assessment = assess(&reading);
    }
    let reading = &reading;
    let mut checked = Checked {
        repo: reading.repo.clone(),
        files,
        findings: assessment.findings,
        ..Checked::default()
    };
    let deeds = assessment.deeds;
    let open = |gate: &Gate| request.fix && gate.obstacle.is_none();
    if open(&gate) {
        checked.pushed = gate.publish_earlier(&reading.repo);
    }
    let before = checked.findings.len();
    let mut is_half_done = false;
    if request.fix && request.writeback {
        let held = assessment.held.iter().filter_map(|(sheet, reason)| {
            let path = &reading.sheets.get(*sheet)?.path;
            Some(writeback::not_written(path, reason))
        });
        checked.skipped.extend(held);
    }
    if open(&gate) && !deeds.is_empty() {
        let written = rows::write(store, reading, root, &deeds, &request.mover)?;
        checked.notes.extend(written.refused);
        if request.writeback {
            let mut links = written.links;
            links.retain(|(spot, _)| !assessment.held.contains_key(&spot.sheet));
            let back = writeback::write(reading, places, &deeds, &links, &mut gate);
            is_half_done = back.is_half_done;
            checked.written = back.written;
            checked.commit = back.commit;
            checked.pushed |= back.pushed;
            checked.skipped.extend(back.skipped);
            checked.notes.extend(back.notes);
        }
        // What was reported done proves nothing: it is read again.
        let (mut after, _) = observe(
            store,
            root,
            Some(reading.repo.clone()),
            None,
            &reading.others,
        )?;
        after.is_outdated = reading.is_outdated;
        after.is_partial = reading.is_partial;
        let left = assess(&after).findings;
        let left: HashSet<_> = left.iter().map(identity).collect();
        // What stands in a file that is neither committed nor as it was mends nothing.
        let is_mended = |it| !is_half_done && !left.contains(&identity(it));
        checked.mended = checked.findings.iter().map(is_mended).collect();
    } else if request.fix {
        checked.skipped.extend(gate.obstacle.clone());
    }
    checked.mended.resize(before, false);
    if request.fix && request.writeback {
        checked.advise_another_way();
    }
    checked.notes.append(&mut gate.notes);
    let own = gate.findings.len();
    checked.findings.splice(0..0, gate.findings);
    checked.mended.splice(0..0, std::iter::repeat_n(false, own));
    Ok(checked)
}

/// Tells whether a finding is that a file is not there.
fn is_absence(finding: &Finding) -> bool {
    let code = finding.divergence.code;
    [Code::C01, Code::C07, Code::C08, Code::C14].contains(&code)
}

/// What makes a finding the same one in a later reading: its line may have moved.
fn identity(finding: &Finding) -> (Code, &str, Option<&str>, Option<&str>) {
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
pub(super) fn observe(
    store: &mut dyn Store,
    root: &Path,
    name: Option<String>,
    kept: Option<String>,
    others: &[RepoSlug],
) -> Result<(Reading, usize), CheckError> {
    // A fork has the files of another, and they say the other's name.
    let is_own = |name: &String| is_own(name, others);
    let paths = files::list(root)?;
    let paths = paths.as_deref();
    let said = || files::name(root, paths.unwrap_or_default()).filter(is_own);
    let name = name.or_else(said).or(kept);
    let (files, repo, rows) = if let Some(name) = name {
        // The database is asked while files are read.
        thread::scope(|scope| {
            let files = scope.spawn(|| files::read(root, paths));
            let rows = store.workplan_rows(&name);
            match files.join() {
                Ok(files) => (files, name, rows),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    } else {
        let files = files::read(root, paths);
        let mut said = files.sheets.iter().filter_map(Sheet::slug);
        let name = match said.find(|name| is_own(name)) {
            Some(name) => name,
            None => match known(store, &files)?.filter(is_own) {
                Some(name) => name,
                None => unlike(directory(root), others),
            },
        };
        let rows = store.workplan_rows(&name);
        (files, name, rows)
    };
    let (count, rows) = (files.count, rows?);
    let mut reading = Reading {
        repo,
        has_folder: files.has_folder,
        sheets: files.sheets,
        troubles: files.troubles,
        rows: rows.tied,
        ghosts: rows.ghosts,
        others: others.to_vec(),
        plans: plans::read(store, root)?,
        ..Reading::default()
    };
    let (keys, links) = strangers(&reading);
    if !keys.is_empty() || !links.is_empty() {
        reading.elsewhere = store.find_workplan_rows(&keys, &links)?;
    }
    Ok((reading, count))
}

/// Tells whether a name is none of another repository's.
fn is_own(name: &str, others: &[RepoSlug]) -> bool {
    !others.iter().any(|other| other.is_same(name))
}

/// Returns the name that the repository's own file gives it.
fn configured(root: &Path) -> Option<String> {
    let project = crate::settings::Project {
        dir: root.to_owned(),
        git: None,
        is_home: false,
    };
    let config: RepositoryConfig = project.config().ok()?;
    config.repo
}

/// Returns the name by which the database knows the files already: a clone may have any name.
fn known(store: &mut dyn Store, files: &files::Files) -> Result<Option<String>, StoreError> {
    let keys: Vec<ItemKey> = files.sheets.iter().map(|sheet| sheet.key.clone()).collect();
    if keys.is_empty() {
        return Ok(None);
    }
    let rows = store.find_workplan_rows(&keys, &[])?;
    let mut tied = rows.into_iter().filter(|row| row.link.is_some());
    Ok(tied.find_map(|row| row.repo))
}

/// Returns a name that is none of these.
fn unlike(name: String, others: &[RepoSlug]) -> String {
    let is_free = |name: &String| is_own(name, others);
    if is_free(&name) {
        return name;
    }
    let mut numbered = (2..).map(|number| format!("{name}-{number}"));
    numbered.find(is_free).unwrap_or(name)
}

/// Returns the name of the repository's directory; of a linked worktree, of the repository.
fn directory(root: &Path) -> String {
    let git = crate::git::Worktree::discover(root).filter(|git| git.root == *root);
    let name = git.and_then(|git| git.name());
    let name = name.or_else(|| Some(named_after(root)?.as_str().to_owned()));
    name.unwrap_or_else(|| "repository".to_owned())
}
