//! Carrying deeds out in files: the bytes concerned, one commit of these files alone, and the
//! push that publishes it.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::assess::{Deeds, Reading, Spot};
use super::drafts::{Draft, Intent, digest};
use super::files::{LARGEST, LARGEST_PLAN, mode};
use super::finding::{shown, told};
use super::gate::{Gate, SUBJECT};
use super::unfinished;
use crate::files::{Replacement, Written, is_symlink, read_bytes};
use crate::git::{GitError, Repository, Worktree};
use crate::model::WorkplanLink;
use crate::text::visible_line;
use crate::workplan::{Edit, apply};

/// How long a commit may take, with the user's hooks.
const COMMIT: Duration = Duration::from_mins(2);

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Outcome {
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
    pub(super) is_half_done: bool,
}

/// Where files are written, and where it is recorded that they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places<'a> {
    pub(super) root: &'a Path,
    pub(super) record: &'a Path,
    /// What the git that commits keeps locked.
    pub(super) lock: &'a Path,
}

/// Writes into files what the database knows better.
pub(super) fn write(
    reading: &Reading,
    places: Places<'_>,
    deeds: &Deeds,
    links: &[(Spot, WorkplanLink)],
    gate: &mut Gate,
) -> Outcome {
    let mut outcome = Outcome::default();
    let intent = Intent::of(reading, deeds, links);
    if intent.is_empty() {
        return outcome;
    }
    let mut nothing = |reason: &str| {
        let text = format!("no files were written: {reason}");
        outcome.skipped.push(text);
    };
    if let Some(reason) = &gate.no_files {
        nothing(reason);
        return outcome;
    }
    let Some(repository) = gate.repository.clone() else {
        return outcome;
    };
    let repository = repository.locking(places.lock.to_owned());
    let dirty = uncommitted(&repository, intent.paths());
    let dirty = dirty.and_then(|dirty| Ok((dirty, hidden(&repository, intent.paths())?)));
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
            None if is_elsewhere(places.root, path) => {
                Err("it belongs to a nested repository".to_owned())
            }
            None => intent.draft(places.root, path),
        };
        match drafted {
            Ok(draft) => drafts.extend(draft),
            Err(reason) => outcome.skipped.push(not_written(path, &reason)),
        }
    }
    if drafts.is_empty() {
        return outcome;
    }
    if let Err(error) = unfinished::record(places.record, &drafts) {
        let reason = format!("{}: {error}", places.record.display());
        outcome
            .skipped
            .push(format!("no files were written: {reason}"));
        return outcome;
    }
    commit(&repository, places, drafts, &mut outcome);
    if let Some(commit) = &outcome.commit {
        match gate.publish(&reading.repo, commit) {
            Ok(()) => outcome.pushed = true,
            Err(reason) => outcome.skipped.push(reason),
        }
    }
    outcome
}

pub(super) fn not_written(path: &str, reason: &str) -> String {
    format!("{path} was not written: {reason}")
}

/// Returns which of these files have changes that no commit has, and how that is said.
pub(super) fn uncommitted<'p>(
    repository: &Repository,
    paths: impl Iterator<Item = &'p str>,
) -> Result<BTreeMap<String, String>, String> {
    const CHANGED: &str = "it has uncommitted changes or is not in the repository";
    ask_of_folders(paths, |place| {
        let dirty = repository.uncommitted(place)?.into_iter();
        Ok(dirty.map(|path| (path, CHANGED.to_owned())).collect())
    })
}

/// Returns which of these files git was told not to look at, and how that is said: what the user
/// changes there is the user's, and a commit of it would publish that, or fail for ever.
fn hidden<'p>(
    repository: &Repository,
    paths: impl Iterator<Item = &'p str>,
) -> Result<BTreeMap<String, String>, String> {
    ask_of_folders(paths, |place| {
        let hidden = repository.hidden(place)?.into_iter();
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
fn is_elsewhere(root: &Path, path: &str) -> bool {
    let place = root.join(path);
    let nearest = place.parent().and_then(Worktree::discover);
    nearest.is_some_and(|worktree| worktree.root != root)
}

/// Asks git about files: of the folder of workplans all at once, while plans lie anywhere.
fn ask_of_folders<'p>(
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
            Err(error) if is_workplan => return Err(told(&error)),
            Err(error) => {
                found.insert(path.to_owned(), told(&error));
            }
        }
    }
    Ok(found)
}

/// Replaces the files and commits them; what is not committed is put back.
fn commit(repository: &Repository, places: Places<'_>, drafts: Vec<Draft>, outcome: &mut Outcome) {
    let mut replaced: Vec<Draft> = Vec::with_capacity(drafts.len());
    for draft in drafts {
        match replace(places.root, &draft.path, &draft.old, &draft.edits) {
            Ok(Written::Yes) => replaced.push(draft),
            Ok(_) => outcome.skipped.push(not_written(
                &draft.path,
                "it was changed by another program",
            )),
            Err(error) => outcome
                .skipped
                .push(not_written(&draft.path, &error.to_string())),
        }
    }
    let paths: Vec<String> = replaced.iter().map(|draft| draft.path.clone()).collect();
    if paths.is_empty() {
        return unfinished::forget(places.record);
    }
    match repository.commit(&paths, &message(&replaced), COMMIT) {
        Ok(commit) => {
            outcome.notes.extend(added(&commit.others));
            outcome.commit = Some(commit.id);
            outcome.written = paths;
            unfinished::forget(places.record);
        }
        Err(error) => not_committed(repository, places, replaced, &told(&error), outcome),
    }
}

/// Puts files back whose commit failed.
fn not_committed(
    repository: &Repository,
    places: Places<'_>,
    replaced: Vec<Draft>,
    reason: &str,
    outcome: &mut Outcome,
) {
    // A hook that runs after the commit may have been what failed.
    let paths = replaced.iter().map(|draft| draft.path.as_str());
    let dirty = match uncommitted(repository, paths) {
        Ok(dirty) => dirty,
        Err(problem) => {
            let text = format!("the state of the commit is unknown: {reason}; {problem}");
            return outcome.skipped.push(text);
        }
    };
    let (left, committed): (Vec<Draft>, Vec<Draft>) = replaced
        .into_iter()
        .partition(|draft| dirty.contains_key(&draft.path));
    for draft in &left {
        match put_back(repository, places.root, draft) {
            Ok(None) => {}
            Ok(Some(kept)) => outcome.notes.push(format!(
                "{} was restored; the version changed by a hook is kept: git show {kept}",
                draft.path
            )),
            Err(reason) => {
                outcome.is_half_done = true;
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
    if !outcome.is_half_done {
        unfinished::forget(places.record);
    }
}

/// Gives a file back what it held. Where a hook changed it before it refused, as formatters do,
/// that is kept beside it, by the id that is returned: somebody may have saved it meanwhile.
fn put_back(repository: &Repository, root: &Path, draft: &Draft) -> Result<Option<String>, String> {
    match replace(root, &draft.path, &draft.new, &draft.back) {
        Ok(Written::Yes) => Ok(None),
        Ok(_) => {
            let kept = repository.restore(&draft.path);
            kept.map(Some).map_err(|error| told(&error))
        }
        Err(error) => Err(error.to_string()),
    }
}

/// Says which files a hook of the user's put into the commit.
fn added(others: &[String]) -> Option<String> {
    /// Most that are named.
    const NAMED: usize = 5;
    if others.is_empty() {
        return None;
    }
    let names: Vec<String> = others.iter().take(NAMED).map(|name| shown(name)).collect();
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
const LONGEST_LINE: usize = 400;

/// Makes the message. It is of ASCII alone: which encoding the repository's commits have is its
/// own business.
fn message(drafts: &[Draft]) -> String {
    let lines = drafts.iter().flat_map(|draft| &draft.lines);
    let lines: Vec<String> = lines
        .map(|line| format!("- {}", visible_line(line, LONGEST_LINE)))
        .collect();
    let text = format!(
        "{SUBJECT}\n\nUpdated by trueup check:\n{}\n",
        lines.join("\n")
    );
    let ascii = |c: char| match c {
        c if c.is_ascii() => c.to_string(),
        c => c.escape_unicode().to_string(),
    };
    text.chars().map(ascii).collect()
}

/// Changes a file that holds what this is the digest of.
fn replace(root: &Path, path: &str, old: &str, edits: &[Edit]) -> io::Result<Written> {
    let place = root.join(path);
    if is_symlink(&place) {
        return Err(io::Error::other("a symlink, which is not followed"));
    }
    let largest = LARGEST.max(LARGEST_PLAN);
    let bytes = read_bytes(&place, largest, false)?;
    if digest(&bytes) != old {
        return Ok(Written::ChangedMeanwhile);
    }
    let replacement = Replacement {
        path: &place,
        content: &apply(&bytes, edits.to_vec()),
        mode: mode(&place),
        durable: true,
        exists: true,
    };
    replacement
        .carry_out(&|found| read_bytes(found, largest, false).is_ok_and(|found| found == bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_saved_meanwhile_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.md");
        let edits = [Edit {
            span: 0..4,
            text: "done".to_owned(),
        }];
        let write = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let done = replace(folder.path(), "a.md", &digest(b"todo\n"), &edits).unwrap();
            (done, std::fs::read_to_string(&path).unwrap())
        };
        assert_eq!(write("todo\n"), (Written::Yes, "done\n".to_owned()));
        let saved = (Written::ChangedMeanwhile, "todo!\n".to_owned());
        assert_eq!(write("todo!\n"), saved);
        std::fs::rename(&path, folder.path().join("b.md")).unwrap();
        std::os::unix::fs::symlink("b.md", &path).unwrap();
        assert!(replace(folder.path(), "a.md", &digest(b"todo!\n"), &edits).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
