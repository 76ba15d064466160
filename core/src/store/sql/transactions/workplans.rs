//! The rows of workplan files.

use super::super::engine::Engine;
use super::super::{SqlStore, workplans};
use crate::model::{
    ItemKey, NewWorkplanRow, WorkplanChange, WorkplanLink, WorkplanRow, WorkplanRows,
};
use crate::store::{Provenance, Result, WorkplanStore};

impl<E: Engine> WorkplanStore for SqlStore<E> {
    fn load_workplan_rows(&mut self, repo: &str) -> Result<WorkplanRows> {
        self.engine.snapshot(|tx| workplans::load_workplan_rows(tx, repo))
    }

    fn find_workplan_rows(
        &mut self,
        keys: &[ItemKey],
        links: &[WorkplanLink],
    ) -> Result<Vec<WorkplanRow>> {
        self.engine.snapshot(|tx| workplans::find_workplan_rows(tx, keys, links))
    }

    fn link_workplans(
        &mut self,
        rows: &[NewWorkplanRow],
        provenance: &Provenance,
    ) -> Result<Vec<WorkplanLink>> {
        self.engine.write(|tx| workplans::link_workplans(tx, rows, provenance))
    }

    fn update_workplan_facts(
        &mut self,
        changes: &[WorkplanChange],
        provenance: &Provenance,
    ) -> Result<()> {
        self.engine.write(|tx| workplans::update_workplan_facts(tx, changes, provenance))
    }
}
