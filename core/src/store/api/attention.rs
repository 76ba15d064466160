//! What needs a person.

use serde::{Deserialize, Serialize};

use crate::model::{Attention, AttentionId, AttentionKind, SessionId};
use crate::store::Result;

/// Which of what needs a person to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AttentionFilter {
    /// Only what still needs somebody.
    pub only_open: bool,
    /// Only these kinds; empty means all.
    pub kinds: Vec<AttentionKind>,
    /// Only what concerns this session.
    pub session: Option<SessionId>,
    /// At most so many; 0 means all.
    pub limit: u32,
}

/// The operations on what needs a person. Hooks report it by
/// [`HookStore::raise_attention`](super::HookStore::raise_attention).
#[expect(clippy::missing_errors_doc, reason = "said once at `Store`")]
pub trait AttentionStore {
    /// Lists what needs a person, or did, the oldest first.
    fn list_attention(&mut self, filter: &AttentionFilter) -> Result<Vec<Attention>>;

    /// Loads one of them.
    fn load_attention(&mut self, id: &AttentionId) -> Result<Option<Attention>>;
}
