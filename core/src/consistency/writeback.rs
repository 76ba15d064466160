//! Carrying deeds out in files: the bytes concerned, one commit of these files alone, and the
//! push that publishes it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::time::Duration;

use super::assess::{Deeds, Reading, Spot};
use super::files::LARGEST;
use super::gate::{Gate, SUBJECT};
use super::rows::unit;
use crate::files::{Replacement, Written, is_symlink, read_bytes};
use crate::git::Repository;
use crate::model::{WorkplanLink, WorkplanTaskStatus};
use crate::workplan::{Edit, Workplan, apply, parse};

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
    /// What was left as it is, and why, a line each.
    pub(super) skipped: Vec<String>,
}

/// A file as it was and as it is to be.
struct Draft {
    path: String,
    old: Vec<u8>,
    new: Vec<u8>,
    /// What changes, for the message: `id: old -> new`.
    lines: Vec<String>,
}

/// What is to be written into a file.
enum Deed {
    Status(WorkplanTaskStatus),
    Link(WorkplanLink),
}

/// Writes into files what the database knows better.
pub(super) fn write(
    reading: &Reading,
    root: &Path,
    deeds: &Deeds,
    links: &[(Spot, WorkplanLink)],
    gate: &mut Gate,
) -> Outcome {
    let mut outcome = Outcome::default();
    let plan = by_file(reading, deeds, links);
    if plan.is_empty() {
        return outcome;
    }
    if let Some(reason) = &gate.no_files {
        outcome
            .skipped
            .push(format!("no file was written: {reason}"));
        return outcome;
    }
    let Some(repository) = gate.repository.clone() else {
        return outcome;
    };
    let dirty = match repository.uncommitted("workplans") {
        Ok(dirty) => dirty,
        Err(error) => {
            outcome
                .skipped
                .push(format!("no file was written: {error}"));
            return outcome;
        }
    };
    let drafts = drafts(reading, root, &plan, &dirty, &mut outcome.skipped);
    if let Some(commit) = commit(&repository, root, &drafts, &mut outcome.skipped) {
        outcome.written = drafts.into_iter().map(|draft| draft.path).collect();
        outcome.commit = Some(commit);
        outcome.pushed = gate.publish(&reading.repo);
    }
    outcome
}

/// Deeds by sheet, in the order of the files.
fn by_file(
    reading: &Reading,
    deeds: &Deeds,
    links: &[(Spot, WorkplanLink)],
) -> BTreeMap<usize, Vec<(Spot, Deed)>> {
    let statuses = deeds
        .write
        .iter()
        .map(|(spot, status)| (*spot, Deed::Status(*status)));
    let links = deeds.inject.iter().chain(links);
    let links = links.map(|(spot, link)| (*spot, Deed::Link(link.clone())));
    let mut plan: BTreeMap<usize, Vec<(Spot, Deed)>> = BTreeMap::new();
    for (spot, deed) in statuses.chain(links) {
        if unit(reading, spot).is_some() {
            plan.entry(spot.sheet).or_default().push((spot, deed));
        }
    }
    plan
}

/// Makes the new content of every file that may be written.
fn drafts(
    reading: &Reading,
    root: &Path,
    plan: &BTreeMap<usize, Vec<(Spot, Deed)>>,
    dirty: &BTreeSet<String>,
    skipped: &mut Vec<String>,
) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (sheet, deeds) in plan {
        let Some(sheet) = reading.sheets.get(*sheet) else {
            continue;
        };
        let path = &sheet.path;
        let drafted = if dirty.contains(path) {
            Err("it has uncommitted changes".to_owned())
        } else {
            draft(reading, root, path, deeds)
        };
        match drafted {
            Ok(draft) => drafts.extend(draft),
            Err(reason) => skipped.push(format!("{path} was not written: {reason}")),
        }
    }
    drafts
}

/// Makes the new content of a file, from what it holds now: it may have changed since it was
/// read, and then what is not as it was is left to the next run.
fn draft(
    reading: &Reading,
    root: &Path,
    path: &str,
    deeds: &[(Spot, Deed)],
) -> Result<Option<Draft>, String> {
    let old = read_bytes(&root.join(path), LARGEST, false).map_err(|e| e.to_string())?;
    let workplan = parse(&old).map_err(|problem| problem.to_string())?;
    let (mut edits, mut lines) = (Vec::new(), Vec::new());
    for (spot, deed) in deeds {
        let Some((edit, line)) = edit(reading, &old, &workplan, *spot, deed) else {
            continue;
        };
        edits.push(edit);
        lines.push(line);
    }
    let new = apply(&old, edits);
    let path = path.to_owned();
    Ok((new != old).then_some(Draft {
        path,
        old,
        new,
        lines,
    }))
}

fn edit(
    reading: &Reading,
    old: &[u8],
    workplan: &Workplan,
    spot: Spot,
    deed: &Deed,
) -> Option<(Edit, String)> {
    let unit = unit(reading, spot)?;
    let key = unit.key();
    let Some(entry) = unit.entry else {
        let Deed::Link(link) = deed else {
            return None;
        };
        let edit = workplan.front.set_link(old, link.as_str())?;
        return Some((edit, format!("{key}: unlinked -> {link}")));
    };
    // The block at the same place among those of the file, if it is still the one that was read.
    let block = workplan
        .tasks
        .iter()
        .find(|block| block.place == entry.place)?;
    match deed {
        Deed::Link(link) => {
            let edit = block.set_link(old, link.as_str())?;
            Some((edit, format!("{key}: unlinked -> {link}")))
        }
        Deed::Status(status) => {
            let found = block.status().filter(|found| found.text == entry.word)?;
            let word = unit.sheet.vocabulary.word(*status);
            let line = format!("{key}: {} -> {word}", found.text);
            Some((block.set_status(word)?, line))
        }
    }
}

/// Replaces the files and commits them; what is not committed is taken back.
fn commit(
    repository: &Repository,
    root: &Path,
    drafts: &[Draft],
    skipped: &mut Vec<String>,
) -> Option<String> {
    let mut placed: Vec<&Draft> = Vec::new();
    let mut failed = None;
    for draft in drafts {
        match replace(root, &draft.path, &draft.old, &draft.new) {
            Ok(Written::Yes) => placed.push(draft),
            Ok(_) => {
                let path = &draft.path;
                failed = Some(format!("{path} was saved by somebody else meanwhile"));
            }
            Err(error) => failed = Some(format!("{}: {error}", draft.path)),
        }
        if failed.is_some() {
            break;
        }
    }
    if drafts.is_empty() {
        return None;
    }
    let paths: Vec<String> = placed.iter().map(|draft| draft.path.clone()).collect();
    let done = if let Some(reason) = failed {
        Err(reason)
    } else {
        let made = repository.commit(&paths, &message(drafts), COMMIT);
        made.map_err(|error| error.to_string())
    };
    match done {
        Ok(commit) => Some(commit),
        Err(reason) => {
            skipped.push(format!("nothing was committed: {reason}"));
            for draft in placed {
                if !matches!(
                    replace(root, &draft.path, &draft.new, &draft.old),
                    Ok(Written::Yes)
                ) {
                    skipped.push(format!(
                        "{} could not be put back as it was; `git checkout -- {0}` does",
                        draft.path
                    ));
                }
            }
            None
        }
    }
}

fn message(drafts: &[Draft]) -> String {
    let lines = drafts.iter().flat_map(|draft| &draft.lines);
    let lines: Vec<String> = lines.map(|line| format!("- {line}")).collect();
    format!(
        "{SUBJECT}\n\nUpdated by trueup check:\n{}\n",
        lines.join("\n")
    )
}

/// Replaces a file that holds `old`.
fn replace(root: &Path, path: &str, old: &[u8], new: &[u8]) -> io::Result<Written> {
    let place = root.join(path);
    if is_symlink(&place) {
        return Err(io::Error::other("a symlink, which is not followed"));
    }
    let replacement = Replacement {
        path: &place,
        content: new,
        mode: mode(&place),
        durable: true,
        exists: true,
    };
    replacement
        .carry_out(&|found| read_bytes(found, LARGEST, false).is_ok_and(|bytes| bytes == old))
}

/// Returns the permission bits a file has.
#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    let data = std::fs::symlink_metadata(path);
    data.map_or(crate::files::PRIVATE, |data| data.mode() & 0o777)
}

#[cfg(not(unix))]
fn mode(_path: &Path) -> u32 {
    crate::files::PRIVATE
}
