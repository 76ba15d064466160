//! Pruning over a scratch database, and the files of a scratch.

use std::fs;
use std::time::Duration;

use super::*;
use crate::deadline::Deadline;
use crate::fs::FileLock;
use crate::model::SessionId;
use crate::settings::{Environment, Project, Settings};
use crate::store::SessionRegistration;
use crate::store::testing::ScratchStore;
use crate::store::{HookStore as _, SessionStore as _};

/// Events may not go before they are a day old.
const TWO_DAYS: u64 = 172_800;

struct World {
    store: ScratchStore,
    site: RunContext,
    dir: tempfile::TempDir,
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
            dir,
        }
    }

    fn register(&mut self, id: &str) -> SessionId {
        let registration = SessionRegistration {
            session: id.parse().unwrap(),
            repo: None,
            worktree: None,
            branch: None,
            host: None,
            process: None,
            predecessor: None,
            lease_seconds: 900,
            provenance: Provenance::new("s", ""),
        };
        self.store.register_session(&registration).unwrap().id
    }

    fn add_ended_sessions(&mut self, count: usize) {
        for n in 0..count {
            let session = self.register(&format!("s{n}"));
            let by = Provenance::new("s", "");
            self.store.end_session(&session, "x", &by).unwrap();
        }
    }

    fn prune_world(&mut self, keep_seconds: u64, dry_run: bool, batches: usize) -> PruneReport {
        let order = PruneOptions { keep_seconds, dry_run, actor: "me".to_owned() };
        let mut left = batches;
        prune_old_rows(&mut *self.store, &order, &self.site, |_| {
            left = left.saturating_sub(1);
            left > 0
        })
        .unwrap()
    }

    fn write_file(&self, name: &str) {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }

    fn has_file(&self, name: &str) -> bool {
        self.dir.path().join(name).exists()
    }
}

#[test]
fn many_go_in_many_batches_and_counting_says_how_many() {
    let mut world = World::new();
    world.add_ended_sessions(100);
    world.store.advance(TWO_DAYS);
    let dry = world.prune_world(TWO_DAYS / 2, true, usize::MAX);
    let tally = PruneCounts { sessions: 100, tasks: 0, events: 200 };
    assert_eq!((dry.rows, dry.complete), (tally, true));
    let done = world.prune_world(TWO_DAYS / 2, false, usize::MAX);
    assert_eq!((done.rows, done.complete), (tally, true));
    let events = world.store.list_events(&crate::model::EventFilter::default()).unwrap();
    let kinds: Vec<&str> = events.iter().map(|e| e.kind.as_str()).collect();
    assert_eq!(kinds, ["pruned"]);
    assert_eq!(world.prune_world(TWO_DAYS / 2, false, usize::MAX).rows, PruneCounts::default());
}

#[test]
fn who_is_told_to_stop_has_done_what_it_says_and_the_next_goes_on() {
    let mut world = World::new();
    world.add_ended_sessions(100);
    world.store.advance(TWO_DAYS);
    let mut sum = PruneCounts::default();
    for batches in [1, 2, 3, 9] {
        let pruned = world.prune_world(TWO_DAYS / 2, false, batches);
        assert_eq!(pruned.complete, batches == 9, "{pruned:?}");
        sum = sum.plus(pruned.rows);
    }
    assert_eq!((sum.sessions, sum.events), (100, 200));
}

#[test]
fn only_old_files_that_are_nobodys_go() {
    let mut world = World::new();
    world.register("s0");
    let mine = ["locks/idle", "locks/held", "counters/s0", "counters/unknown"];
    let aside = ["trueup.db-wal.orphan-1", "c.corrupt-2020", "c.foreign-2020"];
    for name in mine.into_iter().chain(aside).chain(["notes.txt", "trueup.log"]) {
        world.write_file(name);
    }
    let held = world.dir.path().join("locks/held");
    let lock = FileLock::acquire(&held, Duration::ZERO).unwrap();
    let young = world.prune_world(3_600, false, usize::MAX).files;
    assert_eq!(young, PrunedFiles::default());
    let dry = world.prune_world(0, true, usize::MAX).files;
    assert!(world.has_file("locks/idle") && world.has_file("c.corrupt-2020"));
    let done = world.prune_world(0, false, usize::MAX).files;
    let expected = PrunedFiles { counters: 1, locks: 1, caches: 0, set_aside: 3 };
    assert_eq!((dry, done), (expected, expected));
    for name in ["locks/held", "counters/s0", "notes.txt", "trueup.log"] {
        assert!(world.has_file(name), "{name}");
    }
    drop(lock);
}

#[test]
fn it_is_time_once_a_day_for_one_at_a_time() {
    let mut world = World::new();
    let gently = |world: &mut World| {
        super::prune_if_due(&mut *world.store, "me", &world.site, Duration::from_mins(1)).unwrap()
    };
    assert!(is_prune_due(&world.site));
    let lock = world.dir.path().join("pruned.lock");
    let other = FileLock::acquire(&lock, Duration::ZERO).unwrap();
    assert_eq!(gently(&mut world), None, "another is at it");
    drop(other);
    assert!(gently(&mut world).is_some_and(|pruned| pruned.complete));
    assert!(!is_prune_due(&world.site));
    assert_eq!(gently(&mut world), None, "done today");
    world.site.settings.retention_days = 0;
    fs::remove_file(world.site.settings.paths.prune_marker()).unwrap();
    assert!(!is_prune_due(&world.site), "never");
}

#[test]
fn what_was_left_off_is_gone_on_with_within_the_day() {
    let mut world = World::new();
    world.register("s0");
    let cut = super::prune_if_due(&mut *world.store, "me", &world.site, Duration::ZERO).unwrap();
    assert!(!cut.unwrap().complete);
    let marker = world.site.settings.paths.prune_marker();
    let age = fs::metadata(marker).unwrap().modified().unwrap().elapsed().unwrap();
    let hours = age.as_secs() / 3_600;
    assert!((22..24).contains(&hours), "{hours} h: due in an hour");
}
