//! The front matter: what stands between the two lines of `---` a file begins with.

use std::ops::Range;

use super::Key;
use super::mapping::{self, Mapping};
use super::numbered_lines::{NumberedLine, NumberedLines};
use super::position::{ByteSpan, Problem, TextPosition};
use super::scalar::Scalar;

/// The line before and behind it.
const DELIMITER: &str = "---";

/// What a front matter says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrontMatter {
    pub(super) mapping: Mapping,
    span: ByteSpan,
}

impl FrontMatter {
    /// Returns its bytes, with its two lines of `---`.
    pub fn span(&self) -> Range<usize> {
        self.span.range()
    }

    /// Returns what it says of a key, if it says something.
    pub fn get(&self, key: Key) -> Option<&Scalar> {
        self.mapping.get(key)
    }

    /// Returns the id.
    pub fn id(&self) -> Option<&Scalar> {
        self.get(Key::Id)
    }

    /// Returns the title.
    pub fn title(&self) -> Option<&Scalar> {
        self.get(Key::Title)
    }

    /// Returns the status.
    pub fn status(&self) -> Option<&Scalar> {
        self.get(Key::Status)
    }

    /// Returns the repository, by either of its keys.
    pub fn repo(&self) -> Option<&Scalar> {
        self.get(Key::Repo).or_else(|| self.get(Key::RepoSlug))
    }

    /// Returns the id it has in the database; absent where it is not linked.
    pub fn link(&self) -> Option<&Scalar> {
        self.get(Key::Link)
    }

    /// Returns the ids of what it depends on.
    pub fn depends_on(&self) -> &[Scalar] {
        self.mapping.list(Key::DependsOn)
    }
}

/// Reads a front matter, and returns it and the lines behind it.
pub(super) fn parse_front_matter<'a>(
    text: &'a str,
    problems: &mut Vec<Problem>,
) -> Result<(FrontMatter, NumberedLines<'a>), Problem> {
    let mut lines = NumberedLines::from_text(text);
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
    let front = FrontMatter {
        mapping,
        span: ByteSpan::new(start, end.next_start),
    };
    Ok((front, lines))
}
