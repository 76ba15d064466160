//! Properties of every reachable state.

use stateright::Property;

use crate::claim_model::{ClaimModel, HolderView, ModelAction};
use crate::rules::LeaseClock;
use crate::state::{
    BrokenLaw, FenceAge, ITEMS, ModelState, PendingDecision, PendingWrite, SESSIONS,
};

pub(crate) const ONE_HOLDER: &str = "never two live holders with a valid epoch of one item";
pub(crate) const ONE_ITEM: &str = "a session never holds two items";
pub(crate) const LIVE_KEEPS_ITEM: &str = "no live holder is displaced";
pub(crate) const LIVE_NOT_LOST: &str = "no live session is marked lost";
pub(crate) const OLD_EPOCH_REFUSED: &str = "no write under an old epoch is accepted";
pub(crate) const NO_WRITE_LOST: &str = "no acknowledged write is lost";
pub(crate) const EFFECT_IS_REPORTED: &str = "no write that took effect is reported as refused";
pub(crate) const INTERRUPTED_CLAIMABLE: &str =
    "every item of a lost session can be claimed by every live session";
pub(crate) const DEAD_ITEM_FREED: &str =
    "whatever a dead session holds can be had when its time is over";

/// The laws that always hold. The other properties show that the situations they are about occur.
pub(crate) const LAWS: [&str; 9] = [
    ONE_HOLDER,
    ONE_ITEM,
    LIVE_KEEPS_ITEM,
    LIVE_NOT_LOST,
    OLD_EPOCH_REFUSED,
    NO_WRITE_LOST,
    EFFECT_IS_REPORTED,
    INTERRUPTED_CLAIMABLE,
    DEAD_ITEM_FREED,
];

pub(crate) fn list_properties() -> Vec<Property<ClaimModel>> {
    vec![
        Property::always(ONE_HOLDER, has_one_holder),
        Property::always(ONE_ITEM, holds_one_item),
        Property::always(LIVE_KEEPS_ITEM, |_, s: &ModelState| {
            s.broken_law != Some(BrokenLaw::LiveHolderDisplaced)
        }),
        Property::always(LIVE_NOT_LOST, |_, s: &ModelState| {
            s.broken_law != Some(BrokenLaw::LiveSessionParked)
        }),
        Property::always(OLD_EPOCH_REFUSED, |_, s: &ModelState| {
            s.broken_law != Some(BrokenLaw::OldEpochAccepted)
        }),
        Property::always(NO_WRITE_LOST, |_, s: &ModelState| {
            s.broken_law != Some(BrokenLaw::AcknowledgedWriteLost)
        }),
        Property::always(EFFECT_IS_REPORTED, |_, s: &ModelState| {
            s.broken_law != Some(BrokenLaw::WriteDenied)
        }),
        Property::always(INTERRUPTED_CLAIMABLE, is_claimable),
        Property::always(DEAD_ITEM_FREED, is_freed),
        // The situations that the laws are about do occur.
        Property::sometimes("both items are held", |_, s: &ModelState| {
            s.items.iter().all(|item| item.holder.is_some())
        }),
        Property::sometimes("all three are about to claim one item", |_, s: &ModelState| {
            s.sessions.iter().all(|row| wants_item(row.decision, 0))
        }),
        Property::sometimes(
            "a living session has lost its item unawares",
            |machine, s: &ModelState| {
                (0..SESSIONS).any(|session| {
                    let row = &s.sessions[session];
                    row.believed_claim.is_some_and(|held| !machine.accepts_write(s, session, held))
                })
            },
        ),
        Property::sometimes("a write comes after one of a newer epoch", |_, s: &ModelState| {
            let late = |write: PendingWrite| write.claim.fence == FenceAge::Overtaken;
            s.sessions.iter().any(|row| row.outbox.is_some_and(late))
        }),
        Property::sometimes("a write took effect and its answer was lost", |_, s: &ModelState| {
            let unanswered = |write: PendingWrite| write.committed;
            s.sessions.iter().any(|row| row.outbox.is_some_and(unanswered))
        }),
        Property::sometimes("an item is finished", |_, s: &ModelState| {
            s.items.iter().any(|item| item.finished)
        }),
    ]
}

fn wants_item(decision: PendingDecision, item: usize) -> bool {
    matches!(decision, PendingDecision::Claim { wanted, .. } if wanted.item == item)
}

fn has_one_holder(machine: &ClaimModel, state: &ModelState) -> bool {
    let valid = |item: usize| {
        let sessions = state.sessions.iter().enumerate();
        sessions
            .filter(|(_, row)| row.runs)
            .filter_map(|(session, row)| row.believed_claim.map(|held| (session, held)))
            .filter(|(session, held)| {
                held.item == item && machine.accepts_write(state, *session, *held)
            })
            .count()
    };
    (0..ITEMS).all(|item| valid(item) < 2)
}

fn holds_one_item(_: &ClaimModel, state: &ModelState) -> bool {
    let [one, other] = state.items;
    one.holder.is_none() || one.holder != other.holder
}

/// From here, a claim without interference succeeds.
fn is_claimable(machine: &ClaimModel, state: &ModelState) -> bool {
    let free = |item: &usize| !state.items[*item].finished && state.items[*item].holder.is_none();
    (0..ITEMS).filter(free).all(|item| {
        (0..SESSIONS)
            .filter(|session| state.sessions[*session].runs)
            .all(|session| can_have(machine, state, session, item))
    })
}

/// From here, after enough time, another session can take the item over and a sweep can mark its
/// holder lost.
fn is_freed(machine: &ClaimModel, state: &ModelState) -> bool {
    (0..ITEMS).all(|item| {
        let Some(holder) = state.items[item].holder else {
            return true;
        };
        if state.sessions[holder].runs {
            return true;
        }
        let mut later = *state;
        later.sessions[holder].clock = LeaseClock::Over;
        let other = (holder + 1) % SESSIONS;
        let Some(later) = machine.apply_action(&later, ModelAction::Start(other)) else {
            return false;
        };
        can_have(machine, &later, other, item) && can_mark_lost(machine, &later, other, holder)
    })
}

fn decide_and_apply(
    machine: &ClaimModel,
    state: &ModelState,
    decision: ModelAction,
    by: usize,
) -> Option<ModelState> {
    let mut state = *state;
    state.sessions[by].decision = PendingDecision::Nothing;
    let decided = machine.apply_action(&state, decision)?;
    machine.apply_action(&decided, ModelAction::ApplyDecision(by))
}

fn can_have(machine: &ClaimModel, state: &ModelState, session: usize, item: usize) -> bool {
    let claim = ModelAction::DecideClaim { session, item, reading: HolderView::Here };
    decide_and_apply(machine, state, claim, session).is_some_and(|after| {
        let believed_claim = after.sessions[session].believed_claim;
        after.items[item].holder == Some(session)
            && believed_claim.is_some_and(|held| {
                held.item == item && machine.accepts_write(&after, session, held)
            })
    })
}

fn can_mark_lost(machine: &ClaimModel, state: &ModelState, session: usize, victim: usize) -> bool {
    let park = ModelAction::DecidePark { session, victim, here: true };
    decide_and_apply(machine, state, park, session)
        .is_some_and(|after| after.held_by(victim).is_none())
}
