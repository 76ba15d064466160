//! The next item, or the reason why there is none.

use super::super::{ClaimOutcome, Item, ItemKey, ItemStatus, SessionId};
use serde::{Deserialize, Serialize};

/// Why an item was picked that is not simply the next child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PickReason {
    /// All its children are finished.
    LastChildDone,
    /// Its children were requested, and it has none.
    NoChildren,
    /// The orchestrator before it is finished, and the session chains orchestrators.
    NextOrchestrator,
}

impl PickReason {
    /// Returns the word for scripts and events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LastChildDone => "last_child_done",
            Self::NoChildren => "no_children",
            Self::NextOrchestrator => "next_orchestrator",
        }
    }

    /// Finds a reason by its word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::LastChildDone, Self::NoChildren, Self::NextOrchestrator]
            .into_iter()
            .find(|reason| reason.as_str() == word)
    }
}

/// Why no item is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoOfferReason {
    /// No item is left to start.
    NothingReady,
    /// Other sessions hold every remaining item.
    AllHeld,
    /// Every remaining item waits for a dependency.
    Waiting,
    /// The next item belongs to another orchestrator, and the session does not chain orchestrators.
    ChainingOff,
}

impl NoOfferReason {
    /// Returns the word for scripts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NothingReady => "nothing_ready",
            Self::AllHeld => "all_held",
            Self::Waiting => "waiting",
            Self::ChainingOff => "chaining_off",
        }
    }
}

/// What keeps an item from being started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockerCause {
    /// A session holds it.
    HeldBy(SessionId),
    /// It has these open dependencies.
    DependsOn(Vec<(ItemKey, ItemStatus)>),
    /// It is blocked, for this reason.
    Blocked(Option<String>),
    /// Nothing; it was only outside the search.
    Free,
}

/// An unfinished item that cannot be started, and the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocker {
    /// The item.
    pub item: ItemKey,
    /// The reason.
    pub cause: BlockerCause,
}

/// The answer to "what comes next?".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NextItem {
    /// This item.
    Offer {
        /// The item.
        item: Item,
        /// Why it was picked, if it is not simply the next child.
        reason: Option<PickReason>,
    },
    /// The item that the session holds is all that is left.
    Held {
        /// The item.
        item: Item,
        /// Why it was picked, if it is not simply the next child.
        reason: Option<PickReason>,
    },
    /// This item, but the session would leave unfinished work for it and did not ask to.
    KeepHeld {
        /// The item that the session holds.
        held: Box<Item>,
        /// The item that would be next.
        item: Item,
    },
    /// No item.
    Nothing {
        /// Why.
        reason: NoOfferReason,
        /// What is left, and what blocks it; at most [`MAX_BLOCKERS`](super::MAX_BLOCKERS) items.
        blockers: Vec<Blocker>,
        /// Whether more is left than is named.
        has_more: bool,
    },
}

impl NextItem {
    /// Returns the item that a claim of the next item takes, how the claim counts, and why the item
    /// was picked.
    pub const fn claim_candidate(
        &mut self,
    ) -> Option<(&mut Item, ClaimOutcome, Option<PickReason>)> {
        match self {
            Self::Offer { item, reason } => Some((item, ClaimOutcome::Claimed, *reason)),
            Self::Held { item, reason } => Some((item, ClaimOutcome::AlreadyHeld, *reason)),
            Self::KeepHeld { .. } | Self::Nothing { .. } => None,
        }
    }

    /// Refuses to leave unfinished work for the next item. Going from an item to one of its own
    /// children leaves nothing, because the search comes back to it.
    #[must_use]
    pub fn keep_held(self, held: Option<Item>) -> Self {
        match (self, held) {
            (Self::Offer { item, .. }, Some(held))
                if !held.status.is_finished() && item.parent.as_ref() != Some(&held.key) =>
            {
                let held = Box::new(held);
                Self::KeepHeld { held, item }
            }
            (next, _) => next,
        }
    }
}
