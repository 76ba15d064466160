//! Summarizes a status file in one line.

use crate::text::markdown::CodeFence;
use crate::text::one_line;

/// The longest summary, in characters.
pub const MAX_SUMMARY_CHARS: usize = 160;

/// The longest title or value in a summary, in characters.
const MAX_PART_CHARS: usize = 60;

/// How many lines are read; the head of a file is in the first ones.
const MAX_LINES: usize = 200;

/// Labels in the head of a status file, in the order of the summary.
const HEAD_LABELS: [&str; 3] = ["Current Phase", "Status", "Last Updated"];

/// Returns one clean line on a status file: its title with phase, status and time from its head, or
/// else its first words.
pub fn summarize_status(state_md: &str) -> String {
    let mut title = None;
    let mut values: [Option<String>; HEAD_LABELS.len()] = [const { None }; HEAD_LABELS.len()];
    let mut first = None;
    let mut code: Option<CodeFence> = None;
    for line in state_md.lines().take(MAX_LINES) {
        let line = line.trim_start_matches('\u{feff}').trim();
        if let Some(fence) = code {
            code = Some(fence).filter(|fence| !fence.is_closed_by(line, 0));
        } else if let Some((fence, _)) = CodeFence::parse_opening(line) {
            code = Some(fence);
        } else if line.is_empty() {
        } else if let Some(heading) = line.strip_prefix("# ") {
            title = title.or_else(|| clean_part(heading));
        } else if let Some((place, value)) = parse_labeled_line(line) {
            if let Some(slot @ None) = values.get_mut(place) {
                *slot = clean_part(value);
            }
        } else if first.is_none() && is_prose(line) {
            first = Some(one_line(line, MAX_SUMMARY_CHARS));
        }
    }
    let labels = HEAD_LABELS.into_iter().zip(values);
    let labeled_values: Vec<String> = labels
        .filter_map(|(label, value)| value.map(|value| format!("{label}: {value}")))
        .collect();
    let first = first.filter(|_| labeled_values.is_empty());
    let parts: Vec<String> = title.into_iter().chain(labeled_values).chain(first).collect();
    one_line(&parts.join("; "), MAX_SUMMARY_CHARS)
}

fn clean_part(text: &str) -> Option<String> {
    let plain = text.replace("**", "");
    Some(one_line(&plain, MAX_PART_CHARS)).filter(|part| !part.is_empty())
}

/// Parses `**Status**: …` and `- **Status:** …`: the index of the label, and the value.
fn parse_labeled_line(line: &str) -> Option<(usize, &str)> {
    let bold = line.trim_start_matches(['-', '*', ' ', '>']);
    let bold = line.get(line.len() - bold.len()..)?;
    HEAD_LABELS.into_iter().enumerate().find_map(|(place, label)| {
        let start = bold.get(..label.len())?;
        let rest = bold.get(label.len()..)?;
        let value = rest.trim_start_matches('*');
        let is_label = start.eq_ignore_ascii_case(label) && line.contains("**");
        let value = value.strip_prefix(':')?.trim_start_matches('*');
        is_label.then_some((place, value))
    })
}

/// Returns whether a line is text, and no heading, rule, table, comment or list marker.
fn is_prose(line: &str) -> bool {
    !line.starts_with(['#', '|', '<', '=']) && line.chars().any(char::is_alphanumeric)
}
