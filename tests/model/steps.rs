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
        claim: HeldClaim,
    ) -> bool {
        let holds = state.items[claim.item].holder == Some(session);
        (holds || !self.guards.holder) && (claim.fence == FenceAge::Current || !self.guards.epoch)
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
                state.sessions[session].decision =
                    PendingDecision::Park { victim, heartbeat_since: false };
            }
            ModelAction::ApplyDecision(session) => self.apply_decision(&mut state, session),
            ModelAction::MakeWrite(session) => {
                let claim = state.sessions[session].believed_claim?;
                state.sessions[session].outbox = Some(PendingWrite { claim, committed: false });
            }
            ModelAction::Deliver { session, answered } => {
                self.deliver_write(&mut state, session, answered)?;
            }
            ModelAction::Finish(session) => {
                let claim = state.sessions[session].believed_claim?;
                if self.accepts_write(&state, session, claim) {
                    accept_write(&mut state, claim);
                    state.items[claim.item].finished = true;
                    state.items[claim.item].holder = None;
                }
                refresh_view(&mut state, session);
            }
            ModelAction::Release(session) => {
                let item = state.sessions[session].believed_claim?.item;
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
        state.sessions[session].decision = PendingDecision::Claim {
            wanted: HeldClaim { item, fence: FenceAge::Current },
            seen,
            heartbeat_since: false,
        };
        granted.then_some(())
    }

    /// Returns whether the conditions of a decision no longer hold. They never hold again, since no
    /// epoch comes back and no heartbeat is undone.
    fn will_refuse(&self, state: &ModelState, decision: PendingDecision) -> bool {
        match decision {
            PendingDecision::Nothing => false,
            PendingDecision::Claim { wanted, seen, heartbeat_since } => {
                was_reclaimed(state, wanted, seen) && self.guards.claim
                    || heartbeat_since && self.guards.takeover
            }
            PendingDecision::Park { heartbeat_since, .. } => heartbeat_since && self.guards.park,
        }
    }

    /// Drops every decision that the store will refuse.
    pub(crate) fn forget_refused(&self, state: &mut ModelState) {
        for session in 0..SESSIONS {
            if self.will_refuse(state, state.sessions[session].decision) {
                state.sessions[session].decision = PendingDecision::Nothing;
            }
        }
    }

    fn apply_decision(&self, state: &mut ModelState, session: usize) {
        let decision =
            std::mem::replace(&mut state.sessions[session].decision, PendingDecision::Nothing);
        if self.will_refuse(state, decision) {
            return;
        }
        match decision {
            PendingDecision::Nothing => {}
            PendingDecision::Claim { wanted, seen, heartbeat_since } => self.claim_item(
                state,
                session,
                wanted,
                heartbeat_since || was_reclaimed(state, wanted, seen),
            ),
            PendingDecision::Park { victim, heartbeat_since } => {
                self.mark_lost(state, victim, heartbeat_since);
            }
        }
    }

    fn mark_lost(&self, state: &mut ModelState, victim: usize, moved: bool) {
        if moved && !self.rules.marks_lost(state.view_session(victim, true)) {
            state.broken_law = Some(BrokenLaw::LiveSessionParked);
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
            state.broken_law = Some(BrokenLaw::LiveHolderDisplaced);
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
            state.sessions[session].believed_claim =
                Some(HeldClaim { item, fence: FenceAge::Current });
        }
    }

    fn deliver_write(&self, state: &mut ModelState, session: usize, answered: bool) -> Option<()> {
        let write = state.sessions[session].outbox?;
        if write.committed && self.guards.repeat {
            state.sessions[session].outbox = None;
        } else if self.accepts_write(state, session, write.claim) {
            accept_write(state, write.claim);
            state.sessions[session].outbox =
                (!answered).then_some(PendingWrite { committed: true, ..write });
        } else {
            if write.committed {
                state.broken_law = Some(BrokenLaw::WriteDenied);
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
    session.believed_claim = None;
}

/// Reads what a session holds.
fn refresh_view(state: &mut ModelState, session: usize) {
    state.sessions[session].believed_claim =
        state.held_by(session).map(|item| HeldClaim { item, fence: FenceAge::Current });
}

/// Notes in pending decisions that a session's row changed.
fn notice_loss(state: &mut ModelState, session: usize) {
    for other in &mut state.sessions {
        if let PendingDecision::Park { victim, heartbeat_since } = &mut other.decision
            && *victim == session
        {
            *heartbeat_since = true;
        }
    }
}

/// Applies a write: it is acknowledged, and writes under older epochs are outdated.
fn accept_write(state: &mut ModelState, claim: HeldClaim) {
    match claim.fence {
        FenceAge::Current => {}
        FenceAge::Old => state.broken_law = Some(BrokenLaw::OldEpochAccepted),
        FenceAge::Overtaken => state.broken_law = Some(BrokenLaw::AcknowledgedWriteLost),
    }
    for session in &mut state.sessions {
        if let Some(write) = &mut session.outbox
            && write.claim.item == claim.item
            && write.claim.fence == FenceAge::Old
        {
            write.claim.fence = FenceAge::Overtaken;
        }
    }
}
