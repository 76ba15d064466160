//! Marks that say how far a task is: between the brackets of a checkbox, in place of a checkbox,
//! and as words.

use crate::model::PlanTaskStatus;

/// Which of the marks that tools use differently mean what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MarkMeaning {
    /// The meaning of `[-]`.
    pub(super) dash: PlanTaskStatus,
    /// The meaning of `[~]`.
    pub(super) tilde: PlanTaskStatus,
}

impl MarkMeaning {
    /// What people mean in lists: a line through a task, and a task that is half done.
    pub(super) const OF_LISTS: Self =
        Self { dash: PlanTaskStatus::Skipped, tilde: PlanTaskStatus::InProgress };
    /// What Kiro writes while it works: a task that runs, and one that waits for its turn.
    pub(super) const OF_KIRO: Self =
        Self { dash: PlanTaskStatus::InProgress, tilde: PlanTaskStatus::Pending };

    /// Reads what stands between the brackets of a checkbox.
    pub(super) fn status_in_brackets(self, mark: &str) -> Option<PlanTaskStatus> {
        Some(match mark {
            " " => PlanTaskStatus::Pending,
            "x" | "X" | "✓" | "✔" => PlanTaskStatus::Completed,
            "-" => self.dash,
            "~" => self.tilde,
            "/" => PlanTaskStatus::InProgress,
            other => match split_symbol(other)? {
                (status, "") => status,
                _ => return None,
            },
        })
    }
}

/// Symbols that stand for a checkbox, and what each means.
const SYMBOLS: [(&str, PlanTaskStatus); 13] = [
    ("☐", PlanTaskStatus::Pending),
    ("⬜", PlanTaskStatus::Pending),
    ("🔲", PlanTaskStatus::Pending),
    ("◻", PlanTaskStatus::Pending),
    ("⏳", PlanTaskStatus::Pending),
    ("🔄", PlanTaskStatus::InProgress),
    ("🚧", PlanTaskStatus::InProgress),
    ("☑", PlanTaskStatus::Completed),
    ("✅", PlanTaskStatus::Completed),
    ("✔", PlanTaskStatus::Completed),
    ("🗹", PlanTaskStatus::Completed),
    ("⏭", PlanTaskStatus::Skipped),
    ("🚫", PlanTaskStatus::Skipped),
];

/// Asks for the symbol that stands before in colour.
const COLOUR_SELECTOR: char = '\u{fe0f}';

/// Splits a symbol off the beginning of a text: its meaning, and the text behind it.
pub(super) fn split_symbol(text: &str) -> Option<(PlanTaskStatus, &str)> {
    let found = SYMBOLS.iter().find_map(|(symbol, status)| {
        let rest = text.strip_prefix(symbol)?;
        Some((*status, rest))
    });
    let (status, rest) = found?;
    Some((status, rest.strip_prefix(COLOUR_SELECTOR).unwrap_or(rest)))
}

/// Splits a symbol off the end of a text: the text before it, and its meaning.
pub(super) fn split_last_symbol(text: &str) -> Option<(&str, PlanTaskStatus)> {
    let text = text.trim_end();
    let bare = text.strip_suffix(COLOUR_SELECTOR).unwrap_or(text);
    SYMBOLS.iter().find_map(|(symbol, status)| {
        let before = bare.strip_suffix(symbol)?;
        Some((before.trim_end(), *status))
    })
}

/// Returns whether a text begins with a symbol that looks like a box. `✅` alone is mostly an
/// ornament.
pub(super) fn begins_with_box(text: &str) -> bool {
    ["☐", "⬜", "🔲", "◻", "☑", "🗹"].iter().any(|symbol| text.starts_with(symbol))
}

/// Parses words such as `Done`, `✅ Complete` or `In progress (60%)`.
pub(super) fn parse_status_words(text: &str) -> Option<PlanTaskStatus> {
    let text = text.trim().trim_matches(['*', '`', '_', '"']).trim();
    if let Some(mark) = box_content(text) {
        return MarkMeaning::OF_LISTS.status_in_brackets(mark);
    }
    let (symbol, words) = match split_symbol(text) {
        Some((status, rest)) => (Some(status), rest.trim()),
        // A symbol of another kind, such as a circle in a colour.
        None => (None, text.trim_start_matches(|c: char| !c.is_ascii() && !c.is_alphanumeric())),
    };
    let words = words.trim_start();
    let end = words.find(['(', ',', ';', '–', '—']).unwrap_or(words.len());
    let words = words.get(..end).unwrap_or_default().trim().trim_end_matches('.');
    let words = words.trim_matches(['[', ']', '*', '`']);
    if words.eq_ignore_ascii_case("not started") || words.eq_ignore_ascii_case("planned") {
        return Some(PlanTaskStatus::Pending);
    }
    words.parse().ok().or_else(|| symbol.filter(|_| words.is_empty() || is_foreign_word(words)))
}

/// Returns whether a text is one word of a language that the words of a status are not of. What it
/// says is taken from the symbol before it.
fn is_foreign_word(text: &str) -> bool {
    text.chars().all(|c| !c.is_ascii() && c.is_alphabetic())
}

/// Returns what stands in the brackets of a checkbox that a text begins with. `[x] done` says the
/// same twice.
pub(super) fn box_content(text: &str) -> Option<&str> {
    let (mark, words) = text.trim().strip_prefix('[')?.split_once(']')?;
    let is_apart = words.is_empty() || words.starts_with(char::is_whitespace);
    (mark.chars().count() == 1 && is_apart).then_some(mark)
}

/// Returns what is written in place of a mark when its task is completed, in the style of the mark.
pub(super) fn completed_mark(mark: &str) -> &'static str {
    // One letter is a mark of its writer's own.
    let has_word = mark.chars().nth(1).is_some() && mark.chars().any(char::is_alphabetic);
    let has_symbol = split_symbol(mark).is_some();
    let is_capital = mark.chars().find(|c| c.is_alphabetic()).is_some_and(char::is_uppercase);
    match (has_symbol, has_word) {
        (true, true) => "✅ Completed",
        // Not `✅`: a file that has no other mark would have no boxes any more.
        (true, false) => "☑",
        (false, true) if is_capital => "Completed",
        (false, true) => "completed",
        (false, false) => "x",
    }
}

/// Returns what is written in place of a mark when its task is open again, in the style of the mark.
pub(super) fn open_mark(mark: &str) -> &'static str {
    let symbol = split_symbol(mark);
    let word = symbol.map_or(mark, |(_, word)| word).trim();
    let is_capital = word.chars().next().is_some_and(char::is_uppercase);
    match (symbol.is_some(), word.chars().count() > 1) {
        (true, true) => "⏳ Pending",
        (true, false) => "☐",
        (false, true) if is_capital => "Pending",
        (false, true) => "pending",
        (false, false) => " ",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use PlanTaskStatus::{Completed, Failed, InProgress, Pending, Skipped};

    #[test]
    fn marks_of_lists_and_of_kiro() {
        for (mark, of_lists, of_kiro) in [
            (" ", Some(Pending), Some(Pending)),
            ("x", Some(Completed), Some(Completed)),
            ("X", Some(Completed), Some(Completed)),
            ("✓", Some(Completed), Some(Completed)),
            ("✅", Some(Completed), Some(Completed)),
            ("✔\u{fe0f}", Some(Completed), Some(Completed)),
            ("/", Some(InProgress), Some(InProgress)),
            ("-", Some(Skipped), Some(InProgress)),
            ("~", Some(InProgress), Some(Pending)),
            ("?", None, None),
            ("", None, None),
            ("  ", None, None),
            ("✅x", None, None),
        ] {
            assert_eq!(MarkMeaning::OF_LISTS.status_in_brackets(mark), of_lists, "{mark:?}");
            assert_eq!(MarkMeaning::OF_KIRO.status_in_brackets(mark), of_kiro, "{mark:?}");
        }
    }

    #[test]
    fn words_of_a_status() {
        for (words, status) in [
            ("Done", Some(Completed)),
            ("**Completed**", Some(Completed)),
            ("✅ Complete", Some(Completed)),
            ("✅", Some(Completed)),
            ("⏳ Pending", Some(Pending)),
            ("Not started", Some(Pending)),
            ("🚧 In Progress (60%)", Some(InProgress)),
            ("in-progress", Some(InProgress)),
            ("Skipped, see above", Some(Skipped)),
            ("failed", Some(Failed)),
            ("[x]", Some(Completed)),
            ("[ ]", Some(Pending)),
            ("🟢 Completed", Some(Completed)),
            ("[done]", Some(Completed)),
            ("[x] done", Some(Completed)),
            ("[ ] to do", Some(Pending)),
            ("✅ 完了", Some(Completed)),
            ("✅ готово", Some(Completed)),
            ("完了", None),
            ("almost", None),
            ("✅ almost", None),
            ("", None),
        ] {
            assert_eq!(parse_status_words(words), status, "{words:?}");
        }
    }

    #[test]
    fn what_is_written_means_completed_and_looks_like_what_was_there() {
        for (mark, written) in [
            (" ", "x"),
            ("-", "x"),
            ("", "x"),
            ("!", "x"),
            ("r", "x"),
            ("☐", "☑"),
            ("⬜", "☑"),
            ("🚧", "☑"),
            ("⏳ Pending", "✅ Completed"),
            ("Not started", "Completed"),
            ("pending", "completed"),
        ] {
            assert_eq!(completed_mark(mark), written, "{mark:?}");
            let read = MarkMeaning::OF_LISTS.status_in_brackets(written);
            assert_eq!(read.or_else(|| parse_status_words(written)), Some(Completed));
        }
    }
}
