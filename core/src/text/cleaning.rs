//! Removes what could act on a terminal or hide from a reader.
//!
//! All functions remove escape sequences and hidden characters, and keep joiners where a word or an
//! emoji needs them. They differ in what becomes of line ends.

use std::borrow::Cow;

use super::char_roles::{
    BLACK_FLAG, CharRole, char_role, flag_tags, is_joined, is_line_break, takes_emoji_style,
};
use super::escapes::strip_escapes;

/// What stands for a line end within a single line.
const LINE_END_MARK: char = '⏎';

/// Returns whether a text is printable ASCII, as almost every text is, and needs no cleaning.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Appends the visible characters of a part without line ends; every space becomes a plain one.
fn push_visible(out: &mut String, part: &str) {
    if is_plain(part) {
        out.push_str(part);
        return;
    }
    let mut last_kept = None;
    let mut chars = part.chars();
    // The next visible character, found once for a run of hidden ones.
    let mut visible_ahead: Option<Option<char>> = None;
    while let Some(c) = chars.next() {
        let is_read = |c: &char| char_role(*c) == CharRole::Shown || *c == '\t';
        let mut next_visible = || *visible_ahead.get_or_insert_with(|| chars.clone().find(is_read));
        let is_kept = match (char_role(c), last_kept) {
            (CharRole::Joiner, Some(before)) => is_joined(before, next_visible()),
            (CharRole::EmojiStyle, Some(before)) => takes_emoji_style(before, next_visible()),
            _ => is_read(&c),
        };
        if is_read(&c) {
            visible_ahead = None;
        }
        if is_kept {
            let c = if c.is_whitespace() { ' ' } else { c };
            out.push(c);
            last_kept = Some(c);
        }
        if c == BLACK_FLAG
            && let Some(tags) = flag_tags(chars.as_str())
        {
            out.push_str(tags);
            chars = chars.as_str().get(tags.len()..).unwrap_or_default().chars();
        }
    }
}

/// Returns the text as one clean line of at most `max_chars` characters, with single spaces. Where
/// it was cut, it ends in `…`.
pub fn one_line(text: &str, max_chars: usize) -> String {
    if is_plain(text) && !text.starts_with(' ') && !text.ends_with(' ') && !text.contains("  ") {
        return truncate_chars(text.to_owned(), max_chars);
    }
    let mut line = String::with_capacity(text.len());
    for word in strip_escapes(text).split(char::is_whitespace) {
        let end = line.len();
        if end > 0 {
            line.push(' ');
        }
        let start = line.len();
        push_visible(&mut line, word);
        if line.len() == start {
            line.truncate(end);
        }
    }
    truncate_chars(line, max_chars)
}

/// Returns the text as one clean line of at most `max_chars` characters in which spaces are kept
/// and line ends are shown as `⏎`.
pub fn visible_line(text: &str, max_chars: usize) -> String {
    if is_plain(text) {
        return truncate_chars(text.to_owned(), max_chars);
    }
    let text = strip_escapes(text);
    let text = text.trim_end_matches(is_line_break);
    let mut line = String::with_capacity(text.len());
    for (number, part) in text.replace("\r\n", "\n").split(is_line_break).enumerate() {
        if number > 0 {
            line.push(LINE_END_MARK);
        }
        push_visible(&mut line, part);
    }
    truncate_chars(line, max_chars)
}

/// Returns the text with its lines, each cleaned, of at most `max_chars` characters in total.
pub fn clean_block(text: &str, max_chars: usize) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')) {
        return truncate_chars(text.trim_end_matches('\n').to_owned(), max_chars);
    }
    let text = strip_escapes(text);
    let mut clean = String::with_capacity(text.len());
    for (number, line) in text.lines().enumerate() {
        if number > 0 {
            clean.push('\n');
        }
        for (number, part) in line.split(is_line_break).enumerate() {
            if number > 0 {
                clean.push(' ');
            }
            push_visible(&mut clean, part);
        }
    }
    clean.truncate(clean.trim_end_matches('\n').len());
    truncate_chars(clean, max_chars)
}

/// Breaks up the commands that CI runners read in output: `::` at the start of a line, and `##[`
/// anywhere.
pub fn without_runner_commands(text: &str) -> Cow<'_, str> {
    let is_command = |line: &str| line.trim_start().starts_with("::") || line.contains("##[");
    if !text.lines().any(is_command) {
        return Cow::Borrowed(text);
    }
    let apart = |line: &str| {
        let line = line.replace("##[", "## [");
        if line.trim_start().starts_with("::") { line.replacen("::", ": :", 1) } else { line }
    };
    Cow::Owned(text.split('\n').map(apart).collect::<Vec<_>>().join("\n"))
}

fn truncate_chars(text: String, max_chars: usize) -> String {
    // A text has no more characters than bytes.
    if text.len() <= max_chars || text.chars().nth(max_chars).is_none() {
        return text;
    }
    let mut short: String = text.chars().take(max_chars.saturating_sub(1)).collect();
    // The last character that is left may have been joined to one that was cut off.
    while short.chars().next_back().is_some_and(|c| char_role(c) != CharRole::Shown) {
        short.pop();
    }
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_is_a_command_of_a_runner() {
        for (text, expected) in [
            ("a::b # ##x", "a::b # ##x"),
            ("::error::x", ": :error::x"),
            ("a\n  ::set-env::y\n", "a\n  : :set-env::y\n"),
            ("x ##[group] ##[endgroup]", "x ## [group] ## [endgroup]"),
            ("a\n##[error]b\n::c", "a\n## [error]b\n: :c"),
        ] {
            let clean = without_runner_commands(text);
            assert_eq!(clean, expected);
            assert_eq!(without_runner_commands(&clean), expected, "twice is once");
        }
    }

    #[test]
    fn attacks_become_plain_text() {
        for (text, expected) in [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{07}after", "after"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("abc\u{202e}txt.exe", "abctxt.exe"),
            ("a\u{200b}b\u{e0041}c", "abc"),
            ("a\u{fe01}b\u{e0101}\u{34f}c\u{2800}\u{1d173}", "abc"),
            ("one\r\ntwo\tthree\u{2028}four", "one two three four"),
            ("\u{9b}2Jx", "x"),
            ("\0\u{8}bell\u{7}", "bell"),
            ("a\u{200d}b\u{200c}c\u{fe0f}", "abc"),
        ] {
            assert_eq!(one_line(text, 100), expected, "{text:?}");
        }
        assert_eq!(one_line("abcdef", 4), "abc…");
        assert_eq!(clean_block("a\u{1b}[1m\nb\rc", 10), "a\nb c");
        assert_eq!(visible_line("  a\n::error\u{2029}b\n", 99), "  a⏎::error⏎b");
    }

    #[test]
    fn joiners_stay_where_words_and_emoji_need_them() {
        for text in [
            "👩\u{200d}👩\u{200d}👧 and 🏳\u{fe0f}\u{200d}🌈",
            "👩🏽\u{200d}💻 ❤\u{fe0f} ⚠\u{fe0f} 1\u{fe0f}\u{20e3}",
            "می\u{200c}خواهم",
            "क्\u{200d}ष क्\u{200c}ष",
            "ന്\u{200d} അവൻ",
        ] {
            assert_eq!(one_line(text, 100), text);
            assert_eq!(clean_block(text, 100), text);
            assert_eq!(visible_line(text, 100), text);
        }
        for (text, expected) in [
            ("👩\u{200d}\u{200d}\u{200c}👧", "👩\u{200d}👧"),
            ("⚠\u{fe0f}\u{fe0f}\u{fe0e}", "⚠\u{fe0f}"),
            ("می\u{200c}", "می"),
            ("می\u{200c}\t\u{200c}x", "می x"),
            ("1\u{fe0f}2", "12"),
        ] {
            assert_eq!(one_line(text, 100), expected, "{text:?}");
        }
    }

    fn hostile_text() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            "\\PC{0,8}",
            "(\\x1b|\\x9b|\\x9d|[\\x00-\\x1f]|.){0,12}",
            "[👩⚠1می्क\u{200c}\u{200d}\u{fe0f}\u{20e3}\t \n]{0,12}",
            any::<String>(),
        ];
        prop::collection::vec(part, 0..4).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn what_acts_on_nothing_stays(text in "[ -~]{0,30}|[ a]{0,9}", longest in 1usize..40) {
            let words: Vec<&str> = text.split_ascii_whitespace().collect();
            prop_assert_eq!(one_line(&text, longest), truncate_chars(words.join(" "), longest));
            prop_assert_eq!(clean_block(&text, longest), truncate_chars(text.clone(), longest));
            prop_assert_eq!(visible_line(&text, longest), truncate_chars(text, longest));
        }

        #[test]
        fn nothing_that_acts_survives(text in hostile_text(), longest in 1usize..60) {
            let hidden = |c: char| char_role(c) == CharRole::Hidden;
            for clean in [one_line, visible_line] {
                let line = clean(&text, longest);
                prop_assert!(!line.chars().any(hidden), "{:?}", line);
                prop_assert!(line.chars().count() <= longest);
                prop_assert_eq!(clean(&line, longest), line);
            }
            let clean = clean_block(&text, longest);
            prop_assert!(!clean.chars().any(|c| hidden(c) && c != '\n'), "{:?}", clean);
            prop_assert_eq!(clean_block(&clean, longest), clean);
        }
    }
}
