//! What must hold in every state that can be reached.

use stateright::Property;

use crate::machine::{Action, Machine, Reading};
use crate::rules::Clock;
use crate::state::{Fence, ITEMS, SESSIONS, State, Underway, Write, Wrong};

pub(crate) const ONE_HOLDER: &str = "never two live holders with a valid epoch of one item";
pub(crate) const ONE_ITEM: &str = "a session never holds two items";
pub(crate) const LIVING: &str = "no live holder is displaced";
pub(crate) const NOT_PARKED: &str = "no live session is parked";
pub(crate) const FENCED: &str = "no write under an old epoch is accepted";
pub(crate) const KEPT: &str = "no acknowledged write is lost";
pub(crate) const TOLD: &str = "no write that took effect is reported as refused";
pub(crate) const CLAIMABLE: &str = "every parked item can be claimed by every live session";
pub(crate) const FREED: &str = "whatever a dead session holds can be had when its time is over";

/// What is never broken; the rest of [`all`] shows that it is not empty talk.
pub(crate) const LAWS: [&str; 9] = [
    ONE_HOLDER, ONE_ITEM, LIVING, NOT_PARKED, FENCED, KEPT, TOLD, CLAIMABLE, FREED,
];

pub(crate) fn all() -> Vec<Property<Machine>> {
    vec![
        Property::always(ONE_HOLDER, one_holder),
        Property::always(ONE_ITEM, one_item),
        Property::always(LIVING, |_, s: &State| {
            s.wrong != Some(Wrong::LiveHolderDisplaced)
        }),
        Property::always(NOT_PARKED, |_, s: &State| {
            s.wrong != Some(Wrong::LiveSessionParked)
        }),
        Property::always(FENCED, |_, s: &State| {
            s.wrong != Some(Wrong::OldEpochAccepted)
        }),
        Property::always(KEPT, |_, s: &State| {
            s.wrong != Some(Wrong::AcknowledgedWriteLost)
        }),
        Property::always(TOLD, |_, s: &State| s.wrong != Some(Wrong::WriteDenied)),
        Property::always(CLAIMABLE, claimable),
        Property::always(FREED, freed),
        // What the laws are about does come about.
        Property::sometimes("both items are held", |_, s: &State| {
            s.items.iter().all(|item| item.holder.is_some())
        }),
        Property::sometimes("all three are about to claim one item", |_, s: &State| {
            s.sessions.iter().all(|row| wants(row.underway, 0))
        }),
        Property::sometimes(
            "a living session has lost its item unawares",
            |machine, s: &State| {
                (0..SESSIONS).any(|session| {
                    let row = &s.sessions[session];
                    row.belief
                        .is_some_and(|held| !machine.accepts(s, session, held))
                })
            },
        ),
        Property::sometimes(
            "a write comes after one of a newer epoch",
            |_, s: &State| {
                let late = |write: Write| write.under.fence == Fence::Overtaken;
                s.sessions.iter().any(|row| row.outbox.is_some_and(late))
            },
        ),
        Property::sometimes(
            "a write took effect and its answer was lost",
            |_, s: &State| {
                let unanswered = |write: Write| write.committed;
                s.sessions
                    .iter()
                    .any(|row| row.outbox.is_some_and(unanswered))
            },
        ),
        Property::sometimes("an item is finished", |_, s: &State| {
            s.items.iter().any(|item| item.finished)
        }),
    ]
}

fn wants(underway: Underway, item: usize) -> bool {
    matches!(underway, Underway::Claim { wanted, .. } if wanted.item == item)
}

fn one_holder(machine: &Machine, state: &State) -> bool {
    let valid = |item: usize| {
        let sessions = state.sessions.iter().enumerate();
        sessions
            .filter(|(_, row)| row.runs)
            .filter_map(|(session, row)| row.belief.map(|held| (session, held)))
            .filter(|(session, held)| held.item == item && machine.accepts(state, *session, *held))
            .count()
    };
    (0..ITEMS).all(|item| valid(item) < 2)
}

fn one_item(_: &Machine, state: &State) -> bool {
    let [one, other] = state.items;
    one.holder.is_none() || one.holder != other.holder
}

/// From here, a claim that nobody disturbs succeeds.
fn claimable(machine: &Machine, state: &State) -> bool {
    let free = |item: &usize| !state.items[*item].finished && state.items[*item].holder.is_none();
    (0..ITEMS).filter(free).all(|item| {
        (0..SESSIONS)
            .filter(|session| state.sessions[*session].runs)
            .all(|session| can_have(machine, state, session, item))
    })
}

/// From here, when enough time has passed, another session can take the item over and a sweep
/// can park its holder.
fn freed(machine: &Machine, state: &State) -> bool {
    (0..ITEMS).all(|item| {
        let Some(holder) = state.items[item].holder else {
            return true;
        };
        if state.sessions[holder].runs {
            return true;
        }
        let mut later = *state;
        later.sessions[holder].clock = Clock::Over;
        let other = (holder + 1) % SESSIONS;
        let Some(later) = machine.step(&later, Action::Start(other)) else {
            return false;
        };
        can_have(machine, &later, other, item) && can_park(machine, &later, other, holder)
    })
}

fn undisturbed(machine: &Machine, state: &State, decision: Action, by: usize) -> Option<State> {
    let mut state = *state;
    state.sessions[by].underway = Underway::Nothing;
    let decided = machine.step(&state, decision)?;
    machine.step(&decided, Action::Carry(by))
}

fn can_have(machine: &Machine, state: &State, session: usize, item: usize) -> bool {
    let claim = Action::DecideClaim {
        session,
        item,
        reading: Reading::Here,
    };
    undisturbed(machine, state, claim, session).is_some_and(|after| {
        let belief = after.sessions[session].belief;
        after.items[item].holder == Some(session)
            && belief
                .is_some_and(|held| held.item == item && machine.accepts(&after, session, held))
    })
}

fn can_park(machine: &Machine, state: &State, session: usize, victim: usize) -> bool {
    let park = Action::DecidePark {
        session,
        victim,
        here: true,
    };
    undisturbed(machine, state, park, session).is_some_and(|after| after.held_by(victim).is_none())
}
