//! Compares the summary of a status file with its own tasks. Pure.
//!
//! Every entry of the list counts, even one that an import skips, since it was a task to whoever
//! wrote the file. An entry without a status is pending. An entry with an unknown status counts in
//! the total and may be in any of the other counts.

use std::cmp::Ordering;

use serde_json::Value;

use super::status_export::named_counts;
use super::{LineColumn, ParsedPlan, StatusFileError, TextEdit, parse_status_file};
use crate::json_spans::{byte_offset, line_and_column, list_members};
use crate::model::PlanSummary;
use crate::text::lenient_json::without_lone_surrogates;

/// A count of a summary that differs from the tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongSummaryCount {
    /// Its name in the summary.
    pub field: &'static str,
    /// The number as it is written.
    pub written: String,
    /// The number that is correct.
    pub expected: u64,
    /// The position of the number.
    pub position: LineColumn,
}

/// A problem of a summary other than a wrong count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryProblem {
    /// Its position, if it has one.
    pub position: Option<LineColumn>,
    /// A description, for a person.
    pub problem: String,
}

/// A status file, compared with its summary.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusFileCheck {
    /// The parsed file.
    pub file: ParsedPlan,
    /// The counts of the tasks.
    pub counted: PlanSummary,
    /// The number of entries whose status cannot be read.
    pub unreadable_entries: u64,
    /// The wrong counts, in the order of the file format.
    pub wrong_counts: Vec<WrongSummaryCount>,
    /// The other problems.
    pub problems: Vec<SummaryProblem>,
    /// The edits that replace the wrong counts.
    pub edits: Vec<TextEdit>,
}

impl StatusFileCheck {
    /// Returns the summary of the file, if it is an object.
    pub fn written_summary(&self) -> Option<&Value> {
        let found = self.file.extra.get("summary");
        found.filter(|found| found.is_object())
    }
}

/// Compares the summary of a status file with its tasks.
///
/// # Errors
///
/// When it is not JSON, or has no list of tasks.
pub fn check_status_file(text: &str) -> Result<StatusFileCheck, StatusFileError> {
    let file = parse_status_file(text)?;
    let mut counted = PlanSummary::from_statuses(file.entry_statuses.iter().copied().flatten());
    let unreadable_entries = file.entry_statuses.iter().filter(|entry| entry.is_none());
    let unreadable_entries = u64::try_from(unreadable_entries.count()).unwrap_or(u64::MAX);
    counted.total += unreadable_entries;
    let mut check = StatusFileCheck {
        file,
        counted,
        unreadable_entries,
        wrong_counts: Vec::new(),
        problems: Vec::new(),
        edits: Vec::new(),
    };
    check.compare_summary(text)?;
    Ok(check)
}

impl StatusFileCheck {
    fn compare_summary(&mut self, text: &str) -> Result<(), StatusFileError> {
        // It has the length of `text`, so offsets in the one are offsets in the other.
        let text = &*without_lone_surrogates(text);
        let json = text.strip_prefix('\u{feff}').unwrap_or(text);
        let place = |part: &str| {
            // A byte order mark is in no line.
            let before = json.get(..byte_offset(json, part)).unwrap_or_default();
            let (line, column) = line_and_column(before.as_bytes());
            LineColumn { line, column }
        };
        let members_of_file = list_members(json)?;
        // Of duplicate keys the last one counts, as for every JSON parser.
        let Some(summary) = last_value(&members_of_file, "summary") else {
            self.add_problem(None, "summary is missing");
            return Ok(());
        };
        if !summary.starts_with('{') {
            self.add_problem(Some(place(summary)), "summary is not an object");
            return Ok(());
        }
        let fields = list_members(summary)?;
        for (field, count) in named_counts(&self.counted) {
            let Some(written) = last_value(&fields, field) else {
                let problem = format!("summary.{field} is missing, should be {count}");
                self.add_problem(Some(place(summary)), problem);
                continue;
            };
            if fields.iter().filter(|(key, _)| key == field).count() > 1 {
                let problem = format!("summary.{field} occurs twice; the last one counts");
                self.add_problem(Some(place(written)), problem);
            }
            if !written.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
                let problem = format!("summary.{field} is not a number, should be {count}");
                self.add_problem(Some(place(written)), problem);
            } else if !self.may_equal(field, written, count) {
                let start = byte_offset(text, written);
                self.edits.push(TextEdit {
                    range: start..start + written.len(),
                    replacement: count.to_string(),
                });
                self.wrong_counts.push(WrongSummaryCount {
                    field,
                    written: written.to_owned(),
                    expected: count,
                    position: place(written),
                });
            }
        }
        Ok(())
    }

    /// Returns whether a written count may be correct. An entry with an unreadable status may be in
    /// any count, and is in the total.
    fn may_equal(&self, field: &str, raw: &str, count: u64) -> bool {
        let more = if field == "totalTasks" { 0 } else { self.unreadable_entries };
        (count..=count.saturating_add(more)).any(|count| is_same_number(raw, count))
    }

    fn add_problem(&mut self, place: Option<LineColumn>, problem: impl Into<String>) {
        self.problems.push(SummaryProblem { position: place, problem: problem.into() });
    }
}

fn last_value<'a>(
    members: &[(String, &'a serde_json::value::RawValue)],
    key: &str,
) -> Option<&'a str> {
    let member = members.iter().rfind(|(name, _)| name == key)?;
    Some(member.1.get())
}

/// Returns whether a written number equals a count: `4.0` is 4.
fn is_same_number(raw: &str, count: u64) -> bool {
    let count = u32::try_from(count).map_or(f64::NAN, f64::from);
    let number: Option<f64> = raw.parse().ok();
    number.is_some_and(|number| number.partial_cmp(&count) == Some(Ordering::Equal))
}

#[cfg(test)]
mod tests;
