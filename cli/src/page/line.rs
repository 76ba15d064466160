//! A line of text, parts of which have a meaning that a terminal shows as a colour.

use super::width::display_width;

/// What a text means. A terminal shows it as a colour; the words say the same without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tone {
    #[default]
    Plain,
    /// A heading.
    Head,
    /// Being worked on.
    Active,
    /// Done, or as it should be.
    Good,
    /// Needs attention.
    Warning,
    /// Failed.
    Error,
    /// Of less interest: ids, ages, machine fields.
    Faint,
}

/// A text with one tone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) text: String,
    pub(crate) tone: Tone,
}

impl Span {
    pub(crate) fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { text: text.into(), tone }
    }
}

impl From<String> for Span {
    fn from(text: String) -> Self {
        Self::new(Tone::Plain, text)
    }
}

impl From<&str> for Span {
    fn from(text: &str) -> Self {
        Self::new(Tone::Plain, text)
    }
}

/// A line. A line break inside of it comes from foreign text and is printed escaped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Line {
    pub(crate) spans: Vec<Span>,
    /// Columns by which the parts after the first are indented where the line has to be broken;
    /// two more than the line itself if not given.
    pub(crate) hang: Option<usize>,
    pub(crate) breaking: Breaking,
}

/// How a line is broken where it is wider than the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Breaking {
    /// Between words.
    #[default]
    Words,
    /// As a command for a shell, which it stays.
    Command,
    /// Not at all: it is for a program, or part of a file.
    Never,
    /// Not at all: what has no room is left out, because the line is one of a summary.
    Shorten,
}

impl Line {
    /// Makes a line of one tone.
    pub(crate) fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self::from_spans(vec![Span::new(tone, text)])
    }

    pub(crate) fn from_spans(spans: Vec<Span>) -> Self {
        Self { spans, ..Self::default() }
    }

    /// Makes a line of a label and a value, which stays beside its label where it is broken.
    pub(crate) fn field(label: &str, value: impl Into<Self>) -> Self {
        let label = Span::new(Tone::Faint, format!("{label:<8} "));
        let hang = Some(display_width(&label.text));
        let mut spans = vec![label];
        spans.extend(value.into().spans);
        Self { spans, hang, ..Self::default() }
    }

    /// Makes a line that is a command for a shell, indented.
    pub(crate) fn command(indent: usize, command: &str) -> Self {
        let text = format!("{:indent$}{command}", "");
        Self { breaking: Breaking::Command, ..Self::new(Tone::Plain, text) }
    }

    /// Makes a line that is for a program, which is never broken.
    pub(crate) fn verbatim(text: impl Into<String>) -> Self {
        Self { breaking: Breaking::Never, ..Self::new(Tone::Plain, text) }
    }

    /// Adds a text of a tone.
    #[must_use]
    pub(crate) fn with(mut self, tone: Tone, text: impl Into<String>) -> Self {
        self.spans.push(Span::new(tone, text));
        self
    }

    /// Adds a plain text.
    #[must_use]
    pub(crate) fn and(self, text: impl Into<String>) -> Self {
        self.with(Tone::Plain, text)
    }

    /// Leaves out what has no room in one line.
    #[must_use]
    pub(crate) const fn shortened(mut self) -> Self {
        self.breaking = Breaking::Shorten;
        self
    }

    /// Indents what follows the first part where the line has to be broken.
    #[must_use]
    pub(crate) const fn hanging(mut self, columns: usize) -> Self {
        self.hang = Some(columns);
        self
    }

    /// Replaces the text of each span.
    pub(super) fn map_text(&self, map: impl Fn(&str) -> String) -> Self {
        let spans = self.spans.iter().map(|span| Span::new(span.tone, map(&span.text)));
        Self { spans: spans.collect(), ..*self }
    }

    /// Returns the text without tones.
    pub(crate) fn to_text(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect()
    }

    /// Returns the columns that the line takes.
    pub(super) fn width(&self) -> usize {
        self.spans.iter().map(|span| display_width(&span.text)).sum()
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self::new(Tone::Plain, text)
    }
}

impl From<&str> for Line {
    fn from(text: &str) -> Self {
        Self::new(Tone::Plain, text)
    }
}
