//! Rows of a snapshot, found by key.

use crate::consistency::CheckoutSnapshot;
use crate::model::{ItemKey, WorkplanRow};

/// Finds rows by their keys, those of the repository before those from elsewhere.
///
/// Both slices are sorted by key and searched in place: with a hundred thousand rows, a hash map
/// costs as much as reading a quarter of the files.
#[derive(Debug)]
pub(crate) struct RowIndex<'a> {
    own: &'a [WorkplanRow],
    foreign: &'a [WorkplanRow],
    /// Whether a node has the key of each row, own rows first.
    is_named: Vec<bool>,
    /// Where the search for the next node begins: files mostly follow the order of their keys.
    next: usize,
}

impl<'a> RowIndex<'a> {
    pub(crate) fn new(snapshot: &'a CheckoutSnapshot) -> Self {
        let (own, foreign) = (&*snapshot.rows, &*snapshot.foreign_rows);
        Self { own, foreign, is_named: vec![false; own.len() + foreign.len()], next: 0 }
    }

    /// Finds the row of a node, and remembers that a node has its key.
    pub(crate) fn name(&mut self, key: &ItemKey) -> Option<&'a WorkplanRow> {
        let number = match self.get(self.next).filter(|row| row.key == *key) {
            Some(_) => self.next,
            None => self.find_number(key)?,
        };
        self.next = number + 1;
        if let Some(is_named) = self.is_named.get_mut(number) {
            *is_named = true;
        }
        self.get(number)
    }

    pub(crate) fn find(&self, key: &ItemKey) -> Option<&'a WorkplanRow> {
        self.get(self.find_number(key)?)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &'a WorkplanRow> + use<'a> {
        self.own.iter().chain(self.foreign)
    }

    pub(crate) fn count_named(&self) -> usize {
        self.is_named.iter().filter(|is_named| **is_named).count()
    }

    /// Returns the rows whose key no node has, own rows first.
    pub(crate) fn unnamed(&self) -> impl Iterator<Item = &'a WorkplanRow> {
        let rows = self.iter().zip(&self.is_named);
        rows.filter_map(|(row, is_named)| (!is_named).then_some(row))
    }

    /// Returns the rows of the repository whose key no node has.
    pub(crate) fn unnamed_own(&self) -> impl Iterator<Item = &'a WorkplanRow> {
        let rows = self.own.iter().zip(&self.is_named);
        rows.filter_map(|(row, is_named)| (!is_named).then_some(row))
    }

    fn get(&self, number: usize) -> Option<&'a WorkplanRow> {
        let foreign = || self.foreign.get(number - self.own.len());
        self.own.get(number).or_else(foreign)
    }

    fn find_number(&self, key: &ItemKey) -> Option<usize> {
        let search = |rows: &[WorkplanRow]| rows.binary_search_by(|row| row.key.cmp(key)).ok();
        let foreign = || Some(self.own.len() + search(self.foreign)?);
        search(self.own).or_else(foreign)
    }
}
