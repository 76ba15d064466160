//! What comes next, or why nothing does.

use super::super::{ClaimOutcome, Item, ItemKey, ItemStatus, SessionId};

/// Why an item is offered that is no plain next child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PickReason {
    /// All its children are finished.
    LastChildDone,
    /// Its children were asked for, and it has none.
    NoChildren,
    /// The orchestrator before it is finished, and the session chains.
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
pub enum NoneReason {
    /// Nothing is left to begin.
    NothingReady,
    /// Others hold all that is left.
    AllHeld,
    /// What is left waits.
    Waiting,
    /// The next orchestrator is not gone on with.
    ChainingOff,
}

impl NoneReason {
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
pub enum BlockerCause {
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
pub struct Blocker {
    /// Which.
    pub item: ItemKey,
    /// Why.
    pub cause: BlockerCause,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextItem {
    /// This item.
    Offer {
        /// Which.
        item: Item,
        /// Why it, when it is no plain child.
        reason: Option<PickReason>,
    },
    /// The item held is all that is left.
    Held {
        /// Which.
        item: Item,
        /// Why it, when it is no plain child.
        reason: Option<PickReason>,
    },
    /// This item, but the session would leave unfinished work for it and was not told to.
    KeepHeld {
        /// The work that the session holds.
        held: Box<Item>,
        /// The item that would follow.
        item: Item,
    },
    /// None.
    Nothing {
        /// Why.
        reason: NoneReason,
        /// What is left, and what keeps it, as far as it is named.
        blockers: Vec<Blocker>,
        /// Whether there is more than that.
        has_more: bool,
    },
}

impl NextItem {
    /// Returns the item that a claim of what comes next takes, how the claim counts, and why
    /// it is this item.
    pub const fn claim_candidate(
        &mut self,
    ) -> Option<(&mut Item, ClaimOutcome, Option<PickReason>)> {
        match self {
            Self::Offer { item, reason } => Some((item, ClaimOutcome::Claimed, *reason)),
            Self::Held { item, reason } => Some((item, ClaimOutcome::AlreadyOwned, *reason)),
            Self::KeepHeld { .. } | Self::Nothing { .. } => None,
        }
    }

    /// Keeps unfinished work that the session would leave for what comes next. To go on from an
    /// item to one of its own children leaves nothing: the search comes back to it.
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
