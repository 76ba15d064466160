//! What is to be written into files: the bytes concerned, made from what the files hold now.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::assess::{Deeds, Reading, Spot};
use super::files::LARGEST;
use super::ids;
use super::rows::unit;
use super::sheet::{Sheet, Trouble};
use crate::files::read_bytes;
use crate::model::{ItemKey, WorkplanLink, WorkplanTaskStatus};
use crate::workplan::{
    CONFLICT, Edit, Place, Problem, Scalar, Workplan, apply, conflict_marker, parse,
};

/// A file and what becomes of it. Its content is not kept: the first run in a large repository
/// changes thousands of files.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) path: String,
    /// Digest of what it holds.
    pub(super) old: String,
    /// Digest of what it will hold.
    pub(super) new: String,
    pub(super) edits: Vec<Edit>,
    /// Edits of what it will hold that make it what it was.
    pub(super) back: Vec<Edit>,
    /// What changes, for the message: `id: old -> new`.
    pub(super) lines: Vec<String>,
}

impl Draft {
    fn of(path: &str, old: &[u8], edits: Vec<Edit>, lines: Vec<String>) -> Option<Self> {
        let new = apply(old, edits.clone());
        if new == old {
            return None;
        }
        let back = reversed(old, &new, &edits);
        Some(Self {
            path: path.to_owned(),
            old: digest(old),
            new: digest(&new),
            edits,
            back,
            lines,
        })
    }
}

pub(super) fn digest(bytes: &[u8]) -> String {
    crate::hex::hex(&Sha256::digest(bytes))
}

/// Returns the edits that undo edits.
fn reversed(old: &[u8], new: &[u8], edits: &[Edit]) -> Vec<Edit> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let (mut back, mut at, mut done) = (Vec::with_capacity(edits.len()), 0, 0);
    for edit in sorted {
        let start = at + edit.span.start.saturating_sub(done);
        at = start + edit.text.len();
        done = edit.span.end;
        back.push(Edit {
            span: start..at,
            text: text(old.get(edit.span.clone()).unwrap_or_default()),
        });
    }
    if apply(new, back.clone()) == old {
        return back;
    }
    // Edits that were not all carried out.
    vec![Edit {
        span: 0..new.len(),
        text: text(old),
    }]
}

/// What is to be written into a workplan.
enum Deed {
    Status(WorkplanTaskStatus),
    Link(WorkplanLink),
}

/// What a file is to be changed by.
enum Changes<'r> {
    Workplan(Vec<(Spot, Deed)>),
    /// The plan, by its place in the reading.
    Plan(&'r super::PlanSheet),
}

/// What is to be written, by file.
pub(super) struct Intent<'r> {
    reading: &'r Reading,
    files: BTreeMap<&'r str, Changes<'r>>,
}

impl<'r> Intent<'r> {
    pub(super) fn of(reading: &'r Reading, deeds: &Deeds, links: &[(Spot, WorkplanLink)]) -> Self {
        let statuses = deeds
            .write
            .iter()
            .map(|(spot, status)| (*spot, Deed::Status(*status)));
        let links = deeds.inject.iter().chain(links);
        let links = links.map(|(spot, link)| (*spot, Deed::Link(link.clone())));
        let mut files: BTreeMap<&str, Changes<'_>> = BTreeMap::new();
        for (spot, deed) in statuses.chain(links) {
            let Some(sheet) = reading.sheets.get(spot.sheet) else {
                continue;
            };
            let changes = files.entry(&sheet.path);
            if let Changes::Workplan(deeds) = changes.or_insert(Changes::Workplan(Vec::new())) {
                deeds.push((spot, deed));
            }
        }
        for plan in deeds.check.iter().filter_map(|at| reading.plans.get(*at)) {
            files.entry(&plan.path).or_insert(Changes::Plan(plan));
        }
        Self { reading, files }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &'r str> {
        self.files.keys().copied()
    }

    /// Makes the draft of a file; there is none where it says all that already.
    pub(super) fn draft(&self, root: &Path, path: &str) -> Result<Option<Draft>, String> {
        match self.files.get(path) {
            None => Ok(None),
            Some(Changes::Plan(plan)) => {
                if let Some(line) = conflict_marker(&plan.text) {
                    let place = Place { line, column: 1 };
                    return Err(unreadable(&Problem {
                        place,
                        text: CONFLICT.to_owned(),
                    }));
                }
                let id = |id| format!("{}/{id}: [ ] -> [x]", plan.plan);
                let lines = plan.boxes.edited().map(id).collect();
                let edits = plan.boxes.edits.iter().map(|edit| Edit {
                    span: edit.at.clone(),
                    text: edit.new.clone(),
                });
                Ok(Draft::of(
                    path,
                    plan.text.as_bytes(),
                    edits.collect(),
                    lines,
                ))
            }
            Some(Changes::Workplan(deeds)) => self.workplan(root, path, deeds),
        }
    }

    /// Makes the draft of a workplan, from what it holds now: it may have changed since it was
    /// read, and then what is not as it was is left to the next run.
    fn workplan(
        &self,
        root: &Path,
        path: &str,
        deeds: &[(Spot, Deed)],
    ) -> Result<Option<Draft>, String> {
        let old = read_bytes(&root.join(path), LARGEST, false).map_err(|e| e.to_string())?;
        let workplan = parse(&old).map_err(|problem| unreadable(&problem))?;
        if let Some(problem) = first_problem(path, &workplan) {
            return Err(unreadable(&problem));
        }
        let blocks = workplan.tasks.iter().enumerate();
        let blocks: BTreeMap<_, _> = blocks.map(|(at, block)| (block.place, at)).collect();
        let (mut edits, mut lines) = (Vec::new(), Vec::new());
        for (spot, deed) in deeds {
            let at = unit(self.reading, *spot).and_then(|unit| blocks.get(&unit.place()).copied());
            if let Some((edit, line)) = self.edit(&old, &workplan, at, *spot, deed) {
                edits.push(edit);
                lines.push(line);
            }
        }
        Ok(Draft::of(path, &old, edits, lines))
    }

    fn edit(
        &self,
        old: &[u8],
        workplan: &Workplan,
        at: Option<usize>,
        spot: Spot,
        deed: &Deed,
    ) -> Option<(Edit, String)> {
        let unit = unit(self.reading, spot)?;
        let key = unit.key();
        let is_own = |id: Option<&Scalar>, read: fn(&str, &ItemKey) -> Option<ItemKey>| {
            id.and_then(|id| read(&id.text, &unit.sheet.key)).as_ref() == Some(key)
        };
        let is_plan = is_own(workplan.front.id(), |id, _| ids::workplan(id).ok());
        let Some(entry) = unit.entry else {
            let Deed::Link(link) = deed else {
                return None;
            };
            let edit = workplan
                .front
                .set_link(old, link.as_str())
                .filter(|_| is_plan)?;
            return Some((edit, format!("{key}: unlinked -> {link}")));
        };
        // The block at the same place, if it is still the one that was read.
        let block = workplan.tasks.get(at?)?;
        if !is_own(block.id(), |id, plan| ids::task(id, plan).ok()) {
            return None;
        }
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
}

/// Returns the first thing of a workplan that could not be read.
///
/// A file of which one part means nothing may mean something else in all that follows: the end
/// of a block that was forgotten makes text of tasks and tasks of text.
fn first_problem(path: &str, workplan: &Workplan) -> Option<Problem> {
    let (sheet, troubles) = Sheet::of(path, workplan);
    if let Some(Trouble { place, text, .. }) = troubles.into_iter().next() {
        return Some(Problem { place, text });
    }
    let mut seen = HashSet::new();
    let tasks = sheet.into_iter().flat_map(|sheet| sheet.tasks);
    tasks
        .into_iter()
        .find(|task| !seen.insert(task.key.clone()))
        .map(|task| Problem {
            place: task.place,
            text: format!("duplicate id {}", task.key),
        })
}

fn unreadable(problem: &Problem) -> String {
    format!("it cannot be read completely ({problem})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_undone_byte_for_byte() {
        let edit = |span: std::ops::Range<usize>, text: &str| Edit {
            span,
            text: text.to_owned(),
        };
        let old = "a\u{e9}bc\r\nd".as_bytes();
        for edits in [
            vec![],
            vec![edit(0..1, "xyz")],
            vec![edit(5..5, "l: 1\r\n"), edit(0..3, "")],
            vec![edit(3..4, "long"), edit(4..4, "+"), edit(7..8, "")],
            // One in another's piece, and one behind the end.
            vec![edit(0..4, "x"), edit(3..5, "y"), edit(90..91, "z")],
        ] {
            let new = apply(old, edits.clone());
            let back = reversed(old, &new, &edits);
            assert_eq!(apply(&new, back), old, "{edits:?}");
        }
    }

    #[test]
    fn what_changes_nothing_is_no_draft() {
        let edit = Edit {
            span: 0..1,
            text: "a".to_owned(),
        };
        assert!(Draft::of("p", b"abc", vec![edit], Vec::new()).is_none());
    }
}
