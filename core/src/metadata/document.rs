//! The file as a document: every byte that a change does not concern stays.
//!
//! Values are never read into numbers or strings and written again: `0.10`, `1e400`, an
//! escape or a long integer come back as they were, also where no Rust type could hold them.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json};

use crate::model::AdwId;
use crate::spans::{members, offset, place};
use crate::text::lenient::{hold, readable, release, without_lone_surrogates};

/// Why bytes are no document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct Unparsable {
    /// From 1; 0 when the whole file is meant.
    pub line: usize,
    /// From 1; 0 when the whole line is meant.
    pub column: usize,
    /// Why.
    pub reason: String,
}

/// A field as it is written: what stands before its name, the name in quotes, what stands
/// before its value, and the value.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    lead: String,
    name: String,
    gap: String,
    value: String,
    /// The name without quotes and escapes.
    key: String,
}

/// A metadata file's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Up to and with the brace.
    head: String,
    members: Vec<Member>,
    /// What follows the last value.
    tail: String,
}

/// A value as it is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal(String);

impl Literal {
    /// Takes a text for a string.
    pub fn text(text: &str) -> Self {
        Self(Json::String(text.to_owned()).to_string())
    }

    /// Takes a text for the JSON value it is, with every digit, else for a string: `9107` is a
    /// number, `"9107"` and `feature/x` are strings.
    pub fn of(text: &str) -> Self {
        let read: Result<Json, _> = serde_json::from_str(text);
        if read.is_ok() {
            Self(text.trim().to_owned())
        } else {
            Self::text(text)
        }
    }

    /// Takes a text for a string whatever it looks like; one that is a JSON string is not
    /// quoted twice.
    pub fn string(text: &str) -> Self {
        let read: Result<String, _> = serde_json::from_str(text);
        read.map_or_else(|_| Self::text(text), |read| Self::text(&read))
    }
}

/// How fields of a new file are indented.
const INDENT: &str = "\n  ";

impl Document {
    /// Makes the document of a new file.
    pub fn new(id: &AdwId) -> Self {
        let mut document = Self {
            head: "{".to_owned(),
            members: Vec::new(),
            tail: "\n}\n".to_owned(),
        };
        document.set("adw_id", &Literal::text(id.as_str()));
        document
    }

    /// Reads a file's bytes: JSON, with or without a byte order mark, any line ending.
    ///
    /// # Errors
    ///
    /// Where it is no JSON object, and why.
    pub fn parse(bytes: &[u8]) -> Result<Self, Unparsable> {
        let text = hold(bytes)
            .ok_or_else(|| unparsable_at(b"", "it contains characters beyond U+10FF80"))?;
        let json = text.strip_prefix('\u{feff}').unwrap_or(&text);
        if json.trim().is_empty() {
            return Err(unparsable_at(b"", "the file is empty"));
        }
        // Every byte of this one stands where it stands in the file.
        let whole = without_lone_surrogates(json);
        let found = fields(&whole)?;
        // What a reader could not hold, such as too deep a nesting, is no state either.
        for (key, raw) in &found {
            let read: Result<Json, _> = serde_json::from_str(raw.get());
            if let Err(error) = read {
                let at = offset(&whole, raw.get());
                let mut place = unparsable_at(json.get(..at).unwrap_or_default().as_bytes(), "");
                place.reason = format!("the value of {key:?}: {error}");
                return Err(place);
            }
        }
        let mut head = text.strip_suffix(json).unwrap_or_default().to_owned();
        let mut members = Vec::with_capacity(found.len());
        let mut end = json.find('{').map_or(0, |at| at + 1);
        head.push_str(json.get(..end).unwrap_or_default());
        for (key, raw) in found {
            let start = offset(&whole, raw.get());
            let value = start..start + raw.get().len();
            let (lead, name, gap) = split(json.get(end..start).unwrap_or_default());
            members.push(Member {
                lead: lead.to_owned(),
                name: name.to_owned(),
                gap: gap.to_owned(),
                value: json.get(value.clone()).unwrap_or_default().to_owned(),
                key: readable(&key).into_owned(),
            });
            end = value.end;
        }
        let tail = json.get(end..).unwrap_or_default().to_owned();
        Ok(Self {
            head,
            members,
            tail,
        })
    }

    /// Returns the bytes to write.
    pub fn render(&self) -> Vec<u8> {
        let mut text = self.head.clone();
        for member in &self.members {
            for part in [&member.lead, &member.name, &member.gap, &member.value] {
                text.push_str(part);
            }
        }
        text.push_str(&self.tail);
        release(&text)
    }

    /// Lists the names of the fields in order; one that is there twice is listed twice.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|member| member.key.as_str())
    }

    /// Returns a field's value as it is written. Of a field that is there twice the last one
    /// counts, as for every reader of JSON.
    pub fn raw(&self, key: &str) -> Option<&str> {
        let member = self.members.iter().rfind(|member| member.key == key)?;
        Some(&member.value)
    }

    /// Returns a field's value; digits of numbers are kept.
    pub fn get(&self, key: &str) -> Option<Json> {
        self.read(key)
    }

    /// Returns a field's value if it is one of this type.
    pub fn read<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        serde_json::from_str(&readable(self.raw(key)?)).ok()
    }

    /// Returns all fields.
    pub fn to_map(&self) -> Map<String, Json> {
        let keys = self.members.iter().map(|member| &member.key);
        keys.filter_map(|key| Some((key.clone(), self.get(key)?)))
            .collect()
    }

    /// Sets a field, in its place or at the end.
    pub fn set(&mut self, key: &str, value: &Literal) {
        if let Some(member) = self.members.iter_mut().rfind(|m| m.key == key) {
            member.value.clone_from(&value.0);
            return;
        }
        let lead = match self.members.as_slice() {
            [] => INDENT.to_owned(),
            // The first has no comma before it.
            [only] => format!(",{}", only.lead),
            [.., last] => last.lead.clone(),
        };
        if self.members.is_empty() && !self.tail.starts_with('\n') {
            self.tail.insert(0, '\n');
        }
        let gap = self.members.last().map_or(": ", |last| &last.gap);
        self.members.push(Member {
            name: Literal::text(key).0,
            gap: gap.to_owned(),
            value: value.0.clone(),
            lead,
            key: key.to_owned(),
        });
    }

    /// Removes a field, as often as it is there; tells whether it was.
    pub fn remove(&mut self, key: &str) -> bool {
        let before = self.members.len();
        let first = self.members.first().map(|first| first.lead.clone());
        self.members.retain(|member| member.key != key);
        if let (Some(member), Some(lead)) = (self.members.first_mut(), first) {
            member.lead = lead;
        }
        self.members.len() < before
    }
}

fn unparsable_at(before: &[u8], reason: &str) -> Unparsable {
    let (line, column) = place(before);
    Unparsable {
        line,
        column,
        reason: reason.to_owned(),
    }
}

/// Splits what stands between two values at the quotes of the name.
fn split(between: &str) -> (&str, &str, &str) {
    let start = between.find('"').unwrap_or(between.len());
    let (lead, rest) = between.split_at(start);
    let mut escaped = false;
    let end = rest.char_indices().skip(1).find(|(_, c)| {
        let closes = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        closes
    });
    let (name, gap) = rest.split_at(end.map_or(rest.len(), |(at, _)| at + 1));
    (lead, name, gap)
}

/// Finds the fields of a file.
fn fields(json: &str) -> Result<Vec<(String, &RawValue)>, Unparsable> {
    members(json).map_err(|error| {
        let reason = error.to_string();
        // The place is said beside it.
        let reason = reason.split(" at line ").next().unwrap_or_default();
        Unparsable {
            line: error.line(),
            column: error.column(),
            reason: reason.to_owned(),
        }
    })
}

#[cfg(test)]
mod tests;
