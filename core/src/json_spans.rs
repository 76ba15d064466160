//! Finds the parts of a JSON text, for edits that keep every other byte. Pure.

use std::fmt;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Lists the members of an object in order, with their values as written. A repeated member is
/// listed each time.
///
/// # Errors
///
/// When the text is not a JSON object.
pub(crate) fn list_members(json: &str) -> serde_json::Result<Vec<(String, &RawValue)>> {
    struct Members;

    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, &'de RawValue)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = Vec::new();
            while let Some(entry) = map.next_entry()? {
                found.push(entry);
            }
            Ok(found)
        }
    }

    let mut reader = serde_json::Deserializer::from_str(json);
    let found = reader.deserialize_map(Members)?;
    reader.end()?;
    Ok(found)
}

/// Returns the byte offset of `part`, which must be a slice of `text`.
pub(crate) fn byte_offset(text: &str, part: &str) -> usize {
    part.as_ptr() as usize - text.as_ptr() as usize
}

/// Returns the line and the column, both from 1, that follow these bytes.
pub(crate) fn line_and_column(before: &[u8]) -> (usize, usize) {
    let last_line = before.rsplit(|byte| *byte == b'\n').next();
    (before.split(|byte| *byte == b'\n').count(), last_line.map_or(0, <[u8]>::len) + 1)
}
