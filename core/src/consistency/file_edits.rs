//! Plans the edits of files: the bytes that change, and what undoes them.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::checkout_files::MAX_PLAN_BYTES;
use super::fix::{FixPlan, NodeId};
use super::plan_files::PlanCheckboxes;
use super::rules::Node;
use super::snapshot::CheckoutSnapshot;
use super::workplan_file::WorkplanFile;
use crate::fs::{WriteOutcome, replace_if_unchanged, sha256_hex};
use crate::model::WorkplanLink;
use crate::workplan::{ByteEdit, CONFLICT_PROBLEM, apply_edits, find_conflict};

/// Edits of one file, whose contents are known by their digests. In the undo log, `old` is what
/// the file held before the run, which is the new content of the edit that undoes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileEdit {
    /// Path from the root of the repository.
    pub(super) path: String,
    #[serde(rename = "new")]
    pub(super) old_digest: String,
    #[serde(rename = "old")]
    pub(super) new_digest: String,
    #[serde(rename = "back")]
    pub(super) edits: Vec<ByteEdit>,
}

impl FileEdit {
    /// Replaces a file whose content is `bytes`. A file that holds something else than the edits
    /// were made for stays as it is.
    pub(super) fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<WriteOutcome> {
        if sha256_hex(bytes) != self.old_digest {
            return Ok(WriteOutcome::ChangedMeanwhile);
        }
        let content = apply_edits(bytes, self.edits.clone());
        if sha256_hex(&content) != self.new_digest {
            return Ok(WriteOutcome::ChangedMeanwhile);
        }
        let written = replace_if_unchanged(path, &content, Some(bytes), MAX_PLAN_BYTES);
        written.map_err(io::Error::from)
    }
}

/// An edit of a file with the edit that undoes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlannedEdit {
    pub(super) edit: FileEdit,
    pub(super) undo: FileEdit,
    /// What changes, for the commit message: `id: old -> new`.
    pub(super) message_lines: Vec<String>,
}

impl PlannedEdit {
    /// Returns `None` when the edits change nothing.
    fn new(
        path: &str,
        old: &[u8],
        edits: Vec<ByteEdit>,
        message_lines: Vec<String>,
    ) -> Option<Self> {
        let new = apply_edits(old, edits.clone());
        if new == old {
            return None;
        }
        let (old_digest, new_digest) = (sha256_hex(old), sha256_hex(&new));
        let undo = FileEdit {
            path: path.to_owned(),
            old_digest: new_digest.clone(),
            new_digest: old_digest.clone(),
            edits: reverse_edits(old, &new, &edits),
        };
        let edit = FileEdit { path: path.to_owned(), old_digest, new_digest, edits };
        Some(Self { edit, undo, message_lines })
    }
}

/// Returns the edits of `new` that restore `old`.
fn reverse_edits(old: &[u8], new: &[u8], edits: &[ByteEdit]) -> Vec<ByteEdit> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut sorted: Vec<&ByteEdit> = edits.iter().collect();
    sorted.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut reversed = Vec::with_capacity(edits.len());
    let (mut new_end, mut old_end) = (0, 0);
    for edit in sorted {
        let start = new_end + edit.span.start.saturating_sub(old_end);
        new_end = start + edit.text.len();
        old_end = edit.span.end;
        reversed.push(ByteEdit {
            span: start..new_end,
            text: text(old.get(edit.span.clone()).unwrap_or_default()),
        });
    }
    if apply_edits(new, reversed.clone()) == old {
        return reversed;
    }
    // Some edits overlap or are past the end, so that not all of them were applied.
    vec![ByteEdit { span: 0..new.len(), text: text(old) }]
}

/// Plans the edits of all files, by path; an error says why a file cannot be edited.
pub(super) fn plan_file_edits<'s>(
    snapshot: &'s CheckoutSnapshot,
    fixes: &FixPlan,
    new_links: &[(NodeId, WorkplanLink)],
) -> BTreeMap<&'s str, Result<PlannedEdit, String>> {
    let statuses = fixes.write_statuses.iter().filter_map(|(id, status)| {
        let node = Node::find(snapshot, *id)?;
        let (task, word) = (node.task?, node.workplan.vocabulary.status_word(*status));
        let edit = node.workplan.build_status_edit(task, word)?;
        let line = format!("{}: {} -> {word}", node.key(), task.status_word);
        Some((node.workplan, edit, line))
    });
    let links = fixes.write_links.iter().chain(new_links);
    let links = links.filter_map(|(id, link)| {
        let node = Node::find(snapshot, *id)?;
        let edit = node.workplan.build_link_edit(node.task, link)?;
        Some((node.workplan, edit, format!("{}: unlinked -> {link}", node.key())))
    });
    let mut changes: BTreeMap<&str, (&WorkplanFile, Vec<ByteEdit>, Vec<String>)> = BTreeMap::new();
    for (workplan, edit, line) in statuses.chain(links) {
        let change = changes.entry(&workplan.path);
        let (_, file_edits, done) = change.or_insert((workplan, Vec::new(), Vec::new()));
        file_edits.push(edit);
        done.push(line);
    }
    let workplans = changes.into_iter().filter_map(|(path, (file, edits, lines))| {
        let edit = PlannedEdit::new(path, file.bytes()?, edits, lines)?;
        Some((path, Ok(edit)))
    });
    let plans = fixes.check_boxes.iter().filter_map(|number| {
        let plan = snapshot.plans.get(*number)?;
        Some((&*plan.path, plan_checkbox_edit(plan).transpose()?))
    });
    workplans.chain(plans).collect()
}

/// Plans the edit that checks the boxes of completed tasks.
fn plan_checkbox_edit(plan: &PlanCheckboxes) -> Result<Option<PlannedEdit>, String> {
    if let Some(line) = find_conflict(&plan.text) {
        let problem = format!("line {line}, column 1: {CONFLICT_PROBLEM}");
        return Err(format!("it cannot be read completely ({problem})"));
    }
    let line = |id| format!("{}/{id}: [ ] -> [x]", plan.plan);
    let lines = plan.checkboxes.edited_tasks().map(line).collect();
    let edits = plan
        .checkboxes
        .edits
        .iter()
        .map(|edit| ByteEdit { span: edit.range.clone(), text: edit.replacement.clone() });
    Ok(PlannedEdit::new(&plan.path, plan.text.as_bytes(), edits.collect(), lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_undone_byte_for_byte() {
        let edit =
            |span: std::ops::Range<usize>, text: &str| ByteEdit { span, text: text.to_owned() };
        let old = "a\u{e9}bc\r\nd".as_bytes();
        for edits in [
            vec![],
            vec![edit(0..1, "xyz")],
            vec![edit(5..5, "l: 1\r\n"), edit(0..3, "")],
            vec![edit(3..4, "long"), edit(4..4, "+"), edit(7..8, "")],
            // One overlaps another, and one is past the end.
            vec![edit(0..4, "x"), edit(3..5, "y"), edit(90..91, "z")],
        ] {
            let new = apply_edits(old, edits.clone());
            let undo = reverse_edits(old, &new, &edits);
            assert_eq!(apply_edits(&new, undo), old, "{edits:?}");
        }
    }

    #[test]
    fn edits_that_change_nothing_are_not_planned() {
        let edit = ByteEdit { span: 0..1, text: "a".to_owned() };
        assert!(PlannedEdit::new("p", b"abc", vec![edit], Vec::new()).is_none());
    }
}
