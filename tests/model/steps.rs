//! What an action does: the decisions, and the conditional writes of the store.

use crate::machine::{Action, Machine, Reading};
use crate::rules::{Clock, Standing};
use crate::state::{Fence, Held, SESSIONS, Session, State, Underway, Write, Wrong};

impl Machine {
    /// Tells whether the store would accept a write made under a claim.
    pub(crate) fn accepts(&self, state: &State, session: usize, under: Held) -> bool {
        let holds = state.items[under.item].holder == Some(session);
        (holds || !self.guards.holder) && (under.fence == Fence::Current || !self.guards.epoch)
    }

    /// Carries an action out, where it is possible.
    pub(crate) fn step(&self, before: &State, action: Action) -> Option<State> {
        let mut state = *before;
        match action {
            Action::Wait(session) => state.sessions[session].clock = Clock::Over,
            Action::SetBack(session) => state.sessions[session].clock = Clock::Running,
            Action::Crash(session) => stop(&mut state.sessions[session]),
            Action::End(session) => {
                stop(&mut state.sessions[session]);
                state.sessions[session].standing = Standing::Ended;
                notice(&mut state, session);
            }
            Action::Start(session) => {
                let row = &mut state.sessions[session];
                row.runs = true;
                row.standing = Standing::Active;
                state.stir(session);
                look(&mut state, session);
            }
            Action::Beat(session) => state.stir(session),
            Action::DecideClaim {
                session,
                item,
                reading,
            } => self.decide_claim(&mut state, session, item, reading)?,
            Action::DecidePark {
                session,
                victim,
                here,
            } => {
                if !self.rules.parks(state.look(victim, here)) {
                    return None;
                }
                state.sessions[session].underway = Underway::Park {
                    victim,
                    stirred: false,
                };
            }
            Action::Carry(session) => self.carry(&mut state, session),
            Action::MakeWrite(session) => {
                let under = state.sessions[session].belief?;
                state.sessions[session].outbox = Some(Write {
                    under,
                    committed: false,
                });
            }
            Action::Deliver { session, answered } => self.deliver(&mut state, session, answered)?,
            Action::Finish(session) => {
                let under = state.sessions[session].belief?;
                if self.accepts(&state, session, under) {
                    accept(&mut state, under);
                    state.items[under.item].finished = true;
                    state.items[under.item].holder = None;
                }
                look(&mut state, session);
            }
            Action::Release(session) => {
                let item = state.sessions[session].belief?.item;
                if state.items[item].holder == Some(session) {
                    state.items[item].holder = None;
                }
                look(&mut state, session);
            }
            Action::Reopen(item) => state.items[item].finished = false,
        }
        Some(state)
    }

    fn decide_claim(
        &self,
        state: &mut State,
        session: usize,
        item: usize,
        reading: Reading,
    ) -> Option<()> {
        let seen = state.items[item].holder;
        let granted = match seen {
            _ if state.items[item].finished => false,
            None => reading == Reading::Here && self.rules.free_is_free,
            Some(holder) if holder == session => false,
            Some(holder) => {
                let look = state.look(holder, reading != Reading::Elsewhere);
                self.rules.takes_over(look, reading == Reading::Forced)
            }
        };
        state.sessions[session].underway = Underway::Claim {
            wanted: Held {
                item,
                fence: Fence::Current,
            },
            seen,
            stirred: false,
        };
        granted.then_some(())
    }

    /// Tells whether the conditions of a decision no longer hold. They never hold again: no
    /// epoch comes back, and no sign of life is taken back.
    fn refuses(&self, state: &State, underway: Underway) -> bool {
        match underway {
            Underway::Nothing => false,
            Underway::Claim {
                wanted,
                seen,
                stirred,
            } => {
                moved_on(state, wanted, seen) && self.guards.claim
                    || stirred && self.guards.takeover
            }
            Underway::Park { stirred, .. } => stirred && self.guards.park,
        }
    }

    /// Drops every decision that will come to nothing.
    pub(crate) fn forget(&self, state: &mut State) {
        for session in 0..SESSIONS {
            if self.refuses(state, state.sessions[session].underway) {
                state.sessions[session].underway = Underway::Nothing;
            }
        }
    }

    fn carry(&self, state: &mut State, session: usize) {
        let underway = std::mem::replace(&mut state.sessions[session].underway, Underway::Nothing);
        if self.refuses(state, underway) {
            return;
        }
        match underway {
            Underway::Nothing => {}
            Underway::Claim {
                wanted,
                seen,
                stirred,
            } => self.claim(
                state,
                session,
                wanted,
                stirred || moved_on(state, wanted, seen),
            ),
            Underway::Park { victim, stirred } => self.park(state, victim, stirred),
        }
    }

    fn park(&self, state: &mut State, victim: usize, moved: bool) {
        if moved && !self.rules.parks(state.look(victim, true)) {
            state.wrong = Some(Wrong::LiveSessionParked);
        }
        if let Some(item) = state.held_by(victim) {
            state.items[item].holder = None;
        }
        notice(state, victim);
        let victim = &mut state.sessions[victim];
        if victim.standing != Standing::Ended {
            victim.standing = Standing::Lost;
        }
    }

    fn claim(&self, state: &mut State, session: usize, wanted: Held, moved: bool) {
        let item = wanted.item;
        if state.items[item].finished {
            return;
        }
        let displaced = state.items[item].holder.filter(|other| *other != session);
        if let Some(other) = displaced
            && moved
            && !self.rules.takes_over(state.look(other, true), false)
        {
            state.wrong = Some(Wrong::LiveHolderDisplaced);
        }
        if let Some(other) = displaced.map(|other| &mut state.sessions[other])
            && other.standing == Standing::Active
        {
            other.standing = Standing::Lost;
        }
        if self.guards.single
            && let Some(other) = state.held_by(session).filter(|other| *other != item)
        {
            state.items[other].holder = None;
        }
        state.items[item].holder = Some(session);
        for held in state.remembered(item) {
            held.fence = held.fence.max(Fence::Old);
        }
        state.sessions[session].standing = Standing::Active;
        state.stir(session);
        if state.sessions[session].runs {
            state.sessions[session].belief = Some(Held {
                item,
                fence: Fence::Current,
            });
        }
    }

    fn deliver(&self, state: &mut State, session: usize, answered: bool) -> Option<()> {
        let write = state.sessions[session].outbox?;
        if write.committed && self.guards.repeat {
            state.sessions[session].outbox = None;
        } else if self.accepts(state, session, write.under) {
            accept(state, write.under);
            state.sessions[session].outbox = (!answered).then_some(Write {
                committed: true,
                ..write
            });
        } else {
            if write.committed {
                state.wrong = Some(Wrong::WriteDenied);
            }
            state.sessions[session].outbox = None;
            if state.sessions[session].runs {
                look(state, session);
            }
        }
        Some(())
    }
}

/// Tells whether an item is no longer as it was when a claim was decided.
fn moved_on(state: &State, wanted: Held, seen: Option<usize>) -> bool {
    state.items[wanted.item].holder != seen || wanted.fence != Fence::Current
}

/// Ends a process: what it believed is read anew when it comes back.
fn stop(session: &mut Session) {
    session.runs = false;
    session.belief = None;
}

/// Reads what a session holds.
fn look(state: &mut State, session: usize) {
    state.sessions[session].belief = state.held_by(session).map(|item| Held {
        item,
        fence: Fence::Current,
    });
}

/// Tells whoever is about to park a session that its row has changed.
fn notice(state: &mut State, session: usize) {
    for other in &mut state.sessions {
        if let Underway::Park { victim, stirred } = &mut other.underway
            && *victim == session
        {
            *stirred = true;
        }
    }
}

/// Applies a write: it is acknowledged, and what was made under an older epoch comes too late.
fn accept(state: &mut State, under: Held) {
    match under.fence {
        Fence::Current => {}
        Fence::Old => state.wrong = Some(Wrong::OldEpochAccepted),
        Fence::Overtaken => state.wrong = Some(Wrong::AcknowledgedWriteLost),
    }
    for session in &mut state.sessions {
        if let Some(write) = &mut session.outbox
            && write.under.item == under.item
            && write.under.fence == Fence::Old
        {
            write.under.fence = Fence::Overtaken;
        }
    }
}
