//! Carrying deeds out in files: the bytes concerned, one commit of these files alone, and the
//! push that publishes it.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::assessment::{CheckoutSnapshot, FixPlan, NodeId};
use super::checkout_files::{MAX_PLAN_BYTES, MAX_WORKPLAN_BYTES, file_mode};
use super::file_edits::{FileEdit, WritePlan, content_digest};
use super::finding::{redacted_error, redacted_line};
use super::git_preflight::{COMMIT_SUBJECT, GitPreflight};
use super::undo_log;
use crate::fs::{FileReplacement, WriteOutcome, is_symlink, read_bytes};
use crate::git::{GitError, Repository, Worktree};
use crate::model::WorkplanLink;
use crate::text::visible_line;
use crate::workplan::{ByteEdit, apply_edits};

/// How long a commit may take, with the user's hooks.
const COMMIT_TIMEOUT: Duration = Duration::from_mins(2);

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct WritebackOutcome {
    /// The files of the commit.
    pub(super) written: Vec<String>,
    /// The commit.
    pub(super) commit: Option<String>,
    /// Whether the remote has it.
    pub(super) pushed: bool,
    /// What the user is to know of it, a line each.
    pub(super) notes: Vec<String>,
    /// What was left as it is, and why, a line each.
    pub(super) skipped: Vec<String>,
    /// Whether a file is neither committed nor as it was.
    pub(super) has_unrestored_file: bool,
}

/// Where files are written, and where it is recorded that they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct WritebackPaths<'a> {
    pub(super) root: &'a Path,
    pub(super) undo_log: &'a Path,
    /// What the git that commits keeps locked.
    pub(super) git_lock: &'a Path,
}

/// Writes into files what the database knows better.
pub(super) fn write_back(
    reading: &CheckoutSnapshot,
    places: WritebackPaths<'_>,
    deeds: &FixPlan,
    links: &[(NodeId, WorkplanLink)],
    preflight: &mut GitPreflight,
) -> WritebackOutcome {
    let mut outcome = WritebackOutcome::default();
    let intent = WritePlan::from_fixes(reading, deeds, links);
    if intent.is_empty() {
        return outcome;
    }
    let mut nothing = |reason: &str| {
        let text = format!("no files were written: {reason}");
        outcome.skipped.push(text);
    };
    if let Some(reason) = &preflight.file_obstacle {
        nothing(reason);
        return outcome;
    }
    let Some(repository) = preflight.repository.clone() else {
        return outcome;
    };
    let repository = repository.with_commit_lock(places.git_lock.to_owned());
    let dirty = find_uncommitted(&repository, intent.paths());
    let dirty = dirty.and_then(|dirty| Ok((dirty, find_hidden(&repository, intent.paths())?)));
    let (dirty, hidden) = match dirty {
        Ok(found) => found,
        Err(reason) => {
            nothing(&reason);
            return outcome;
        }
    };
    let mut drafts = Vec::new();
    for path in intent.paths() {
        let drafted = match hidden.get(path).or_else(|| dirty.get(path)) {
            Some(reason) => Err(reason.clone()),
            None if is_in_nested_repository(places.root, path) => {
                Err("it belongs to a nested repository".to_owned())
            }
            None => intent.build_file_edit(places.root, path),
        };
        match drafted {
            Ok(draft) => drafts.extend(draft),
            Err(reason) => outcome.skipped.push(describe_not_written(path, &reason)),
        }
    }
    if drafts.is_empty() {
        return outcome;
    }
    if let Err(error) = undo_log::record_edits(places.undo_log, &drafts) {
        let reason = format!("{}: {error}", places.undo_log.display());
        outcome
            .skipped
            .push(format!("no files were written: {reason}"));
        return outcome;
    }
    replace_and_commit(&repository, places, drafts, &mut outcome);
    if let Some(commit) = &outcome.commit {
        match preflight.publish_commit(&reading.repo, commit) {
            Ok(()) => outcome.pushed = true,
            Err(reason) => outcome.skipped.push(reason),
        }
    }
    outcome
}

pub(super) fn describe_not_written(path: &str, reason: &str) -> String {
    format!("{path} was not written: {reason}")
}

/// Returns which of these files have changes that no commit has, and how that is said.
pub(super) fn find_uncommitted<'p>(
    repository: &Repository,
    paths: impl Iterator<Item = &'p str>,
) -> Result<BTreeMap<String, String>, String> {
    const CHANGED: &str = "it has uncommitted changes or is not in the repository";
    query_per_folder(paths, |place| {
        let dirty = repository.list_uncommitted(place)?.into_iter();
        Ok(dirty.map(|path| (path, CHANGED.to_owned())).collect())
    })
}

/// Returns which of these files git was told not to look at, and how that is said: what the user
/// changes there is the user's, and a commit of it would publish that, or fail for ever.
fn find_hidden<'p>(
    repository: &Repository,
    paths: impl Iterator<Item = &'p str>,
) -> Result<BTreeMap<String, String>, String> {
    query_per_folder(paths, |place| {
        let hidden = repository.list_hidden(place)?.into_iter();
        let marked = hidden.map(|(path, mark)| {
            let reason = format!(
                "git is configured to ignore its changes ({})",
                mark.as_str()
            );
            (path, reason)
        });
        Ok(marked.collect())
    })
}

/// Tells whether a file belongs to another repository within this one, such as a submodule: no
/// commit of this one takes it, and to git it looks as if nothing had changed.
fn is_in_nested_repository(root: &Path, path: &str) -> bool {
    let place = root.join(path);
    let nearest = place.parent().and_then(Worktree::discover);
    nearest.is_some_and(|worktree| worktree.root != root)
}

/// Asks git about files: of the folder of workplans all at once, while plans lie anywhere.
fn query_per_folder<'p>(
    paths: impl Iterator<Item = &'p str>,
    ask: impl Fn(&str) -> Result<BTreeMap<String, String>, GitError>,
) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    let mut is_asked = false;
    for path in paths {
        let is_workplan = path.starts_with("workplans/");
        if is_workplan && is_asked {
            continue;
        }
        is_asked |= is_workplan;
        let place = if is_workplan { "workplans" } else { path };
        match ask(place) {
            Ok(told) => found.extend(told),
            Err(error) if is_workplan => return Err(redacted_error(&error)),
            Err(error) => {
                found.insert(path.to_owned(), redacted_error(&error));
            }
        }
    }
    Ok(found)
}

/// Replaces the files and commits them; what is not committed is put back.
fn replace_and_commit(
    repository: &Repository,
    places: WritebackPaths<'_>,
    drafts: Vec<FileEdit>,
    outcome: &mut WritebackOutcome,
) {
    let mut replaced: Vec<FileEdit> = Vec::with_capacity(drafts.len());
    for draft in drafts {
        match replace_file(places.root, &draft.path, &draft.old_digest, &draft.edits) {
            Ok(WriteOutcome::Replaced) => replaced.push(draft),
            Ok(_) => outcome.skipped.push(describe_not_written(
                &draft.path,
                "it was changed by another program",
            )),
            Err(error) => outcome
                .skipped
                .push(describe_not_written(&draft.path, &error.to_string())),
        }
    }
    let paths: Vec<String> = replaced.iter().map(|draft| draft.path.clone()).collect();
    if paths.is_empty() {
        return undo_log::delete_log(places.undo_log);
    }
    match repository.commit(&paths, &commit_message(&replaced), COMMIT_TIMEOUT) {
        Ok(commit) => {
            outcome
                .notes
                .extend(describe_added_files(&commit.extra_files));
            outcome.commit = Some(commit.id);
            outcome.written = paths;
            undo_log::delete_log(places.undo_log);
        }
        Err(error) => restore_uncommitted(
            repository,
            places,
            replaced,
            &redacted_error(&error),
            outcome,
        ),
    }
}

/// Puts files back whose commit failed.
fn restore_uncommitted(
    repository: &Repository,
    places: WritebackPaths<'_>,
    replaced: Vec<FileEdit>,
    reason: &str,
    outcome: &mut WritebackOutcome,
) {
    // A hook that runs after the commit may have been what failed.
    let paths = replaced.iter().map(|draft| draft.path.as_str());
    let dirty = match find_uncommitted(repository, paths) {
        Ok(dirty) => dirty,
        Err(problem) => {
            let text = format!("the state of the commit is unknown: {reason}; {problem}");
            return outcome.skipped.push(text);
        }
    };
    let (left, committed): (Vec<FileEdit>, Vec<FileEdit>) = replaced
        .into_iter()
        .partition(|draft| dirty.contains_key(&draft.path));
    for draft in &left {
        match restore_file(repository, places.root, draft) {
            Ok(None) => {}
            Ok(Some(kept)) => outcome.notes.push(format!(
                "{} was restored; the version changed by a hook is kept: git show {kept}",
                draft.path
            )),
            Err(reason) => {
                outcome.has_unrestored_file = true;
                outcome
                    .skipped
                    .push(format!("{} could not be restored: {reason}", draft.path));
            }
        }
    }
    if committed.is_empty() {
        outcome
            .skipped
            .push(format!("nothing was committed: {reason}"));
    } else {
        outcome.written = committed.into_iter().map(|draft| draft.path).collect();
        outcome
            .skipped
            .push(format!("committed, but not pushed: {reason}"));
    }
    if !outcome.has_unrestored_file {
        undo_log::delete_log(places.undo_log);
    }
}

/// Gives a file back what it held. Where a hook changed it before it refused, as formatters do,
/// that is kept beside it, by the id that is returned: somebody may have saved it meanwhile.
fn restore_file(
    repository: &Repository,
    root: &Path,
    draft: &FileEdit,
) -> Result<Option<String>, String> {
    match replace_file(root, &draft.path, &draft.new_digest, &draft.undo_edits) {
        Ok(WriteOutcome::Replaced) => Ok(None),
        Ok(_) => {
            let kept = repository.restore_file(&draft.path);
            kept.map(Some).map_err(|error| redacted_error(&error))
        }
        Err(error) => Err(error.to_string()),
    }
}

/// Says which files a hook of the user's put into the commit.
fn describe_added_files(others: &[String]) -> Option<String> {
    /// Most that are named.
    const NAMED: usize = 5;
    if others.is_empty() {
        return None;
    }
    let names: Vec<String> = others
        .iter()
        .take(NAMED)
        .map(|name| redacted_line(name))
        .collect();
    let more = match others.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!(
        "the commit also contains files added by a hook of this repository: {}{more}",
        names.join(", ")
    ))
}

/// Longest line of a commit's message, in characters.
const MAX_MESSAGE_LINE_CHARS: usize = 400;

/// Makes the message. It is of ASCII alone: which encoding the repository's commits have is its
/// own business.
fn commit_message(drafts: &[FileEdit]) -> String {
    let lines = drafts.iter().flat_map(|draft| &draft.message_lines);
    let lines: Vec<String> = lines
        .map(|line| format!("- {}", visible_line(line, MAX_MESSAGE_LINE_CHARS)))
        .collect();
    let text = format!(
        "{COMMIT_SUBJECT}\n\nUpdated by trueup check:\n{}\n",
        lines.join("\n")
    );
    let ascii = |c: char| match c {
        c if c.is_ascii() => c.to_string(),
        c => c.escape_unicode().to_string(),
    };
    text.chars().map(ascii).collect()
}

/// Changes a file that holds what this is the digest of.
fn replace_file(
    root: &Path,
    path: &str,
    old: &str,
    edits: &[ByteEdit],
) -> io::Result<WriteOutcome> {
    let place = root.join(path);
    if is_symlink(&place) {
        return Err(io::Error::other("a symlink, which is not followed"));
    }
    let largest = MAX_WORKPLAN_BYTES.max(MAX_PLAN_BYTES);
    let bytes = read_bytes(&place, largest, false)?;
    if content_digest(&bytes) != old {
        return Ok(WriteOutcome::ChangedMeanwhile);
    }
    let replacement = FileReplacement {
        path: &place,
        content: &apply_edits(&bytes, edits.to_vec()),
        mode: file_mode(&place),
        durable: true,
        exists: true,
    };
    replacement.apply(&|found| read_bytes(found, largest, false).is_ok_and(|found| found == bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_saved_meanwhile_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.md");
        let edits = [ByteEdit {
            span: 0..4,
            text: "done".to_owned(),
        }];
        let write = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let done =
                replace_file(folder.path(), "a.md", &content_digest(b"todo\n"), &edits).unwrap();
            (done, std::fs::read_to_string(&path).unwrap())
        };
        assert_eq!(
            write("todo\n"),
            (WriteOutcome::Replaced, "done\n".to_owned())
        );
        let saved = (WriteOutcome::ChangedMeanwhile, "todo!\n".to_owned());
        assert_eq!(write("todo!\n"), saved);
        std::fs::rename(&path, folder.path().join("b.md")).unwrap();
        std::os::unix::fs::symlink("b.md", &path).unwrap();
        assert!(replace_file(folder.path(), "a.md", &content_digest(b"todo!\n"), &edits).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
