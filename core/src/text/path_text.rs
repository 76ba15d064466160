//! Paths as text, for the database, JSON and people.
//!
//! A path is bytes. The text of a path keeps any two paths apart and can be converted back: a byte
//! that is not part of a character becomes `\xNN`, and in such a text each backslash is doubled.
//! Nearly every path is its own text.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

/// The beginning of an escaped byte.
const BYTE_ESCAPE: &str = "\\x";

/// Converts a path to text.
pub fn path_to_text(path: &Path) -> String {
    match path.to_str() {
        Some(text) if !text.contains(BYTE_ESCAPE) => text.to_owned(),
        _ => escape_path_bytes(path.as_os_str().as_bytes()),
    }
}

fn escape_path_bytes(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', "\\\\"));
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(text, "{BYTE_ESCAPE}{byte:02X}");
        }
    }
    text
}

/// Converts text back to a path.
pub fn path_from_text(text: &str) -> PathBuf {
    if !text.contains(BYTE_ESCAPE) {
        return PathBuf::from(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escaped) = rest.split_at(at);
        bytes.extend_from_slice(before.as_bytes());
        let digits = escaped.strip_prefix(BYTE_ESCAPE).and_then(|rest| rest.get(..2));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let (byte, length) = match byte {
            Some(byte) => (byte, 4),
            None if escaped.starts_with("\\\\") => (b'\\', 2),
            // A backslash that this module did not write.
            None => (b'\\', 1),
        };
        bytes.push(byte);
        rest = escaped.get(length..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest.as_bytes());
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_that_is_text_is_its_own() {
        for text in ["/src/app", "/src/\u{fc}n\u{ef}/a b", "C:\\temp", "", "a\\"] {
            assert_eq!(path_to_text(Path::new(text)), text);
        }
        let path = Path::new(OsStr::from_bytes(b"/src/\xffa\\x"));
        assert_eq!(path_to_text(path), "/src/\\xFFa\\\\x");
        assert_eq!(path_to_text(Path::new("/a\\xFF")), "/a\\\\xFF");
    }

    proptest! {
        #[test]
        fn each_path_has_a_text_that_leads_back(
            parts in prop::collection::vec(prop_oneof![
                any::<Vec<u8>>(),
                "[x\\\\0-9A-F]{0,8}".prop_map(String::into_bytes),
            ], 0..4),
        ) {
            let path = PathBuf::from(OsString::from_vec(parts.concat()));
            prop_assert_eq!(path_from_text(&path_to_text(&path)), path);
        }

        #[test]
        fn any_text_is_taken(text in any::<String>()) {
            let _ = path_from_text(&text);
        }
    }
}
