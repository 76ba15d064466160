//! A JSON object that keeps its bytes: an edit changes the value of one field and nothing else.
//!
//! Values are never converted to numbers or strings and written again. `0.10`, `1e400`, an escape
//! or a long integer stay as they are, even where no Rust type could hold them.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value as Json};

use crate::json_spans::{byte_offset, line_and_column, list_members};
use crate::model::AdwId;
use crate::text::lenient_json::{
    bytes_from_text, text_from_bytes, to_readable_json, without_lone_surrogates,
};

/// Why bytes are no JSON object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct JsonDocumentError {
    /// The line, from 1; 0 for the whole file.
    pub line: usize,
    /// The column, from 1; 0 for the whole line.
    pub column: usize,
    /// The reason, for a person.
    pub reason: String,
}

/// A field as it is written: the bytes before its name, the name in quotes, the bytes before its
/// value, and the value.
#[derive(Debug, Clone, PartialEq, Eq)]
struct RawField {
    before_name: String,
    quoted_name: String,
    before_value: String,
    value: String,
    /// The name without quotes and escapes.
    key: String,
}

/// The content of a metadata file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonDocument {
    /// The bytes up to and including the opening brace.
    opening: String,
    fields: Vec<RawField>,
    /// The bytes behind the last value.
    closing: String,
}

/// A JSON value as it is written into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonLiteral(String);

impl JsonLiteral {
    /// Makes a string of a text.
    pub fn from_plain_text(text: &str) -> Self {
        Self(Json::String(text.to_owned()).to_string())
    }

    /// Takes a text for the JSON value that it is, digit by digit, or else for a string: `9107` is
    /// a number, `"9107"` and `feature/x` are strings.
    pub fn from_json_or_text(text: &str) -> Self {
        let parsed: Result<Json, _> = serde_json::from_str(text);
        if parsed.is_ok() { Self(text.trim().to_owned()) } else { Self::from_plain_text(text) }
    }

    /// Takes a text for a string, whatever it looks like. A text that is a JSON string already is
    /// not quoted again.
    pub fn from_string_or_text(text: &str) -> Self {
        let parsed: Result<String, _> = serde_json::from_str(text);
        parsed.map_or_else(|_| Self::from_plain_text(text), |read| Self::from_plain_text(&read))
    }
}

/// The line end and indentation before each field of a new file.
const NEW_FIELD_INDENT: &str = "\n  ";

impl JsonDocument {
    /// Makes the document of a new file, with the id of its workflow.
    pub fn new(id: &AdwId) -> Self {
        let mut document =
            Self { opening: "{".to_owned(), fields: Vec::new(), closing: "\n}\n".to_owned() };
        document.set_field("adw_id", &JsonLiteral::from_plain_text(id.as_str()));
        document
    }

    /// Parses JSON, with or without a byte order mark, with any line ends.
    ///
    /// # Errors
    ///
    /// Where and why the bytes are no JSON object.
    pub fn parse(bytes: &[u8]) -> Result<Self, JsonDocumentError> {
        let text = text_from_bytes(bytes)
            .ok_or_else(|| error_after(b"", "it contains characters beyond U+10FF80"))?;
        let json = text.strip_prefix('\u{feff}').unwrap_or(&text);
        if json.trim().is_empty() {
            return Err(error_after(b"", "the file is empty"));
        }
        // It has the length of `json`, so offsets in the one are offsets in the other.
        let readable_json = without_lone_surrogates(json);
        let fields = parse_fields(&readable_json)?;
        // Parse each value now, so that one that is nested too deep is an error here and not later.
        for (key, raw) in &fields {
            let read: Result<Json, _> = serde_json::from_str(raw.get());
            if let Err(error) = read {
                let at = byte_offset(&readable_json, raw.get());
                let mut place = error_after(json.get(..at).unwrap_or_default().as_bytes(), "");
                place.reason = format!("the value of {key:?}: {error}");
                return Err(place);
            }
        }
        let mut head = text.strip_suffix(json).unwrap_or_default().to_owned();
        let mut members = Vec::with_capacity(fields.len());
        let mut end = json.find('{').map_or(0, |at| at + 1);
        head.push_str(json.get(..end).unwrap_or_default());
        for (key, raw) in fields {
            let start = byte_offset(&readable_json, raw.get());
            let value = start..start + raw.get().len();
            let (before_name, quoted_name, before_value) =
                split_at_name(json.get(end..start).unwrap_or_default());
            members.push(RawField {
                before_name: before_name.to_owned(),
                quoted_name: quoted_name.to_owned(),
                before_value: before_value.to_owned(),
                value: json.get(value.clone()).unwrap_or_default().to_owned(),
                key: to_readable_json(&key).into_owned(),
            });
            end = value.end;
        }
        let tail = json.get(end..).unwrap_or_default().to_owned();
        Ok(Self { opening: head, fields: members, closing: tail })
    }

    /// Returns the bytes to write.
    pub fn render(&self) -> Vec<u8> {
        let mut text = self.opening.clone();
        for field in &self.fields {
            for part in [&field.before_name, &field.quoted_name, &field.before_value, &field.value]
            {
                text.push_str(part);
            }
        }
        text.push_str(&self.closing);
        bytes_from_text(&text)
    }

    /// Lists the names of the fields in order; a duplicate is listed each time.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|member| member.key.as_str())
    }

    /// Returns the value of a field as it is written. Of duplicates the last one counts, as for
    /// every JSON parser.
    pub fn raw_value(&self, key: &str) -> Option<&str> {
        let field = self.fields.iter().rfind(|member| member.key == key)?;
        Some(&field.value)
    }

    /// Returns the value of a field, with every digit of its numbers.
    pub fn get(&self, key: &str) -> Option<Json> {
        self.read_as(key)
    }

    /// Returns the value of a field if it is of this type.
    pub fn read_as<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        serde_json::from_str(&to_readable_json(self.raw_value(key)?)).ok()
    }

    /// Returns all fields with their values.
    pub fn to_map(&self) -> Map<String, Json> {
        let keys = self.fields.iter().map(|member| &member.key);
        keys.filter_map(|key| Some((key.clone(), self.get(key)?))).collect()
    }

    /// Sets a field: in its place, or behind the last one.
    pub fn set_field(&mut self, key: &str, value: &JsonLiteral) {
        if let Some(field) = self.fields.iter_mut().rfind(|m| m.key == key) {
            field.value.clone_from(&value.0);
            return;
        }
        let before_name = match self.fields.as_slice() {
            [] => NEW_FIELD_INDENT.to_owned(),
            // The first field has no comma before it.
            [only] => format!(",{}", only.before_name),
            [.., last] => last.before_name.clone(),
        };
        if self.fields.is_empty() && !self.closing.starts_with('\n') {
            self.closing.insert(0, '\n');
        }
        let before_value = self.fields.last().map_or(": ", |last| &last.before_value);
        self.fields.push(RawField {
            quoted_name: JsonLiteral::from_plain_text(key).0,
            before_value: before_value.to_owned(),
            value: value.0.clone(),
            before_name,
            key: key.to_owned(),
        });
    }

    /// Removes a field and its duplicates; tells whether there was one.
    pub fn remove_field(&mut self, key: &str) -> bool {
        let before = self.fields.len();
        let first = self.fields.first().map(|first| first.before_name.clone());
        self.fields.retain(|member| member.key != key);
        if let (Some(field), Some(lead)) = (self.fields.first_mut(), first) {
            field.before_name = lead;
        }
        self.fields.len() < before
    }
}

fn error_after(before: &[u8], reason: &str) -> JsonDocumentError {
    let (line, column) = line_and_column(before);
    JsonDocumentError { line, column, reason: reason.to_owned() }
}

/// Splits the bytes between two values at the quotes of the name.
fn split_at_name(between: &str) -> (&str, &str, &str) {
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

/// Splits a JSON object into its fields.
fn parse_fields(json: &str) -> Result<Vec<(String, &RawValue)>, JsonDocumentError> {
    list_members(json).map_err(|error| {
        let reason = error.to_string();
        // The error has its position in fields of its own.
        let reason = reason.split(" at line ").next().unwrap_or_default();
        JsonDocumentError { line: error.line(), column: error.column(), reason: reason.to_owned() }
    })
}

#[cfg(test)]
mod tests;
