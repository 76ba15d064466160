//! Edits of a parsed file. Each changes the bytes of one value, or adds one line.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::mapping::{Insertion, Mapping};
use super::scalar::{ScalarStyle, format_scalar};
use super::{FrontMatter, Key, TaskBlock};

/// A replacement of bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(usize, usize, String)", into = "(usize, usize, String)")]
pub struct ByteEdit {
    /// The bytes that are replaced; an empty range inserts.
    pub span: Range<usize>,
    /// The new text.
    pub text: String,
}

impl From<(usize, usize, String)> for ByteEdit {
    fn from((start, end, text): (usize, usize, String)) -> Self {
        let span = start..end;
        Self { span, text }
    }
}

impl From<ByteEdit> for (usize, usize, String) {
    fn from(edit: ByteEdit) -> Self {
        (edit.span.start, edit.span.end, edit.text)
    }
}

impl TaskBlock {
    /// Builds the edit that changes the status and keeps its quotes. Returns `None` if there is no
    /// status, or if it is this one already.
    pub fn build_status_edit(&self, word: &str) -> Option<ByteEdit> {
        let status = self.mapping.scalar(Key::Status)?;
        (&*status.text != word).then(|| replace_scalar(status.span(), word, status.style))
    }

    /// Builds the edit that links the block to the row with this id. `file` is the content the
    /// block was parsed from. Returns `None` if a link, or something unreadable, is there already.
    pub fn build_link_edit(&self, file: &[u8], id: &str) -> Option<ByteEdit> {
        let mapping = &self.mapping;
        let line = mapping.last.unwrap_or(mapping.end);
        build_link_edit(mapping, file, "state_hub_task_id", id, line)
    }
}

impl FrontMatter {
    /// Builds the edit that links the workplan to the row with this id. `file` is the content it
    /// was parsed from. Returns `None` if a link, or something unreadable, is there already.
    pub fn build_link_edit(&self, file: &[u8], id: &str) -> Option<ByteEdit> {
        let end = self.mapping.end;
        build_link_edit(&self.mapping, file, "state_hub_workstream_id", id, end)
    }
}

fn build_link_edit(
    mapping: &Mapping,
    file: &[u8],
    name: &str,
    id: &str,
    line: Insertion,
) -> Option<ByteEdit> {
    if let Some(link) = mapping.scalar(Key::Link) {
        let edit = || replace_scalar(link.span(), id, ScalarStyle::Double);
        return link.is_empty().then(edit);
    }
    if mapping.has_key(Key::Link) {
        // The value could not be parsed and may be a link.
        return None;
    }
    let at = line.at as usize;
    let is_crlf = file.get(..at).is_some_and(|lines| lines.ends_with(b"\r\n"));
    let indent = file.get(line.indent.range()).unwrap_or_default();
    Some(ByteEdit {
        span: at..at,
        text: format!(
            "{}{name}: {}{}",
            String::from_utf8_lossy(indent),
            format_scalar(id, ScalarStyle::Double),
            if is_crlf { "\r\n" } else { "\n" }
        ),
    })
}

/// Replaces a value. An empty one needs a blank between it and the colon.
fn replace_scalar(span: Range<usize>, text: &str, style: ScalarStyle) -> ByteEdit {
    let gap = if span.is_empty() { " " } else { "" };
    let text = format!("{gap}{}", format_scalar(text, style));
    ByteEdit { span, text }
}

/// Applies edits to the bytes of a file. Of overlapping edits only the first one counts; edits
/// beyond the end of the file are ignored.
pub fn apply_edits(bytes: &[u8], mut edits: Vec<ByteEdit>) -> Vec<u8> {
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
