//! Rows of an answer.

use serde_json::Value as Json;
use trueup_core::store::sql::Row;
use trueup_core::store::{Result, StoreError};

/// A row, with its values in the order of the columns.
pub(super) struct JsonRow<'r>(pub(super) &'r [Json]);

impl JsonRow<'_> {
    fn value(&self, index: usize) -> Result<&Json> {
        self.0.get(index).ok_or_else(|| {
            StoreError::unreadable(&format!("the answer has no column {}", index + 1))
        })
    }
}

impl Row for JsonRow<'_> {
    fn text(&self, index: usize) -> Result<Option<&str>> {
        match self.value(index)? {
            Json::Null => Ok(None),
            Json::String(text) => Ok(Some(text)),
            other => Err(StoreError::unreadable(&format!("{other} is not a text"))),
        }
    }

    fn integer(&self, index: usize) -> Result<Option<i64>> {
        match self.value(index)? {
            Json::Null => Ok(None),
            other => other
                .as_i64()
                .map(Some)
                .ok_or_else(|| StoreError::unreadable(&format!("{other} is not a whole number"))),
        }
    }
}
