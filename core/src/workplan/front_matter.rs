//! The front matter, between two lines of `---` at the beginning of a file.

use std::ops::Range;

use super::Key;
use super::mapping::{self, Mapping};
use super::position::{ByteSpan, Problem, TextPosition};
use super::scalar::Scalar;
use crate::text::markdown::{LineEnd, NumberedLine, NumberedLines};

/// The line before and after the front matter.
const DELIMITER: &str = "---";

/// A parsed front matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrontMatter {
    pub(super) mapping: Mapping,
    span: ByteSpan,
}

impl FrontMatter {
    /// Returns its byte range, including both lines of `---`.
    pub fn span(&self) -> Range<usize> {
        self.span.range()
    }

    /// Returns the value of a key, unless it is empty.
    pub fn get(&self, key: Key) -> Option<&Scalar> {
        self.mapping.get(key)
    }

    /// Returns the id of the workplan.
    pub fn id(&self) -> Option<&Scalar> {
        self.get(Key::Id)
    }

    /// Returns the title of the workplan.
    pub fn title(&self) -> Option<&Scalar> {
        self.get(Key::Title)
    }

    /// Returns the status of the workplan.
    pub fn status(&self) -> Option<&Scalar> {
        self.get(Key::Status)
    }

    /// Returns the repository, from `repo` or else from `repo_slug`.
    pub fn repo(&self) -> Option<&Scalar> {
        self.get(Key::Repo).or_else(|| self.get(Key::RepoSlug))
    }

    /// Returns the id of its row in the database, if it is linked.
    pub fn link(&self) -> Option<&Scalar> {
        self.get(Key::Link)
    }

    /// Returns the ids of the items it depends on.
    pub fn depends_on(&self) -> &[Scalar] {
        self.mapping.list(Key::DependsOn)
    }
}

/// Parses the front matter of a file; returns it and the lines after it.
pub(super) fn parse_front_matter<'a>(
    text: &'a str,
    problems: &mut Vec<Problem>,
) -> Result<(FrontMatter, NumberedLines<'a>), Problem> {
    let mut lines = NumberedLines::from_text(text, LineEnd::Newline);
    let start = lines.next_offset();
    if lines.next().is_none_or(|line| line.text != DELIMITER) {
        let reason = "no front matter: the first line is not ---";
        return Err(Problem::new(TextPosition::START, reason));
    }
    let inner = lines.clone();
    let Some(end) = lines.find(|line: &NumberedLine<'_>| line.text == DELIMITER) else {
        let reason = "unclosed front matter: no closing --- line";
        return Err(Problem::new(TextPosition::START, reason));
    };
    let outer = ByteSpan::new(inner.next_offset(), inner.next_offset());
    let inner = inner.until(end.start);
    let mapping =
        mapping::parse_mapping(text, inner, outer, Key::from_front_matter, false, problems);
    let front = FrontMatter { mapping, span: ByteSpan::new(start, end.next_start) };
    Ok((front, lines))
}
