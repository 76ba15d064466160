//! The model's state: the rows of the database, what each session believes, and decisions that are
//! not written yet.

use trueup_core::model::ProcessState;

use crate::rules::{LeaseClock, SessionStanding, SessionView};

pub(crate) const SESSIONS: usize = 3;
pub(crate) const ITEMS: usize = 2;

/// How a remembered epoch relates to the item's. Epochs only rise and are only compared with the
/// present one, so this keeps the states finite without a bound on the number of claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum FenceAge {
    /// The item was not claimed since.
    Current,
    /// It was.
    Old,
    /// It was, and a write under the newer claim was acknowledged.
    Overtaken,
}

/// A claim as its session remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct HeldClaim {
    pub(crate) item: usize,
    pub(crate) fence: FenceAge,
}

/// A write in the outbox, made under a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PendingWrite {
    pub(crate) claim: HeldClaim,
    /// Whether it took effect but its answer was lost.
    pub(crate) committed: bool,
}

/// A decision that is not written yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum PendingDecision {
    Nothing,
    Claim {
        wanted: HeldClaim,
        /// The holder when it was read.
        seen: Option<usize>,
        /// Whether that holder sent a heartbeat since.
        heartbeat_since: bool,
    },
    Park {
        victim: usize,
        /// Whether the victim sent a heartbeat since.
        heartbeat_since: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ModelSession {
    pub(crate) standing: SessionStanding,
    pub(crate) clock: LeaseClock,
    /// Whether its process runs.
    pub(crate) runs: bool,
    /// The claim it believes to have.
    pub(crate) believed_claim: Option<HeldClaim>,
    pub(crate) decision: PendingDecision,
    pub(crate) outbox: Option<PendingWrite>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ModelItem {
    pub(crate) finished: bool,
    pub(crate) holder: Option<usize>,
}

/// A law that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum BrokenLaw {
    /// A claim took effect that would be refused on the present state.
    LiveHolderDisplaced,
    /// A session was marked lost that no longer looked dead.
    LiveSessionParked,
    /// A write was accepted under an outdated epoch.
    OldEpochAccepted,
    /// A write of an older epoch overwrote an acknowledged one.
    AcknowledgedWriteLost,
    /// A write that took effect was reported as refused.
    WriteDenied,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ModelState {
    pub(crate) sessions: [ModelSession; SESSIONS],
    pub(crate) items: [ModelItem; ITEMS],
    pub(crate) broken_law: Option<BrokenLaw>,
}

impl ModelState {
    pub(crate) fn initial() -> Self {
        let session = ModelSession {
            standing: SessionStanding::Active,
            clock: LeaseClock::Running,
            runs: true,
            believed_claim: None,
            decision: PendingDecision::Nothing,
            outbox: None,
        };
        let item = ModelItem { finished: false, holder: None };
        Self { sessions: [session; SESSIONS], items: [item; ITEMS], broken_law: None }
    }

    /// Returns a session as an observer sees it; one on another machine cannot see its process.
    pub(crate) fn view_session(&self, session: usize, here: bool) -> SessionView {
        let ModelSession { standing, clock, runs, .. } = self.sessions[session];
        let evidence = match (here, runs) {
            (false, _) => ProcessState::Unknown,
            (true, true) => ProcessState::Running,
            (true, false) => ProcessState::Gone,
        };
        SessionView { standing, clock, evidence }
    }

    /// Returns the item that a session holds in the database.
    pub(crate) fn held_by(&self, session: usize) -> Option<usize> {
        self.items.iter().position(|i| i.holder == Some(session))
    }

    /// Counts pending decisions and undelivered writes.
    pub(crate) fn count_pending(&self) -> usize {
        let of = |session: &ModelSession| {
            usize::from(session.decision != PendingDecision::Nothing)
                + usize::from(session.outbox.is_some())
        };
        self.sessions.iter().map(of).sum()
    }

    /// Returns every remembered claim of an item.
    pub(crate) fn remembered(&mut self, item: usize) -> impl Iterator<Item = &mut HeldClaim> {
        self.sessions
            .iter_mut()
            .flat_map(|session| {
                let claim = match &mut session.decision {
                    PendingDecision::Claim { wanted, .. } => Some(wanted),
                    PendingDecision::Nothing | PendingDecision::Park { .. } => None,
                };
                let write = session.outbox.as_mut().map(|write| &mut write.claim);
                [session.believed_claim.as_mut(), claim, write]
            })
            .flatten()
            .filter(move |held| held.item == item)
    }

    /// Notes a heartbeat in all pending decisions about this session.
    pub(crate) fn note_sign_of_life(&mut self, session: usize) {
        for other in &mut self.sessions {
            match &mut other.decision {
                PendingDecision::Claim { seen, heartbeat_since, .. } if *seen == Some(session) => {
                    *heartbeat_since = true;
                }
                PendingDecision::Park { victim, heartbeat_since } if *victim == session => {
                    *heartbeat_since = true;
                }
                _ => {}
            }
        }
        if self.sessions[session].standing != SessionStanding::Lost {
            self.sessions[session].clock = LeaseClock::Running;
        }
    }

    /// Returns a representative of all states that differ only in the numbering of sessions and
    /// items.
    ///
    /// Equal sessions keep their order, so a few such states remain distinct, which only costs
    /// time.
    pub(crate) fn representative(mut self) -> Self {
        for session in 0..SESSIONS {
            if self.held_by(session).is_none() {
                self.sessions[session].standing = SessionStanding::Active;
                self.sessions[session].clock = LeaseClock::Running;
            }
        }
        let sorted = self.with_sessions_sorted();
        let other = self.with_items_swapped().with_sessions_sorted();
        sorted.min(other)
    }

    fn with_items_swapped(mut self) -> Self {
        self.items.swap(0, 1);
        for session in &mut self.sessions {
            let believed_claim = session.believed_claim.as_mut();
            let write = session.outbox.as_mut().map(|write| &mut write.claim);
            let claim = match &mut session.decision {
                PendingDecision::Claim { wanted, .. } => Some(wanted),
                PendingDecision::Nothing | PendingDecision::Park { .. } => None,
            };
            for held in [believed_claim, write, claim].into_iter().flatten() {
                held.item = 1 - held.item;
            }
        }
        self
    }

    fn with_sessions_sorted(self) -> Self {
        let mut order: [usize; SESSIONS] = std::array::from_fn(|session| session);
        order.sort_by_key(|session| {
            let row = &self.sessions[*session];
            let held = self.items.map(|item| item.holder == Some(*session));
            let decision = match row.decision {
                PendingDecision::Nothing => (0, None, false),
                PendingDecision::Claim { wanted, heartbeat_since, .. } => {
                    (1, Some(wanted), heartbeat_since)
                }
                PendingDecision::Park { heartbeat_since, .. } => (2, None, heartbeat_since),
            };
            let ModelSession { standing, clock, runs, believed_claim, outbox, .. } = *row;
            (held, standing, clock, runs, believed_claim, outbox, decision)
        });
        if order == [0, 1, 2] {
            return self;
        }
        let mut name = [0; SESSIONS];
        for (new, old) in order.into_iter().enumerate() {
            name[old] = new;
        }
        let mut state = self;
        state.sessions = order.map(|old| self.sessions[old]);
        for item in &mut state.items {
            item.holder = item.holder.map(|old| name[old]);
        }
        for session in &mut state.sessions {
            match &mut session.decision {
                PendingDecision::Claim { seen, .. } => *seen = seen.map(|old| name[old]),
                PendingDecision::Park { victim, .. } => *victim = name[*victim],
                PendingDecision::Nothing => {}
            }
        }
        state
    }
}
