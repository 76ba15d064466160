//! Reserving over a scratch database, with a system that refuses what a test says.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::deadline::Deadline;
use crate::model::{ProcessId, RESERVATION_STALE_SECONDS};
use crate::settings::{Environment, Project, Settings};
use crate::store::testing::ScratchStore;
use crate::store::{HookStore as _, SessionStore as _};
use crate::store::{PortStore as _, SessionRegistration};

/// A system that refuses these slots, and counts how often it was asked.
#[derive(Default)]
struct FakeProbe {
    refused: BTreeSet<PortSlot>,
    asked: usize,
}

impl SlotProbe for FakeProbe {
    fn check_slot(&mut self, slot: PortSlot) -> Option<OccupiedSlot> {
        self.asked += 1;
        self.refused.contains(&slot).then(|| OccupiedSlot {
            slot,
            port: slot.backend_port(),
            reason: "in use by a test".to_owned(),
        })
    }
}

struct World {
    store: ScratchStore,
    site: RunContext,
    _dir: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().as_os_str().to_owned();
        let environment =
            Environment::from_lookup(|name| (name == "TRUEUP_HOME").then(|| home.clone()));
        let settings = Settings::load(&environment).unwrap();
        let project = Project::at_dir(&environment, dir.path().to_owned());
        let deadline = Deadline::after(Duration::from_mins(1));
        Self {
            store: ScratchStore::new(),
            site: RunContext::new(&environment, settings, project, None, deadline),
            _dir: dir,
        }
    }

    fn reserve_for(&mut self, id: &str, owner: PortOwner, probe: &mut FakeProbe) -> ReserveAnswer {
        let request = PortPairRequest {
            id: id.parse().unwrap(),
            owner,
            provenance: Provenance::new("me", "ports reserve"),
        };
        reserve_ports(&mut *self.store, &request, &self.site, probe).unwrap()
    }

    #[track_caller]
    fn reserve_granted(
        &mut self,
        id: &str,
        owner: PortOwner,
        probe: &mut FakeProbe,
    ) -> ReservedPorts {
        match self.reserve_for(id, owner, probe) {
            ReserveAnswer::Given(given) => *given,
            ReserveAnswer::Full { .. } => panic!("the pool is full"),
        }
    }

    fn register_session(&mut self, id: &str) {
        let registration = SessionRegistration {
            session: id.parse().unwrap(),
            repo: None,
            worktree: None,
            branch: None,
            host: Some(self.site.host.clone()),
            process: None,
            predecessor: None,
            lease_seconds: 900,
            provenance: Provenance::new(id, ""),
        };
        self.store.register_session(&registration).unwrap();
    }
}

fn own_process() -> PortOwner {
    PortOwner { session: None, process: Some(liveness::identify_process(std::process::id())) }
}

/// A process of this machine that a later one of the same number has replaced.
fn gone_process() -> PortOwner {
    let me = liveness::identify_process(std::process::id());
    PortOwner {
        session: None,
        process: Some(ProcessId { started: me.started.map(|ticks| ticks + 1), ..me }),
    }
}

fn session_owner(id: &str) -> PortOwner {
    PortOwner { session: Some(id.parse().unwrap()), ..own_process() }
}

fn list_backends(world: &mut World) -> Vec<u16> {
    let all = world.store.list_reservations(None).unwrap();
    all.iter().map(|r| r.slot.backend_port()).collect()
}

#[test]
fn an_id_keeps_its_ports_and_nothing_is_tried_again() {
    let (mut world, mut probe) = (World::new(), FakeProbe::default());
    let first = world.reserve_granted("a", own_process(), &mut probe);
    world.store.advance(100);
    let again = world.reserve_granted("a", own_process(), &mut probe);
    assert_eq!((first.was_reserved, again.was_reserved), (false, true));
    assert_eq!(again.reservation.slot, first.reservation.slot);
    assert_eq!(again.reservation.owner, first.reservation.owner);
    assert_eq!(probe.asked, 1, "its own server may well listen there");
    assert_eq!(
        world.reserve_granted("b", own_process(), &mut probe).reservation.slot.backend_port(),
        9101
    );
}

#[test]
fn a_released_slot_is_the_lowest_free_one_again() {
    let (mut world, mut probe) = (World::new(), FakeProbe::default());
    for id in ["a", "b", "c"] {
        world.reserve_granted(id, own_process(), &mut probe);
    }
    let release = ReleasePortRequest {
        id: "b".parse().unwrap(),
        host: world.site.host.clone(),
        as_read: None,
        provenance: Provenance::new("me", ""),
    };
    world.store.release_port(&release).unwrap();
    assert_eq!(
        world.reserve_granted("d", own_process(), &mut probe).reservation.slot.backend_port(),
        9101
    );
    assert_eq!(list_backends(&mut world), [9100, 9101, 9102]);
}

#[test]
fn what_cannot_be_bound_is_passed_over_and_named() {
    let (mut world, mut probe) = (World::new(), FakeProbe::default());
    probe.refused.extend(PortSlot::all().take(2));
    let given = world.reserve_granted("a", own_process(), &mut probe);
    assert_eq!(given.reservation.slot.backend_port(), 9102);
    let ports: Vec<u16> = given.occupied.iter().map(|o| o.port).collect();
    assert_eq!(ports, [9100, 9101]);
}

#[test]
fn a_full_pool_says_who_holds_what() {
    let (mut world, mut probe) = (World::new(), FakeProbe::default());
    probe.refused.extend(PortSlot::all().take(1));
    for n in 0..14 {
        world.reserve_granted(&format!("w{n}"), own_process(), &mut probe);
    }
    let ReserveAnswer::Full { holders, occupied } =
        world.reserve_for("late", own_process(), &mut probe)
    else {
        panic!("there was room");
    };
    assert_eq!((holders.len(), occupied.len()), (14, 1));
    assert!(holders[0].owner.evidence.ends_with("runs"), "{holders:?}");
    assert!(
        world.reserve_granted("w3", own_process(), &mut probe).was_reserved,
        "who has some, keeps them"
    );
}

#[test]
fn room_is_made_of_what_is_old_and_forsaken_and_of_nothing_else() {
    let (mut world, mut probe) = (World::new(), FakeProbe::default());
    world.register_session("lives");
    for n in 0..15 {
        let owner = match n {
            0 => gone_process(),
            1 => session_owner("lives"),
            2 => session_owner("never-registered"),
            _ => own_process(),
        };
        world.reserve_granted(&format!("w{n}"), owner, &mut probe);
    }
    world.store.advance(RESERVATION_STALE_SECONDS);
    assert!(matches!(
        world.reserve_for("x", own_process(), &mut probe),
        ReserveAnswer::Full { .. }
    ));
    world.store.advance(1);
    world.register_session("lives");
    let given = world.reserve_granted("x", own_process(), &mut probe);
    assert_eq!(given.reservation.slot.backend_port(), 9100);
    let cleared: Vec<&str> = given.cleared.iter().map(|c| c.reservation.id.as_str()).collect();
    assert_eq!(cleared, ["w0"], "an unknown session is judged by its process");
    assert!(matches!(
        world.reserve_for("y", own_process(), &mut probe),
        ReserveAnswer::Full { .. }
    ));
    // Its session ended; the process that asked may well run on under another.
    let by = Provenance::new("lives", "");
    world.store.end_session(&"lives".parse().unwrap(), "x", &by).unwrap();
    assert_eq!(
        world.reserve_granted("y", own_process(), &mut probe).reservation.slot.backend_port(),
        9101
    );
}

#[test]
fn a_sweep_clears_on_every_host_what_is_stale() {
    let (mut world, mut probe) = (World::new(), FakeProbe::default());
    world.reserve_granted("here", gone_process(), &mut probe);
    world.reserve_granted("mine", own_process(), &mut probe);
    let host = std::mem::replace(&mut world.site.host, "elsewhere".to_owned());
    world.reserve_granted("there", gone_process(), &mut probe);
    world.site.host = host;
    assert_eq!(list_backends(&mut world), [9100, 9100, 9101]);
    assert!(sweep_stale_reservations(&mut *world.store, "me", &world.site).unwrap().is_empty());
    world.store.advance(RESERVATION_STALE_SECONDS + 1);
    let judged = list_reservations(&mut *world.store, &world.site).unwrap();
    assert_eq!(judged.iter().filter(|j| j.is_stale()).count(), 2);
    assert_eq!(sweep_stale_reservations(&mut *world.store, "me", &world.site).unwrap().len(), 2);
    assert_eq!(list_backends(&mut world), [9101]);
}

#[test]
fn a_session_that_asks_for_the_ports_of_a_dead_one_owns_them() {
    let (mut world, mut probe) = (World::new(), FakeProbe::default());
    world.register_session("b");
    world.reserve_granted("w", gone_process(), &mut probe);
    let given = world.reserve_granted("w", session_owner("b"), &mut probe);
    assert_eq!(given.reservation.owner, session_owner("b"));
    world.store.advance(RESERVATION_STALE_SECONDS + 1);
    world.register_session("b");
    assert!(sweep_stale_reservations(&mut *world.store, "me", &world.site).unwrap().is_empty());
}
