//! Which item comes next: the search alone, over a board that answers from indexes.
//!
//! The search asks for single rows, never for lists that grow with the board, so it takes the
//! same time among ten children and among a hundred thousand.

mod next_answer;

pub use next_answer::{Blocker, BlockerCause, NextItem, NoneReason, PickReason};

use super::{
    Item, ItemKey, ItemStatus, ORCHESTRATOR_KIND, RepoScope, Session, SessionId, SiblingPosition,
};

/// Most items named when none can be begun.
pub const MAX_BLOCKERS: u32 = 10;

/// Most levels climbed when one after another turns out finished: plain SQL may have tied
/// parents into a ring.
const MAX_LEVELS: usize = 64;

/// What the search asks. A free item is unheld, begun or not, and waits for nothing.
///
/// Every question fails when the board cannot be asked.
#[expect(clippy::missing_errors_doc, reason = "said once above")]
pub trait ItemSource {
    /// Why a question was not answered.
    type Error;

    /// Reads an item.
    fn load_item(&mut self, key: &ItemKey) -> Result<Option<Item>, Self::Error>;

    /// Returns the item that a session held last.
    fn load_last_held(&mut self, session: &SessionId) -> Result<Option<ItemKey>, Self::Error>;

    /// Tells whether an item has children.
    fn has_children(&mut self, key: &ItemKey) -> Result<bool, Self::Error>;

    /// Finds the first free item among siblings.
    fn find_first_free(&mut self, siblings: &Siblings<'_>) -> Result<Option<Item>, Self::Error>;

    /// Returns some children that are not finished, at most so many.
    fn list_unfinished(
        &mut self,
        parent: Option<&ItemKey>,
        scope: &RepoScope,
        limit: u32,
    ) -> Result<Vec<Item>, Self::Error>;

    /// Tells whether a child is unfinished and nobody's.
    fn has_unheld(
        &mut self,
        parent: Option<&ItemKey>,
        scope: &RepoScope,
    ) -> Result<bool, Self::Error>;

    /// Returns what an item waits for, with where it stands, at most so many.
    fn list_open_dependencies(
        &mut self,
        key: &ItemKey,
        limit: u32,
    ) -> Result<Vec<(ItemKey, ItemStatus)>, Self::Error>;
}

/// Among whom to look for a free item.
#[derive(Debug, Clone, Copy)]
pub struct Siblings<'a> {
    /// Whose children; those of nobody when absent.
    pub parent: Option<&'a ItemKey>,
    /// Only behind this place.
    pub after: Option<&'a SiblingPosition>,
    /// Only orchestrators.
    pub only_orchestrators: bool,
    /// Of which repositories.
    pub scope: &'a RepoScope,
}

/// Whose next item is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Requester<'a> {
    /// The session; absent for a person at a terminal.
    pub session: Option<&'a Session>,
    /// Whose children were asked for.
    pub parent: Option<&'a ItemKey>,
    /// Items of which repositories.
    pub scope: &'a RepoScope,
}

impl Requester<'_> {
    fn is_session(&self, holder: &SessionId) -> bool {
        self.session.is_some_and(|session| session.id == *holder)
    }

    fn chains_orchestrators(&self) -> bool {
        self.session
            .is_some_and(|session| session.execution_state().work.chain_orchestrators)
    }
}

/// Finds the next item.
///
/// # Errors
///
/// When the board cannot be asked.
pub fn find_next_item<B: ItemSource>(
    items: &mut B,
    requester: &Requester<'_>,
) -> Result<NextItem, B::Error> {
    let start = SearchStart::find(items, requester)?;
    let parent = start.parent.as_ref();
    let siblings_after = |after| Siblings {
        parent,
        after,
        only_orchestrators: false,
        scope: requester.scope,
    };
    let place = start.unfinished_item.as_ref().map(Item::sibling_position);
    let mut first = match &place {
        Some(place) => items.find_first_free(&siblings_after(Some(place)))?,
        None => None,
    };
    // Behind the last one the search goes on at the front.
    if first.is_none() {
        first = items.find_first_free(&siblings_after(None))?;
    }
    if let Some(item) = first {
        let chained = start.from_orchestrator && is_orchestrator(items, &item)?;
        return Ok(match (chained, requester.chains_orchestrators()) {
            (true, false) => chaining_off_answer(item),
            (chained, _) => NextItem::Offer {
                item,
                reason: chained.then_some(PickReason::NextOrchestrator),
            },
        });
    }
    if let Some(item) = start.unfinished_item {
        return Ok(NextItem::Held { item, reason: None });
    }
    let found = find_blockers(items, parent, requester.scope)?;
    match (parent, &found) {
        (
            Some(parent),
            NextItem::Nothing {
                blockers: hindrances,
                ..
            },
        ) if hindrances.is_empty() => climb_from_finished(items, requester, parent.clone()),
        _ => Ok(found),
    }
}

/// Where the search begins.
struct SearchStart {
    /// Among whose children.
    parent: Option<ItemKey>,
    /// The child of it that the session holds and would leave unfinished.
    unfinished_item: Option<Item>,
    /// Whether the session comes from an orchestrator among these.
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
            let within = !items
                .list_unfinished(Some(&held.key), requester.scope, 1)?
                .is_empty();
            return Ok(if within {
                Self {
                    parent: Some(held.key),
                    unfinished_item: None,
                    from_orchestrator: false,
                }
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

fn none_found(lack: NoneReason, hindrances: Vec<Blocker>) -> NextItem {
    NextItem::Nothing {
        reason: lack,
        blockers: hindrances,
        has_more: false,
    }
}

fn chaining_off_answer(item: Item) -> NextItem {
    let hindrance = Blocker {
        item: item.key,
        cause: BlockerCause::Free,
    };
    none_found(NoneReason::ChainingOff, vec![hindrance])
}

/// Says what keeps the unfinished children of a parent, none of which is free; none are named
/// when there are none.
fn find_blockers<B: ItemSource>(
    items: &mut B,
    parent: Option<&ItemKey>,
    scope: &RepoScope,
) -> Result<NextItem, B::Error> {
    let mut unfinished = items.list_unfinished(parent, scope, MAX_BLOCKERS + 1)?;
    let more = unfinished.len() > MAX_BLOCKERS as usize;
    unfinished.truncate(MAX_BLOCKERS as usize);
    let lack = if unfinished.is_empty() {
        NoneReason::NothingReady
    } else if items.has_unheld(parent, scope)? {
        NoneReason::Waiting
    } else {
        NoneReason::AllHeld
    };
    let mut hindrances = Vec::with_capacity(unfinished.len());
    for item in unfinished {
        let cause = find_blocker_cause(items, &item)?;
        hindrances.push(Blocker {
            item: item.key,
            cause,
        });
    }
    Ok(NextItem::Nothing {
        reason: lack,
        blockers: hindrances,
        has_more: more,
    })
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

/// Goes on from an item whose children are all finished: to itself, and when it is finished
/// too, to the next orchestrator beside it, else to what both belong to.
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
                NextItem::Offer {
                    item: following,
                    reason: Some(PickReason::NextOrchestrator),
                }
            } else {
                chaining_off_answer(following)
            });
        }
        if let NextItem::Nothing {
            blockers: hindrances,
            has_more: more,
            ..
        } = find_blockers(items, item.parent.as_ref(), requester.scope)?
            && !hindrances.is_empty()
        {
            return Ok(NextItem::Nothing {
                reason: NoneReason::NothingReady,
                blockers: hindrances,
                has_more: more,
            });
        }
        let Some(parent) = item.parent else { break };
        at = parent;
    }
    Ok(none_found(NoneReason::NothingReady, Vec::new()))
}

/// Offers an item whose children are finished, unless it is held or waits.
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
    if item
        .holder
        .as_ref()
        .is_some_and(|holder| requester.is_session(holder))
    {
        return Ok(NextItem::Held { item, reason });
    }
    let cause = find_blocker_cause(items, &item)?;
    let lack = match &cause {
        BlockerCause::Free => return Ok(NextItem::Offer { item, reason }),
        BlockerCause::HeldBy(_) => NoneReason::AllHeld,
        BlockerCause::DependsOn(_) | BlockerCause::Blocked(_) => NoneReason::Waiting,
    };
    Ok(none_found(
        lack,
        vec![Blocker {
            item: item.key,
            cause,
        }],
    ))
}

#[cfg(test)]
mod tests;
