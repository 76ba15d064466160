//! Finds the item that a session should work on next, from a source that answers single questions.
//!
//! The search never asks for lists that grow with the number of items, so it takes the same time
//! among ten children and among a hundred thousand.

mod next_answer;

pub use next_answer::{Blocker, BlockerCause, NextItem, NoOfferReason, PickReason};

use super::{
    Item, ItemKey, ItemStatus, ORCHESTRATOR_KIND, RepoScope, Session, SessionId, SiblingPosition,
};

/// Most items named when none can be started.
pub const MAX_BLOCKERS: u32 = 10;

/// Most levels climbed when one parent after another turns out finished. Plain SQL may have made a
/// cycle of parents.
const MAX_LEVELS: usize = 64;

/// What the search asks the database. A free item has no holder and no open dependency; it may be
/// in progress.
///
/// Every question fails when the database cannot be read.
#[expect(clippy::missing_errors_doc, reason = "said once above")]
pub trait ItemSource {
    /// Why a question was not answered.
    type Error;

    /// Loads an item.
    fn load_item(&mut self, key: &ItemKey) -> Result<Option<Item>, Self::Error>;

    /// Loads the item that a session held last.
    fn load_last_held(&mut self, session: &SessionId) -> Result<Option<ItemKey>, Self::Error>;

    /// Returns whether an item has children.
    fn has_children(&mut self, key: &ItemKey) -> Result<bool, Self::Error>;

    /// Finds the first free item among siblings.
    fn find_first_free(&mut self, siblings: &Siblings<'_>) -> Result<Option<Item>, Self::Error>;

    /// Lists children that are not finished, at most `limit`.
    fn list_unfinished(
        &mut self,
        parent: Option<&ItemKey>,
        scope: &RepoScope,
        limit: u32,
    ) -> Result<Vec<Item>, Self::Error>;

    /// Returns whether there is an unfinished child without a holder.
    fn has_unheld(
        &mut self,
        parent: Option<&ItemKey>,
        scope: &RepoScope,
    ) -> Result<bool, Self::Error>;

    /// Lists the open dependencies of an item with their statuses, at most `limit`.
    fn list_open_dependencies(
        &mut self,
        key: &ItemKey,
        limit: u32,
    ) -> Result<Vec<(ItemKey, ItemStatus)>, Self::Error>;
}

/// The siblings among which a free item is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Siblings<'a> {
    /// Their parent, or `None` for items without a parent.
    pub parent: Option<&'a ItemKey>,
    /// Only siblings after this position.
    pub after: Option<&'a SiblingPosition>,
    /// Only orchestrators.
    pub only_orchestrators: bool,
    /// Only siblings of these repositories.
    pub scope: &'a RepoScope,
}

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
    let parent = start.parent.as_ref();
    let siblings_after =
        |after| Siblings { parent, after, only_orchestrators: false, scope: requester.scope };
    let place = start.unfinished_item.as_ref().map(Item::sibling_position);
    let mut first = match &place {
        Some(place) => items.find_first_free(&siblings_after(Some(place)))?,
        None => None,
    };
    // After the last sibling the search starts again from the first one.
    if first.is_none() {
        first = items.find_first_free(&siblings_after(None))?;
    }
    if let Some(item) = first {
        let chained = start.from_orchestrator && is_orchestrator(items, &item)?;
        return Ok(match (chained, requester.chains_orchestrators()) {
            (true, false) => chaining_off_answer(item),
            (chained, _) => {
                NextItem::Offer { item, reason: chained.then_some(PickReason::NextOrchestrator) }
            }
        });
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
        BlockerCause::Free
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
        let siblings_after = |after| Siblings {
            parent: item.parent.as_ref(),
            after,
            only_orchestrators: true,
            scope: requester.scope,
        };
        let mut following = items.find_first_free(&siblings_after(Some(&place)))?;
        if following.is_none() {
            following = items.find_first_free(&siblings_after(None))?;
        }
        if let Some(following) = following {
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
