//! Why a file cannot be imported: no text, or broken off.

use std::path::Path;

use serde::de::IgnoredAny;

/// Byte order marks of UTF-16.
const UTF16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// Names what keeps a file from being read as text.
pub(super) fn find_encoding_problem(path: &str, bytes: &[u8]) -> Option<String> {
    if UTF16_MARKS.iter().any(|mark| bytes.starts_with(mark)) {
        return Some(format!("{path} is UTF-16; save it as UTF-8"));
    }
    let error = std::str::from_utf8(bytes).err();
    let nul = bytes.iter().position(|byte| *byte == 0);
    let at = error.map_or(nul, |error| Some(error.valid_up_to()))?;
    let line = 1 + bytes.iter().take(at).filter(|byte| **byte == b'\n').count();
    // Text has no such byte, in whatever encoding.
    if nul.is_some() {
        return Some(format!("{path}:{line}: not text, but a binary file"));
    }
    Some(format!("{path}:{line}: not UTF-8"))
}

/// Says where a file that was meant as JSON does not parse, or that it is empty.
pub(super) fn find_syntax_problem(path: &str, bytes: &[u8]) -> Option<String> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = text.trim_ascii().first();
    let Some(first) = first else {
        return Some(format!("{path} is empty"));
    };
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
    if !matches!(first, b'{' | b'[') && !matches!(extension, Some("json" | "jsonl")) {
        return None;
    }
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<IgnoredAny>();
    let error = values.find_map(Result::err)?;
    Some(format!("{path}:{}:{}: does not parse: {error}", error.line(), error.column()))
}
