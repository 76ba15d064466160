//! Who may move an item to which status: the decision alone.
//!
//! Order of refusal: unregistered session, unknown item, held by another, no legal edge, open
//! dependencies, no evidence. The store carries the decision out in one conditional
//! statement, so a decision made on a reading that has moved on changes nothing.

use super::{
    Entity, Epoch, Item, ItemKey, ItemStatus, Revision, Session, SessionId, TransitionKind,
};
use super::{classify_transition, list_forward_targets};

/// Who moves an item.
#[derive(Debug, Clone, Copy)]
pub enum MoveActor<'a> {
    /// A session; absent when it never registered.
    Session(Option<&'a Session>),
    /// A person at a terminal, for no session.
    Person,
}

/// Where an item is moved to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveTarget {
    /// Forward, to a status.
    Status(ItemStatus),
    /// Back to the start: ready when all it depends on is completed, else queued.
    BackToStart,
}

/// What the decision is made from.
#[derive(Debug, Clone)]
pub struct MoveFacts<'a> {
    /// Who moves it.
    pub actor: MoveActor<'a>,
    /// The item, when it exists.
    pub item: Option<&'a Item>,
    /// Where to.
    pub target: MoveTarget,
    /// What proves completion, when something was named.
    pub evidence: Option<&'a str>,
    /// Why, in the mover's words.
    pub reason: Option<&'a str>,
}

/// A move that may be carried out, on the condition that the item is still as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveGrant {
    /// What.
    pub item: ItemKey,
    /// The status it takes.
    pub to: ItemStatus,
    /// Whether it goes back, which counts as a reopening.
    pub is_reopening: bool,
    /// Who must still hold it.
    pub expected_holder: Option<SessionId>,
    /// Which epoch must still be current.
    pub expected_epoch: Epoch,
    /// Which revision must still be current.
    pub expected_revision: Revision,
    /// Whether the holder gives it up: what is finished or waits to be begun is nobody's.
    pub releases_holder: bool,
    /// What proves completion, from now on.
    pub evidence: Option<String>,
    /// Why it is blocked or failed, from now on.
    pub error_message: Option<String>,
}

impl MoveGrant {
    /// Tells whether anything of the item would be another than it is.
    pub fn changes_item(&self, item: &Item) -> bool {
        self.to != item.status
            || self.evidence != item.evidence
            || self.error_message != item.error_message
    }
}

/// Why a move is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoveRefusal {
    /// The session never registered.
    PhantomSession,
    /// There is no such item.
    ItemNotFound,
    /// Another session holds it.
    NotHolder(SessionId),
    /// Another session holds it by now; the mover still thinks that it does.
    StaleEpoch(SessionId),
    /// No edge leads there.
    IllegalTransition {
        /// Where it stands.
        from: ItemStatus,
        /// Where it was to go.
        to: ItemStatus,
        /// Where it may go.
        legal: Vec<&'static str>,
    },
    /// It is not ready while something it depends on is open.
    DependenciesOpen,
    /// It is completed with evidence only.
    EvidenceRequired,
}

impl MoveRefusal {
    /// Returns the code for scripts.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::PhantomSession => "phantom_session",
            Self::ItemNotFound => "item_not_found",
            Self::NotHolder(_) => "not_holder",
            Self::StaleEpoch(_) => "stale_epoch",
            Self::IllegalTransition { .. } => "illegal_transition",
            Self::DependenciesOpen => "dependencies_open",
            Self::EvidenceRequired => "evidence_required",
        }
    }
}

/// Decides a move.
///
/// # Errors
///
/// Why it is refused.
pub fn decide_move(facts: &MoveFacts<'_>) -> Result<MoveGrant, MoveRefusal> {
    if matches!(facts.actor, MoveActor::Session(None)) {
        return Err(MoveRefusal::PhantomSession);
    }
    let item = facts.item.ok_or(MoveRefusal::ItemNotFound)?;
    check_may_move(facts.actor, item)?;
    let (to, is_reopening) = match facts.target {
        MoveTarget::Status(to) => (to, false),
        MoveTarget::BackToStart if !item.depends_on.is_empty() && item.open_dependencies == 0 => {
            (ItemStatus::Ready, true)
        }
        MoveTarget::BackToStart => (ItemStatus::Queued, true),
    };
    let legal = match classify_transition(Entity::Item, item.status.as_str(), to.as_str()) {
        TransitionKind::Unchanged | TransitionKind::Forward => !is_reopening,
        TransitionKind::Back => is_reopening,
        TransitionKind::Illegal => false,
    };
    if !legal {
        return Err(MoveRefusal::IllegalTransition {
            from: item.status,
            to,
            legal: list_forward_targets(Entity::Item, item.status.as_str()),
        });
    }
    if to == ItemStatus::Ready && item.open_dependencies > 0 {
        return Err(MoveRefusal::DependenciesOpen);
    }
    // What proved the completion that is taken back proves the next one no more.
    let kept_evidence = item.evidence.as_deref().filter(|_| !is_reopening);
    let evidence = facts
        .evidence
        .filter(|e| !e.trim().is_empty())
        .or(kept_evidence);
    if to == ItemStatus::Completed && item.requires_evidence && evidence.is_none_or(str::is_empty) {
        return Err(MoveRefusal::EvidenceRequired);
    }
    let stays = to == item.status;
    let kept_message = item.error_message.as_deref().filter(|_| stays);
    let error_message = match to {
        ItemStatus::Blocked | ItemStatus::Failed => facts.reason.or(kept_message),
        _ => None,
    };
    Ok(MoveGrant {
        item: item.key.clone(),
        to,
        is_reopening,
        expected_holder: item.holder.clone(),
        expected_epoch: item.epoch,
        expected_revision: item.revision,
        releases_holder: item.holder.is_some() && (to.is_finished() || is_reopening),
        evidence: evidence.map(str::to_owned),
        error_message: error_message.map(str::to_owned),
    })
}

/// A held item is its holder's to move; a free one anybody's who is known.
fn check_may_move(actor: MoveActor<'_>, item: &Item) -> Result<(), MoveRefusal> {
    let Some(holder) = &item.holder else {
        return Ok(());
    };
    match actor {
        MoveActor::Session(Some(session)) if session.id == *holder => Ok(()),
        // A release and a claim of another item leave nothing of the first in the state;
        // whoever still has it there lost it without a word.
        MoveActor::Session(Some(session))
            if session.execution_state().work.item.as_deref() == Some(item.key.as_str()) =>
        {
            Err(MoveRefusal::StaleEpoch(holder.clone()))
        }
        _ => Err(MoveRefusal::NotHolder(holder.clone())),
    }
}

#[cfg(test)]
mod tests;
