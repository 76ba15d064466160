//! The overview.

use super::super::engine::Engine;
use super::super::{SqlStore, overview};
use crate::store::{OverviewQuery, OverviewRows, OverviewStore, Result};

impl<E: Engine> OverviewStore for SqlStore<E> {
    fn load_overview_rows(&mut self, query: &OverviewQuery) -> Result<OverviewRows> {
        self.engine.read(|tx| overview::load_overview_rows(tx, query.finished_since))
    }
}
