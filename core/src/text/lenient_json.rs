//! Reads JSON that other programs wrote.
//!
//! A text that was cut within a character ends in half of a surrogate pair, an editor adds a byte
//! order mark, a tool with another encoding writes bytes that are not UTF-8. None of these may hide
//! the rest of the document: they are read as U+FFFD. Valid JSON costs nothing extra; only a text
//! that was refused is searched for such places.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

/// The escape that replaces a lone surrogate, of the same length.
const REPLACEMENT_ESCAPE: &str = "\\ufffd";

/// The length of an escape such as `\ud83d`, in bytes.
const ESCAPE_BYTES: usize = 6;

/// Reads a value from bytes.
///
/// # Errors
///
/// When it is no JSON, or no `T`, even with replacements.
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match serde_json::from_slice(bytes) {
        // Valid JSON that is no `T` is not searched for replacements.
        Err(error) if error.is_syntax() => match String::from_utf8_lossy(bytes) {
            Cow::Borrowed(text) => retry_without_lone_surrogates(text, error),
            Cow::Owned(text) => serde_json::from_str(&without_lone_surrogates(&text)),
        },
        other => other,
    }
}

/// Reads a value from a text.
///
/// # Errors
///
/// When it is no JSON, or no `T`, even with replacements.
pub fn from_str<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match serde_json::from_str(text) {
        Err(error) if error.is_syntax() => retry_without_lone_surrogates(text, error),
        other => other,
    }
}

/// Describes an error in a document of one line, whose number says nothing.
pub(crate) fn describe_line_error(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at column ")
}

/// Reads a text that was refused again, with its lone surrogates replaced, if it has any.
fn retry_without_lone_surrogates<T: DeserializeOwned>(
    text: &str,
    error: serde_json::Error,
) -> serde_json::Result<T> {
    match without_lone_surrogates(text) {
        Cow::Borrowed(_) => Err(error),
        Cow::Owned(text) => serde_json::from_str(&text),
    }
}

/// Replaces the escapes of lone surrogates by that of U+FFFD. The length stays, so offsets in the
/// result are offsets in the text.
pub fn without_lone_surrogates(text: &str) -> Cow<'_, str> {
    let mut lone = lone_surrogates(text).peekable();
    if lone.peek().is_none() {
        return Cow::Borrowed(text);
    }
    let mut lenient = String::with_capacity(text.len());
    let mut end = 0;
    for start in lone {
        lenient.push_str(text.get(end..start).unwrap_or_default());
        lenient.push_str(REPLACEMENT_ESCAPE);
        end = start + ESCAPE_BYTES;
    }
    lenient.push_str(text.get(end..).unwrap_or_default());
    Cow::Owned(lenient)
}

/// Characters that stand for bytes from 0x80 on which are not UTF-8. They are of a private use
/// area.
const BYTE_STAND_INS: std::ops::RangeInclusive<char> = '\u{10ff80}'..='\u{10ffff}';

/// Turns bytes into a text that [`bytes_from_text`] turns back into the same bytes: a private use
/// character stands for each byte that is not UTF-8. `None` if the bytes contain such a character.
pub fn text_from_bytes(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let held = text.contains(|c| BYTE_STAND_INS.contains(&c));
        return (!held).then_some(Cow::Borrowed(text));
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        if chunk.valid().contains(|c| BYTE_STAND_INS.contains(&c)) {
            return None;
        }
        text.push_str(chunk.valid());
        let stand_in = |byte: &u8| char::from_u32(0x0010_ff00 + u32::from(*byte));
        text.extend(chunk.invalid().iter().filter_map(stand_in));
    }
    Some(Cow::Owned(text))
}

/// Returns the bytes that [`text_from_bytes`] turned into a text.
pub fn bytes_from_text(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c| BYTE_STAND_INS.contains(&c)) {
        let (sound, held) = rest.split_at(at);
        bytes.extend_from_slice(sound.as_bytes());
        let mut held = held.chars();
        let byte = held.next().map(u32::from).map(|c| c & 0xff);
        bytes.extend(byte.and_then(|byte| u8::try_from(byte).ok()));
        rest = held.as_str();
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

/// Returns a text for a JSON parser, in which lone surrogates and the characters that stand for
/// bytes are U+FFFD.
pub fn to_readable_json(text: &str) -> Cow<'_, str> {
    if !text.contains(|c| BYTE_STAND_INS.contains(&c)) {
        return without_lone_surrogates(text);
    }
    // A sequence that was cut is one U+FFFD, however many bytes it has, as where bytes are read.
    let bytes = bytes_from_text(text);
    let text = String::from_utf8_lossy(&bytes);
    Cow::Owned(without_lone_surrogates(&text).into_owned())
}

/// Lists where escapes of lone surrogates begin. In JSON a backslash occurs only in strings, so the
/// strings need not be parsed.
fn lone_surrogates(text: &str) -> impl Iterator<Item = usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(slash) = find_backslash(bytes, at) {
            at = slash + 2;
            let Some(unit) = parse_escape(bytes, slash) else {
                continue;
            };
            at = slash + ESCAPE_BYTES;
            match unit {
                0xd800..=0xdbff
                    if matches!(self::parse_escape(bytes, at), Some(0xdc00..=0xdfff)) =>
                {
                    at += ESCAPE_BYTES;
                }
                0xd800..=0xdfff => return Some(slash),
                _ => {}
            }
        }
        None
    })
}

fn find_backslash(bytes: &[u8], from: usize) -> Option<usize> {
    let found = bytes.get(from..)?.iter().position(|byte| *byte == b'\\')?;
    Some(from + found)
}

/// Reads the escape of four hexadecimal digits at an offset, if there is one.
fn parse_escape(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + ESCAPE_BYTES)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        u16::try_from(digit).ok().map(|digit| unit << 4 | digit)
    })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_no_character_reads_as_its_replacement() {
        for (text, expected) in [
            (r#"{"a": "x\ud83dy", "b": 1}"#, json!({"a": "x\u{fffd}y", "b": 1})),
            (r#"{"\uDE00": "\ude00\ud83d"}"#, json!({"\u{fffd}": "\u{fffd}\u{fffd}"})),
            (
                r#"["\ud83d\ude00", "\ud83d\ud83d\ude00"]"#,
                json!(["\u{1f600}", "\u{fffd}\u{1f600}"]),
            ),
            (r#"["\\ud83d", "\\\ud83d"]"#, json!(["\\ud83d", "\\\u{fffd}"])),
            ("\u{feff}[1]", json!([1])),
            (r#"{"a": 1, "a": 2}"#, json!({"a": 2})),
        ] {
            assert_eq!(from_str::<Value>(text).unwrap(), expected, "{text}");
        }
        let broken = b"\xef\xbb\xbf{\"a\": \"x\xffy\", \"b\": \"\\ud83d\"}";
        let read: Value = from_slice(broken).unwrap();
        assert_eq!(read, json!({"a": "x\u{fffd}y", "b": "\u{fffd}"}));
    }

    #[test]
    fn what_is_no_json_stays_none() {
        for text in
            ["", "{", r#"["\ud8"]"#, r#"["\ud83d"#, r#"["\u"]"#, "\u{feff}\u{feff}[]", "[\\ud83d]"]
        {
            assert!(from_str::<Value>(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_list_of_units_reads_as_the_units_do(units in prop::collection::vec(any::<u16>(), 0..12)) {
            let mut escaped = String::new();
            for unit in &units {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
            let read: String = from_str(&format!("\"{escaped}\"")).unwrap();
            prop_assert_eq!(read, String::from_utf16_lossy(&units));
        }

        #[test]
        fn bytes_come_back_as_they_were(bytes in prop::collection::vec(prop_oneof![Just(b'a'), any::<u8>()], 0..24)) {
            if let Some(held) = text_from_bytes(&bytes) {
                prop_assert_eq!(bytes_from_text(&held), bytes);
            }
        }

        #[test]
        fn bytes_are_read_alike_with_stand_ins(
            bytes in prop::collection::vec(prop::sample::select(b"a\xf4\x8f\xe2\x82\xc3\xff".to_vec()), 0..12),
        ) {
            let text = text_from_bytes(&bytes);
            let read = text.map(|text| to_readable_json(&text).into_owned());
            prop_assert_eq!(read, Some(String::from_utf8_lossy(&bytes).into_owned()));
        }

        #[test]
        fn nothing_moves(text in r#"(\\|u|[dD]|8|3|c|"|x){0,40}"#) {
            let cleaned = without_lone_surrogates(&text);
            prop_assert_eq!(cleaned.len(), text.len());
            prop_assert!(matches!(without_lone_surrogates(&cleaned), Cow::Borrowed(_)));
        }
    }
}
