//! Which item comes next: the search alone, over a board that answers from indexes.
//!
//! The search asks for single rows, never for lists that grow with the board, so it takes the
//! same time among ten children and among a hundred thousand.

mod answer;

pub use answer::{Cause, Hindrance, Lack, Next, OfferReason};

use super::{Item, ItemKey, ItemStatus, ORCHESTRATOR, Place, RepoScope, Session, SessionId};

/// Most items named when none can be begun.
pub const MOST_HINDRANCES: u32 = 10;

/// Most levels climbed when one after another turns out finished: plain SQL may have tied
/// parents into a ring.
const MOST_LEVELS: usize = 64;

/// What the search asks. A free item is unheld, begun or not, and waits for nothing.
///
/// Every question fails when the board cannot be asked.
#[expect(clippy::missing_errors_doc, reason = "said once above")]
pub trait Board {
    /// Why a question was not answered.
    type Error;

    /// Reads an item.
    fn item(&mut self, key: &ItemKey) -> Result<Option<Item>, Self::Error>;

    /// Returns the item that a session held last.
    fn last_held(&mut self, session: &SessionId) -> Result<Option<ItemKey>, Self::Error>;

    /// Tells whether an item has children.
    fn has_children(&mut self, key: &ItemKey) -> Result<bool, Self::Error>;

    /// Finds the first free item among siblings.
    fn first_free(&mut self, siblings: &Siblings<'_>) -> Result<Option<Item>, Self::Error>;

    /// Returns some children that are not finished, at most so many.
    fn unfinished(
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
    fn waits_for(
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
    pub after: Option<&'a Place>,
    /// Only orchestrators.
    pub orchestrators: bool,
    /// Of which repositories.
    pub scope: &'a RepoScope,
}

/// Whose next item is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Seeker<'a> {
    /// The session; absent for a person at a terminal.
    pub session: Option<&'a Session>,
    /// Whose children were asked for.
    pub parent: Option<&'a ItemKey>,
    /// Items of which repositories.
    pub scope: &'a RepoScope,
}

impl Seeker<'_> {
    fn is(&self, holder: &SessionId) -> bool {
        self.session.is_some_and(|session| session.id == *holder)
    }

    fn chains(&self) -> bool {
        self.session
            .is_some_and(|session| session.execution_state().work.chain_orchestrators)
    }
}

/// Finds the next item.
///
/// # Errors
///
/// When the board cannot be asked.
pub fn next<B: Board>(board: &mut B, seeker: &Seeker<'_>) -> Result<Next, B::Error> {
    let start = Start::find(board, seeker)?;
    let parent = start.parent.as_ref();
    let siblings = |after| Siblings {
        parent,
        after,
        orchestrators: false,
        scope: seeker.scope,
    };
    let place = start.leaves.as_ref().map(Item::place);
    let mut first = match &place {
        Some(place) => board.first_free(&siblings(Some(place)))?,
        None => None,
    };
    // Behind the last one the search goes on at the front.
    if first.is_none() {
        first = board.first_free(&siblings(None))?;
    }
    if let Some(item) = first {
        let chained = start.from_orchestrator && is_orchestrator(board, &item)?;
        return Ok(match (chained, seeker.chains()) {
            (true, false) => chaining_off(item),
            (chained, _) => Next::Offer {
                item,
                reason: chained.then_some(OfferReason::NextOrchestrator),
            },
        });
    }
    if let Some(item) = start.leaves {
        return Ok(Next::Held { item, reason: None });
    }
    let hindered = hindered(board, parent, seeker.scope)?;
    match (parent, &hindered) {
        (Some(parent), Next::Nothing { hindrances, .. }) if hindrances.is_empty() => {
            climb(board, seeker, parent.clone())
        }
        _ => Ok(hindered),
    }
}

/// Where the search begins.
struct Start {
    /// Among whose children.
    parent: Option<ItemKey>,
    /// The child of it that the session holds and would leave unfinished.
    leaves: Option<Item>,
    /// Whether the session comes from an orchestrator among these.
    from_orchestrator: bool,
}

impl Start {
    fn find<B: Board>(board: &mut B, seeker: &Seeker<'_>) -> Result<Self, B::Error> {
        let held = seeker.session.and_then(|session| session.item.as_ref());
        let held = match held {
            Some(key) => board.item(key)?,
            None => None,
        };
        if let Some(parent) = seeker.parent {
            return Ok(Self {
                parent: Some(parent.clone()),
                leaves: held.filter(|held| held.parent.as_ref() == Some(parent)),
                from_orchestrator: false,
            });
        }
        if let Some(held) = held {
            let within = !board
                .unfinished(Some(&held.key), seeker.scope, 1)?
                .is_empty();
            return Ok(if within {
                Self {
                    parent: Some(held.key),
                    leaves: None,
                    from_orchestrator: false,
                }
            } else {
                Self {
                    parent: held.parent.clone(),
                    from_orchestrator: is_orchestrator(board, &held)?,
                    leaves: Some(held),
                }
            });
        }
        let last = match seeker.session {
            Some(session) => board.last_held(&session.id)?,
            None => None,
        };
        let last = match last {
            Some(key) => board.item(&key)?,
            None => None,
        };
        Ok(Self {
            from_orchestrator: match &last {
                Some(last) => is_orchestrator(board, last)?,
                None => false,
            },
            parent: last.and_then(|last| last.parent),
            leaves: None,
        })
    }
}

fn is_orchestrator<B: Board>(board: &mut B, item: &Item) -> Result<bool, B::Error> {
    Ok(item.kind == ORCHESTRATOR || board.has_children(&item.key)?)
}

fn nothing(lack: Lack, hindrances: Vec<Hindrance>) -> Next {
    Next::Nothing {
        lack,
        hindrances,
        more: false,
    }
}

fn chaining_off(item: Item) -> Next {
    let hindrance = Hindrance {
        item: item.key,
        cause: Cause::Free,
    };
    nothing(Lack::ChainingOff, vec![hindrance])
}

/// Says what keeps the unfinished children of a parent, none of which is free; none are named
/// when there are none.
fn hindered<B: Board>(
    board: &mut B,
    parent: Option<&ItemKey>,
    scope: &RepoScope,
) -> Result<Next, B::Error> {
    let mut left = board.unfinished(parent, scope, MOST_HINDRANCES + 1)?;
    let more = left.len() > MOST_HINDRANCES as usize;
    left.truncate(MOST_HINDRANCES as usize);
    let lack = if left.is_empty() {
        Lack::NothingReady
    } else if board.has_unheld(parent, scope)? {
        Lack::Waiting
    } else {
        Lack::AllHeld
    };
    let mut hindrances = Vec::with_capacity(left.len());
    for item in left {
        let cause = cause(board, &item)?;
        hindrances.push(Hindrance {
            item: item.key,
            cause,
        });
    }
    Ok(Next::Nothing {
        lack,
        hindrances,
        more,
    })
}

fn cause<B: Board>(board: &mut B, item: &Item) -> Result<Cause, B::Error> {
    Ok(if let Some(holder) = &item.holder {
        Cause::HeldBy(holder.clone())
    } else if item.open_dependencies > 0 {
        Cause::DependsOn(board.waits_for(&item.key, MOST_HINDRANCES)?)
    } else if item.status == ItemStatus::Blocked {
        Cause::Blocked(item.error_message.clone())
    } else {
        Cause::Free
    })
}

/// Goes on from an item whose children are all finished: to itself, and when it is finished
/// too, to the next orchestrator beside it, else to what both belong to.
fn climb<B: Board>(board: &mut B, seeker: &Seeker<'_>, from: ItemKey) -> Result<Next, B::Error> {
    let mut at = from;
    for _ in 0..MOST_LEVELS {
        let Some(item) = board.item(&at)? else { break };
        if !item.status.is_finished() {
            if !seeker.scope.includes(item.repo.as_deref()) {
                break;
            }
            return offered(board, seeker, item);
        }
        let place = item.place();
        let siblings = |after| Siblings {
            parent: item.parent.as_ref(),
            after,
            orchestrators: true,
            scope: seeker.scope,
        };
        let mut following = board.first_free(&siblings(Some(&place)))?;
        if following.is_none() {
            following = board.first_free(&siblings(None))?;
        }
        if let Some(following) = following {
            return Ok(if seeker.chains() {
                Next::Offer {
                    item: following,
                    reason: Some(OfferReason::NextOrchestrator),
                }
            } else {
                chaining_off(following)
            });
        }
        if let Next::Nothing {
            hindrances, more, ..
        } = hindered(board, item.parent.as_ref(), seeker.scope)?
            && !hindrances.is_empty()
        {
            return Ok(Next::Nothing {
                lack: Lack::NothingReady,
                hindrances,
                more,
            });
        }
        let Some(parent) = item.parent else { break };
        at = parent;
    }
    Ok(nothing(Lack::NothingReady, Vec::new()))
}

/// Offers an item whose children are finished, unless it is held or waits.
fn offered<B: Board>(board: &mut B, seeker: &Seeker<'_>, item: Item) -> Result<Next, B::Error> {
    let reason = Some(if board.has_children(&item.key)? {
        OfferReason::LastChildDone
    } else {
        OfferReason::NoChildren
    });
    if item.holder.as_ref().is_some_and(|holder| seeker.is(holder)) {
        return Ok(Next::Held { item, reason });
    }
    let cause = cause(board, &item)?;
    let lack = match &cause {
        Cause::Free => return Ok(Next::Offer { item, reason }),
        Cause::HeldBy(_) => Lack::AllHeld,
        Cause::DependsOn(_) | Cause::Blocked(_) => Lack::Waiting,
    };
    Ok(nothing(
        lack,
        vec![Hindrance {
            item: item.key,
            cause,
        }],
    ))
}

#[cfg(test)]
mod tests;
