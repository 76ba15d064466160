//! Removes terminal escape sequences as a whole, so that no part of one stays as text.

use std::borrow::Cow;

/// The characters that begin a sequence: escape, and the C1 controls.
const SEQUENCE_STARTS: [char; 7] =
    ['\u{1b}', '\u{90}', '\u{98}', '\u{9b}', '\u{9d}', '\u{9e}', '\u{9f}'];

/// Removes every escape sequence.
pub(super) fn strip_escapes(text: &str) -> Cow<'_, str> {
    if !text.contains(SEQUENCE_STARTS) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // Becomes false when a string is not closed: no later one is either, and searching for each
    // would take the square of the text.
    let mut may_close = true;
    while let Some(at) = rest.find(SEQUENCE_STARTS) {
        let (before, sequence) = rest.split_at(at);
        out.push_str(before);
        rest = skip_sequence(sequence, &mut may_close);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Returns the text behind the sequence with which `text` begins.
fn skip_sequence<'a>(text: &'a str, may_close: &mut bool) -> &'a str {
    let mut chars = text.chars();
    let kind = match chars.next() {
        Some('\u{1b}') => chars.clone().next().inspect(|kind| {
            if ('\u{30}'..='\u{7e}').contains(kind) {
                chars.next();
            }
        }),
        Some('\u{9b}') => Some('['),
        Some(_) => Some(']'),
        None => None,
    };
    let rest = chars.as_str();
    match kind {
        Some('[') => {
            let rest = rest.trim_start_matches(|c| ('\u{20}'..='\u{3f}').contains(&c));
            rest.strip_prefix(|c| ('\u{40}'..='\u{7e}').contains(&c)).unwrap_or(rest)
        }
        Some(']' | 'P' | '_' | '^' | 'X') if *may_close => {
            let closed = skip_string(rest);
            *may_close = closed.is_some();
            // A string that is not closed hides nothing of what follows.
            closed.unwrap_or(rest)
        }
        // The selection of a character set: intermediate bytes and a final one.
        Some('\u{20}'..='\u{2f}') => {
            let rest = rest.trim_start_matches(|c| ('\u{20}'..='\u{2f}').contains(&c));
            rest.strip_prefix(|c| ('\u{30}'..='\u{7e}').contains(&c)).unwrap_or(rest)
        }
        _ => rest,
    }
}

/// Returns the text behind the end of a control string.
fn skip_string(text: &str) -> Option<&str> {
    let at = text.find(['\u{7}', '\u{9c}', '\u{1b}'])?;
    let rest = text.get(at..)?;
    let end = rest.strip_prefix(['\u{7}', '\u{9c}']);
    // Any other sequence ends the string, and is removed by itself.
    Some(end.or_else(|| rest.strip_prefix("\u{1b}\\")).unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_go_whole_and_take_nothing_along() {
        for (text, expected) in [
            ("\u{1b}[1;31mred\u{1b}[m", "red"),
            ("\u{1b}[é", "é"),
            ("\u{1b}(Bx\u{1b}cy\u{1b}=z", "xyz"),
            ("a\u{1b}]0;never closed", "a0;never closed"),
            ("a\u{1b}]0;closed\u{9c}b", "ab"),
            ("a\u{9d}0;closed\u{7}b", "ab"),
            ("a\u{1b}]0;broken off\u{1b}[1mb", "ab"),
            ("a\u{1b}", "a"),
            ("a\u{1b}\u{1b}[1mb", "ab"),
        ] {
            assert_eq!(strip_escapes(text), expected, "{text:?}");
        }
    }
}
