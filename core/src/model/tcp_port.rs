//! The pool of ports: fifteen pairs per host, and when a reservation may be cleared. Age alone
//! never clears one, because a workflow of two days would lose its ports while it runs.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::{Host, ProcessId, ReservationId, SessionId, Timestamp};
use crate::model::{LivenessState, ProcessState};

/// The backend port of the first pair.
const FIRST_BACKEND: u16 = 9_100;

/// Pairs per host.
const SLOTS: u16 = 15;

/// How far a frontend port is above its backend port.
const FRONTEND_ABOVE: u16 = 100;

/// The age in seconds from which a reservation may be cleared if its owner is gone.
pub const RESERVATION_STALE_SECONDS: u64 = 24 * 3_600;

/// A pair of ports: the backend from 9100 to 9114, the frontend 100 above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct PortSlot(u16);

/// A port that no pair has as its backend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not the backend port of a pair")]
pub struct UnknownPort(u16);

impl TryFrom<u16> for PortSlot {
    type Error = UnknownPort;

    fn try_from(port: u16) -> Result<Self, UnknownPort> {
        Self::from_backend_port(port).ok_or(UnknownPort(port))
    }
}

impl From<PortSlot> for u16 {
    fn from(slot: PortSlot) -> Self {
        slot.backend_port()
    }
}

impl PortSlot {
    /// Lists the pairs, lowest first.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..SLOTS).map(Self)
    }

    /// Returns the pair with this backend port, if there is one.
    pub fn from_backend_port(port: u16) -> Option<Self> {
        Self::all().find(|slot| slot.backend_port() == port)
    }

    /// Returns the backend's port.
    pub const fn backend_port(self) -> u16 {
        FIRST_BACKEND + self.0
    }

    /// Returns the frontend's port.
    pub const fn frontend_port(self) -> u16 {
        self.backend_port() + FRONTEND_ABOVE
    }
}

/// The owner of a reservation: the session if there is one, and the process that asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortOwner {
    /// The session.
    pub session: Option<SessionId>,
    /// The parent process of the command that reserved; the command itself ends at once.
    pub process: Option<ProcessId>,
}

/// A row of `port_reservations`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortReservation {
    /// The id it is reserved for.
    pub id: ReservationId,
    /// The machine.
    pub host: Host,
    /// The ports.
    pub slot: PortSlot,
    /// The owner.
    pub owner: PortOwner,
    /// When they were reserved.
    pub allocated_at: Timestamp,
    /// The database's clock when this was read.
    pub read_at: Timestamp,
}

impl PortReservation {
    /// Returns what an event records of it.
    pub fn event_facts(&self) -> Json {
        let process = self.owner.process.as_ref();
        json!({
            "host": self.host, "backend": self.slot.backend_port(), "frontend": self.slot.frontend_port(),
            "session": self.owner.session, "pid": process.map(|p| p.pid),
            "pid_started": process.and_then(|p| p.started),
            "boot_id": process.and_then(|p| p.place.boot.as_deref()),
            "machine_id": process.and_then(|p| p.place.machine.as_deref()),
            "pid_namespace": process.and_then(|p| p.place.namespace.as_deref()), "allocated_at": self.allocated_at,
        })
    }

    /// Returns its age in seconds, by the database's clock.
    pub fn age_seconds(&self) -> u64 {
        super::silence::silence_seconds(self.read_at, self.allocated_at)
    }

    /// Returns whether two readings are of the same reservation by the same owner.
    pub fn is_same_reservation(&self, other: &Self) -> bool {
        self.id == other.id
            && self.host == other.host
            && self.slot == other.slot
            && self.owner == other.owner
            && self.allocated_at == other.allocated_at
    }
}

/// Returns the lowest pair that is neither reserved nor refused by the system.
pub fn find_lowest_free_slot(
    reserved: &[PortReservation],
    refused: &BTreeSet<PortSlot>,
) -> Option<PortSlot> {
    PortSlot::all()
        .find(|slot| !refused.contains(slot) && !reserved.iter().any(|r| r.slot == *slot))
}

/// Judges whether an owner lives. A session is judged for itself; without one, its process is.
/// Where the process cannot be checked, the owner counts as gone once the reservation, its only
/// sign of life, is older than the ceiling.
pub fn judge_port_owner(
    session: Option<LivenessState>,
    process: ProcessState,
    age_seconds: u64,
    ceiling_seconds: u64,
) -> LivenessState {
    match (session, process) {
        (Some(alive), _) => alive,
        (None, ProcessState::Running) => LivenessState::Alive,
        (None, ProcessState::Gone) => LivenessState::Dead,
        (None, ProcessState::Unknown) if age_seconds > ceiling_seconds => LivenessState::Dead,
        (None, ProcessState::Unknown) => LivenessState::Unknown,
    }
}

/// Returns whether a reservation may be cleared: it is old *and* its owner is gone.
pub fn is_stale_reservation(age_seconds: u64, owner: LivenessState) -> bool {
    age_seconds > RESERVATION_STALE_SECONDS && owner == LivenessState::Dead
}

/// Returns the new owner when somebody asks for an id that is reserved, or `None` when the owner
/// stays. A session always takes over, because it continues the work. A process without a session
/// may be a passing shell that only asks for the numbers, so it takes over only from an owner that
/// is gone.
pub fn decide_next_owner(
    present: &PortOwner,
    alive: LivenessState,
    asking: &PortOwner,
) -> Option<PortOwner> {
    let same = match &asking.session {
        Some(session) => present.session.as_ref() == Some(session),
        None => present.session.is_none() && present.process == asking.process,
    };
    let takes = asking.session.is_some() || alive == LivenessState::Dead;
    (takes && !same).then(|| asking.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ProcessPlace;
    use crate::model::fixture::seconds_from_now;

    fn reservation(slot: PortSlot) -> PortReservation {
        PortReservation {
            id: "w".parse().unwrap(),
            host: "h".to_owned(),
            slot,
            owner: PortOwner::default(),
            allocated_at: seconds_from_now(0),
            read_at: seconds_from_now(60),
        }
    }

    #[test]
    fn slots_are_those_of_the_seed() {
        let pairs: Vec<(u16, u16)> =
            PortSlot::all().map(|s| (s.backend_port(), s.frontend_port())).collect();
        assert_eq!(pairs.len(), 15);
        assert_eq!((pairs[0], pairs[14]), ((9100, 9200), (9114, 9214)));
        for slot in PortSlot::all() {
            assert_eq!(PortSlot::from_backend_port(slot.backend_port()), Some(slot));
        }
        assert_eq!(PortSlot::from_backend_port(9115).or(PortSlot::from_backend_port(9099)), None);
    }

    #[test]
    fn the_lowest_slot_is_taken_that_nobody_has() {
        let slots: Vec<PortSlot> = PortSlot::all().collect();
        let no_names = BTreeSet::new();
        assert_eq!(find_lowest_free_slot(&[], &no_names), Some(slots[0]));
        let some = [reservation(slots[0]), reservation(slots[2])];
        assert_eq!(find_lowest_free_slot(&some, &no_names), Some(slots[1]));
        assert_eq!(find_lowest_free_slot(&some, &[slots[1]].into()), Some(slots[3]));
        let all: Vec<PortReservation> = slots.iter().copied().map(reservation).collect();
        assert_eq!(find_lowest_free_slot(&all, &no_names), None);
        assert_eq!(find_lowest_free_slot(&all[..14], &[slots[14]].into()), None);
    }

    #[test]
    fn only_the_old_of_those_that_are_gone_is_stale() {
        let day = RESERVATION_STALE_SECONDS;
        for (age, owner, stale) in [
            (day + 1, LivenessState::Dead, true),
            (day, LivenessState::Dead, false),
            (60, LivenessState::Dead, false),
            (day + 1, LivenessState::Alive, false),
            (10 * day, LivenessState::Unknown, false),
        ] {
            assert_eq!(is_stale_reservation(age, owner), stale, "{age} s, {owner:?}");
        }
    }

    #[test]
    fn a_session_speaks_for_itself_and_cannot_tell_is_not_gone_before_the_ceiling() {
        use ProcessState::{Gone, Running, Unknown};
        for (session, process, age, expected) in [
            (Some(LivenessState::Alive), Gone, 9_999, LivenessState::Alive),
            (Some(LivenessState::Dead), Running, 9_999, LivenessState::Dead),
            (Some(LivenessState::Unknown), Gone, 9_999, LivenessState::Unknown),
            (None, Running, 9_999, LivenessState::Alive),
            (None, Gone, 1, LivenessState::Dead),
            (None, Unknown, 1_800, LivenessState::Unknown),
            (None, Unknown, 1_801, LivenessState::Dead),
        ] {
            let alive = judge_port_owner(session, process, age, 1_800);
            assert_eq!(alive, expected, "{session:?} {process:?} {age}");
        }
    }

    #[test]
    fn who_asks_again_owns_when_it_is_a_session_or_nobody_else_lives() {
        let process = |pid| ProcessId { pid, started: Some(1), place: ProcessPlace::default() };
        let bare = |pid| PortOwner { session: None, process: Some(process(pid)) };
        let session = |name: &str, pid| PortOwner {
            session: Some(name.parse().unwrap()),
            process: Some(process(pid)),
        };
        for (present, alive, asking, changes) in [
            (bare(1), LivenessState::Alive, bare(1), false),
            (bare(1), LivenessState::Alive, bare(2), false),
            (bare(1), LivenessState::Unknown, bare(2), false),
            (bare(1), LivenessState::Dead, bare(2), true),
            (session("a", 1), LivenessState::Alive, bare(2), false),
            (session("a", 1), LivenessState::Dead, bare(2), true),
            (session("a", 1), LivenessState::Alive, session("a", 2), false),
            (session("a", 1), LivenessState::Alive, session("b", 2), true),
            (bare(1), LivenessState::Alive, session("b", 1), true),
        ] {
            let next = decide_next_owner(&present, alive, &asking);
            assert_eq!(next, changes.then(|| asking.clone()), "{present:?} {asking:?}");
        }
    }
}
