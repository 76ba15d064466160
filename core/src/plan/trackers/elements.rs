//! Finds the elements of a JSON file with their lines.

use serde_json::value::RawValue;

use crate::json_spans::{byte_offset, list_members};

/// Counts lines along a text. Offsets are asked for in ascending order.
pub(super) struct LineCounter<'a> {
    text: &'a str,
    counted_to: usize,
    line: usize,
}

impl<'a> LineCounter<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, counted_to: 0, line: 1 }
    }

    /// Returns the line of a part of the text, from 1.
    pub(super) fn line_of(&mut self, part: &str) -> usize {
        let start = byte_offset(self.text, part);
        let passed = self.text.get(self.counted_to..start).unwrap_or_default();
        self.line += passed.bytes().filter(|byte| *byte == b'\n').count();
        self.counted_to = start;
        self.line
    }
}

/// Returns the value of a member as written. Of repeated members the last one counts.
pub(super) fn member<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    let members = list_members(object).ok()?;
    members.iter().rfind(|(name, _)| name == key).map(|(_, value)| value.get())
}

/// Lists the elements of an array as written; nothing where it is no array.
pub(super) fn elements(array: &str) -> Vec<&str> {
    let elements: Vec<&RawValue> = serde_json::from_str(array).unwrap_or_default();
    elements.into_iter().map(RawValue::get).collect()
}
