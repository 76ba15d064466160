//! How the lines of a format are written.

use super::status_mark::MarkMeaning;
use super::task_ids::is_id_word;

/// How the checkboxes of a format are written.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a rule of its own")]
pub(super) struct LineRules {
    /// Returns whether the first word behind a box is an id.
    pub(super) is_id: fn(&str) -> bool,
    /// The meaning of the marks between the brackets.
    pub(super) marks: MarkMeaning,
    /// Whether boxes with something missing are read: without bullet, space or content.
    pub(super) is_lenient: bool,
    /// Whether boxes in emphasis, `**[ ] Title**`, are read.
    pub(super) has_emphasis: bool,
    /// Whether symbols such as `⬜` stand for boxes.
    pub(super) has_symbols: bool,
    /// Whether the number of `1. Title` is an id.
    pub(super) has_number_ids: bool,
}

impl LineRules {
    /// The rules of the original format.
    pub(super) const STRICT: Self = Self {
        is_id: is_id_word,
        marks: MarkMeaning::OF_LISTS,
        is_lenient: false,
        has_emphasis: false,
        has_symbols: false,
        has_number_ids: false,
    };
    /// The rules of what people write without a tool.
    pub(super) const LENIENT: Self = Self { is_lenient: true, has_emphasis: true, ..Self::STRICT };
}
