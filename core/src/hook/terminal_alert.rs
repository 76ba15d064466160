//! A notification of the terminal, which the client passes on to it.

use serde::Deserialize;

use crate::text::one_line;
use crate::text::redact::redact_tokens;

/// Longest text of a notification, in characters.
const MAX_CHARS: usize = 200;

/// How a terminal is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum TerminalNotice {
    /// By OSC 9, which most terminals show as a notification of the desktop.
    #[serde(rename = "terminal")]
    Osc9,
    /// By OSC 777, for terminals that know that one alone.
    #[serde(rename = "terminal-777")]
    Osc777,
}

/// Something that the user is told by the terminal, also where its window is not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalAlert {
    /// How the terminal is told.
    pub notice: TerminalNotice,
    /// What is the matter.
    pub line: String,
}

impl TerminalAlert {
    /// Renders the sequence that the terminal reads. The text ends it nowhere: it has no control
    /// characters, and for OSC 777 no field separator.
    pub(super) fn render(&self) -> String {
        let line = one_line(&redact_tokens(&self.line), MAX_CHARS);
        match self.notice {
            TerminalNotice::Osc9 => format!("\u{1b}]9;trueup: {line}\u{7}"),
            TerminalNotice::Osc777 => {
                format!("\u{1b}]777;notify;trueup;{}\u{7}", line.replace(';', ","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_the_sequence_or_begins_another_one() {
        for hostile in ["a\u{7}b", "a\u{1b}]0;x\u{7}b", "a\u{1b}\\b", "a\u{9c}b", "a\nb", "a;b"] {
            for (notice, start) in [
                (TerminalNotice::Osc9, "\u{1b}]9;trueup: a"),
                (TerminalNotice::Osc777, "\u{1b}]777;notify;trueup;a"),
            ] {
                let text = TerminalAlert { notice, line: hostile.to_owned() }.render();
                let inner = text.strip_prefix(start).and_then(|text| text.strip_suffix('\u{7}'));
                let inner = inner.unwrap_or_else(|| panic!("{text:?}"));
                assert!(!inner.chars().any(char::is_control), "{text:?}");
                assert!(notice == TerminalNotice::Osc9 || !inner.contains(';'), "{text:?}");
            }
        }
    }
}
