//! A `task` block with the heading above it and the text below it.

use std::hash::Hasher as _;
use std::ops::Range;
use std::sync::Arc;

use siphasher::sip::SipHasher13;

use super::Key;
use super::mapping::Mapping;
use super::position::{ByteSpan, TextPosition};
use super::scalar::Scalar;

/// The block of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskBlock {
    /// Position of its opening fence.
    pub place: TextPosition,
    pub(super) mapping: Mapping,
    /// The heading above, shared by the blocks below it: copies for thousands of blocks under one
    /// long heading would take memory quadratic in the size of the file.
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
    /// Returns its byte range, including the lines of both fences.
    pub fn span(&self) -> Range<usize> {
        self.span.range()
    }

    /// Returns the value of a key, unless it is empty.
    pub fn get(&self, key: Key) -> Option<&Scalar> {
        self.mapping.get(key)
    }

    /// Returns the id of the task.
    pub fn id(&self) -> Option<&Scalar> {
        self.get(Key::Id)
    }

    /// Returns the status of the task.
    pub fn status(&self) -> Option<&Scalar> {
        self.get(Key::Status)
    }

    /// Returns the id of its row in the database, if it is linked.
    pub fn link(&self) -> Option<&Scalar> {
        self.get(Key::Link)
    }

    /// Returns the ids of the items it depends on.
    pub fn depends_on(&self) -> &[Scalar] {
        self.mapping.list(Key::DependsOn)
    }

    /// Returns its own title, or else the nearest heading above.
    pub fn title(&self) -> Option<&str> {
        match self.get(Key::Title) {
            Some(title) => Some(&title.text),
            None => self.heading.as_deref(),
        }
    }

    /// Returns the byte range of the text between the block and the next heading or block,
    /// without surrounding white space.
    pub fn description(&self) -> Range<usize> {
        self.description.span.range()
    }

    /// Returns a digest of the description that is the same for `\r\n` and `\n`.
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
        // No cryptographic hash: only the editors of a file could forge it, to their own harm.
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
        Self { span: ByteSpan::new(start, start + described.len()), digest: hash.finish() }
    }
}
