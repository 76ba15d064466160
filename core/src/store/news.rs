//! What an event says, before it has a number and a time.

use serde_json::Value as Json;

use crate::model::Epoch;

/// What happened to what.
pub(super) struct News<'a> {
    /// The kind of thing.
    pub(super) entity: &'static str,
    /// Which one.
    pub(super) key: &'a str,
    /// What happened.
    pub(super) kind: &'a str,
    /// What it was; null for what is new.
    pub(super) before: Json,
    /// What it became; null for what is gone.
    pub(super) after: Json,
    /// Under which claim.
    pub(super) epoch: Option<Epoch>,
}
