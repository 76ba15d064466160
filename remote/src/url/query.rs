//! The options of a URL, `?name=value&…`.

use trueup_core::text::one_line;

use super::UrlError;

/// Longest name of an option that is repeated in an error.
const MAX_NAME_CHARS: usize = 32;

/// Splits a URL at `?`; returns the part before it and the options, undecoded.
pub(super) fn split_options(url: &str) -> (&str, Vec<(&str, &str)>) {
    let (base, options) = url.split_once('?').unwrap_or((url, ""));
    let options = options.split('&').filter(|option| !option.is_empty());
    (base, options.map(|option| option.split_once('=').unwrap_or((option, ""))).collect())
}

/// Names an option that is not supported. What does not look like a name is not shown.
pub(super) fn unknown_option(name: &str) -> UrlError {
    let is_name = !name.is_empty()
        && name.len() <= MAX_NAME_CHARS
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let shown = if is_name { one_line(name, MAX_NAME_CHARS) } else { "…".to_owned() };
    UrlError::UnknownOption(shown)
}

/// Decodes `%XX`; none if that is not UTF-8.
pub(super) fn percent_decode(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| first == b'%');
        let byte = escaped.and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = byte.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            decoded.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            decoded.push(first);
            rest = after;
        }
    }
    String::from_utf8(decoded).ok()
}
