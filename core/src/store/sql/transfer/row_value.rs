//! A value of a row, and JSON in the one form that both databases give back.

use serde_json::{Map, Number, Value as Json};

use crate::store::sql::{Kind, Row};
use crate::store::{Result, StoreError};
use crate::text::lenient_json;

/// The most zeros that a number is written out with; no database stores one of more digits.
const MAX_WRITTEN_EXPONENT: i64 = 131_072;

/// A value of a column. JSON is a text in its canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowValue {
    /// No value.
    Null,
    /// A number, a counter or a flag.
    Integer(i64),
    /// A text.
    Text(String),
}

impl RowValue {
    /// Reads a column of a row.
    ///
    /// # Errors
    ///
    /// When it holds another kind of value.
    pub fn from_row(row: &dyn Row, place: usize, kind: Kind) -> Result<Self> {
        match kind {
            Kind::Integer => Ok(row.integer(place)?.map_or(Self::Null, Self::Integer)),
            Kind::Text | Kind::Json => {
                row.text(place)?.map_or(Ok(Self::Null), |text| Self::from_text(text, kind))
            }
        }
    }

    /// Makes a value of a text as a database shows it.
    ///
    /// # Errors
    ///
    /// When it is no value of the kind.
    pub fn from_text(text: &str, kind: Kind) -> Result<Self> {
        match kind {
            Kind::Text => Ok(Self::Text(text.to_owned())),
            Kind::Json => canonical_json(text).map(Self::Text),
            Kind::Integer => {
                let number = text.parse();
                number.map(Self::Integer).map_err(|error| StoreError::unreadable(&error))
            }
        }
    }
}

/// Writes JSON as both databases give it back: without spaces, the keys of objects in the order of
/// their bytes, numbers without exponent. PostgreSQL keeps neither spaces nor the order of keys.
pub(super) fn canonical_json(text: &str) -> Result<String> {
    let mut value: Json =
        lenient_json::from_str(text).map_err(|error| StoreError::unreadable(&error))?;
    canonicalize(&mut value);
    Ok(value.to_string())
}

fn canonicalize(value: &mut Json) {
    match value {
        Json::Number(number) => {
            if let Some(written) = write_out(&number.to_string())
                && let Ok(plain) = written.parse::<Number>()
            {
                *number = plain;
            }
        }
        Json::Array(values) => values.iter_mut().for_each(canonicalize),
        Json::Object(members) => {
            let mut sorted: Vec<(String, Json)> = std::mem::take(members).into_iter().collect();
            sorted.sort_by(|one, other| one.0.cmp(&other.0));
            for (_, value) in &mut sorted {
                canonicalize(value);
            }
            *members = Map::from_iter(sorted);
        }
        Json::Null | Json::Bool(_) | Json::String(_) => {}
    }
}

/// Writes a number without exponent, and zero without sign; nothing if it is written so already.
fn write_out(number: &str) -> Option<String> {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_zero = mantissa.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    if digits.len() == mantissa.len() && !(is_zero && sign == "-") {
        return None;
    }
    let exponent: i64 = exponent.parse().ok()?;
    if exponent.abs() > MAX_WRITTEN_EXPONENT {
        return None;
    }
    let shift = usize::try_from(exponent.unsigned_abs()).ok()?;
    let (whole, fraction) = if exponent < 0 {
        let padded = format!("{}{whole}", "0".repeat(shift));
        let (whole, moved) = padded.split_at(padded.len() - shift);
        (whole.to_owned(), format!("{moved}{fraction}"))
    } else {
        let padded = format!("{fraction}{}", "0".repeat(shift.saturating_sub(fraction.len())));
        let (moved, fraction) = padded.split_at(shift);
        (format!("{whole}{moved}"), fraction.to_owned())
    };
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let sign = if is_zero { "" } else { sign };
    Some(if fraction.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_one_form() {
        for (written, expected) in [
            (r#"{"b": 1, "a": [ {"d":2,"c":3} ]}"#, r#"{"a":[{"c":3,"d":2}],"b":1}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            ("\"\\u00e9\\/\"", "\"é/\""),
            ("[1.50,1e2,1.5E+3,12e-1,1.50e1,-1e-3]", "[1.50,100,1500,1.2,15.0,-0.001]"),
            ("[-0,-0.0,0e5,100e-2,0.5e-1]", "[0,0.0,0,1.00,0.05]"),
            ("12345678901234567890123.5", "12345678901234567890123.5"),
            ("1e999999", "1e+999999"),
        ] {
            let canonical = canonical_json(written).unwrap();
            assert_eq!(canonical, expected, "{written}");
            assert_eq!(canonical_json(&canonical).unwrap(), expected);
        }
        assert!(canonical_json("{").is_err());
    }
}
