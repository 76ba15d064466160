//! Removal of what can act on a terminal or hide from a reader.

/// Tells whether a character acts instead of being read: controls, escapes, bidirectional
/// overrides, zero-width and tag characters.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Tells whether nothing in a text acts: almost all of what is printed is like that.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Removes whole escape sequences, so that no harmless-looking rest of one stays behind.
fn without_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => match chars.next() {
                // CSI: parameters up to a final byte.
                Some('[') => {
                    while chars
                        .next()
                        .is_some_and(|c| !('\u{40}'..='\u{7e}').contains(&c))
                    {}
                }
                // OSC, DCS, APC, PM, SOS: up to BEL or ST.
                Some(']' | 'P' | '_' | '^' | 'X') => {
                    while let Some(c) = chars.next() {
                        if c == '\u{07}' || (c == '\u{1b}' && chars.next_if_eq(&'\\').is_some()) {
                            break;
                        }
                    }
                }
                _ => {}
            },
            '\u{9b}' => {
                while chars
                    .next()
                    .is_some_and(|c| !('\u{40}'..='\u{7e}').contains(&c))
                {}
            }
            c => out.push(c),
        }
    }
    out
}

/// Returns the text as one clean line of at most `longest` characters; what was cut is marked
/// with `…`.
pub fn one_line(text: &str, longest: usize) -> String {
    if is_plain(text) && !text.starts_with(' ') && !text.ends_with(' ') && !text.contains("  ") {
        return cut(text.to_owned(), longest);
    }
    let mut line = String::new();
    let mut gap = false;
    for c in without_escapes(text).chars() {
        if c.is_whitespace() || matches!(c, '\u{2028}' | '\u{2029}') {
            gap = !line.is_empty();
        } else if !acts(c) {
            if gap {
                line.push(' ');
                gap = false;
            }
            line.push(c);
        }
    }
    cut(line, longest)
}

/// Returns the text with its line breaks, cleaned line by line, of at most `longest`
/// characters.
pub fn block(text: &str, longest: usize) -> String {
    if is_plain(text) {
        return cut(text.to_owned(), longest);
    }
    let clean: Vec<String> = without_escapes(text)
        .lines()
        .map(|line| {
            line.chars()
                .map(|c| if c == '\t' { ' ' } else { c })
                .filter(|c| !acts(*c))
                .collect::<String>()
        })
        .collect();
    cut(clean.join("\n"), longest)
}

fn cut(text: String, longest: usize) -> String {
    // No text has more characters than bytes.
    if text.len() <= longest || text.chars().nth(longest).is_none() {
        return text;
    }
    let mut short: String = text.chars().take(longest.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn attacks_become_plain_text() {
        for (text, expected) in [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{07}after", "after"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("abc\u{202e}txt.exe", "abctxt.exe"),
            ("a\u{200b}b\u{e0041}c", "abc"),
            ("one\r\ntwo\tthree", "one two three"),
            ("\u{9b}2Jx", "x"),
            ("\0\u{8}bell\u{7}", "bell"),
        ] {
            assert_eq!(one_line(text, 100), expected, "{text:?}");
        }
        assert_eq!(one_line("abcdef", 4), "abc…");
        assert_eq!(block("a\u{1b}[1m\nb", 10), "a\nb");
    }

    proptest! {
        #[test]
        fn what_acts_on_nothing_stays(text in "[ -~]{0,30}|[ a]{0,9}", longest in 1usize..40) {
            let words: Vec<&str> = text.split_ascii_whitespace().collect();
            prop_assert_eq!(one_line(&text, longest), cut(words.join(" "), longest));
            prop_assert_eq!(block(&text, longest), cut(text, longest));
        }

        #[test]
        fn nothing_that_acts_survives(text in "\\PC*|(\\x1b|\\x9b|[\\x00-\\x1f]|.){0,40}", longest in 1usize..60) {
            let line = one_line(&text, longest);
            prop_assert!(!line.chars().any(acts));
            prop_assert!(line.chars().count() <= longest);
            prop_assert_eq!(one_line(&line, longest), line);
        }
    }
}
