//! Breaking a line that is wider than the screen, between words.

use super::line::{Breaking, Line, Span, Tone};
use super::screen::Screen;
use super::width::{Omit, display_width, graphemes, shorten};

/// What a shell reads as the end of a line within a command.
const CONTINUATION: &str = " \\";

/// A word of a line with the spaces before it.
#[derive(Debug, Default)]
struct Word<'a> {
    spaces: usize,
    parts: Vec<(&'a str, Tone)>,
    width: usize,
    /// Whether the space before the word is one within a command.
    is_inside_command: bool,
}

/// Breaks a line into lines that fit the screen. A command that is broken still is one in a shell:
/// its lines end in a backslash.
pub(crate) fn wrap_line(line: Line, screen: Screen) -> Vec<Line> {
    let is_breakable = line.breaking != Breaking::Never;
    let limit = screen.columns().filter(|columns| is_breakable && line.width() > *columns);
    let Some(columns) = limit else {
        return vec![line];
    };
    if line.breaking == Breaking::Shorten {
        return vec![shorten_line(&line, columns)];
    }
    let words = split_words(&line);
    let lead = words.first().map_or(0, |word| word.spaces);
    // A hanging indent that leaves little room helps nobody.
    let hang = line.hang.unwrap_or(lead + 2).min(columns / 3);
    let mut wrapper = Wrapper { columns, hang, lines: Vec::new(), spans: Vec::new(), used: 0 };
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let is_continued = words.peek().is_some_and(|next| next.is_inside_command);
        wrapper.push_word(word, is_continued);
    }
    wrapper.finish()
}

/// Leaves out the end of a line.
fn shorten_line(line: &Line, columns: usize) -> Line {
    let mut room = columns;
    let mut spans = Vec::new();
    for span in &line.spans {
        if room == 0 {
            break;
        }
        let text = shorten(&span.text, room, Omit::End);
        room = if text == span.text { room - display_width(&text) } else { 0 };
        spans.push(Span::new(span.tone, text));
    }
    Line::from_spans(spans)
}

struct Wrapper {
    columns: usize,
    hang: usize,
    lines: Vec<Line>,
    spans: Vec<Span>,
    used: usize,
}

impl Wrapper {
    /// Adds a word, on a new line where this one has no room.
    fn push_word(&mut self, word: &Word<'_>, is_continued: bool) {
        let mark = if is_continued { display_width(CONTINUATION) } else { 0 };
        let has_text = self.used > self.hang || self.lines.is_empty() && self.used > 0;
        if has_text && self.used + word.spaces + word.width + mark > self.columns {
            self.break_line(word.is_inside_command);
        } else if self.used + word.spaces < self.columns {
            self.push(&" ".repeat(word.spaces), Tone::Plain, word.spaces);
        }
        for (text, tone) in &word.parts {
            self.push_text(text, *tone);
        }
    }

    /// Adds a text that may be wider than a line.
    fn push_text(&mut self, text: &str, tone: Tone) {
        let mut piece = String::new();
        let mut width = 0;
        for (grapheme, columns) in graphemes(text) {
            if self.used + width + columns > self.columns {
                self.push(&std::mem::take(&mut piece), tone, std::mem::take(&mut width));
                self.break_line(false);
            }
            piece.push_str(grapheme);
            width += columns;
        }
        self.push(&piece, tone, width);
    }

    fn push(&mut self, text: &str, tone: Tone, width: usize) {
        self.used += width;
        match self.spans.last_mut() {
            Some(last) if last.tone == tone => last.text.push_str(text),
            _ if text.is_empty() => {}
            _ => self.spans.push(Span::new(tone, text)),
        }
    }

    fn break_line(&mut self, is_inside_command: bool) {
        if is_inside_command {
            self.push(CONTINUATION, Tone::Plain, 0);
        }
        self.lines.push(Line::from_spans(std::mem::take(&mut self.spans)));
        self.used = 0;
        let hang = self.hang;
        self.push(&" ".repeat(hang), Tone::Plain, hang);
    }

    fn finish(mut self) -> Vec<Line> {
        if self.used > 0 {
            self.lines.push(Line::from_spans(self.spans));
        }
        self.lines
    }
}

/// Splits a line at its spaces. Text between backticks is a command, where they come in pairs.
fn split_words(line: &Line) -> Vec<Word<'_>> {
    let ticks: usize = line.spans.iter().map(|span| span.text.matches('`').count()).sum();
    let has_commands = ticks.is_multiple_of(2);
    let mut is_command = line.breaking == Breaking::Command;
    let mut words: Vec<Word<'_>> = vec![Word::default()];
    for span in &line.spans {
        for (at, piece) in span.text.split(' ').enumerate() {
            let Some(mut word) = words.pop() else {
                break;
            };
            if at > 0 {
                if word.parts.is_empty() {
                    word.spaces += 1;
                } else {
                    words.push(word);
                    word = Word { spaces: 1, is_inside_command: is_command, ..Word::default() };
                }
            }
            if !piece.is_empty() {
                word.parts.push((piece, span.tone));
                word.width += display_width(piece);
                is_command ^= has_commands && piece.matches('`').count() % 2 == 1;
            }
            words.push(word);
        }
    }
    words.retain(|word| !word.parts.is_empty());
    // The first word of a line of its own is no continuation.
    if let Some(first) = words.first_mut() {
        first.is_inside_command = false;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrap(line: impl Into<Line>, columns: usize) -> Vec<String> {
        wrap_line(line.into(), Screen::of_columns(columns)).iter().map(Line::to_text).collect()
    }

    #[test]
    fn a_line_is_broken_between_words_with_a_hanging_indent() {
        assert_eq!(wrap("short", 20), ["short"]);
        let expected = ["  one two three four", "    five six"];
        assert_eq!(wrap("  one two three four five six", 20), expected);
        let field = Line::field("branch", "a-long-name and more");
        assert_eq!(wrap(field, 24), ["branch   a-long-name and", "        more"]);
    }

    #[test]
    fn wide_characters_and_long_words_stay_within_the_screen() {
        let expected = ["word", "  日本語日本語日本語", "  日本語"];
        assert_eq!(wrap("word 日本語日本語日本語日本語", 20), expected);
        for columns in 20..60 {
            for line in wrap(
                "a 日本語 e\u{301}e\u{301} 👩\u{200d}💻👩\u{200d}💻 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                columns,
            ) {
                assert!(display_width(&line) <= columns, "{line}");
            }
        }
    }

    #[test]
    fn a_broken_command_is_still_a_command() {
        let hint = "hint: `trueup claim SD-1 --session abc` takes it over";
        let expected = ["hint: `trueup claim \\", "  SD-1 --session abc`", "  takes it over"];
        assert_eq!(wrap(hint, 22), expected);
        let line = Line::command(2, "trueup claim SD-1 --session abc");
        let expected = ["  trueup claim SD-1 \\", "    --session abc"];
        assert_eq!(wrap(line, 22), expected);
        assert_eq!(
            wrap("an odd ` tick is no command at all", 22).last().unwrap(),
            "  command at all"
        );
    }
}
