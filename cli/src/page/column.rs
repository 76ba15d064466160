//! The columns of a table.

use super::width::Omit;

/// What becomes of a column where a row does not fit the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flex {
    /// Stays whole as long as anything else can be shortened.
    Firm,
    /// Is shortened first.
    Text(Omit),
    /// Is shortened to a beginning that still tells all ids of the column apart.
    Id,
    /// Stays whole; only where nothing else is left to shorten, a beginning tells all keys apart.
    Key,
}

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(super) name: &'static str,
    pub(super) flex: Flex,
    pub(super) is_right_aligned: bool,
    pub(super) is_optional: bool,
}

impl Column {
    const fn new(name: &'static str, flex: Flex) -> Self {
        Self { name, flex, is_right_aligned: false, is_optional: false }
    }

    /// Makes a column whose values are short words.
    pub(crate) const fn word(name: &'static str) -> Self {
        Self::new(name, Flex::Firm)
    }

    /// Makes a column of numbers.
    pub(crate) const fn number(name: &'static str) -> Self {
        Self { is_right_aligned: true, ..Self::new(name, Flex::Firm) }
    }

    /// Makes a column of ids, which commands take shortened.
    pub(crate) const fn id(name: &'static str) -> Self {
        Self::new(name, Flex::Id)
    }

    /// Makes a column of keys, which people type.
    pub(crate) const fn key(name: &'static str) -> Self {
        Self::new(name, Flex::Key)
    }

    /// Makes a column of free text, such as titles.
    pub(crate) const fn text(name: &'static str) -> Self {
        Self::new(name, Flex::Text(Omit::End))
    }

    /// Makes a column of paths, whose ends tell most.
    pub(crate) const fn path(name: &'static str) -> Self {
        Self::new(name, Flex::Text(Omit::Beginning))
    }

    /// Lets the column be left out where the others have no room.
    pub(crate) const fn optional(mut self) -> Self {
        self.is_optional = true;
        self
    }
}
