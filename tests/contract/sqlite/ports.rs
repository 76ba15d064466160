//! Many ask for ports at once.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use trueup_core::deadline::Deadline;
use trueup_core::model::{PortOwner, Slot};
use trueup_core::ports::{Occupied, Probe, Reserved, Wish, reserve};
use trueup_core::settings::{Environment, Project, Settings};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::sync::Site;

use crate::fixture::{patience, sqlite};
use crate::request::by;

/// How often a trial lets others go first.
const CHANCES: usize = 1_000;

/// A system in which whoever tries a port sees it taken while another tries one.
struct Jealous<'a>(&'a AtomicBool);

impl Probe for Jealous<'_> {
    fn occupied(&mut self, slot: Slot) -> Option<Occupied> {
        let alone = !self.0.swap(true, Ordering::SeqCst);
        // Gives others the chance to come in between, if anything lets them.
        for _ in 0..CHANCES {
            thread::yield_now();
        }
        self.0.store(false, Ordering::SeqCst);
        (!alone).then(|| Occupied {
            slot,
            port: slot.backend(),
            reason: "in use".to_owned(),
        })
    }
}

#[test]
fn fifteen_at_once_all_get_ports_because_none_takes_anothers_trial_for_a_stranger() {
    let file = sqlite();
    let home = file.folder.path().as_os_str().to_owned();
    let environment =
        Environment::from_lookup(|name| (name == "TRUEUP_HOME").then(|| home.clone()));
    let (busy, start) = (AtomicBool::new(false), Barrier::new(15));
    let given: Vec<u16> = thread::scope(|scope| {
        let workers: Vec<_> = (0..15)
            .map(|n| {
                let (busy, start, environment, path) = (&busy, &start, &environment, file.path());
                let folder = file.folder.path().to_owned();
                scope.spawn(move || {
                    let mut store = SqliteStore::open(&path, patience()).unwrap();
                    let settings = Settings::load(environment).unwrap();
                    let project = Project::at(environment, folder);
                    let deadline = Deadline::after(Duration::from_mins(2));
                    let site = Site::new(environment, settings, project, None, deadline);
                    let wish = Wish {
                        id: format!("w{n}").parse().unwrap(),
                        owner: PortOwner::default(),
                        provenance: by("user"),
                    };
                    start.wait();
                    match reserve(&mut store, &wish, &site, &mut Jealous(busy)).unwrap() {
                        Reserved::Given(given) => {
                            assert_eq!(given.occupied, [], "{n}");
                            given.reservation.slot.backend()
                        }
                        Reserved::Full { .. } => panic!("{n} found no room"),
                    }
                })
            })
            .collect();
        workers.into_iter().map(|w| w.join().unwrap()).collect()
    });
    let distinct: BTreeSet<u16> = given.iter().copied().collect();
    assert_eq!(distinct, Slot::all().map(Slot::backend).collect());
}
