//! The effect of each action: decisions, and the store's conditional writes.

use crate::claim_model::{ClaimModel, HolderView, ModelAction};
use crate::rules::{LeaseClock, SessionStanding};
use crate::state::{
    BrokenLaw, FenceAge, HeldClaim, ModelSession, ModelState, PendingDecision, PendingWrite,
    SESSIONS,
};

impl ClaimModel {
    /// Returns whether the store accepts a write made under a claim.
    pub(crate) fn accepts_write(
        &self,
        state: &ModelState,
        session: usize,
        under: HeldClaim,
    ) -> bool {
        let holds = state.items[under.item].holder == Some(session);
        (holds || !self.guards.holder) && (under.fence == FenceAge::Current || !self.guards.epoch)
    }

    /// Applies an action, if it is possible.
    pub(crate) fn apply_action(
        &self,
        before: &ModelState,
        action: ModelAction,
    ) -> Option<ModelState> {
        let mut state = *before;
        match action {
            ModelAction::Wait(session) => state.sessions[session].clock = LeaseClock::Over,
            ModelAction::SetBack(session) => state.sessions[session].clock = LeaseClock::Running,
            ModelAction::Crash(session) => stop_session(&mut state.sessions[session]),
            ModelAction::End(session) => {
                stop_session(&mut state.sessions[session]);
                state.sessions[session].standing = SessionStanding::Ended;
                notice_loss(&mut state, session);
            }
            ModelAction::Start(session) => {
                let row = &mut state.sessions[session];
                row.runs = true;
                row.standing = SessionStanding::Active;
                state.note_sign_of_life(session);
                refresh_view(&mut state, session);
            }
            ModelAction::Beat(session) => state.note_sign_of_life(session),
            ModelAction::DecideClaim { session, item, reading } => {
                self.decide_claim(&mut state, session, item, reading)?;
            }
            ModelAction::DecidePark { session, victim, here } => {
                if !self.rules.marks_lost(state.view_session(victim, here)) {
                    return None;
                }
                state.sessions[session].underway = PendingDecision::Park { victim, stirred: false };
            }
            ModelAction::ApplyDecision(session) => self.apply_decision(&mut state, session),
            ModelAction::MakeWrite(session) => {
                let under = state.sessions[session].belief?;
                state.sessions[session].outbox = Some(PendingWrite { under, committed: false });
            }
            ModelAction::Deliver { session, answered } => {
                self.deliver_write(&mut state, session, answered)?;
            }
            ModelAction::Finish(session) => {
                let under = state.sessions[session].belief?;
                if self.accepts_write(&state, session, under) {
                    accept_write(&mut state, under);
                    state.items[under.item].finished = true;
                    state.items[under.item].holder = None;
                }
                refresh_view(&mut state, session);
            }
            ModelAction::Release(session) => {
                let item = state.sessions[session].belief?.item;
                if state.items[item].holder == Some(session) {
                    state.items[item].holder = None;
                }
                refresh_view(&mut state, session);
            }
            ModelAction::Reopen(item) => state.items[item].finished = false,
        }
        Some(state)
    }

    fn decide_claim(
        &self,
        state: &mut ModelState,
        session: usize,
        item: usize,
        reading: HolderView,
    ) -> Option<()> {
        let seen = state.items[item].holder;
        let granted = match seen {
            _ if state.items[item].finished => false,
            None => reading == HolderView::Here && self.rules.free_is_free,
            Some(holder) if holder == session => false,
            Some(holder) => {
                let look = state.view_session(holder, reading != HolderView::Elsewhere);
                self.rules.takes_over(look, reading == HolderView::Forced)
            }
        };
        state.sessions[session].underway = PendingDecision::Claim {
            wanted: HeldClaim { item, fence: FenceAge::Current },
            seen,
            stirred: false,
        };
        granted.then_some(())
    }

    /// Returns whether the conditions of a decision no longer hold. They never hold again, since no
    /// epoch comes back and no heartbeat is undone.
    fn will_refuse(&self, state: &ModelState, underway: PendingDecision) -> bool {
        match underway {
            PendingDecision::Nothing => false,
            PendingDecision::Claim { wanted, seen, stirred } => {
                was_reclaimed(state, wanted, seen) && self.guards.claim
                    || stirred && self.guards.takeover
            }
            PendingDecision::Park { stirred, .. } => stirred && self.guards.park,
        }
    }

    /// Drops every decision that the store will refuse.
    pub(crate) fn forget_refused(&self, state: &mut ModelState) {
        for session in 0..SESSIONS {
            if self.will_refuse(state, state.sessions[session].underway) {
                state.sessions[session].underway = PendingDecision::Nothing;
            }
        }
    }

    fn apply_decision(&self, state: &mut ModelState, session: usize) {
        let underway =
            std::mem::replace(&mut state.sessions[session].underway, PendingDecision::Nothing);
        if self.will_refuse(state, underway) {
            return;
        }
        match underway {
            PendingDecision::Nothing => {}
            PendingDecision::Claim { wanted, seen, stirred } => self.claim_item(
                state,
                session,
                wanted,
                stirred || was_reclaimed(state, wanted, seen),
            ),
            PendingDecision::Park { victim, stirred } => self.mark_lost(state, victim, stirred),
        }
    }

    fn mark_lost(&self, state: &mut ModelState, victim: usize, moved: bool) {
        if moved && !self.rules.marks_lost(state.view_session(victim, true)) {
            state.wrong = Some(BrokenLaw::LiveSessionParked);
        }
        if let Some(item) = state.held_by(victim) {
            state.items[item].holder = None;
        }
        notice_loss(state, victim);
        let victim = &mut state.sessions[victim];
        if victim.standing != SessionStanding::Ended {
            victim.standing = SessionStanding::Lost;
        }
    }

    fn claim_item(&self, state: &mut ModelState, session: usize, wanted: HeldClaim, moved: bool) {
        let item = wanted.item;
        if state.items[item].finished {
            return;
        }
        let displaced = state.items[item].holder.filter(|other| *other != session);
        if let Some(other) = displaced
            && moved
            && !self.rules.takes_over(state.view_session(other, true), false)
        {
            state.wrong = Some(BrokenLaw::LiveHolderDisplaced);
        }
        if let Some(other) = displaced.map(|other| &mut state.sessions[other])
            && other.standing == SessionStanding::Active
        {
            other.standing = SessionStanding::Lost;
        }
        if self.guards.single
            && let Some(other) = state.held_by(session).filter(|other| *other != item)
        {
            state.items[other].holder = None;
        }
        state.items[item].holder = Some(session);
        for held in state.remembered(item) {
            held.fence = held.fence.max(FenceAge::Old);
        }
        state.sessions[session].standing = SessionStanding::Active;
        state.note_sign_of_life(session);
        if state.sessions[session].runs {
            state.sessions[session].belief = Some(HeldClaim { item, fence: FenceAge::Current });
        }
    }

    fn deliver_write(&self, state: &mut ModelState, session: usize, answered: bool) -> Option<()> {
        let write = state.sessions[session].outbox?;
        if write.committed && self.guards.repeat {
            state.sessions[session].outbox = None;
        } else if self.accepts_write(state, session, write.under) {
            accept_write(state, write.under);
            state.sessions[session].outbox =
                (!answered).then_some(PendingWrite { committed: true, ..write });
        } else {
            if write.committed {
                state.wrong = Some(BrokenLaw::WriteDenied);
            }
            state.sessions[session].outbox = None;
            if state.sessions[session].runs {
                refresh_view(state, session);
            }
        }
        Some(())
    }
}

/// Returns whether an item changed since a claim was decided.
fn was_reclaimed(state: &ModelState, wanted: HeldClaim, seen: Option<usize>) -> bool {
    state.items[wanted.item].holder != seen || wanted.fence != FenceAge::Current
}

/// Ends a process. What it believed is read again when it comes back.
fn stop_session(session: &mut ModelSession) {
    session.runs = false;
    session.belief = None;
}

/// Reads what a session holds.
fn refresh_view(state: &mut ModelState, session: usize) {
    state.sessions[session].belief =
        state.held_by(session).map(|item| HeldClaim { item, fence: FenceAge::Current });
}

/// Notes in pending decisions that a session's row changed.
fn notice_loss(state: &mut ModelState, session: usize) {
    for other in &mut state.sessions {
        if let PendingDecision::Park { victim, stirred } = &mut other.underway
            && *victim == session
        {
            *stirred = true;
        }
    }
}

/// Applies a write: it is acknowledged, and writes under older epochs are outdated.
fn accept_write(state: &mut ModelState, under: HeldClaim) {
    match under.fence {
        FenceAge::Current => {}
        FenceAge::Old => state.wrong = Some(BrokenLaw::OldEpochAccepted),
        FenceAge::Overtaken => state.wrong = Some(BrokenLaw::AcknowledgedWriteLost),
    }
    for session in &mut state.sessions {
        if let Some(write) = &mut session.outbox
            && write.under.item == under.item
            && write.under.fence == FenceAge::Old
        {
            write.under.fence = FenceAge::Overtaken;
        }
    }
}
