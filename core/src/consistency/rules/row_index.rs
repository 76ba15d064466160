//! The rows of a reading, by their keys.

use crate::consistency::assessment::CheckoutSnapshot;
use crate::model::{ItemKey, WorkplanRow};

/// All rows of a reading, each with a number: those of the repository first, in the order of
/// their keys, then those from elsewhere, in theirs.
///
/// Nothing is hashed or copied for it: with a hundred thousand rows a map costs as much as
/// reading a quarter of the files.
#[derive(Debug, Clone, Copy)]
pub(in crate::consistency) struct RowIndex<'a> {
    own_rows: &'a [WorkplanRow],
    foreign_rows: &'a [WorkplanRow],
}

impl<'a> RowIndex<'a> {
    pub(in crate::consistency) fn new(reading: &'a CheckoutSnapshot) -> Self {
        Self {
            own_rows: &reading.rows,
            foreign_rows: &reading.foreign_rows,
        }
    }

    pub(in crate::consistency) const fn len(&self) -> usize {
        self.own_rows.len() + self.foreign_rows.len()
    }

    /// Returns every row, in the order of their numbers.
    pub(in crate::consistency) fn iter(&self) -> impl Iterator<Item = &'a WorkplanRow> + use<'a> {
        self.own_rows.iter().chain(self.foreign_rows)
    }

    /// Returns the rows of the repository.
    pub(super) const fn own_rows(&self) -> &'a [WorkplanRow] {
        self.own_rows
    }

    pub(in crate::consistency) fn get(&self, number: usize) -> Option<&'a WorkplanRow> {
        let elsewhere = || self.foreign_rows.get(number - self.own_rows.len());
        self.own_rows.get(number).or_else(elsewhere)
    }

    /// Returns the number of the row with this key.
    pub(in crate::consistency) fn find_number(&self, key: &ItemKey) -> Option<usize> {
        let place = |rows: &[WorkplanRow]| rows.binary_search_by(|row| row.key.cmp(key)).ok();
        let elsewhere = || Some(self.own_rows.len() + place(self.foreign_rows)?);
        place(self.own_rows).or_else(elsewhere)
    }

    /// Finds the row of a key, beginning where the last search of this kind ended: files are
    /// almost always in the order of their keys.
    pub(super) fn find_next(&self, key: &ItemKey, next: &mut usize) -> Option<usize> {
        let number = match self.get(*next).filter(|row| row.key == *key) {
            Some(_) => *next,
            None => self.find_number(key)?,
        };
        *next = number + 1;
        Some(number)
    }
}
