//! Edits of a file that was read: each changes the bytes of one value, or adds one line.

use std::ops::Range;

use super::mapping::{Insertion, Mapping};
use super::scalar::{Style, written};
use super::{FrontMatter, Key, TaskBlock};

/// Bytes of a file, and what they become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The bytes; none where something is added.
    pub span: Range<usize>,
    /// What they become.
    pub text: String,
}

impl TaskBlock {
    /// Changes the status, in the quotes it has. There is no edit where the block has no
    /// status, or where it is this one.
    pub fn set_status(&self, word: &str) -> Option<Edit> {
        let status = self.mapping.scalar(Key::Status)?;
        (&*status.text != word).then(|| replaced(status.span(), word, status.style))
    }

    /// Links a block that is not linked, of this file, to a row. There is no edit where
    /// something already stands there.
    pub fn set_link(&self, file: &[u8], id: &str) -> Option<Edit> {
        let mapping = &self.mapping;
        let line = mapping.last.unwrap_or(mapping.end);
        link(mapping, file, "state_hub_task_id", id, line)
    }
}

impl FrontMatter {
    /// Links a workplan that is not linked, of this file, to a row. There is no edit where
    /// something already stands there.
    pub fn set_link(&self, file: &[u8], id: &str) -> Option<Edit> {
        let end = self.mapping.end;
        link(&self.mapping, file, "state_hub_workstream_id", id, end)
    }
}

fn link(mapping: &Mapping, file: &[u8], name: &str, id: &str, line: Insertion) -> Option<Edit> {
    if let Some(link) = mapping.scalar(Key::Link) {
        let edit = || replaced(link.span(), id, Style::Double);
        return link.is_empty().then(edit);
    }
    if mapping.has(Key::Link) {
        // What stands there was not understood, and may be a link.
        return None;
    }
    let at = line.at as usize;
    let is_crlf = file.get(..at).is_some_and(|lines| lines.ends_with(b"\r\n"));
    let indent = file.get(line.indent.range()).unwrap_or_default();
    Some(Edit {
        span: at..at,
        text: format!(
            "{}{name}: {}{}",
            String::from_utf8_lossy(indent),
            written(id, Style::Double),
            if is_crlf { "\r\n" } else { "\n" }
        ),
    })
}

/// Replaces a value. Where nothing stands, a blank has to part it from the colon.
fn replaced(span: Range<usize>, text: &str, style: Style) -> Edit {
    let gap = if span.is_empty() { " " } else { "" };
    let text = format!("{gap}{}", written(text, style));
    Edit { span, text }
}

/// Applies edits of a file to its bytes; without edits they come back as they are. Of edits
/// that overlap the one that begins first counts, and one beyond the end of the file does not.
pub fn apply(bytes: &[u8], mut edits: Vec<Edit>) -> Vec<u8> {
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let added: usize = edits.iter().map(|edit| edit.text.len()).sum();
    let mut out = Vec::with_capacity(bytes.len() + added);
    let mut at = 0;
    for edit in edits {
        let kept = bytes.get(at..edit.span.start);
        let Some(kept) = kept.filter(|_| bytes.get(edit.span.clone()).is_some()) else {
            continue;
        };
        out.extend_from_slice(kept);
        out.extend_from_slice(edit.text.as_bytes());
        at = edit.span.end;
    }
    out.extend_from_slice(bytes.get(at..).unwrap_or_default());
    out
}
