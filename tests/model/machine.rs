//! The system, and everything that can happen to it.
//!
//! Whatever reads and then writes is two actions, so that everything else may come in between.

use stateright::Model;

use crate::properties;
use crate::rules::{Clock, Rules, Standing};
use crate::state::{ITEMS, SESSIONS, State, Underway};

/// The conditions that the store puts on its writes. A proof has teeth when each of them, left
/// out, is found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each condition is left out on its own"
)]
pub(crate) struct Guards {
    /// A claim takes effect only while holder and epoch are those it was decided on.
    pub(crate) claim: bool,
    /// A takeover takes effect only while the holder gave no sign of life since.
    pub(crate) takeover: bool,
    /// A session is parked only while it gave no sign of life since.
    pub(crate) park: bool,
    /// A claim gives up what the session held before.
    pub(crate) single: bool,
    /// A write needs the session to hold the item.
    pub(crate) holder: bool,
    /// A write needs the epoch of the newest claim.
    pub(crate) epoch: bool,
    /// A write that took effect before is answered as it was then.
    pub(crate) repeat: bool,
}

impl Guards {
    pub(crate) const ALL: Self = Self {
        claim: true,
        takeover: true,
        park: true,
        single: true,
        holder: true,
        epoch: true,
        repeat: true,
    };
}

/// The system: three sessions and two items.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) rules: Rules,
    pub(crate) guards: Guards,
    /// How many readings and undelivered writes there may be at a time.
    pub(crate) under_way: usize,
    /// Whether a decision is forgotten once the store will refuse it for good: to refuse it
    /// later changes nothing, and three at a time can be had in a moment.
    pub(crate) forgets: bool,
}

/// From where a claim looks at the present holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The machine on which that one runs.
    Here,
    /// Another machine.
    Elsewhere,
    /// Wherever it is, with `--force`.
    Forced,
}

const READINGS: [Reading; 3] = [Reading::Here, Reading::Elsewhere, Reading::Forced];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Its lease and any announced silence end.
    Wait(usize),
    /// The database's clock is set back, and the lease runs again.
    SetBack(usize),
    /// The process ends without a word.
    Crash(usize),
    /// The client says goodbye.
    End(usize),
    /// It starts, comes back or is prompted: it registers and reads what it holds.
    Start(usize),
    /// A sign of life, without looking.
    Beat(usize),
    /// Reads, and decides to claim.
    DecideClaim {
        session: usize,
        item: usize,
        reading: Reading,
    },
    /// Reads, and decides to park another.
    DecidePark {
        session: usize,
        victim: usize,
        here: bool,
    },
    /// Writes what it decided.
    Carry(usize),
    /// Makes a write under the claim it believes to have.
    MakeWrite(usize),
    /// The outbox is sent; the answer may be lost.
    Deliver { session: usize, answered: bool },
    /// Completes the item it believes to hold.
    Finish(usize),
    /// Gives it up.
    Release(usize),
    /// Somebody reopens a finished item.
    Reopen(usize),
}

impl Model for Machine {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::first()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.wrong.is_some() {
            return;
        }
        let room = state.under_way() < self.under_way;
        for session in 0..SESSIONS {
            let row = &state.sessions[session];
            if row.standing != Standing::Lost {
                actions.push(match row.clock {
                    Clock::Running => Action::Wait(session),
                    Clock::Over => Action::SetBack(session),
                });
            }
            actions.push(Action::Start(session));
            if row.outbox.is_some() {
                for answered in [false, true] {
                    actions.push(Action::Deliver { session, answered });
                }
            }
            if row.underway != Underway::Nothing {
                actions.push(Action::Carry(session));
            }
            if !row.runs {
                continue;
            }
            actions.extend([
                Action::Crash(session),
                Action::End(session),
                Action::Beat(session),
                Action::Finish(session),
                Action::Release(session),
            ]);
            if room && row.outbox.is_none() {
                actions.push(Action::MakeWrite(session));
            }
            if room && row.underway == Underway::Nothing {
                for item in 0..ITEMS {
                    actions.extend(READINGS.map(|reading| Action::DecideClaim {
                        session,
                        item,
                        reading,
                    }));
                }
                for victim in (0..SESSIONS).filter(|victim| *victim != session) {
                    actions.extend([true, false].map(|here| Action::DecidePark {
                        session,
                        victim,
                        here,
                    }));
                }
            }
        }
        let finished = (0..ITEMS).filter(|item| state.items[*item].finished);
        actions.extend(finished.map(Action::Reopen));
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut after = self.step(before, action)?;
        if self.forgets {
            self.forget(&mut after);
        }
        (after != *before).then(|| after.representative())
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        properties::all()
    }
}
