//! Writes JSON that is safe to print: values keep every character, and those that act or hide are
//! escaped.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use super::char_roles::{CharRole, char_role};
use super::redact::redact_tokens;

/// Writes a value as JSON on one line.
///
/// # Errors
///
/// When writing fails.
pub fn write_plain_json(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut serializer =
        Serializer::with_formatter(out, PlainFormatter { redact: |text| text.into() });
    value.serialize(&mut serializer).map_err(io::Error::from)
}

/// Writes a value as JSON on one line, without the secret tokens in its texts.
///
/// # Errors
///
/// When writing fails.
pub fn write_redacted_json(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(out, PlainFormatter { redact: redact_tokens });
    value.serialize(&mut serializer).map_err(io::Error::from)
}

struct PlainFormatter {
    redact: for<'a> fn(&'a str) -> Cow<'a, str>,
}

impl Formatter for PlainFormatter {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        write_escaped(out, &(self.redact)(fragment), |c| char_role(c) == CharRole::Hidden)
    }

    fn write_raw_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // In JSON, controls stand only between tokens.
        let acts = |c| char_role(c) == CharRole::Hidden && c >= '\u{7f}';
        write_escaped(out, &(self.redact)(fragment), acts)
    }
}

fn write_escaped<W: ?Sized + Write>(
    out: &mut W,
    fragment: &str,
    acts: impl Fn(char) -> bool,
) -> io::Result<()> {
    if fragment.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return out.write_all(fragment.as_bytes());
    }
    let mut rest = fragment;
    while let Some(at) = rest.find(&acts) {
        let (before, behind) = rest.split_at(at);
        out.write_all(before.as_bytes())?;
        let mut chars = behind.chars();
        let mut units = [0; 2];
        for unit in chars.next().unwrap_or_default().encode_utf16(&mut units) {
            write!(out, "\\u{unit:04x}")?;
        }
        rest = chars.as_str();
    }
    out.write_all(rest.as_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::value::to_raw_value;
    use serde_json::{Value, json};

    use super::*;

    fn render_json(value: &impl Serialize) -> String {
        let mut out = Vec::new();
        write_plain_json(&mut out, value).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_token_is_printed_neither_from_a_value_nor_from_text() {
        let token = ["gh", "p_16C7e42F292c6912E7710c838347Ae178B4a"].concat();
        let value = json!({"lines": [format!("title: \"rotate {token} now\"")]});
        let raw = to_raw_value(&value).unwrap();
        let render = |value: &dyn Fn(&mut Vec<u8>) -> io::Result<()>| {
            let mut out = Vec::new();
            value(&mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let of_value = render(&|out| write_redacted_json(out, &value));
        let of_raw = render(&|out| write_redacted_json(out, &raw));
        assert!(render_json(&value).contains(&token));
        for written in [of_value, of_raw] {
            assert!(!written.contains(&token), "{written}");
            assert!(written.contains("rotate"), "{written}");
            serde_json::from_str::<Value>(&written).unwrap();
        }
    }

    #[test]
    fn a_value_keeps_what_is_escaped() {
        let text = "a\u{1b}[1m\u{202e}\u{e0041}\u{7f}\u{9b}\n\"\\ ⚠\u{fe0f} é";
        let value = json!({"k\u{202e}": [text, 1.5, null]});
        let raw = to_raw_value(&value).unwrap();
        for written in [render_json(&value), render_json(&raw)] {
            assert!(!written.chars().any(|c| char_role(c) == CharRole::Hidden), "{written:?}");
            assert!(written.contains("⚠\u{fe0f} é"));
            assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value);
        }
    }
}
