//! What the model remembers: the rows of the database, what each session believes, and what is
//! under way between a reading and its write.

use trueup_core::liveness::ProcessState;

use crate::rules::{LeaseClock, SessionStanding, SessionView};

pub(crate) const SESSIONS: usize = 3;
pub(crate) const ITEMS: usize = 2;

/// How a remembered epoch relates to the item's. Epochs only rise and are only compared with
/// the present one, so this is all of them that can be seen, and the states stay finite without
/// a bound on the number of claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum FenceAge {
    /// Nobody claimed the item since.
    Current,
    /// Somebody did.
    Old,
    /// Somebody did, and that one's write has been acknowledged.
    Overtaken,
}

/// A claim as its holder knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct HeldClaim {
    pub(crate) item: usize,
    pub(crate) fence: FenceAge,
}

/// A write made under a claim, waiting in the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PendingWrite {
    pub(crate) under: HeldClaim,
    /// Whether it took effect and the answer was lost.
    pub(crate) committed: bool,
}

/// What was decided on a reading and is still to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum PendingDecision {
    Nothing,
    Claim {
        wanted: HeldClaim,
        /// Who held it when it was read.
        seen: Option<usize>,
        /// Whether that holder gave a sign of life since.
        stirred: bool,
    },
    Park {
        victim: usize,
        /// Whether the victim gave a sign of life since.
        stirred: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ModelSession {
    pub(crate) standing: SessionStanding,
    pub(crate) clock: LeaseClock,
    /// Whether its process runs.
    pub(crate) runs: bool,
    /// What it believes to hold.
    pub(crate) belief: Option<HeldClaim>,
    pub(crate) underway: PendingDecision,
    pub(crate) outbox: Option<PendingWrite>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ModelItem {
    pub(crate) finished: bool,
    pub(crate) holder: Option<usize>,
}

/// Something that must never happen, and has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum BrokenLaw {
    /// A claim was carried out that would be refused on a reading of that moment.
    LiveHolderDisplaced,
    /// A session was parked that no longer looked dead.
    LiveSessionParked,
    /// A write was accepted under an epoch that was no longer the item's.
    OldEpochAccepted,
    /// An acknowledged write was overwritten by one of an older epoch.
    AcknowledgedWriteLost,
    /// A write that took effect was reported as refused.
    WriteDenied,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ModelState {
    pub(crate) sessions: [ModelSession; SESSIONS],
    pub(crate) items: [ModelItem; ITEMS],
    pub(crate) wrong: Option<BrokenLaw>,
}

impl ModelState {
    pub(crate) fn initial() -> Self {
        let session = ModelSession {
            standing: SessionStanding::Active,
            clock: LeaseClock::Running,
            runs: true,
            belief: None,
            underway: PendingDecision::Nothing,
            outbox: None,
        };
        let item = ModelItem {
            finished: false,
            holder: None,
        };
        Self {
            sessions: [session; SESSIONS],
            items: [item; ITEMS],
            wrong: None,
        }
    }

    /// Returns what an observer sees of a session; one on another machine cannot ask for its
    /// process.
    pub(crate) fn view_session(&self, session: usize, here: bool) -> SessionView {
        let ModelSession {
            standing,
            clock,
            runs,
            ..
        } = self.sessions[session];
        let evidence = match (here, runs) {
            (false, _) => ProcessState::Unknown,
            (true, true) => ProcessState::Running,
            (true, false) => ProcessState::Gone,
        };
        SessionView {
            standing,
            clock,
            evidence,
        }
    }

    /// Returns the item that a session holds, as the database says.
    pub(crate) fn held_by(&self, session: usize) -> Option<usize> {
        self.items.iter().position(|i| i.holder == Some(session))
    }

    /// Counts the readings without their write and the writes that were not delivered.
    pub(crate) fn under_way(&self) -> usize {
        let of = |session: &ModelSession| {
            usize::from(session.underway != PendingDecision::Nothing)
                + usize::from(session.outbox.is_some())
        };
        self.sessions.iter().map(of).sum()
    }

    /// Returns everything that remembers an epoch of an item.
    pub(crate) fn remembered(&mut self, item: usize) -> impl Iterator<Item = &mut HeldClaim> {
        self.sessions
            .iter_mut()
            .flat_map(|session| {
                let claim = match &mut session.underway {
                    PendingDecision::Claim { wanted, .. } => Some(wanted),
                    PendingDecision::Nothing | PendingDecision::Park { .. } => None,
                };
                let write = session.outbox.as_mut().map(|write| &mut write.under);
                [session.belief.as_mut(), claim, write]
            })
            .flatten()
            .filter(move |held| held.item == item)
    }

    /// Notes a sign of life: whoever decided on the silence of this session is told.
    pub(crate) fn note_sign_of_life(&mut self, session: usize) {
        for other in &mut self.sessions {
            match &mut other.underway {
                PendingDecision::Claim { seen, stirred, .. } if *seen == Some(session) => {
                    *stirred = true;
                }
                PendingDecision::Park { victim, stirred } if *victim == session => *stirred = true,
                _ => {}
            }
        }
        if self.sessions[session].standing != SessionStanding::Lost {
            self.sessions[session].clock = LeaseClock::Running;
        }
    }

    /// Returns one of the states that differ only in the names of sessions and items.
    ///
    /// Sessions that look the same stay in their order, so that a few such states are told
    /// apart all the same: that costs time, not truth.
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
            let belief = session.belief.as_mut();
            let write = session.outbox.as_mut().map(|write| &mut write.under);
            let claim = match &mut session.underway {
                PendingDecision::Claim { wanted, .. } => Some(wanted),
                PendingDecision::Nothing | PendingDecision::Park { .. } => None,
            };
            for held in [belief, write, claim].into_iter().flatten() {
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
            let underway = match row.underway {
                PendingDecision::Nothing => (0, None, false),
                PendingDecision::Claim {
                    wanted, stirred, ..
                } => (1, Some(wanted), stirred),
                PendingDecision::Park { stirred, .. } => (2, None, stirred),
            };
            let ModelSession {
                standing,
                clock,
                runs,
                belief,
                outbox,
                ..
            } = *row;
            (held, standing, clock, runs, belief, outbox, underway)
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
            match &mut session.underway {
                PendingDecision::Claim { seen, .. } => *seen = seen.map(|old| name[old]),
                PendingDecision::Park { victim, .. } => *victim = name[*victim],
                PendingDecision::Nothing => {}
            }
        }
        state
    }
}
