//! Readings of the database's clock.

use super::super::engine::Engine;
use super::super::{SqlStore, events};
use crate::model::Timestamp;
use crate::store::{ClockStore, Result};

impl<E: Engine> ClockStore for SqlStore<E> {
    fn database_time(&mut self) -> Result<Timestamp> {
        self.engine.read(|tx| events::load_database_time(tx))
    }

    fn find_differing_clock_reading(&mut self, apart_seconds: u64) -> Result<Option<Timestamp>> {
        self.engine.read(|tx| events::find_differing_clock_reading(tx, apart_seconds))
    }
}
