//! Concurrent reservations of ports.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use trueup_core::deadline::Deadline;
use trueup_core::model::{PortOwner, PortSlot};
use trueup_core::settings::{Environment, Project, Settings};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::sync::RunContext;
use trueup_core::tcp_ports::{
    OccupiedSlot, PortPairRequest, ReserveAnswer, SlotProbe, reserve_ports,
};

use crate::fixture::{new_sqlite, test_deadline};
use crate::requests::new_provenance;

/// How often a trial yields to other threads.
const YIELDS: usize = 1_000;

/// A system in which a port looks taken while another thread tries one.
struct ContendedPorts<'a>(&'a AtomicBool);

impl SlotProbe for ContendedPorts<'_> {
    fn check_slot(&mut self, slot: PortSlot) -> Option<OccupiedSlot> {
        let alone = !self.0.swap(true, Ordering::SeqCst);
        // Lets other threads interleave here, if anything allows it.
        for _ in 0..YIELDS {
            thread::yield_now();
        }
        self.0.store(false, Ordering::SeqCst);
        (!alone).then(|| OccupiedSlot {
            slot,
            port: slot.backend_port(),
            reason: "in use".to_owned(),
        })
    }
}

#[test]
fn fifteen_at_once_all_get_ports_because_none_takes_anothers_trial_for_a_stranger() {
    let file = new_sqlite();
    let home = file.dir.path().as_os_str().to_owned();
    let environment =
        Environment::from_lookup(|name| (name == "TRUEUP_HOME").then(|| home.clone()));
    let (busy, start) = (AtomicBool::new(false), Barrier::new(15));
    let given: Vec<u16> = thread::scope(|scope| {
        let workers: Vec<_> = (0..15)
            .map(|n| {
                let (busy, start, environment, path) = (&busy, &start, &environment, file.path());
                let dir = file.dir.path().to_owned();
                scope.spawn(move || {
                    let mut store = SqliteStore::open(&path, test_deadline()).unwrap();
                    let settings = Settings::load(environment).unwrap();
                    let project = Project::at_dir(environment, dir);
                    let deadline = Deadline::after(Duration::from_mins(2));
                    let site = RunContext::new(environment, settings, project, None, deadline);
                    let request = PortPairRequest {
                        id: format!("w{n}").parse().unwrap(),
                        owner: PortOwner::default(),
                        provenance: new_provenance("user"),
                    };
                    start.wait();
                    match reserve_ports(&mut store, &request, &site, &mut ContendedPorts(busy))
                        .unwrap()
                    {
                        ReserveAnswer::Given(given) => {
                            assert_eq!(given.occupied, [], "{n}");
                            given.reservation.slot.backend_port()
                        }
                        ReserveAnswer::Full { .. } => panic!("{n} found no room"),
                    }
                })
            })
            .collect();
        workers.into_iter().map(|w| w.join().unwrap()).collect()
    });
    let distinct: BTreeSet<u16> = given.iter().copied().collect();
    assert_eq!(distinct, PortSlot::all().map(PortSlot::backend_port).collect());
}
