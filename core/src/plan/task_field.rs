//! Lines below a task that say more of it, such as `**Status:** done` and `_Requirements: 1.1_`.

use std::ops::Range;

use super::status_mark::split_last_symbol;
use crate::json_spans::byte_offset;

/// What a label is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldKind {
    Status,
    DependsOn,
    Priority,
    Requirements,
    /// Something that has no place of its own.
    Other,
}

/// A line with a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TaskField<'a> {
    pub(super) kind: FieldKind,
    pub(super) label: &'a str,
    pub(super) value: &'a str,
    /// The byte range of the value, from the start of the line.
    pub(super) range: Range<usize>,
}

/// Marks of emphasis around labels and values.
const EMPHASIS: [char; 2] = ['*', '_'];

/// The longest label, in characters. A longer one is a sentence with a colon.
const MAX_LABEL_CHARS: usize = 40;

impl FieldKind {
    fn from_label(label: &str) -> Self {
        match label.to_lowercase().replace(['-', '_'], " ").as_str() {
            "status" | "state" => Self::Status,
            "depends on" | "depends" | "dependencies" | "dependency" | "blocked by"
            | "dependencias" | "dépendances" | "abhängigkeiten" | "前置条件" | "依赖" => {
                Self::DependsOn
            }
            "priority" | "优先级" => Self::Priority,
            "requirements" | "requirement" => Self::Requirements,
            _ => Self::Other,
        }
    }
}

/// Parses a line as a field. A label without emphasis must be a known one.
pub(super) fn parse_field(line: &str) -> Option<TaskField<'_>> {
    let text = line.trim_start();
    let bullet = ["- ", "* ", "+ "].into_iter().find_map(|bullet| text.strip_prefix(bullet));
    let text = bullet.unwrap_or(text).trim();
    let bare = text.trim_start_matches(EMPHASIS);
    let opening = text.get(..text.len() - bare.len()).unwrap_or_default();
    let (label, rest) = bare.split_once([':', '：'])?;
    // `**Label**: value` and `**Label:** value` close the emphasis before the value,
    // `_Label: value_` behind it.
    let is_closed = label.ends_with(EMPHASIS) || rest.starts_with(EMPHASIS);
    let label = label.trim_end_matches(EMPHASIS).trim();
    let value = if is_closed { rest.trim_start_matches(EMPHASIS) } else { rest };
    let value = match value.trim().strip_suffix(opening) {
        Some(inner) if !is_closed => inner.trim(),
        _ => value.trim(),
    };
    let kind = FieldKind::from_label(label);
    let is_label = label.starts_with(char::is_alphabetic)
        && label.chars().count() <= MAX_LABEL_CHARS
        && !label.contains(['[', '`', '<']);
    if !is_label || opening.is_empty() && kind == FieldKind::Other || value.starts_with("//") {
        return None;
    }
    let start = byte_offset(line, value);
    Some(TaskField { kind, label, value, range: start..start + value.len() })
}

/// The entries of a list of dependencies that a person wrote.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct WrittenDependencies {
    /// The entries that are spelled as ids of tasks.
    pub(super) ids: Vec<String>,
    /// Whether there is more than that, such as a sentence.
    pub(super) has_prose: bool,
}

impl WrittenDependencies {
    /// Parses a list such as `Task 1.1, 1.2 (the API)` or `None`. `read_id` turns one entry into an
    /// id.
    pub(super) fn parse(list: &str, read_id: impl Fn(&str) -> Option<String>) -> Self {
        let mut found = Self::default();
        if is_no_dependency(list) {
            return found;
        }
        let list = without_parentheses(list);
        for part in list.split([',', ';', '&', '+', '，', '、', '；']) {
            for part in part.split(" and ") {
                let part = part.trim().trim_matches(['*', '`', '_', '.', '[', ']']).trim();
                // A symbol tells how far the other task is.
                let part = split_last_symbol(part).map_or(part, |(part, _)| part);
                match read_id(part) {
                    Some(id) => found.ids.push(id),
                    None if part.is_empty() || is_no_dependency(part) => {}
                    None => found.has_prose = true,
                }
            }
        }
        found
    }
}

/// Returns whether a text says that there is no dependency.
fn is_no_dependency(text: &str) -> bool {
    let text = text.trim().trim_matches(['*', '_', '`']).to_lowercase();
    let first = text.split(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default();
    let first = first.trim_end_matches(['.', ',', ';']);
    matches!(first, "" | "none" | "nothing" | "n/a" | "-" | "—" | "–") || text == "no dependencies"
}

/// Removes what stands in parentheses, which explains an entry.
fn without_parentheses(text: &str) -> String {
    let mut depth = 0_usize;
    let kept = text.chars().filter(|c| match c {
        '(' => {
            depth += 1;
            false
        }
        ')' => {
            depth = depth.saturating_sub(1);
            false
        }
        _ => depth == 0,
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_told_from_sentences() {
        use FieldKind::{DependsOn, Other, Priority, Requirements, Status};
        for (line, kind, label, value) in [
            ("**Status:** Done", Status, "Status", "Done"),
            ("- **Status**: ✅ Done", Status, "Status", "✅ Done"),
            ("  - _Requirements: 1.1, 1.2_", Requirements, "Requirements", "1.1, 1.2"),
            ("*Depends on: 1.1*", DependsOn, "Depends on", "1.1"),
            ("Depends-on: Task 1", DependsOn, "Depends-on", "Task 1"),
            ("priority: high", Priority, "priority", "high"),
            ("**Files:**", Other, "Files", ""),
            ("**Estimate**: 2h (about)", Other, "Estimate", "2h (about)"),
            ("- **Depends on**: **1.1**", DependsOn, "Depends on", "**1.1**"),
        ] {
            let field = parse_field(line).unwrap();
            assert_eq!((field.kind, field.label, field.value), (kind, label, value), "{line}");
            assert_eq!(line.get(field.range), Some(value), "{line}");
        }
        for line in ["see: that", "no label", "https://example.org", "- `a: b`", ": x", ""] {
            assert_eq!(parse_field(line), None, "{line}");
        }
    }

    #[test]
    fn lists_are_ids_and_prose() {
        let read = |part: &str| {
            let part = part.strip_prefix("Task ").unwrap_or(part);
            part.contains('.').then(|| part.to_owned())
        };
        for (list, ids, has_prose) in [
            ("1.1, Task 1.2 and 1.3", &["1.1", "1.2", "1.3"][..], false),
            ("1.1 (the API, mostly)", &["1.1"], false),
            ("**1.1**; `1.2`.", &["1.1", "1.2"], false),
            ("Task 1.1 ✅, 1.2 ✅", &["1.1", "1.2"], false),
            ("None", &[], false),
            ("Nothing (first phase)", &[], false),
            ("the weather", &[], true),
            ("1.1, the weather", &["1.1"], true),
            ("", &[], false),
        ] {
            let found = WrittenDependencies::parse(list, read);
            assert_eq!(
                (&found.ids[..], found.has_prose),
                (&ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>()[..], has_prose),
                "{list}"
            );
        }
    }
}
