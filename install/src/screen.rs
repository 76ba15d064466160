//! How wide the terminal is, and breaking lines that are wider.

use std::io::{self, IsTerminal as _};
use std::os::fd::AsFd;

/// The width where a terminal does not say its own.
const DEFAULT_COLUMNS: usize = 80;
/// The narrowest one for which lines are broken.
const MIN_COLUMNS: usize = 40;
/// How far a path is indented that fits nowhere else.
const PATH_INDENT: usize = 4;

/// Where lines go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    /// The width; `None` where nobody looks, so that programs find whole lines.
    columns: Option<usize>,
}

impl Screen {
    pub(crate) fn of_stdout() -> Self {
        Self::of(&io::stdout(), io::stdout().is_terminal())
    }

    pub(crate) fn of_stderr() -> Self {
        Self::of(&io::stderr(), io::stderr().is_terminal())
    }

    fn of(stream: &impl AsFd, is_terminal: bool) -> Self {
        let size = rustix::termios::tcgetwinsize(stream).ok();
        let said = size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0);
        let columns = said.unwrap_or(DEFAULT_COLUMNS).max(MIN_COLUMNS);
        Self { columns: is_terminal.then_some(columns) }
    }

    /// Breaks the lines of a text, each of which goes on below its beginning.
    pub(crate) fn wrap_text(self, text: &str) -> String {
        let lines =
            text.split('\n').map(|line| self.wrap_line(line, count_lead(line) + PATH_INDENT));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Breaks a line between words. What follows is indented by `hang`; a word that does not fit
    /// there, such as a path, stands alone further to the left.
    pub(crate) fn wrap_line(self, line: &str, hang: usize) -> String {
        let Some(columns) = self.columns.filter(|columns| count_chars(line) > *columns) else {
            return line.to_owned();
        };
        let lead = count_lead(line);
        let mut wrapped = " ".repeat(lead);
        let mut used = lead;
        let mut is_fresh = true;
        for word in line.trim_start().split_inclusive(' ') {
            let width = count_chars(word.trim_end());
            if !is_fresh && used + width > columns {
                let fits = hang + width <= columns;
                let indent = if fits { hang } else { PATH_INDENT.min(hang) };
                wrapped.truncate(wrapped.trim_end().len());
                wrapped.push('\n');
                wrapped.push_str(&" ".repeat(indent));
                used = indent;
            }
            wrapped.push_str(word);
            used += count_chars(word);
            is_fresh = false;
        }
        wrapped
    }
}

fn count_chars(text: &str) -> usize {
    text.chars().count()
}

fn count_lead(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_broken_between_words_and_a_path_stands_alone() {
        let screen = Screen { columns: Some(40) };
        let line = "  data  done  one two three four five six seven";
        assert_eq!(
            screen.wrap_line(line, 14),
            "  data  done  one two three four five\n              six seven"
        );
        let path = format!("/{}", "x".repeat(33));
        assert_eq!(
            screen.wrap_line(&format!("  data  done  at {path} removed"), 14),
            format!("  data  done  at\n    {path}\n              removed")
        );
        assert_eq!(screen.wrap_text("short\n  also"), "short\n  also");
        let long = "word ".repeat(30);
        assert_eq!(Screen { columns: None }.wrap_line(&long, 2), long);
    }
}
