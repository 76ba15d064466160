//! Finds the item that a session should work on next, from a source that answers single questions.
//!
//! Who comes from a place among siblings goes on there. Who comes from nowhere, or is done there, is
//! given the first of the items that can be begun, the same one that a list of them begins with.
//!
//! The search never asks for lists that grow with the number of items, so it takes the same time
//! among ten children and among a hundred thousand.

mod descent;
mod item_source;
mod next_answer;

use self::descent::find_first_startable;
use self::item_source::MAX_LEVELS;
pub use item_source::{ItemSource, Siblings};
pub use next_answer::{Blocker, BlockerCause, NextItem, NoOfferReason, PickReason};

use super::{
    Item, ItemKey, ItemStatus, ORCHESTRATOR_KIND, RepoScope, Session, SessionId, SiblingPosition,
};

/// Most items named when none can be started.
pub const MAX_BLOCKERS: u32 = 10;

/// Who asks for the next item.
#[derive(Debug, Clone, Copy)]
pub struct Requester<'a> {
    /// The session, or `None` for a person at a terminal.
    pub session: Option<&'a Session>,
    /// The parent whose children were requested.
    pub parent: Option<&'a ItemKey>,
    /// Only items of these repositories.
    pub scope: &'a RepoScope,
}

impl Requester<'_> {
    fn is_session(&self, holder: &SessionId) -> bool {
        self.session.is_some_and(|session| session.id == *holder)
    }

    fn chains_orchestrators(&self) -> bool {
        self.session.is_some_and(|session| session.execution_state().work.chain_orchestrators)
    }
}

/// Finds the next item.
///
/// # Errors
///
/// When the database cannot be read.
pub fn find_next_item<B: ItemSource>(
    items: &mut B,
    requester: &Requester<'_>,
) -> Result<NextItem, B::Error> {
    let start = SearchStart::find(items, requester)?;
    let is_anywhere = requester.parent.is_none();
    if is_anywhere
        && start.is_nowhere()
        && let Some(item) = items.find_first_ready(requester.scope)?
    {
        return Ok(NextItem::Offer { item, reason: None });
    }
    let found = search_from(items, requester, start)?;
    let is_done_there = match &found {
        NextItem::Held { reason, .. } => reason.is_none(),
        NextItem::Nothing { reason, .. } => *reason != NoOfferReason::ChainingOff,
        NextItem::Offer { .. } | NextItem::KeepHeld { .. } => false,
    };
    if is_anywhere
        && is_done_there
        && let Some(item) = items.find_first_ready(requester.scope)?
    {
        return Ok(NextItem::Offer { item, reason: None });
    }
    Ok(found)
}

/// Searches the siblings of the place where the requester is, and what is above it.
fn search_from<B: ItemSource>(
    items: &mut B,
    requester: &Requester<'_>,
    start: SearchStart,
) -> Result<NextItem, B::Error> {
    let parent = start.parent.as_ref();
    let siblings = Siblings::of(parent, requester.scope);
    let place = start.unfinished_item.as_ref().map(Item::sibling_position);
    if let Some(item) = find_first_from(items, siblings, place.as_ref())? {
        if start.from_orchestrator && is_orchestrator(items, &item)? {
            return Ok(if requester.chains_orchestrators() {
                NextItem::Offer { item, reason: Some(PickReason::NextOrchestrator) }
            } else {
                chaining_off_answer(item)
            });
        }
        if let Some(item) = find_first_startable(items, siblings, item)? {
            return Ok(NextItem::Offer { item, reason: None });
        }
    }
    if let Some(item) = start.unfinished_item {
        return Ok(NextItem::Held { item, reason: None });
    }
    let found = find_blockers(items, parent, requester.scope)?;
    match (parent, &found) {
        (Some(parent), NextItem::Nothing { blockers: hindrances, .. }) if hindrances.is_empty() => {
            climb_from_finished(items, requester, parent.clone())
        }
        _ => Ok(found),
    }
}

/// Finds the first free sibling for somebody who comes from a place among them: the most urgent one,
/// and of equally urgent ones the first after the place. After the last of them the search starts
/// again from the first.
fn find_first_from<B: ItemSource>(
    items: &mut B,
    siblings: Siblings<'_>,
    place: Option<&SiblingPosition>,
) -> Result<Option<Item>, B::Error> {
    let Some(first) = items.find_first_free(&siblings)? else {
        return Ok(None);
    };
    let Some(place) = place.filter(|place| first.sibling_position() <= **place) else {
        return Ok(Some(first));
    };
    let priority = Some(first.effective_priority());
    let behind = Siblings { after: Some(place), priority, ..siblings };
    Ok(Some(items.find_first_free(&behind)?.unwrap_or(first)))
}

/// Where the search begins.
struct SearchStart {
    /// The parent whose children are searched.
    parent: Option<ItemKey>,
    /// The child that the session holds and would leave unfinished.
    unfinished_item: Option<Item>,
    /// Whether the session comes from an orchestrator among these children.
    from_orchestrator: bool,
}

impl SearchStart {
    /// Returns whether the requester comes from no place that says what follows.
    const fn is_nowhere(&self) -> bool {
        self.parent.is_none() && self.unfinished_item.is_none() && !self.from_orchestrator
    }

    fn find<B: ItemSource>(items: &mut B, requester: &Requester<'_>) -> Result<Self, B::Error> {
        let held = requester.session.and_then(|session| session.item.as_ref());
        let held = match held {
            Some(key) => items.load_item(key)?,
            None => None,
        };
        if let Some(parent) = requester.parent {
            return Ok(Self {
                parent: Some(parent.clone()),
                unfinished_item: held.filter(|held| held.parent.as_ref() == Some(parent)),
                from_orchestrator: false,
            });
        }
        if let Some(held) = held {
            let within = !items.list_unfinished(Some(&held.key), requester.scope, 1)?.is_empty();
            return Ok(if within {
                Self { parent: Some(held.key), unfinished_item: None, from_orchestrator: false }
            } else {
                Self {
                    parent: held.parent.clone(),
                    from_orchestrator: is_orchestrator(items, &held)?,
                    unfinished_item: Some(held),
                }
            });
        }
        let last = match requester.session {
            Some(session) => items.load_last_held(&session.id)?,
            None => None,
        };
        let last = match last {
            Some(key) => items.load_item(&key)?,
            None => None,
        };
        Ok(Self {
            from_orchestrator: match &last {
                Some(last) => is_orchestrator(items, last)?,
                None => false,
            },
            parent: last.and_then(|last| last.parent),
            unfinished_item: None,
        })
    }
}

fn is_orchestrator<B: ItemSource>(items: &mut B, item: &Item) -> Result<bool, B::Error> {
    Ok(item.kind == ORCHESTRATOR_KIND || items.has_children(&item.key)?)
}

fn none_found(lack: NoOfferReason, hindrances: Vec<Blocker>) -> NextItem {
    NextItem::Nothing { reason: lack, blockers: hindrances, has_more: false }
}

fn chaining_off_answer(item: Item) -> NextItem {
    let hindrance = Blocker { item: item.key, cause: BlockerCause::Free };
    none_found(NoOfferReason::ChainingOff, vec![hindrance])
}

/// Explains what keeps the unfinished children of a parent from being started, given that none of
/// them is free. The list is empty when all children are finished.
fn find_blockers<B: ItemSource>(
    items: &mut B,
    parent: Option<&ItemKey>,
    scope: &RepoScope,
) -> Result<NextItem, B::Error> {
    let mut unfinished = items.list_unfinished(parent, scope, MAX_BLOCKERS + 1)?;
    let more = unfinished.len() > MAX_BLOCKERS as usize;
    unfinished.truncate(MAX_BLOCKERS as usize);
    let lack = if unfinished.is_empty() {
        NoOfferReason::NothingReady
    } else if items.has_unheld(parent, scope)? {
        NoOfferReason::Waiting
    } else {
        NoOfferReason::AllHeld
    };
    let mut hindrances = Vec::with_capacity(unfinished.len());
    for item in unfinished {
        let cause = find_blocker_cause(items, &item)?;
        hindrances.push(Blocker { item: item.key, cause });
    }
    Ok(NextItem::Nothing { reason: lack, blockers: hindrances, has_more: more })
}

fn find_blocker_cause<B: ItemSource>(items: &mut B, item: &Item) -> Result<BlockerCause, B::Error> {
    Ok(if let Some(holder) = &item.holder {
        BlockerCause::HeldBy(holder.clone())
    } else if item.open_dependencies > 0 {
        BlockerCause::DependsOn(items.list_open_dependencies(&item.key, MAX_BLOCKERS)?)
    } else if item.status == ItemStatus::Blocked {
        BlockerCause::Blocked(item.error_message.clone())
    } else {
        // A parent waits for its children as for dependencies.
        let children = items.list_unfinished(Some(&item.key), &RepoScope::All, MAX_BLOCKERS)?;
        if item.kind == ORCHESTRATOR_KIND || children.is_empty() {
            BlockerCause::Free
        } else {
            BlockerCause::DependsOn(children.into_iter().map(|it| (it.key, it.status)).collect())
        }
    })
}

/// Continues from a parent whose children are all finished: offers the parent itself, or when that
/// is finished too, the next orchestrator beside it, or else climbs to its own parent.
fn climb_from_finished<B: ItemSource>(
    items: &mut B,
    requester: &Requester<'_>,
    from: ItemKey,
) -> Result<NextItem, B::Error> {
    let mut at = from;
    for _ in 0..MAX_LEVELS {
        let Some(item) = items.load_item(&at)? else {
            break;
        };
        if !item.status.is_finished() {
            if !requester.scope.includes(item.repo.as_deref()) {
                break;
            }
            return offer_parent(items, requester, item);
        }
        let place = item.sibling_position();
        let orchestrators = Siblings {
            only_orchestrators: true,
            ..Siblings::of(item.parent.as_ref(), requester.scope)
        };
        if let Some(following) = find_first_from(items, orchestrators, Some(&place))? {
            return Ok(if requester.chains_orchestrators() {
                NextItem::Offer { item: following, reason: Some(PickReason::NextOrchestrator) }
            } else {
                chaining_off_answer(following)
            });
        }
        if let NextItem::Nothing { blockers: hindrances, has_more: more, .. } =
            find_blockers(items, item.parent.as_ref(), requester.scope)?
            && !hindrances.is_empty()
        {
            return Ok(NextItem::Nothing {
                reason: NoOfferReason::NothingReady,
                blockers: hindrances,
                has_more: more,
            });
        }
        let Some(parent) = item.parent else { break };
        at = parent;
    }
    Ok(none_found(NoOfferReason::NothingReady, Vec::new()))
}

/// Offers an item whose children are finished, unless it has a holder or waits.
fn offer_parent<B: ItemSource>(
    items: &mut B,
    requester: &Requester<'_>,
    item: Item,
) -> Result<NextItem, B::Error> {
    let reason = Some(if items.has_children(&item.key)? {
        PickReason::LastChildDone
    } else {
        PickReason::NoChildren
    });
    if item.holder.as_ref().is_some_and(|holder| requester.is_session(holder)) {
        return Ok(NextItem::Held { item, reason });
    }
    let cause = find_blocker_cause(items, &item)?;
    let lack = match &cause {
        BlockerCause::Free => return Ok(NextItem::Offer { item, reason }),
        BlockerCause::HeldBy(_) => NoOfferReason::AllHeld,
        BlockerCause::DependsOn(_) | BlockerCause::Blocked(_) => NoOfferReason::Waiting,
    };
    Ok(none_found(lack, vec![Blocker { item: item.key, cause }]))
}

#[cfg(test)]
mod tests;
