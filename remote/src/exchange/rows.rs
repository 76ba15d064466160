//! Rows of an answer.
//!
//! An answer has a row as an object. Its values are taken out here, in the order of the columns and
//! as SQLite has them: a flag is 1 or 0, JSON is a text.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value as Json;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use trueup_core::store::sql::Row;
use trueup_core::store::{Result, StoreError};
use trueup_core::text::to_hex;

/// Rows of a read, each with its values in the order of the columns.
pub(super) type Rows = Vec<Vec<Json>>;

/// Rows of a read with their digest.
#[derive(Debug, Clone)]
pub(super) struct Fetched {
    pub(super) rows: Rows,
    pub(super) digest: String,
}

impl Fetched {
    /// Reads a list of rows.
    pub(super) fn parse(text: &str) -> serde_json::Result<Self> {
        let rows: Vec<RowValues> = serde_json::from_str(text)?;
        let rows = rows.into_iter().map(|RowValues(values)| values).collect();
        Ok(Self { rows, digest: digest_rows(text) })
    }
}

/// The clock, a column of some statements, as an answer writes it before the time.
const CLOCK: &str = r#""read_at":""#;

/// The digest of rows, as `trueup.digest_rows` makes it of the same text. The clock is left out.
fn digest_rows(text: &str) -> String {
    let mut hash = Sha256::new();
    let mut rest = text;
    // In a text of a user the marks have a backslash before them.
    while let Some((before, after)) = rest.split_once(CLOCK) {
        hash.update(before);
        rest = after.split_once('"').map_or("", |(_, behind)| behind);
    }
    hash.update(rest);
    to_hex(&hash.finalize())
}

/// The digest of the answer "no" to a question that starts with `SELECT EXISTS`.
pub(super) fn digest_of_no() -> String {
    digest_rows(r#"[{"exists":false}]"#)
}

/// The values of a row. A name may be there twice.
struct RowValues(Vec<Json>);

impl<'de> Deserialize<'de> for RowValues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(RowVisitor)
    }
}

struct RowVisitor;

impl<'de> Visitor<'de> for RowVisitor {
    type Value = RowValues;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row as an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut row: A) -> std::result::Result<RowValues, A::Error> {
        let mut values = Vec::new();
        while let Some((_, value)) = row.next_entry::<IgnoredAny, &RawValue>()? {
            values.push(to_value(value.get()).map_err(A::Error::custom)?);
        }
        Ok(RowValues(values))
    }
}

fn to_value(text: &str) -> serde_json::Result<Json> {
    match text.as_bytes().first() {
        Some(b'{' | b'[') => Ok(Json::from(text)),
        Some(b't') => Ok(Json::from(1)),
        Some(b'f') => Ok(Json::from(0)),
        _ => serde_json::from_str(text),
    }
}

/// A row, with its values in the order of the columns.
pub(super) struct JsonRow<'r>(pub(super) &'r [Json]);

impl JsonRow<'_> {
    fn value_at(&self, index: usize) -> Result<&Json> {
        self.0.get(index).ok_or_else(|| {
            StoreError::unreadable(&format!("the answer has no column {}", index + 1))
        })
    }
}

impl Row for JsonRow<'_> {
    fn text(&self, index: usize) -> Result<Option<&str>> {
        match self.value_at(index)? {
            Json::Null => Ok(None),
            Json::String(text) => Ok(Some(text)),
            other => Err(StoreError::unreadable(&format!("{other} is not a text"))),
        }
    }

    fn integer(&self, index: usize) -> Result<Option<i64>> {
        match self.value_at(index)? {
            Json::Null => Ok(None),
            other => other
                .as_i64()
                .map(Some)
                .ok_or_else(|| StoreError::unreadable(&format!("{other} is not a whole number"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use trueup_core::store::sql::statements;

    #[test]
    fn values_are_those_of_sqlite_in_the_order_of_the_columns() {
        let text = r#"[{"b":"x","a":12345678901234567890,"b":null,"c":true,"d":false,
            "e":{"k": [1, "\u00e9"]},"f":[]}, 
            {"b":"\"read_at\":\"y\""}]"#;
        let fetched = Fetched::parse(text).unwrap();
        let large: Json = serde_json::from_str("12345678901234567890").unwrap();
        let expected = [
            vec![
                json!("x"),
                large,
                json!(null),
                json!(1),
                json!(0),
                json!(r#"{"k": [1, "\u00e9"]}"#),
                json!("[]"),
            ],
            vec![json!(r#""read_at":"y""#)],
        ];
        assert_eq!(fetched.rows, expected);
        for wrong in ["[1]", "[{]", "[{\"a\":}]", "[[1]]"] {
            assert!(Fetched::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn digests_differ_by_everything_but_the_clock() {
        let digest = |text: &str| Fetched::parse(text).unwrap().digest;
        let first = digest(r#"[{"a":1,"read_at":"2026-01-01T00:00:00.000Z","b":2}]"#);
        assert_eq!(first, digest(r#"[{"a":1,"read_at":"2027-01-01T00:00:00.000Z","b":2}]"#));
        assert_ne!(first, digest(r#"[{"a":1,"read_at":"2026-01-01T00:00:00.000Z","b":3}]"#));
        assert_ne!(
            digest(r#"[{"t":"\"read_at\":\"x\""}]"#),
            digest(r#"[{"t":"\"read_at\":\"y\""}]"#)
        );
    }

    /// The column of such a question has this name by itself.
    #[test]
    fn questions_that_are_usually_answered_with_no_start_alike() {
        let questions = ["engine::IS_REPLAY"];
        for name in questions {
            let found = statements().find(|statement| statement.name().ends_with(name)).unwrap();
            assert!(found.postgres().starts_with("SELECT EXISTS "), "{name}");
        }
    }
}
