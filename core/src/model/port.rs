//! The port pool: fifteen pairs of ports a host, and when a reservation may be cleared.
//!
//! Source: seed 1. Its pool handed out a hundred slots of which its own schema refused
//! eighty-five, and cleared by age alone, so a workflow of two days lost its ports while it ran.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::{Host, ProcessId, ReservationId, SessionId, Timestamp};
use crate::liveness::{Alive, ProcessEvidence};

/// The port of the first backend.
const FIRST_BACKEND: u16 = 9_100;

/// Slots of a host.
const SLOTS: u16 = 15;

/// How far a frontend's port lies above its backend's.
const FRONTEND_ABOVE: u16 = 100;

/// Age from which a reservation may be cleared, in seconds, if its owner is gone too.
pub const STALE_AFTER_SECONDS: u64 = 24 * 3_600;

/// A pair of ports: backends from 9100 to 9114, frontends 100 above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u16);

impl Slot {
    /// Lists the slots, the lowest first.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..SLOTS).map(Self)
    }

    /// Returns the slot of a backend's port, if it is one.
    pub fn of_backend(port: u16) -> Option<Self> {
        Self::all().find(|slot| slot.backend() == port)
    }

    /// Returns the backend's port.
    pub const fn backend(self) -> u16 {
        FIRST_BACKEND + self.0
    }

    /// Returns the frontend's port.
    pub const fn frontend(self) -> u16 {
        self.backend() + FRONTEND_ABOVE
    }
}

/// Who reserved: the session when there is one, and the process that asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PortOwner {
    /// The session.
    pub session: Option<SessionId>,
    /// The process, a command's parent: the command itself ends at once.
    pub process: Option<ProcessId>,
}

/// A row of `port_reservations`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// For whom.
    pub id: ReservationId,
    /// On which machine.
    pub host: Host,
    /// Which ports.
    pub slot: Slot,
    /// Who asked.
    pub owner: PortOwner,
    /// Since when.
    pub allocated_at: Timestamp,
    /// The database's clock when this was read.
    pub read_at: Timestamp,
}

impl Reservation {
    /// Returns what an event shows of it.
    pub fn facts(&self) -> Json {
        let process = self.owner.process.as_ref();
        json!({
            "host": self.host, "backend": self.slot.backend(), "frontend": self.slot.frontend(),
            "session": self.owner.session, "pid": process.map(|p| p.pid),
            "pid_started": process.and_then(|p| p.started),
            "boot_id": process.and_then(|p| p.place.boot.as_deref()),
            "machine_id": process.and_then(|p| p.place.machine.as_deref()),
            "pid_namespace": process.and_then(|p| p.place.namespace.as_deref()), "allocated_at": self.allocated_at,
        })
    }

    /// Returns how old it is, in seconds, by the database's clock.
    pub fn age_seconds(&self) -> u64 {
        super::sign::silence(self.read_at, self.allocated_at)
    }

    /// Tells whether two readings are of the same reservation by the same owner.
    pub fn is_same(&self, other: &Self) -> bool {
        self.id == other.id
            && self.host == other.host
            && self.slot == other.slot
            && self.owner == other.owner
            && self.allocated_at == other.allocated_at
    }
}

/// Returns the lowest slot that is neither reserved nor refused by the system.
pub fn lowest_free(reserved: &[Reservation], refused: &BTreeSet<Slot>) -> Option<Slot> {
    Slot::all().find(|slot| !refused.contains(slot) && !reserved.iter().any(|r| r.slot == *slot))
}

/// Judges an owner. A session speaks for itself; without one the process does, and where it
/// cannot be asked, it counts as gone only past the ceiling since the reservation, which is
/// its one sign of life.
pub fn owner_alive(
    session: Option<Alive>,
    process: ProcessEvidence,
    age_seconds: u64,
    ceiling_seconds: u64,
) -> Alive {
    match (session, process) {
        (Some(alive), _) => alive,
        (None, ProcessEvidence::Running) => Alive::Alive,
        (None, ProcessEvidence::Gone) => Alive::Dead,
        (None, ProcessEvidence::Unknown) if age_seconds > ceiling_seconds => Alive::Dead,
        (None, ProcessEvidence::Unknown) => Alive::Unknown,
    }
}

/// Tells whether a reservation may be cleared: it is old *and* its owner is gone.
pub fn is_stale(age_seconds: u64, owner: Alive) -> bool {
    age_seconds > STALE_AFTER_SECONDS && owner == Alive::Dead
}

/// Returns who owns a reservation after another asked for the same id, when that is somebody
/// else than before. A session always takes over: it goes on with the work. A bare process
/// may be a passing shell that only asks for the numbers; it replaces none but one that is
/// gone.
pub fn next_owner(present: &PortOwner, alive: Alive, asking: &PortOwner) -> Option<PortOwner> {
    let same = match &asking.session {
        Some(session) => present.session.as_ref() == Some(session),
        None => present.session.is_none() && present.process == asking.process,
    };
    let takes = asking.session.is_some() || alive == Alive::Dead;
    (takes && !same).then(|| asking.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ProcessPlace;
    use crate::model::fixture::at;

    fn reservation(slot: Slot) -> Reservation {
        Reservation {
            id: "w".parse().unwrap(),
            host: "h".to_owned(),
            slot,
            owner: PortOwner::default(),
            allocated_at: at(0),
            read_at: at(60),
        }
    }

    #[test]
    fn slots_are_those_of_the_seed() {
        let pairs: Vec<(u16, u16)> = Slot::all().map(|s| (s.backend(), s.frontend())).collect();
        assert_eq!(pairs.len(), 15);
        assert_eq!((pairs[0], pairs[14]), ((9100, 9200), (9114, 9214)));
        for slot in Slot::all() {
            assert_eq!(Slot::of_backend(slot.backend()), Some(slot));
        }
        assert_eq!(Slot::of_backend(9115).or(Slot::of_backend(9099)), None);
    }

    #[test]
    fn the_lowest_slot_is_taken_that_nobody_has() {
        let slots: Vec<Slot> = Slot::all().collect();
        let none = BTreeSet::new();
        assert_eq!(lowest_free(&[], &none), Some(slots[0]));
        let some = [reservation(slots[0]), reservation(slots[2])];
        assert_eq!(lowest_free(&some, &none), Some(slots[1]));
        assert_eq!(lowest_free(&some, &[slots[1]].into()), Some(slots[3]));
        let all: Vec<Reservation> = slots.iter().copied().map(reservation).collect();
        assert_eq!(lowest_free(&all, &none), None);
        assert_eq!(lowest_free(&all[..14], &[slots[14]].into()), None);
    }

    #[test]
    fn only_the_old_of_those_that_are_gone_is_stale() {
        let day = STALE_AFTER_SECONDS;
        for (age, owner, stale) in [
            (day + 1, Alive::Dead, true),
            (day, Alive::Dead, false),
            (60, Alive::Dead, false),
            (day + 1, Alive::Alive, false),
            (10 * day, Alive::Unknown, false),
        ] {
            assert_eq!(is_stale(age, owner), stale, "{age} s, {owner:?}");
        }
    }

    #[test]
    fn a_session_speaks_for_itself_and_cannot_tell_is_not_gone_before_the_ceiling() {
        use ProcessEvidence::{Gone, Running, Unknown};
        for (session, process, age, expected) in [
            (Some(Alive::Alive), Gone, 9_999, Alive::Alive),
            (Some(Alive::Dead), Running, 9_999, Alive::Dead),
            (Some(Alive::Unknown), Gone, 9_999, Alive::Unknown),
            (None, Running, 9_999, Alive::Alive),
            (None, Gone, 1, Alive::Dead),
            (None, Unknown, 1_800, Alive::Unknown),
            (None, Unknown, 1_801, Alive::Dead),
        ] {
            let alive = owner_alive(session, process, age, 1_800);
            assert_eq!(alive, expected, "{session:?} {process:?} {age}");
        }
    }

    #[test]
    fn who_asks_again_owns_when_it_is_a_session_or_nobody_else_lives() {
        let process = |pid| ProcessId {
            pid,
            started: Some(1),
            place: ProcessPlace::default(),
        };
        let bare = |pid| PortOwner {
            session: None,
            process: Some(process(pid)),
        };
        let session = |name: &str, pid| PortOwner {
            session: Some(name.parse().unwrap()),
            process: Some(process(pid)),
        };
        for (present, alive, asking, changes) in [
            (bare(1), Alive::Alive, bare(1), false),
            (bare(1), Alive::Alive, bare(2), false),
            (bare(1), Alive::Unknown, bare(2), false),
            (bare(1), Alive::Dead, bare(2), true),
            (session("a", 1), Alive::Alive, bare(2), false),
            (session("a", 1), Alive::Dead, bare(2), true),
            (session("a", 1), Alive::Alive, session("a", 2), false),
            (session("a", 1), Alive::Alive, session("b", 2), true),
            (bare(1), Alive::Alive, session("b", 1), true),
        ] {
            let next = next_owner(&present, alive, &asking);
            assert_eq!(
                next,
                changes.then(|| asking.clone()),
                "{present:?} {asking:?}"
            );
        }
    }
}
