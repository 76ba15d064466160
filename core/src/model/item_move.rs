//! Decides who may move an item to which status.
//!
//! Refusals come in this order: unregistered session, unknown item, held by another session,
//! illegal change, open dependencies, missing evidence. The store carries out a grant in one
//! conditional statement, so a grant that rests on an outdated reading changes nothing.

use super::{
    Entity, Epoch, Item, ItemKey, ItemStatus, Revision, Session, SessionId, TransitionKind,
};
use super::{classify_transition, list_forward_targets};
use serde::{Deserialize, Serialize};

/// Who moves an item.
#[derive(Debug, Clone, Copy)]
pub enum MoveActor<'a> {
    /// A session, or `None` when it is not registered.
    Session(Option<&'a Session>),
    /// A person at a terminal, outside any session.
    Person,
}

/// The status that an item is moved to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveTarget {
    /// Forward to a status.
    Status(ItemStatus),
    /// Back to the start: ready when all its dependencies are completed, else queued.
    BackToStart,
}

/// The facts that a move is decided from.
#[derive(Debug, Clone)]
pub struct MoveFacts<'a> {
    /// Who moves it.
    pub actor: MoveActor<'a>,
    /// The item, or `None` when it does not exist.
    pub item: Option<&'a Item>,
    /// The requested status.
    pub target: MoveTarget,
    /// The evidence of completion, if some was given.
    pub evidence: Option<&'a str>,
    /// The reason in the actor's words.
    pub reason: Option<&'a str>,
}

/// A granted move. It takes effect only while the item is as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveGrant {
    /// The item.
    pub item: ItemKey,
    /// The new status.
    pub to: ItemStatus,
    /// Whether it goes back, which counts as a reopening.
    pub is_reopening: bool,
    /// The holder that the item must still have.
    pub expected_holder: Option<SessionId>,
    /// The epoch that must still be current.
    pub expected_epoch: Epoch,
    /// The revision that must still be current.
    pub expected_revision: Revision,
    /// Whether the holder gives the item up. A finished item and one that waits to be started have
    /// no holder.
    pub releases_holder: bool,
    /// The evidence from now on.
    pub evidence: Option<String>,
    /// The reason why it is blocked, failed or cancelled from now on.
    pub error_message: Option<String>,
}

impl MoveGrant {
    /// Returns whether the move changes anything of the item.
    pub fn changes_item(&self, item: &Item) -> bool {
        self.to != item.status
            || self.evidence != item.evidence
            || self.error_message != item.error_message
    }
}

/// Why a move is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoveRefusal {
    /// The session is not registered.
    PhantomSession,
    /// The item does not exist.
    ItemNotFound,
    /// Another session holds it.
    NotHolder(SessionId),
    /// Another session holds it now, but the actor's state still names it.
    StaleEpoch(SessionId),
    /// The status cannot change that way.
    IllegalTransition {
        /// The present status.
        from: ItemStatus,
        /// The requested status.
        to: ItemStatus,
        /// The statuses that are allowed.
        legal: Vec<&'static str>,
    },
    /// It cannot be ready while a dependency is open.
    DependenciesOpen,
    /// It can be completed only with evidence.
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
/// The reason why the move is refused.
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
    // The evidence of a completion that is taken back does not prove the next one.
    let kept_evidence = item.evidence.as_deref().filter(|_| !is_reopening);
    let evidence = facts.evidence.filter(|e| !e.trim().is_empty()).or(kept_evidence);
    if to == ItemStatus::Completed && item.requires_evidence && evidence.is_none_or(str::is_empty) {
        return Err(MoveRefusal::EvidenceRequired);
    }
    let stays = to == item.status;
    let kept_message = item.error_message.as_deref().filter(|_| stays);
    let error_message = match to {
        ItemStatus::Blocked | ItemStatus::Failed | ItemStatus::Cancelled => {
            facts.reason.or(kept_message)
        }
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

/// A held item can be moved only by its holder, a free one by anybody.
fn check_may_move(actor: MoveActor<'_>, item: &Item) -> Result<(), MoveRefusal> {
    let Some(holder) = &item.holder else {
        return Ok(());
    };
    match actor {
        MoveActor::Session(Some(session)) if session.id == *holder => Ok(()),
        // Releasing an item or claiming another one clears it from the session's state. A session
        // that still names it there lost it.
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
