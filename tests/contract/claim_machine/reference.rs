//! A reference implementation of the rules, without the product's code.
//!
//! Times are seconds since the start. It is small, so that it can be checked by reading.

/// Rules in seconds: a lease, the ceiling of silence, the silence before `--force`, the
/// announced span.
pub(super) const LEASE_SECONDS: u64 = 900;
pub(super) const CEILING_SECONDS: u64 = 1_800;
const FORCE_AFTER_SECONDS: u64 = 60;
pub(super) const QUIET_SECONDS: u64 = 1_800;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReferenceStanding {
    Active,
    Ended,
    Lost,
}

/// What is known about a session's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProcessState {
    Runs,
    Gone,
    Elsewhere,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct ReferenceSession {
    pub(super) standing: ReferenceStanding,
    pub(super) process: ProcessState,
    pub(super) beat: u64,
    pub(super) lease: u64,
    pub(super) announced: Option<u64>,
    /// The item and the phase in its state.
    pub(super) current: Option<usize>,
    pub(super) phase: Option<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReferenceItem {
    pub(super) holder: Option<usize>,
    pub(super) epoch: u64,
    pub(super) begun: bool,
    pub(super) phase: Option<u8>,
}

/// A claim, with the state that it was decided on.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClaimDecision {
    pub(super) session: usize,
    pub(super) item: usize,
    pub(super) holder: Option<usize>,
    pub(super) epoch: u64,
    /// The last heartbeat of the holder it is taken from.
    pub(super) beat: Option<u64>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct ReferenceStore {
    pub(super) now: u64,
    pub(super) sessions: [Option<ReferenceSession>; 3],
    pub(super) items: [ReferenceItem; 2],
}

impl ReferenceStore {
    pub(super) fn register(&mut self, session: usize, process: ProcessState) {
        let now = self.now;
        let row = self.sessions[session].get_or_insert(ReferenceSession {
            standing: ReferenceStanding::Active,
            process,
            beat: now,
            lease: now,
            announced: None,
            current: None,
            phase: None,
        });
        row.standing = ReferenceStanding::Active;
        row.process = process;
        row.beat = now;
        row.lease = now + LEASE_SECONDS;
    }

    /// Renews a lease; an ended or lost session stays ended or lost.
    pub(super) fn beat(&mut self, session: usize, announces: bool) -> bool {
        let now = self.now;
        let Some(row) = &mut self.sessions[session] else {
            return false;
        };
        row.beat = now;
        row.lease = now + LEASE_SECONDS;
        if announces {
            row.announced = Some(now + QUIET_SECONDS);
        }
        true
    }

    pub(super) fn end(&mut self, session: usize) -> bool {
        let Some(row) = &mut self.sessions[session] else {
            return false;
        };
        row.standing = ReferenceStanding::Ended;
        true
    }

    pub(super) fn kill(&mut self, session: usize) {
        if let Some(row) = &mut self.sessions[session]
            && row.process == ProcessState::Runs
        {
            row.process = ProcessState::Gone;
        }
    }

    pub(super) fn held_by(&self, session: usize) -> Option<usize> {
        self.items.iter().position(|i| i.holder == Some(session))
    }

    /// Decides and applies a claim; returns the answer of `trueup claim`. An item beyond the known
    /// ones does not exist.
    pub(super) fn claim(&mut self, session: usize, item: usize, force: bool) -> &'static str {
        if self.sessions[session].is_none() {
            return "phantom_session";
        }
        let Some(row) = self.items.get(item) else {
            return "item_not_found";
        };
        let outcome = match row.holder {
            None => "claimed",
            Some(holder) if holder == session => "already_owned",
            Some(holder) => match self.check_takeover(holder, force) {
                Ok(()) => "taken_over",
                Err(refusal) => return refusal,
            },
        };
        self.displace_holder(session, item);
        self.take_item(session, item);
        outcome
    }

    fn check_takeover(&self, holder: usize, force: bool) -> Result<(), &'static str> {
        let Some(row) = &self.sessions[holder] else {
            return Ok(());
        };
        if self.is_dead(row) {
            return Ok(());
        }
        match (force, self.is_alive(row)) {
            (true, _) if self.now - row.beat >= FORCE_AFTER_SECONDS => Ok(()),
            (true, _) => Err("takeover_not_allowed"),
            (false, true) => Err("held_by_live_session"),
            (false, false) => Err("held_by_silent_session"),
        }
    }

    /// One piece of evidence is enough.
    fn is_alive(&self, row: &ReferenceSession) -> bool {
        row.standing == ReferenceStanding::Active
            && (row.lease > self.now || row.process == ProcessState::Runs)
    }

    /// Dead means that the lease is over *and* the process is gone, or, if the process cannot be
    /// seen, that the ceiling has passed. An ended session keeps its item until its lease ends or
    /// its process is gone. An announced quiet period counts.
    fn is_dead(&self, row: &ReferenceSession) -> bool {
        let awaited = row.lease > self.now || row.announced.is_some_and(|until| until > self.now);
        match (row.standing, row.process) {
            (ReferenceStanding::Lost, _) | (ReferenceStanding::Ended, ProcessState::Gone) => true,
            _ if awaited => false,
            (ReferenceStanding::Ended, _) | (ReferenceStanding::Active, ProcessState::Gone) => true,
            (ReferenceStanding::Active, ProcessState::Runs) => false,
            (ReferenceStanding::Active, ProcessState::Elsewhere) => {
                self.now - row.beat > CEILING_SECONDS
            }
        }
    }

    /// A holder whose item is taken for its silence becomes lost.
    fn displace_holder(&mut self, session: usize, item: usize) {
        let holder = self.items[item].holder.filter(|holder| *holder != session);
        if let Some(row) = holder.and_then(|holder| self.sessions[holder].as_mut())
            && row.standing == ReferenceStanding::Active
        {
            row.standing = ReferenceStanding::Lost;
        }
    }

    fn take_item(&mut self, session: usize, item: usize) {
        if self.items[item].holder != Some(session) {
            for other in &mut self.items {
                if other.holder == Some(session) {
                    other.holder = None;
                }
            }
            self.items[item].holder = Some(session);
            self.items[item].epoch += 1;
            self.items[item].begun = true;
        }
        self.beat(session, false);
        let phase = self.items[item].phase;
        if let Some(row) = &mut self.sessions[session] {
            row.standing = ReferenceStanding::Active;
            if row.current != Some(item) {
                row.current = Some(item);
                row.phase = phase;
            } else if phase.is_some() {
                row.phase = phase;
            }
        }
    }

    /// Reads the state that a claim is decided on, whoever holds the item.
    pub(super) fn decide_claim(&self, session: usize, item: usize) -> ClaimDecision {
        let ReferenceItem { holder, epoch, .. } = self.items[item];
        let other = holder.filter(|holder| *holder != session);
        ClaimDecision {
            session,
            item,
            holder,
            epoch,
            beat: other.and_then(|other| self.sessions[other]).map(|row| row.beat),
        }
    }

    /// Applies a decision if everything it was made on still holds.
    pub(super) fn apply_decision(&mut self, decision: &ClaimDecision) -> Result<(), &'static str> {
        let now = self.decide_claim(decision.session, decision.item);
        if self.sessions[decision.session].is_none() {
            return Err("invalid");
        }
        if (now.holder, now.epoch, now.beat) != (decision.holder, decision.epoch, decision.beat) {
            return Err("conflict");
        }
        self.displace_holder(decision.session, decision.item);
        self.take_item(decision.session, decision.item);
        Ok(())
    }

    pub(super) fn release(&mut self, session: usize, item: usize) -> Result<(), &'static str> {
        if self.items[item].holder != Some(session) {
            return Err("conflict");
        }
        self.items[item].holder = None;
        if let Some(row) = &mut self.sessions[session] {
            row.current = None;
            row.phase = None;
        }
        Ok(())
    }

    /// Pushes a phase, based on the newest revision or an older one, with a fencing token or
    /// without.
    pub(super) fn push(
        &mut self,
        session: usize,
        newest: bool,
        fence: Option<(usize, u64)>,
        phase: u8,
    ) -> Result<(), &'static str> {
        let held = self.held_by(session);
        let Some(row) = &mut self.sessions[session] else {
            return Err("invalid");
        };
        let fits =
            |(item, epoch): (usize, u64)| held == Some(item) && self.items[item].epoch == epoch;
        if !newest || !fence.is_none_or(fits) {
            return Err("conflict");
        }
        row.phase = Some(phase);
        if let Some(item) = held {
            self.items[item].phase = Some(phase);
        }
        Ok(())
    }

    /// Sweeps; returns each session that was marked lost, with the item it held.
    pub(super) fn sweep(&mut self) -> Vec<(usize, Option<usize>)> {
        let dead: Vec<_> = (0..self.sessions.len())
            .filter(|session| {
                let held = self.held_by(*session).is_some();
                self.sessions[*session].is_some_and(|row| match row.standing {
                    ReferenceStanding::Active => self.is_dead(&row),
                    ReferenceStanding::Ended => held && self.is_dead(&row),
                    ReferenceStanding::Lost => false,
                })
            })
            .map(|session| (session, self.held_by(session)))
            .collect();
        for (session, _) in &dead {
            self.lose_item(*session);
        }
        dead
    }

    /// Marks a session lost if it still has this standing and last heartbeat.
    pub(super) fn mark_lost(
        &mut self,
        session: usize,
        standing: ReferenceStanding,
        beat: u64,
    ) -> bool {
        let unchanged =
            self.sessions[session].is_some_and(|row| (row.standing, row.beat) == (standing, beat));
        if unchanged {
            self.lose_item(session);
        }
        unchanged
    }

    fn lose_item(&mut self, session: usize) {
        if let Some(item) = self.held_by(session) {
            self.items[item].holder = None;
        }
        if let Some(row) = &mut self.sessions[session]
            && row.standing == ReferenceStanding::Active
        {
            row.standing = ReferenceStanding::Lost;
        }
    }
}
