//! Cleans text before it is printed: file names and the output of other programs may contain
//! terminal escapes.

/// Removes control and invisible characters except line breaks. CI runners take `::` at the start
/// of a line and `##[` anywhere for a command, so a space is put into these.
pub(crate) fn clean_text(text: &str) -> String {
    let is_kept = |c: &char| *c == '\n' || !c.is_control() && !is_hidden(*c);
    let text: String = text.replace('\t', " ").chars().filter(is_kept).collect();
    let defuse_command = |line: &str| {
        let is_command = line.trim_start().starts_with("::");
        let line = line.replace("##[", "## [");
        if is_command { line.replacen("::", ": :", 1) } else { line }
    };
    text.split('\n').map(defuse_command).collect::<Vec<_>>().join("\n")
}

/// Cleans a text and makes it one line: line breaks are shown as `⏎`.
pub(crate) fn clean_line(text: &str) -> String {
    clean_text(text).replace('\n', "⏎")
}

/// Cleans a text and indents all lines but the first, so that none passes for a line of the
/// installer.
pub(crate) fn clean_lines(text: &str, indent: &str) -> String {
    let text = clean_text(text);
    let lines: Vec<&str> = text.lines().collect();
    lines.join(&format!("\n{indent}"))
}

/// Returns whether a character is a direction mark or invisible. Control characters are not
/// included.
const fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0e}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' | '\u{e000}'..='\u{e09f}' | '\u{e0d8}'..='\u{f8ff}'
        | '\u{f0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_goes_and_lines_stay() {
        assert_eq!(clean_text("a\u{1b}[1m\u{202e}b\u{fe01}\n\tc\r"), "a[1mb\n c");
        assert_eq!(clean_lines("a\nerror: b", "  "), "a\n  error: b");
        assert_eq!(clean_text("a\n ::error::b\n##[c]"), "a\n : :error::b\n## [c]");
        assert_eq!(clean_line("a\n::error\u{9b}31m"), "a⏎: :error31m");
        assert_eq!(clean_text("⚠\u{fe0f} é"), "⚠\u{fe0f} é");
    }
}
