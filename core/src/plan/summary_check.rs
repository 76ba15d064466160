//! The summary of a status file against its own tasks. Pure.
//!
//! Every entry of the list counts, also one that an import skips: it is a task to whoever wrote the
//! file. One that does not say where it stands is pending; one that says it in words nobody knows
//! counts as a task, and may be one of any status.

use std::cmp::Ordering;

use serde_json::Value;

use super::status_export::named_counts;
use super::{LineColumn, ParsedPlan, StatusFileError, TextEdit, parse_status_file};
use crate::json_spans::{byte_offset, line_and_column, list_members};
use crate::model::PlanSummary;
use crate::text::lenient_json::without_lone_surrogates;

/// A number of a summary that is not what the tasks count to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongSummaryCount {
    /// Its name in the summary.
    pub field: &'static str,
    /// The number, as it is written.
    pub written: String,
    /// What it should be.
    pub expected: u64,
    /// Where the number stands.
    pub position: LineColumn,
}

/// What is odd about a summary, beyond its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryProblem {
    /// Where, as far as it is anywhere.
    pub position: Option<LineColumn>,
    /// What, for a person.
    pub problem: String,
}

/// A status file with its summary compared.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusFileCheck {
    /// What the file says, and what of it does not parse.
    pub file: ParsedPlan,
    /// What the tasks count to.
    pub counted: PlanSummary,
    /// How many of them do not say where they stand so that it can be read.
    pub unreadable_entries: u64,
    /// The numbers that are wrong, in the order of the contract.
    pub wrong_counts: Vec<WrongSummaryCount>,
    /// What else is odd.
    pub problems: Vec<SummaryProblem>,
    /// Puts the right numbers in the place of the wrong ones.
    pub edits: Vec<TextEdit>,
}

impl StatusFileCheck {
    /// Returns the summary as the file has it, if it is one.
    pub fn written_summary(&self) -> Option<&Value> {
        let found = self.file.extra.get("summary");
        found.filter(|found| found.is_object())
    }
}

/// Compares a status file's summary with its tasks.
///
/// # Errors
///
/// When it is no JSON, or none with tasks.
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
        // Every byte of it stands where it stands in the text.
        let text = &*without_lone_surrogates(text);
        let json = text.strip_prefix('\u{feff}').unwrap_or(text);
        let place = |part: &str| {
            // A byte order mark is in no line.
            let before = json.get(..byte_offset(json, part)).unwrap_or_default();
            let (line, column) = line_and_column(before.as_bytes());
            LineColumn { line, column }
        };
        let members_of_file = list_members(json)?;
        // Of what is there twice the last one counts, as for every reader of JSON.
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

    /// Tells whether a number is right, as far as it can be told: an entry that does not say where
    /// it stands may be any of the parts, and is one of all.
    fn may_equal(&self, field: &str, raw: &str, count: u64) -> bool {
        let more = if field == "totalTasks" {
            0
        } else {
            self.unreadable_entries
        };
        (count..=count.saturating_add(more)).any(|count| is_same_number(raw, count))
    }

    fn add_problem(&mut self, place: Option<LineColumn>, problem: impl Into<String>) {
        self.problems.push(SummaryProblem {
            position: place,
            problem: problem.into(),
        });
    }
}

fn last_value<'a>(
    members: &[(String, &'a serde_json::value::RawValue)],
    key: &str,
) -> Option<&'a str> {
    let member = members.iter().rfind(|(name, _)| name == key)?;
    Some(member.1.get())
}

/// Tells whether a number is this one, however it is written: `4.0` is 4.
fn is_same_number(raw: &str, count: u64) -> bool {
    let count = u32::try_from(count).map_or(f64::NAN, f64::from);
    let number: Option<f64> = raw.parse().ok();
    number.is_some_and(|number| number.partial_cmp(&count) == Some(Ordering::Equal))
}

#[cfg(test)]
mod tests;
