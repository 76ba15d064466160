//! Links between items and workplan files.

use super::Provenance;
use crate::model::{
    ItemKey, NewWorkplanRow, WorkplanChange, WorkplanLink, WorkplanRow, WorkplanRows,
};
use crate::store::Result;

/// The operations on links between workplan files and items.
#[expect(clippy::missing_errors_doc, reason = "said once at `Store`, and where one is special")]
pub trait WorkplanStore {
    /// Loads the rows that a check of a repository compares its files with, as of one moment.
    fn load_workplan_rows(&mut self, repo: &str) -> Result<WorkplanRows>;

    /// Finds items of any repository by key or by the id that a file carries, linked or not, in
    /// the order of their keys.
    fn find_workplan_rows(
        &mut self,
        keys: &[ItemKey],
        links: &[WorkplanLink],
    ) -> Result<Vec<WorkplanRow>>;

    /// Links items to files in one transaction; a missing item is added. Returns the id that each
    /// item's file carries, in the order asked: an item that has a link keeps it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Denied`](crate::store::StoreError::Denied) when another item has the id of a
    /// file.
    fn link_workplans(
        &mut self,
        rows: &[NewWorkplanRow],
        provenance: &Provenance,
    ) -> Result<Vec<WorkplanLink>>;

    /// Takes over the facts that files state about their items, in one transaction.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict) when an item has no link.
    fn update_workplan_facts(
        &mut self,
        changes: &[WorkplanChange],
        provenance: &Provenance,
    ) -> Result<()>;
}
