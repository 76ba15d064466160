//! The rows of a reading, by their keys.

use crate::consistency::assess::Reading;
use crate::model::{ItemKey, WorkplanRow};

/// All rows of a reading, each with a number: those of the repository first, in the order of
/// their keys, then those from elsewhere, in theirs.
///
/// Nothing is hashed or copied for it: with a hundred thousand rows a map costs as much as
/// reading a quarter of the files.
#[derive(Debug, Clone, Copy)]
pub(in crate::consistency) struct Known<'a> {
    own: &'a [WorkplanRow],
    elsewhere: &'a [WorkplanRow],
}

impl<'a> Known<'a> {
    pub(in crate::consistency) fn of(reading: &'a Reading) -> Self {
        Self {
            own: &reading.rows,
            elsewhere: &reading.elsewhere,
        }
    }

    pub(in crate::consistency) const fn len(&self) -> usize {
        self.own.len() + self.elsewhere.len()
    }

    /// Returns every row, in the order of their numbers.
    pub(in crate::consistency) fn iter(&self) -> impl Iterator<Item = &'a WorkplanRow> + use<'a> {
        self.own.iter().chain(self.elsewhere)
    }

    /// Returns the rows of the repository.
    pub(super) const fn own(&self) -> &'a [WorkplanRow] {
        self.own
    }

    pub(in crate::consistency) fn get(&self, number: usize) -> Option<&'a WorkplanRow> {
        let elsewhere = || self.elsewhere.get(number - self.own.len());
        self.own.get(number).or_else(elsewhere)
    }

    /// Returns the number of the row with this key.
    pub(in crate::consistency) fn find(&self, key: &ItemKey) -> Option<usize> {
        let place = |rows: &[WorkplanRow]| rows.binary_search_by(|row| row.key.cmp(key)).ok();
        let elsewhere = || Some(self.own.len() + place(self.elsewhere)?);
        place(self.own).or_else(elsewhere)
    }

    /// Finds the row of a key, beginning where the last search of this kind ended: files are
    /// almost always in the order of their keys.
    pub(super) fn find_next(&self, key: &ItemKey, next: &mut usize) -> Option<usize> {
        let number = match self.get(*next).filter(|row| row.key == *key) {
            Some(_) => *next,
            None => self.find(key)?,
        };
        *next = number + 1;
        Some(number)
    }
}
