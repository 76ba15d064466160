//! Reserving over a scratch database, with a system that refuses what a test says.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::deadline::Deadline;
use crate::model::{ProcessId, STALE_AFTER_SECONDS};
use crate::settings::{Environment, Project, Settings};
use crate::store::testing::ScratchStore;
use crate::store::{PortStore as _, Registration};

/// A system that refuses these slots, and counts how often it was asked.
#[derive(Default)]
struct Fake {
    refused: BTreeSet<Slot>,
    asked: usize,
}

impl Probe for Fake {
    fn occupied(&mut self, slot: Slot) -> Option<Occupied> {
        self.asked += 1;
        self.refused.contains(&slot).then(|| Occupied {
            slot,
            port: slot.backend(),
            reason: "in use by a test".to_owned(),
        })
    }
}

struct World {
    store: ScratchStore,
    site: Site,
    _folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().as_os_str().to_owned();
        let environment =
            Environment::from_lookup(|name| (name == "TRUEUP_HOME").then(|| home.clone()));
        let settings = Settings::load(&environment).unwrap();
        let project = Project::at(&environment, folder.path().to_owned());
        let deadline = Deadline::after(Duration::from_mins(1));
        Self {
            store: ScratchStore::new(),
            site: Site::new(&environment, settings, project, None, deadline),
            _folder: folder,
        }
    }

    fn ask(&mut self, id: &str, owner: PortOwner, probe: &mut Fake) -> Reserved {
        let wish = Wish {
            id: id.parse().unwrap(),
            owner,
            provenance: Provenance::new("me", "ports reserve"),
        };
        reserve(&mut *self.store, &wish, &self.site, probe).unwrap()
    }

    #[track_caller]
    fn given(&mut self, id: &str, owner: PortOwner, probe: &mut Fake) -> Given {
        match self.ask(id, owner, probe) {
            Reserved::Given(given) => *given,
            Reserved::Full { .. } => panic!("the pool is full"),
        }
    }

    fn register(&mut self, id: &str) {
        let registration = Registration {
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
        self.store.register(&registration).unwrap();
    }
}

fn me() -> PortOwner {
    PortOwner {
        session: None,
        process: Some(liveness::identify(std::process::id())),
    }
}

/// A process of this machine that a later one of the same number has replaced.
fn gone() -> PortOwner {
    let me = liveness::identify(std::process::id());
    PortOwner {
        session: None,
        process: Some(ProcessId {
            started: me.started.map(|ticks| ticks + 1),
            ..me
        }),
    }
}

fn session(id: &str) -> PortOwner {
    PortOwner {
        session: Some(id.parse().unwrap()),
        ..me()
    }
}

fn backends(world: &mut World) -> Vec<u16> {
    let all = world.store.reservations(None).unwrap();
    all.iter().map(|r| r.slot.backend()).collect()
}

#[test]
fn an_id_keeps_its_ports_and_nothing_is_tried_again() {
    let (mut world, mut probe) = (World::new(), Fake::default());
    let first = world.given("a", me(), &mut probe);
    world.store.advance(100);
    let again = world.given("a", me(), &mut probe);
    assert_eq!((first.kept, again.kept), (false, true));
    assert_eq!(again.reservation.slot, first.reservation.slot);
    assert_eq!(again.reservation.owner, first.reservation.owner);
    assert_eq!(probe.asked, 1, "its own server may well listen there");
    assert_eq!(
        world
            .given("b", me(), &mut probe)
            .reservation
            .slot
            .backend(),
        9101
    );
}

#[test]
fn a_released_slot_is_the_lowest_free_one_again() {
    let (mut world, mut probe) = (World::new(), Fake::default());
    for id in ["a", "b", "c"] {
        world.given(id, me(), &mut probe);
    }
    let release = PortRelease {
        id: "b".parse().unwrap(),
        host: world.site.host.clone(),
        as_read: None,
        provenance: Provenance::new("me", ""),
    };
    world.store.release_port(&release).unwrap();
    assert_eq!(
        world
            .given("d", me(), &mut probe)
            .reservation
            .slot
            .backend(),
        9101
    );
    assert_eq!(backends(&mut world), [9100, 9101, 9102]);
}

#[test]
fn what_cannot_be_bound_is_passed_over_and_named() {
    let (mut world, mut probe) = (World::new(), Fake::default());
    probe.refused.extend(Slot::all().take(2));
    let given = world.given("a", me(), &mut probe);
    assert_eq!(given.reservation.slot.backend(), 9102);
    let ports: Vec<u16> = given.occupied.iter().map(|o| o.port).collect();
    assert_eq!(ports, [9100, 9101]);
}

#[test]
fn a_full_pool_says_who_holds_what() {
    let (mut world, mut probe) = (World::new(), Fake::default());
    probe.refused.extend(Slot::all().take(1));
    for n in 0..14 {
        world.given(&format!("w{n}"), me(), &mut probe);
    }
    let Reserved::Full { holders, occupied } = world.ask("late", me(), &mut probe) else {
        panic!("there was room");
    };
    assert_eq!((holders.len(), occupied.len()), (14, 1));
    assert!(
        holders[0].owner.witness.ends_with("is running"),
        "{holders:?}"
    );
    assert!(
        world.given("w3", me(), &mut probe).kept,
        "who has some, keeps them"
    );
}

#[test]
fn room_is_made_of_what_is_old_and_forsaken_and_of_nothing_else() {
    let (mut world, mut probe) = (World::new(), Fake::default());
    world.register("lives");
    for n in 0..15 {
        let owner = match n {
            0 => gone(),
            1 => session("lives"),
            2 => session("never-registered"),
            _ => me(),
        };
        world.given(&format!("w{n}"), owner, &mut probe);
    }
    world.store.advance(STALE_AFTER_SECONDS);
    assert!(matches!(
        world.ask("x", me(), &mut probe),
        Reserved::Full { .. }
    ));
    world.store.advance(1);
    world.register("lives");
    let given = world.given("x", me(), &mut probe);
    assert_eq!(given.reservation.slot.backend(), 9100);
    let cleared: Vec<&str> = given
        .cleared
        .iter()
        .map(|c| c.reservation.id.as_str())
        .collect();
    assert_eq!(
        cleared,
        ["w0"],
        "an unknown session is judged by its process"
    );
    assert!(matches!(
        world.ask("y", me(), &mut probe),
        Reserved::Full { .. }
    ));
    // Its session ended; the process that asked may well run on under another.
    let by = Provenance::new("lives", "");
    world
        .store
        .end(&"lives".parse().unwrap(), "x", &by)
        .unwrap();
    assert_eq!(
        world
            .given("y", me(), &mut probe)
            .reservation
            .slot
            .backend(),
        9101
    );
}

#[test]
fn a_sweep_clears_on_every_host_what_is_stale() {
    let (mut world, mut probe) = (World::new(), Fake::default());
    world.given("here", gone(), &mut probe);
    world.given("mine", me(), &mut probe);
    let host = std::mem::replace(&mut world.site.host, "elsewhere".to_owned());
    world.given("there", gone(), &mut probe);
    world.site.host = host;
    assert_eq!(backends(&mut world), [9100, 9100, 9101]);
    assert!(
        sweep(&mut *world.store, "me", &world.site)
            .unwrap()
            .is_empty()
    );
    world.store.advance(STALE_AFTER_SECONDS + 1);
    let judged = list(&mut *world.store, &world.site).unwrap();
    assert_eq!(judged.iter().filter(|j| j.is_stale()).count(), 2);
    assert_eq!(
        sweep(&mut *world.store, "me", &world.site).unwrap().len(),
        2
    );
    assert_eq!(backends(&mut world), [9101]);
}

#[test]
fn a_session_that_asks_for_the_ports_of_a_dead_one_owns_them() {
    let (mut world, mut probe) = (World::new(), Fake::default());
    world.register("b");
    world.given("w", gone(), &mut probe);
    let given = world.given("w", session("b"), &mut probe);
    assert_eq!(given.reservation.owner, session("b"));
    world.store.advance(STALE_AFTER_SECONDS + 1);
    world.register("b");
    assert!(
        sweep(&mut *world.store, "me", &world.site)
            .unwrap()
            .is_empty()
    );
}
