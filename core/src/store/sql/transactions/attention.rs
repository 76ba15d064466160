//! What needs a person.

use super::super::engine::Engine;
use super::super::{SqlStore, attention};
use crate::model::{Attention, AttentionId};
use crate::store::{AttentionFilter, AttentionStore, Result};

impl<E: Engine> AttentionStore for SqlStore<E> {
    fn list_attention(&mut self, filter: &AttentionFilter) -> Result<Vec<Attention>> {
        self.engine.read(|tx| attention::list_attention(tx, filter))
    }

    fn load_attention(&mut self, id: &AttentionId) -> Result<Option<Attention>> {
        self.engine.read(|tx| attention::load_attention(tx, id))
    }
}
