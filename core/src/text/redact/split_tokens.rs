//! Tokens that something interrupts: `ghp\\_16C7…`, `ghp\\_**16C7**…`, or one that continues in the
//! next line.

use crate::text::is_invisible;

/// How many bytes of a split token are read.
const MAX_TOKEN_BYTES: usize = 1_024;

/// How many lines of it are read.
const MAX_LINES: usize = 12;

/// How many bytes all attempts together may read: a text of nothing but beginnings would take the
/// square of its length otherwise.
pub(super) struct ReadBudget(usize);

impl ReadBudget {
    pub(super) fn for_text(text: &str) -> Self {
        Self(4 * text.len() + 2 * MAX_TOKEN_BYTES)
    }
}

/// A token without what interrupts it.
pub(super) struct JoinedToken {
    token: String,
    /// For each byte of it, the offset in the text behind that byte.
    ends: Vec<usize>,
    /// The lengths of the token at which a line of the text ends.
    lines: Vec<usize>,
}

impl JoinedToken {
    /// Returns whether a token with this prefix begins here, interrupted or not.
    pub(super) fn starts_with_prefix(text: &str, start: usize, prefix: &str) -> bool {
        let mut at = start;
        prefix.bytes().enumerate().all(|(number, wanted)| {
            if number > 0 {
                at = skip_joint(text, at).map_or(at, |(behind, _)| behind);
            }
            let found = text.as_bytes().get(at) == Some(&wanted);
            at += 1;
            found
        })
    }

    /// Reads a split token that begins at `start`; `None` if nothing interrupts it.
    pub(super) fn read_joined(text: &str, start: usize, budget: &mut ReadBudget) -> Option<Self> {
        let bytes = text.as_bytes();
        let mut joined = Self { token: String::new(), ends: Vec::new(), lines: Vec::new() };
        let mut at = start;
        let mut interrupted = false;
        while joined.token.len() < MAX_TOKEN_BYTES && budget.0 > 0 && joined.lines.len() < MAX_LINES
        {
            budget.0 -= 1;
            match bytes.get(at) {
                Some(&byte) if is_token_byte(byte) => {
                    joined.token.push(char::from(byte));
                    at += 1;
                    joined.ends.push(at);
                }
                Some(_) => {
                    let Some((behind, is_line)) = skip_joint(text, at) else {
                        break;
                    };
                    interrupted = true;
                    if is_line {
                        joined.lines.push(joined.token.len());
                    }
                    at = behind;
                }
                None => break,
            }
        }
        interrupted.then_some(joined)
    }

    /// Returns what the token may be, the fewest lines first. A line with a next one of its width
    /// is skipped, since both are part of a longer wrapped text.
    pub(super) fn candidates(&self) -> impl Iterator<Item = &str> {
        let lines = self.lines.iter().copied().chain([self.token.len()]);
        lines.filter(|length| !self.is_full(*length)).filter_map(|length| self.token.get(..length))
    }

    /// Returns whether the line that ends at this length is a full line of text that goes on.
    fn is_full(&self, length: usize) -> bool {
        let Some(number) = self.lines.iter().position(|end| *end == length) else {
            return false;
        };
        let began = number.checked_sub(1).and_then(|before| self.lines.get(before)).copied();
        let next = self.lines.get(number + 1).copied().unwrap_or(self.token.len());
        let (own, next) = (length - began.unwrap_or(0), next - length);
        own >= 56 && next >= 16
    }

    /// Returns the offset in the text at which the first `length` bytes of the token end.
    pub(super) fn end_in_text(&self, length: usize) -> usize {
        let last = length.checked_sub(1).and_then(|last| self.ends.get(last));
        last.copied().unwrap_or_default()
    }
}

const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+' | b'/' | b'=' | b':')
}

/// Returns whether an interruption can begin with a byte.
pub(super) const fn may_begin_joint(byte: u8) -> bool {
    !matches!(byte, b' '..=b')' | b'+'..=b'[' | b']'..=b'}')
}

/// Returns the offset behind the interruption at `at`, and whether it includes a line end.
fn skip_joint(text: &str, at: usize) -> Option<(usize, bool)> {
    // Nearly every word of a text gets here, and nearly none is interrupted.
    if !may_begin_joint(*text.as_bytes().get(at)?) {
        return None;
    }
    let mut rest = text.get(at..)?;
    let mut is_line = false;
    loop {
        let before = rest.len();
        rest = rest.trim_start_matches(['*', '~']);
        rest = rest.trim_start_matches(is_invisible_inline);
        let line = rest.strip_prefix('\\').unwrap_or(rest);
        let line = line.trim_start_matches('\r');
        if let Some(next) = line.strip_prefix('\n').filter(|_| !is_line) {
            is_line = true;
            rest = next.trim_start_matches([' ', '\t', '>']);
        } else if let Some(escaped) = rest.strip_prefix('\\')
            && escaped.starts_with(['_', '-', '.', '+', '=', '/', ':', '*', '~'])
        {
            rest = escaped;
        }
        if rest.len() == before {
            break;
        }
    }
    let behind = text.len() - rest.len();
    let next = rest.bytes().next();
    // Behind a line end, a hyphen begins an item of a list and another mark a sentence.
    let goes_on = next.is_some_and(|byte| {
        byte.is_ascii_alphanumeric() || byte == b'_' || !is_line && is_token_byte(byte)
    });
    (behind > at && goes_on).then_some((behind, is_line))
}

fn is_invisible_inline(c: char) -> bool {
    !matches!(c, '\n' | '\r' | '\t') && is_invisible(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_passed_over_begins_no_joint() {
        for byte in 0..=u8::MAX {
            let c = char::from(byte);
            if c.is_ascii() && !may_begin_joint(byte) {
                assert!(!"*~\\\r\n".contains(c) && !is_invisible_inline(c), "{c:?}");
            } else {
                assert!(!(' '..='~').contains(&c) || "*~\\".contains(c), "{c:?}");
            }
        }
    }

    #[test]
    fn what_interrupts_a_token_is_skipped() {
        for (text, whole) in [
            ("ab\\_cd**ef**gh i", "ab_cdefgh"),
            ("ab\\\n   cd\nef gh", "abcdef"),
            ("ab\u{200b}cd", "abcd"),
        ] {
            let joined =
                JoinedToken::read_joined(text, 0, &mut ReadBudget::for_text(text)).unwrap();
            assert_eq!(joined.token, whole);
        }
        for text in ["abc", "ab\n\ncd", "ab **cd", "ab\n- cd"] {
            let joined = JoinedToken::read_joined(text, 0, &mut ReadBudget::for_text(text));
            assert!(joined.is_none_or(|joined| joined.token == "ab"), "{text:?}");
        }
    }
}
