//! The modeled system and its actions.
//!
//! An operation that reads and then writes is two actions, so that any other action may come
//! between them.

use stateright::Model;

use crate::properties;
use crate::rules::{LeaseClock, ProductRules, SessionStanding};
use crate::state::{ITEMS, ModelState, PendingDecision, SESSIONS};

/// The conditions of the store's writes. The tests leave out each of them in turn and expect a
/// broken law.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each condition is left out on its own")]
pub(crate) struct StoreGuards {
    /// A claim takes effect only if holder and epoch are those it was decided on.
    pub(crate) claim: bool,
    /// A takeover takes effect only if the holder sent no heartbeat since.
    pub(crate) takeover: bool,
    /// A session is marked lost only if it sent no heartbeat since.
    pub(crate) park: bool,
    /// A claim releases the item that the session held before.
    pub(crate) single: bool,
    /// A write needs the session to hold the item.
    pub(crate) holder: bool,
    /// A write needs the epoch of the newest claim.
    pub(crate) epoch: bool,
    /// A replayed write gets its first answer.
    pub(crate) repeat: bool,
}

impl StoreGuards {
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
pub(crate) struct ClaimModel {
    pub(crate) rules: ProductRules,
    pub(crate) guards: StoreGuards,
    /// How many pending decisions and undelivered writes there may be at a time.
    pub(crate) max_pending: usize,
    /// Whether a decision is dropped once the store can only refuse it. Refusing it later changes
    /// nothing, and dropping it keeps the number of states small.
    pub(crate) forgets_refused: bool,
}

/// How a claim sees the present holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HolderView {
    /// From the machine on which the holder runs.
    Here,
    /// From another machine.
    Elsewhere,
    /// From another machine, with `--force`.
    Forced,
}

const HOLDER_VIEWS: [HolderView; 3] = [HolderView::Here, HolderView::Elsewhere, HolderView::Forced];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ModelAction {
    /// A session's lease and any announced quiet period end.
    Wait(usize),
    /// The database's clock is set back, so the lease runs again.
    SetBack(usize),
    /// The process is killed.
    Crash(usize),
    /// The client ends regularly.
    End(usize),
    /// The session starts, resumes or is prompted: it registers and reads what it holds.
    Start(usize),
    /// A heartbeat, without reading.
    Beat(usize),
    /// Reads and decides to claim.
    DecideClaim { session: usize, item: usize, reading: HolderView },
    /// Reads and decides to mark another session lost.
    DecidePark { session: usize, victim: usize, here: bool },
    /// Writes the decision.
    ApplyDecision(usize),
    /// Puts a write into the outbox, under the claim that the session believes to have.
    MakeWrite(usize),
    /// Delivers the outbox; the answer may be lost.
    Deliver { session: usize, answered: bool },
    /// Completes the item that the session believes to hold.
    Finish(usize),
    /// Releases it.
    Release(usize),
    /// Reopens a finished item.
    Reopen(usize),
}

impl Model for ClaimModel {
    type State = ModelState;
    type Action = ModelAction;

    fn init_states(&self) -> Vec<ModelState> {
        vec![ModelState::initial()]
    }

    fn actions(&self, state: &ModelState, actions: &mut Vec<ModelAction>) {
        if state.broken_law.is_some() {
            return;
        }
        let room = state.count_pending() < self.max_pending;
        for session in 0..SESSIONS {
            let row = &state.sessions[session];
            if row.standing != SessionStanding::Lost {
                actions.push(match row.clock {
                    LeaseClock::Running => ModelAction::Wait(session),
                    LeaseClock::Over => ModelAction::SetBack(session),
                });
            }
            actions.push(ModelAction::Start(session));
            if row.outbox.is_some() {
                for answered in [false, true] {
                    actions.push(ModelAction::Deliver { session, answered });
                }
            }
            if row.decision != PendingDecision::Nothing {
                actions.push(ModelAction::ApplyDecision(session));
            }
            if !row.runs {
                continue;
            }
            actions.extend([
                ModelAction::Crash(session),
                ModelAction::End(session),
                ModelAction::Beat(session),
                ModelAction::Finish(session),
                ModelAction::Release(session),
            ]);
            if room && row.outbox.is_none() {
                actions.push(ModelAction::MakeWrite(session));
            }
            if room && row.decision == PendingDecision::Nothing {
                for item in 0..ITEMS {
                    actions.extend(HOLDER_VIEWS.map(|reading| ModelAction::DecideClaim {
                        session,
                        item,
                        reading,
                    }));
                }
                for victim in (0..SESSIONS).filter(|victim| *victim != session) {
                    actions.extend([true, false].map(|here| ModelAction::DecidePark {
                        session,
                        victim,
                        here,
                    }));
                }
            }
        }
        let finished = (0..ITEMS).filter(|item| state.items[*item].finished);
        actions.extend(finished.map(ModelAction::Reopen));
    }

    fn next_state(&self, before: &ModelState, action: ModelAction) -> Option<ModelState> {
        let mut after = self.apply_action(before, action)?;
        if self.forgets_refused {
            self.forget_refused(&mut after);
        }
        (after != *before).then(|| after.representative())
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        properties::list_properties()
    }
}
