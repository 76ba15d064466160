//! A task's block, the heading above it and the text below it.

use std::hash::Hasher as _;
use std::ops::Range;
use std::sync::Arc;

use siphasher::sip::SipHasher13;

use super::Key;
use super::mapping::Mapping;
use super::position::{ByteSpan, TextPosition};
use super::scalar::Scalar;

/// A task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskBlock {
    /// Where its fence begins.
    pub place: TextPosition,
    pub(super) mapping: Mapping,
    /// The heading above, which the blocks below it share: thousands of them under a long one
    /// would take the square of the file otherwise.
    pub(super) heading: Option<Arc<str>>,
    pub(super) span: ByteSpan,
    pub(super) description: TaskDescription,
}

/// The text below a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TaskDescription {
    span: ByteSpan,
    digest: u64,
}

impl TaskBlock {
    /// Returns its bytes, with the lines of its two fences.
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

    /// Returns the status.
    pub fn status(&self) -> Option<&Scalar> {
        self.get(Key::Status)
    }

    /// Returns the id it has in the database; absent where it is not linked.
    pub fn link(&self) -> Option<&Scalar> {
        self.get(Key::Link)
    }

    /// Returns the ids of what it depends on.
    pub fn depends_on(&self) -> &[Scalar] {
        self.mapping.list(Key::DependsOn)
    }

    /// Returns the title: its own if it has one, else the nearest heading above.
    pub fn title(&self) -> Option<&str> {
        match self.get(Key::Title) {
            Some(title) => Some(&title.text),
            None => self.heading.as_deref(),
        }
    }

    /// Returns the bytes of the text between the block and the next heading or block, without
    /// blanks around it.
    pub fn description(&self) -> Range<usize> {
        self.description.span.range()
    }

    /// Returns a digest of the description in which `\r\n` and `\n` are the same.
    pub fn description_digest(&self) -> u64 {
        self.description.digest
    }
}

impl TaskDescription {
    pub(super) fn new(text: &str, bytes: Range<usize>) -> Self {
        const AROUND: [char; 4] = [' ', '\t', '\r', '\n'];
        let all = text.get(bytes.clone()).unwrap_or_default();
        let described = all.trim_start_matches(AROUND);
        let start = bytes.start + (all.len() - described.len());
        let described = described.trim_end_matches(AROUND);
        // There is nobody to deceive but the editor of the file himself.
        let mut hash = SipHasher13::new();
        let mut rest = described;
        while let Some((line, after)) = rest.split_once('\r') {
            hash.write(line.as_bytes());
            if !after.starts_with('\n') {
                hash.write(b"\r");
            }
            rest = after;
        }
        hash.write(rest.as_bytes());
        Self {
            span: ByteSpan::new(start, start + described.len()),
            digest: hash.finish(),
        }
    }
}
