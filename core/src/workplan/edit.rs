//! Edits of a file that was read: each changes the bytes of one value, or adds one line.

use std::ops::Range;

use super::mapping::{Insertion, Mapping};
use super::scalar::{ScalarStyle, format_scalar};
use super::{FrontMatter, Key, TaskBlock};

/// Bytes of a file, and what they become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByteEdit {
    /// The bytes; none where something is added.
    pub span: Range<usize>,
    /// What they become.
    pub text: String,
}

impl TaskBlock {
    /// Changes the status, in the quotes it has. There is no edit where the block has no
    /// status, or where it is this one.
    pub fn build_status_edit(&self, word: &str) -> Option<ByteEdit> {
        let status = self.mapping.scalar(Key::Status)?;
        (&*status.text != word).then(|| replace_scalar(status.span(), word, status.style))
    }

    /// Links a block that is not linked, of this file, to a row. There is no edit where
    /// something already stands there.
    pub fn build_link_edit(&self, file: &[u8], id: &str) -> Option<ByteEdit> {
        let mapping = &self.mapping;
        let line = mapping.last.unwrap_or(mapping.end);
        build_link_edit(mapping, file, "state_hub_task_id", id, line)
    }
}

impl FrontMatter {
    /// Links a workplan that is not linked, of this file, to a row. There is no edit where
    /// something already stands there.
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
        // What stands there was not understood, and may be a link.
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

/// Replaces a value. Where nothing stands, a blank has to part it from the colon.
fn replace_scalar(span: Range<usize>, text: &str, style: ScalarStyle) -> ByteEdit {
    let gap = if span.is_empty() { " " } else { "" };
    let text = format!("{gap}{}", format_scalar(text, style));
    ByteEdit { span, text }
}

/// Applies edits of a file to its bytes; without edits they come back as they are. Of edits
/// that overlap the one that begins first counts, and one beyond the end of the file does not.
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
