//! What comes next, or why nothing does.

use super::super::{ClaimOutcome, Item, ItemKey, ItemStatus, SessionId};

/// Why an item is offered that is no plain next child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferReason {
    /// All its children are finished.
    LastChildDone,
    /// Its children were asked for, and it has none.
    NoChildren,
    /// The orchestrator before it is finished, and the session chains.
    NextOrchestrator,
}

impl OfferReason {
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
        [
            Self::LastChildDone,
            Self::NoChildren,
            Self::NextOrchestrator,
        ]
        .into_iter()
        .find(|reason| reason.as_str() == word)
    }
}

/// Why none is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// Nothing is left to begin.
    NothingReady,
    /// Others hold all that is left.
    AllHeld,
    /// What is left waits.
    Waiting,
    /// The next orchestrator is not gone on with.
    ChainingOff,
}

impl Lack {
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

/// What keeps an item from being begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// Somebody holds it.
    HeldBy(SessionId),
    /// It depends on these, which are not completed.
    DependsOn(Vec<(ItemKey, ItemStatus)>),
    /// It is blocked, for this reason.
    Blocked(Option<String>),
    /// Nothing but that it was not looked for.
    Free,
}

/// An item that is not finished and cannot be begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hindrance {
    /// Which.
    pub item: ItemKey,
    /// Why.
    pub cause: Cause,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// This item.
    Offer {
        /// Which.
        item: Item,
        /// Why it, when it is no plain child.
        reason: Option<OfferReason>,
    },
    /// The item held is all that is left.
    Held {
        /// Which.
        item: Item,
        /// Why it, when it is no plain child.
        reason: Option<OfferReason>,
    },
    /// This item, but the session would leave unfinished work for it and was not told to.
    Kept {
        /// The work that the session holds.
        held: Box<Item>,
        /// The item that would follow.
        item: Item,
    },
    /// None.
    Nothing {
        /// Why.
        lack: Lack,
        /// What is left, and what keeps it, as far as it is named.
        hindrances: Vec<Hindrance>,
        /// Whether there is more than that.
        more: bool,
    },
}

impl Next {
    /// Returns the item that a claim of what comes next takes, how the claim counts, and why
    /// it is this item.
    pub const fn to_claim(&mut self) -> Option<(&mut Item, ClaimOutcome, Option<OfferReason>)> {
        match self {
            Self::Offer { item, reason } => Some((item, ClaimOutcome::Claimed, *reason)),
            Self::Held { item, reason } => Some((item, ClaimOutcome::AlreadyOwned, *reason)),
            Self::Kept { .. } | Self::Nothing { .. } => None,
        }
    }

    /// Keeps unfinished work that the session would leave for what comes next. To go on from an
    /// item to one of its own children leaves nothing: the search comes back to it.
    #[must_use]
    pub fn keeping(self, held: Option<Item>) -> Self {
        match (self, held) {
            (Self::Offer { item, .. }, Some(held))
                if !held.status.is_finished() && item.parent.as_ref() != Some(&held.key) =>
            {
                let held = Box::new(held);
                Self::Kept { held, item }
            }
            (next, _) => next,
        }
    }
}
