//! The summary of a status file against its own tasks. Pure.
//!
//! Every entry of the list counts, also one that an import skips: it is a task to whoever wrote the
//! file. One that does not say where it stands is pending; one that says it in words nobody knows
//! counts as a task, and may be one of any status.

use std::cmp::Ordering;

use serde_json::Value;

use super::export::named;
use super::{Edit, ParsedPlan, Place, StatusFileError, parse_status_file};
use crate::model::PlanSummary;
use crate::spans::{members, offset, place};
use crate::text::lenient::without_lone_surrogates;

/// A number of a summary that is not what the tasks count to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongCount {
    /// Its name in the summary.
    pub field: &'static str,
    /// The number, as it is written.
    pub was: String,
    /// What it should be.
    pub now: u64,
    /// Where the number stands.
    pub place: Place,
}

/// What is odd about a summary, beyond its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oddity {
    /// Where, as far as it is anywhere.
    pub place: Option<Place>,
    /// What, for a person.
    pub problem: String,
}

/// A status file with its summary compared.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusCheck {
    /// What the file says, and what of it does not parse.
    pub file: ParsedPlan,
    /// What the tasks count to.
    pub counted: PlanSummary,
    /// How many of them do not say where they stand so that it can be read.
    pub unreadable: u64,
    /// The numbers that are wrong, in the order of the contract.
    pub wrong: Vec<WrongCount>,
    /// What else is odd.
    pub odd: Vec<Oddity>,
    /// Puts the right numbers in the place of the wrong ones.
    pub edits: Vec<Edit>,
}

impl StatusCheck {
    /// Returns the summary as the file has it, if it is one.
    pub fn found(&self) -> Option<&Value> {
        let found = self.file.extra.get("summary");
        found.filter(|found| found.is_object())
    }
}

/// Compares a status file's summary with its tasks.
///
/// # Errors
///
/// When it is no JSON, or none with tasks.
pub fn check_status_file(text: &str) -> Result<StatusCheck, StatusFileError> {
    let file = parse_status_file(text)?;
    let mut counted = PlanSummary::of(file.entries.iter().copied().flatten());
    let unreadable = file.entries.iter().filter(|entry| entry.is_none());
    let unreadable = u64::try_from(unreadable.count()).unwrap_or(u64::MAX);
    counted.total += unreadable;
    let mut check = StatusCheck {
        file,
        counted,
        unreadable,
        wrong: Vec::new(),
        odd: Vec::new(),
        edits: Vec::new(),
    };
    check.compare(text)?;
    Ok(check)
}

impl StatusCheck {
    fn compare(&mut self, text: &str) -> Result<(), StatusFileError> {
        // Every byte of it stands where it stands in the text.
        let text = &*without_lone_surrogates(text);
        let json = text.strip_prefix('\u{feff}').unwrap_or(text);
        let place = |part: &str| {
            // A byte order mark is in no line.
            let before = json.get(..offset(json, part)).unwrap_or_default();
            let (line, column) = place(before.as_bytes());
            Place { line, column }
        };
        let members_of_file = members(json)?;
        // Of what is there twice the last one counts, as for every reader of JSON.
        let Some(summary) = last(&members_of_file, "summary") else {
            self.odd(None, "summary is missing");
            return Ok(());
        };
        if !summary.starts_with('{') {
            self.odd(Some(place(summary)), "summary is not an object");
            return Ok(());
        }
        let fields = members(summary)?;
        for (field, count) in named(&self.counted) {
            let Some(raw) = last(&fields, field) else {
                let problem = format!("summary.{field} is missing, should be {count}");
                self.odd(Some(place(summary)), problem);
                continue;
            };
            if fields.iter().filter(|(key, _)| key == field).count() > 1 {
                let problem = format!("summary.{field} occurs twice; the last one counts");
                self.odd(Some(place(raw)), problem);
            }
            if !raw.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
                let problem = format!("summary.{field} is not a number, should be {count}");
                self.odd(Some(place(raw)), problem);
            } else if !self.may_be(field, raw, count) {
                let start = offset(text, raw);
                self.edits.push(Edit {
                    at: start..start + raw.len(),
                    new: count.to_string(),
                });
                self.wrong.push(WrongCount {
                    field,
                    was: raw.to_owned(),
                    now: count,
                    place: place(raw),
                });
            }
        }
        Ok(())
    }

    /// Tells whether a number is right, as far as it can be told: an entry that does not say where
    /// it stands may be any of the parts, and is one of all.
    fn may_be(&self, field: &str, raw: &str, count: u64) -> bool {
        let more = if field == "totalTasks" {
            0
        } else {
            self.unreadable
        };
        (count..=count.saturating_add(more)).any(|count| is_number(raw, count))
    }

    fn odd(&mut self, place: Option<Place>, problem: impl Into<String>) {
        self.odd.push(Oddity {
            place,
            problem: problem.into(),
        });
    }
}

fn last<'a>(members: &[(String, &'a serde_json::value::RawValue)], key: &str) -> Option<&'a str> {
    let member = members.iter().rfind(|(name, _)| name == key)?;
    Some(member.1.get())
}

/// Tells whether a number is this one, however it is written: `4.0` is 4.
fn is_number(raw: &str, count: u64) -> bool {
    let count = u32::try_from(count).map_or(f64::NAN, f64::from);
    let number: Option<f64> = raw.parse().ok();
    number.is_some_and(|number| number.partial_cmp(&count) == Some(Ordering::Equal))
}

#[cfg(test)]
mod tests;
