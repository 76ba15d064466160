//! What is to be written into files: the bytes concerned, made from what the files hold now.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use super::assessment::{CheckoutSnapshot, FixPlan, NodeId};
use super::checkout_files::MAX_WORKPLAN_BYTES;
use super::ids;
use super::row_updates::find_node;
use super::workplan_file::{ParseProblem, WorkplanFile};
use crate::fs::{read_bytes, sha256_hex};
use crate::model::{ItemKey, WorkplanLink, WorkplanTaskStatus};
use crate::workplan::{
    ByteEdit, CONFLICT_PROBLEM, Problem, Scalar, TextPosition, Workplan, apply_edits,
    find_conflict, parse_workplan,
};

/// A file and what becomes of it. Its content is not kept: the first run in a large repository
/// changes thousands of files.
#[derive(Debug)]
pub(super) struct FileEdit {
    pub(super) path: String,
    /// Digest of what it holds.
    pub(super) old_digest: String,
    /// Digest of what it will hold.
    pub(super) new_digest: String,
    pub(super) edits: Vec<ByteEdit>,
    /// Edits of what it will hold that make it what it was.
    pub(super) undo_edits: Vec<ByteEdit>,
    /// What changes, for the message: `id: old -> new`.
    pub(super) message_lines: Vec<String>,
}

impl FileEdit {
    fn from_edits(
        path: &str,
        old: &[u8],
        edits: Vec<ByteEdit>,
        lines: Vec<String>,
    ) -> Option<Self> {
        let new = apply_edits(old, edits.clone());
        if new == old {
            return None;
        }
        let back = reverse_edits(old, &new, &edits);
        Some(Self {
            path: path.to_owned(),
            old_digest: content_digest(old),
            new_digest: content_digest(&new),
            edits,
            undo_edits: back,
            message_lines: lines,
        })
    }
}

pub(super) fn content_digest(bytes: &[u8]) -> String {
    sha256_hex(bytes)
}

/// Returns the edits that undo edits.
fn reverse_edits(old: &[u8], new: &[u8], edits: &[ByteEdit]) -> Vec<ByteEdit> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut sorted: Vec<&ByteEdit> = edits.iter().collect();
    sorted.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let (mut back, mut at, mut done) = (Vec::with_capacity(edits.len()), 0, 0);
    for edit in sorted {
        let start = at + edit.span.start.saturating_sub(done);
        at = start + edit.text.len();
        done = edit.span.end;
        back.push(ByteEdit {
            span: start..at,
            text: text(old.get(edit.span.clone()).unwrap_or_default()),
        });
    }
    if apply_edits(new, back.clone()) == old {
        return back;
    }
    // Edits that were not all carried out.
    vec![ByteEdit {
        span: 0..new.len(),
        text: text(old),
    }]
}

/// What is to be written into a workplan.
enum ValueChange {
    Status(WorkplanTaskStatus),
    Link(WorkplanLink),
}

/// What a file is to be changed by.
enum FileChanges<'r> {
    Workplan(Vec<(NodeId, ValueChange)>),
    /// The plan, by its place in the reading.
    Plan(&'r super::PlanCheckboxes),
}

/// What is to be written, by file.
pub(super) struct WritePlan<'r> {
    reading: &'r CheckoutSnapshot,
    files: BTreeMap<&'r str, FileChanges<'r>>,
}

impl<'r> WritePlan<'r> {
    pub(super) fn from_fixes(
        reading: &'r CheckoutSnapshot,
        deeds: &FixPlan,
        links: &[(NodeId, WorkplanLink)],
    ) -> Self {
        let statuses = deeds
            .write_statuses
            .iter()
            .map(|(spot, status)| (*spot, ValueChange::Status(*status)));
        let links = deeds.inject_links.iter().chain(links);
        let links = links.map(|(spot, link)| (*spot, ValueChange::Link(link.clone())));
        let mut files: BTreeMap<&str, FileChanges<'_>> = BTreeMap::new();
        for (spot, deed) in statuses.chain(links) {
            let Some(sheet) = reading.workplans.get(spot.workplan) else {
                continue;
            };
            let changes = files.entry(&sheet.path);
            if let FileChanges::Workplan(deeds) =
                changes.or_insert(FileChanges::Workplan(Vec::new()))
            {
                deeds.push((spot, deed));
            }
        }
        for plan in deeds
            .check_boxes
            .iter()
            .filter_map(|at| reading.plans.get(*at))
        {
            files.entry(&plan.path).or_insert(FileChanges::Plan(plan));
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
    pub(super) fn build_file_edit(
        &self,
        root: &Path,
        path: &str,
    ) -> Result<Option<FileEdit>, String> {
        match self.files.get(path) {
            None => Ok(None),
            Some(FileChanges::Plan(plan)) => {
                if let Some(line) = find_conflict(&plan.text) {
                    let place = TextPosition { line, column: 1 };
                    return Err(describe_unreadable(&Problem {
                        place,
                        text: CONFLICT_PROBLEM.to_owned(),
                    }));
                }
                let id = |id| format!("{}/{id}: [ ] -> [x]", plan.plan);
                let lines = plan.checkboxes.edited_tasks().map(id).collect();
                let edits = plan.checkboxes.edits.iter().map(|edit| ByteEdit {
                    span: edit.range.clone(),
                    text: edit.replacement.clone(),
                });
                Ok(FileEdit::from_edits(
                    path,
                    plan.text.as_bytes(),
                    edits.collect(),
                    lines,
                ))
            }
            Some(FileChanges::Workplan(deeds)) => self.build_workplan_edit(root, path, deeds),
        }
    }

    /// Makes the draft of a workplan, from what it holds now: it may have changed since it was
    /// read, and then what is not as it was is left to the next run.
    fn build_workplan_edit(
        &self,
        root: &Path,
        path: &str,
        deeds: &[(NodeId, ValueChange)],
    ) -> Result<Option<FileEdit>, String> {
        let old =
            read_bytes(&root.join(path), MAX_WORKPLAN_BYTES, false).map_err(|e| e.to_string())?;
        let workplan = parse_workplan(&old).map_err(|problem| describe_unreadable(&problem))?;
        if let Some(problem) = find_first_problem(path, &workplan) {
            return Err(describe_unreadable(&problem));
        }
        let blocks = workplan.tasks.iter().enumerate();
        let blocks: BTreeMap<_, _> = blocks.map(|(at, block)| (block.place, at)).collect();
        let (mut edits, mut lines) = (Vec::new(), Vec::new());
        for (spot, deed) in deeds {
            let at =
                find_node(self.reading, *spot).and_then(|unit| blocks.get(&unit.place()).copied());
            if let Some((edit, line)) = self.build_change_edit(&old, &workplan, at, *spot, deed) {
                edits.push(edit);
                lines.push(line);
            }
        }
        Ok(FileEdit::from_edits(path, &old, edits, lines))
    }

    fn build_change_edit(
        &self,
        old: &[u8],
        workplan: &Workplan,
        at: Option<usize>,
        spot: NodeId,
        deed: &ValueChange,
    ) -> Option<(ByteEdit, String)> {
        let unit = find_node(self.reading, spot)?;
        let key = unit.key();
        let is_own = |id: Option<&Scalar>, read: fn(&str, &ItemKey) -> Option<ItemKey>| {
            id.and_then(|id| read(&id.text, &unit.workplan.key))
                .as_ref()
                == Some(key)
        };
        let is_plan = is_own(workplan.front.id(), |id, _| ids::parse_workplan_id(id).ok());
        let Some(entry) = unit.task else {
            let ValueChange::Link(link) = deed else {
                return None;
            };
            let edit = workplan
                .front
                .build_link_edit(old, link.as_str())
                .filter(|_| is_plan)?;
            return Some((edit, format!("{key}: unlinked -> {link}")));
        };
        // The block at the same place, if it is still the one that was read.
        let block = workplan.tasks.get(at?)?;
        if !is_own(block.id(), |id, plan| ids::parse_task_id(id, plan).ok()) {
            return None;
        }
        match deed {
            ValueChange::Link(link) => {
                let edit = block.build_link_edit(old, link.as_str())?;
                Some((edit, format!("{key}: unlinked -> {link}")))
            }
            ValueChange::Status(status) => {
                let found = block
                    .status()
                    .filter(|found| found.text == entry.status_word)?;
                let word = unit.workplan.vocabulary.status_word(*status);
                let line = format!("{key}: {} -> {word}", found.text);
                Some((block.build_status_edit(word)?, line))
            }
        }
    }
}

/// Returns the first thing of a workplan that could not be read.
///
/// A file of which one part means nothing may mean something else in all that follows: the end
/// of a block that was forgotten makes text of tasks and tasks of text.
fn find_first_problem(path: &str, workplan: &Workplan) -> Option<Problem> {
    let (sheet, troubles) = WorkplanFile::from_workplan(path, workplan);
    if let Some(ParseProblem { place, text, .. }) = troubles.into_iter().next() {
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

fn describe_unreadable(problem: &Problem) -> String {
    format!("it cannot be read completely ({problem})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_undone_byte_for_byte() {
        let edit = |span: std::ops::Range<usize>, text: &str| ByteEdit {
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
            let new = apply_edits(old, edits.clone());
            let back = reverse_edits(old, &new, &edits);
            assert_eq!(apply_edits(&new, back), old, "{edits:?}");
        }
    }

    #[test]
    fn what_changes_nothing_is_no_draft() {
        let edit = ByteEdit {
            span: 0..1,
            text: "a".to_owned(),
        };
        assert!(FileEdit::from_edits("p", b"abc", vec![edit], Vec::new()).is_none());
    }
}
