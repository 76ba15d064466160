//! What workplan files say of items.

use super::Provenance;
use crate::model::{
    ItemKey, NewWorkplanRow, WorkplanChange, WorkplanLink, WorkplanRow, WorkplanRows,
};
use crate::store::Result;

/// The ties between workplan files and items.
#[expect(
    clippy::missing_errors_doc,
    reason = "said once at `Store`, and where one is special"
)]
pub trait WorkplanStore {
    /// Lists what a check of a repository compares its files with, as of one moment.
    fn load_workplan_rows(&mut self, repo: &str) -> Result<WorkplanRows>;

    /// Finds items by key or by the id a file carries, whatever repository they are of; tied
    /// or not. By key.
    fn find_workplan_rows(
        &mut self,
        keys: &[ItemKey],
        links: &[WorkplanLink],
    ) -> Result<Vec<WorkplanRow>>;

    /// Ties items to files, in one transaction; an item that is not there is added. Returns
    /// the id that each carries, in the order asked: one it carried already stays.
    fn link_workplans(
        &mut self,
        rows: &[NewWorkplanRow],
        provenance: &Provenance,
    ) -> Result<Vec<WorkplanLink>>;

    /// Takes over what files say of their items, in one transaction.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict) when an item is not tied.
    fn update_workplan_facts(
        &mut self,
        changes: &[WorkplanChange],
        provenance: &Provenance,
    ) -> Result<()>;
}
