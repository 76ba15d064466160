//! Applies fixes to files: edits them, commits exactly these files, and pushes the commit.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::checkout_files::MAX_PLAN_BYTES;
use super::file_edits::{FileEdit, PlannedEdit, plan_file_edits};
use super::finding::{redacted_error, redacted_line};
use super::fix::{FixPlan, NodeId};
use super::git_preflight::{COMMIT_SUBJECT, GitPreflight};
use super::plan_files::PlanCheckboxes;
use super::protected_files::{find_hidden, find_uncommitted, has_only_own_changes};
use super::report::CheckReport;
use super::snapshot::CheckoutSnapshot;
use super::undo_log;
use crate::fs::{WriteOutcome, is_symlink, read_bytes};
use crate::git::{Repository, Worktree};
use crate::model::WorkplanLink;
use crate::text::visible_line;

/// How long a commit may take, including the hooks of the user.
const COMMIT_TIMEOUT: Duration = Duration::from_mins(2);

/// Longest line of a commit message, in characters.
const MAX_MESSAGE_LINE_CHARS: usize = 400;

/// The files that a check may have changed.
#[derive(Debug, Default)]
pub(super) struct TouchedFiles {
    pub(super) paths: Vec<String>,
    /// Whether one of them is neither committed nor restored.
    pub(super) has_unrestored: bool,
}

/// Where files are written, and where it is recorded.
#[derive(Debug, Clone, Copy)]
pub(super) struct WritebackPaths<'a> {
    pub(super) root: &'a Path,
    pub(super) undo_log: &'a Path,
    /// Held by the git that commits.
    pub(super) git_lock: &'a Path,
}

/// Writes the fixes that concern files.
pub(super) fn write_back(
    snapshot: &CheckoutSnapshot,
    paths: WritebackPaths<'_>,
    fixes: &FixPlan,
    new_links: &[(NodeId, WorkplanLink)],
    preflight: &mut GitPreflight,
    report: &mut CheckReport,
) -> TouchedFiles {
    let planned = plan_file_edits(snapshot, fixes, new_links);
    if planned.is_empty() {
        return TouchedFiles::default();
    }
    let plans = &snapshot.plans;
    let touched =
        write_planned(planned, plans, paths, preflight, report).unwrap_or_else(|reason| {
            let text = format!("no files were written: {reason}");
            report.skipped.push(text);
            TouchedFiles::default()
        });
    if let Some(commit) = &report.commit {
        match preflight.publish_commit(&snapshot.repo, commit) {
            Ok(()) => report.pushed = true,
            Err(reason) => report.skipped.push(reason),
        }
    }
    touched
}

/// Writes planned edits, except those of files that are not to be touched. An error says why no
/// file was written.
fn write_planned(
    planned: BTreeMap<&str, Result<PlannedEdit, String>>,
    plans: &[PlanCheckboxes],
    paths: WritebackPaths<'_>,
    preflight: &GitPreflight,
    report: &mut CheckReport,
) -> Result<TouchedFiles, String> {
    if let Some(reason) = &preflight.file_obstacle {
        return Err(reason.clone());
    }
    let Some(repository) = preflight.repository.clone() else {
        return Ok(TouchedFiles::default());
    };
    let repository = repository.with_commit_lock(paths.git_lock.to_owned());
    let mut dirty = find_uncommitted(&repository, planned.keys().copied())?;
    dirty.retain(|path, _| {
        let plan = plans.iter().find(|plan| plan.path == *path);
        !plan.is_some_and(|plan| has_only_own_changes(&repository, plan))
    });
    let hidden = find_hidden(&repository, planned.keys().copied())?;
    let mut edits = Vec::new();
    for (path, edit) in planned {
        let edit = match hidden.get(path).or_else(|| dirty.get(path)) {
            Some(reason) => Err(reason.clone()),
            None if is_in_nested_repository(paths.root, path) => {
                Err("it belongs to a nested repository".to_owned())
            }
            None => edit,
        };
        match edit {
            Ok(edit) => edits.push(edit),
            Err(reason) => report.skipped.push(describe_not_written(path, &reason)),
        }
    }
    if edits.is_empty() {
        return Ok(TouchedFiles::default());
    }
    undo_log::record_edits(paths.undo_log, &edits)
        .map_err(|error| format!("{}: {error}", paths.undo_log.display()))?;
    Ok(replace_and_commit(&repository, paths, edits, report))
}

pub(super) fn describe_not_written(path: &str, reason: &str) -> String {
    format!("{path} was not written: {reason}")
}

/// Returns whether a file belongs to another repository inside this one, such as a submodule. No
/// commit of this repository takes it, and git shows no change of it.
fn is_in_nested_repository(root: &Path, path: &str) -> bool {
    let path = root.join(path);
    let nearest = path.parent().and_then(Worktree::discover);
    nearest.is_some_and(|worktree| worktree.root != root)
}

/// Replaces files and commits them; files that are not committed are restored.
fn replace_and_commit(
    repository: &Repository,
    paths: WritebackPaths<'_>,
    edits: Vec<PlannedEdit>,
    report: &mut CheckReport,
) -> TouchedFiles {
    let mut touched = TouchedFiles::default();
    let mut replaced: Vec<PlannedEdit> = Vec::with_capacity(edits.len());
    for planned in edits {
        let path = &planned.edit.path;
        touched.paths.push(path.clone());
        let reason = match replace_file(paths.root, &planned.edit) {
            Ok(WriteOutcome::Replaced) => {
                replaced.push(planned);
                continue;
            }
            Ok(_) => "it was changed by another program".to_owned(),
            Err(error) => error.to_string(),
        };
        report.skipped.push(describe_not_written(path, &reason));
    }
    let changed: Vec<String> = replaced.iter().map(|it| it.edit.path.clone()).collect();
    if changed.is_empty() {
        undo_log::delete_log(paths.undo_log);
        return touched;
    }
    match repository.commit(&changed, &commit_message(&replaced), COMMIT_TIMEOUT) {
        Ok(commit) => {
            report.notes.extend(describe_added_files(&commit.extra_files));
            report.commit = Some(commit.id);
            report.written_files = changed;
            undo_log::delete_log(paths.undo_log);
        }
        Err(error) => {
            let reason = redacted_error(&error);
            touched.has_unrestored =
                !restore_uncommitted(repository, paths, replaced, &reason, report);
        }
    }
    touched
}

/// Restores files whose commit failed; returns whether each is restored or committed.
fn restore_uncommitted(
    repository: &Repository,
    paths: WritebackPaths<'_>,
    replaced: Vec<PlannedEdit>,
    reason: &str,
    report: &mut CheckReport,
) -> bool {
    // The commit may exist: a hook that runs after it may be what failed.
    let changed = replaced.iter().map(|it| it.edit.path.as_str());
    let dirty = match find_uncommitted(repository, changed) {
        Ok(dirty) => dirty,
        Err(problem) => {
            let text = format!("the state of the commit is unknown: {reason}; {problem}");
            report.skipped.push(text);
            return true;
        }
    };
    let mut is_restored = true;
    let mut committed = Vec::new();
    for PlannedEdit { undo, .. } in replaced {
        let path = &undo.path;
        if !dirty.contains_key(path) {
            committed.push(undo.path);
            continue;
        }
        match restore_file(repository, paths.root, &undo) {
            Ok(None) => {}
            Ok(Some(kept)) => report.notes.push(format!(
                "{path} was restored; the version changed by a hook is kept: git show {kept}"
            )),
            Err(reason) => {
                is_restored = false;
                report.skipped.push(format!("{path} could not be restored: {reason}"));
            }
        }
    }
    report.skipped.push(if committed.is_empty() {
        format!("nothing was committed: {reason}")
    } else {
        format!("committed, but not pushed: {reason}")
    });
    report.written_files = committed;
    if is_restored {
        undo_log::delete_log(paths.undo_log);
    }
    is_restored
}

/// Restores a file. Where a hook changed it before it refused the commit, as formatters do, git
/// keeps that version, because somebody may have saved it meanwhile; its id is returned.
fn restore_file(
    repository: &Repository,
    root: &Path,
    undo: &FileEdit,
) -> Result<Option<String>, String> {
    match replace_file(root, undo) {
        Ok(WriteOutcome::Replaced) => Ok(None),
        Ok(_) => {
            let kept = repository.restore_file(&undo.path);
            kept.map(Some).map_err(|error| redacted_error(&error))
        }
        Err(error) => Err(error.to_string()),
    }
}

/// Says which files a hook of the user added to the commit.
fn describe_added_files(others: &[String]) -> Option<String> {
    /// Most files that are named.
    const MAX_NAMED: usize = 5;
    if others.is_empty() {
        return None;
    }
    let first = others.iter().take(MAX_NAMED);
    let names: Vec<String> = first.map(|name| redacted_line(name)).collect();
    let more = match others.len().saturating_sub(MAX_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!(
        "the commit also contains files added by a hook of this repository: {}{more}",
        names.join(", ")
    ))
}

/// Renders the commit message. It is pure ASCII, because repositories differ in the encoding of
/// their commits.
fn commit_message(edits: &[PlannedEdit]) -> String {
    let lines = edits.iter().flat_map(|planned| &planned.message_lines);
    let lines: Vec<String> =
        lines.map(|line| format!("- {}", visible_line(line, MAX_MESSAGE_LINE_CHARS))).collect();
    let text = format!("{COMMIT_SUBJECT}\n\nUpdated by trueup check:\n{}\n", lines.join("\n"));
    let ascii = |c: char| match c {
        c if c.is_ascii() => c.to_string(),
        c => c.escape_unicode().to_string(),
    };
    text.chars().map(ascii).collect()
}

fn replace_file(root: &Path, edit: &FileEdit) -> io::Result<WriteOutcome> {
    let path = root.join(&edit.path);
    if is_symlink(&path) {
        return Err(io::Error::other("a symlink, which is not followed"));
    }
    edit.replace(&path, &read_bytes(&path, MAX_PLAN_BYTES, false)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::sha256_hex;
    use crate::workplan::ByteEdit;

    #[test]
    fn an_edit_saved_meanwhile_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.md");
        let edit = |old: &str, new: &str| FileEdit {
            path: "a.md".to_owned(),
            old_digest: sha256_hex(old.as_bytes()),
            new_digest: sha256_hex(new.as_bytes()),
            edits: vec![ByteEdit { span: 0..4, text: "done".to_owned() }],
        };
        let write = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let written = replace_file(dir.path(), &edit("todo\n", "done\n")).unwrap();
            (written, std::fs::read_to_string(&path).unwrap())
        };
        assert_eq!(write("todo\n"), (WriteOutcome::Replaced, "done\n".to_owned()));
        let saved = (WriteOutcome::ChangedMeanwhile, "todo!\n".to_owned());
        assert_eq!(write("todo!\n"), saved);
        std::fs::rename(&path, dir.path().join("b.md")).unwrap();
        std::os::unix::fs::symlink("b.md", &path).unwrap();
        assert!(replace_file(dir.path(), &edit("todo!\n", "done!\n")).is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
