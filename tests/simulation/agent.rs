//! A session of an agent on a machine, and what the model knows of it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use trueup_core::cache::{session_cache_path, shared_cache_path};
use trueup_core::model::{HandoffId, SessionId, Timestamp};
use trueup_core::replica::{Replica, ReplicaFile};
use trueup_hooks::HookOutcome;

use crate::machine::Machine;

/// A write that a hook accepted, or an edit of the cache. Its text is nobody else's.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    pub(crate) text: String,
    pub(crate) kind: WriteKind,
    /// Whether the hook that took it ended, so that it must not be lost.
    pub(crate) is_certain: bool,
    /// Whether it is an edit and the process that took it may have died before it wrote the cache,
    /// where the next one then meets it again. It is made or lost a second time.
    pub(crate) is_met_again: bool,
    /// When the server was read that it was made on, where that is known.
    pub(crate) based_on: Option<Timestamp>,
}

/// What a write does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WriteKind {
    /// It makes its text the current task.
    Task,
    /// It names a task of the list.
    Subject { task: String },
    /// It was made in the cache by hand.
    Edit,
}

/// What the model knows of a session.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Record {
    /// The writes of its agent, in their order.
    pub(crate) writes: Vec<Write>,
    /// Tasks that others set.
    pub(crate) foreign: Vec<String>,
    /// The newest revision that a prompt told of.
    pub(crate) told_revision: u64,
    /// What there was by then that changes no state.
    pub(crate) told_other_news: [u64; 3],
    /// The hand-offs that prompts told of.
    pub(crate) told_handoffs: BTreeSet<HandoffId>,
    /// Whether writes of its agent may have been made since at a server that did not know yet what
    /// the agent was told of. They then pass for changes by others, and are told.
    pub(crate) is_told_late: bool,
    /// Whether an outage was told since the last pull that succeeded.
    pub(crate) was_outage_told: bool,
    /// Whether a pull failed since, so that there is one to tell of: when the replica was read then.
    pub(crate) outage: Option<Timestamp>,
    /// Whether a waiting write may be missing from the replica: a hook died between the two, or could
    /// not use the replica.
    pub(crate) is_behind: bool,
    /// Whether the last hook could compare the cache with the replica.
    pub(crate) has_compared: bool,
    /// The edit that no hook has seen yet.
    pub(crate) unseen_edit: Option<usize>,
    /// Tasks of the list that were not started yet, and the one that was.
    pub(crate) open_tasks: Vec<(String, String)>,
    pub(crate) started_task: Option<String>,
}

/// A session.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) id: SessionId,
    pub(crate) machine: usize,
    pub(crate) dir: PathBuf,
    pub(crate) is_started: Cell<bool>,
    pub(crate) is_ended: Cell<bool>,
    pub(crate) record: RefCell<Record>,
}

impl Agent {
    /// Makes the directory of a session that has not started.
    pub(crate) fn create(number: usize, machine: usize, on: &Machine) -> Self {
        let dir = on.home.join(format!("project-{number}"));
        fs::create_dir_all(&dir).unwrap();
        Self {
            id: format!("s{number}").parse().unwrap(),
            machine,
            dir: dir.canonicalize().unwrap(),
            is_started: Cell::new(false),
            is_ended: Cell::new(false),
            record: RefCell::default(),
        }
    }

    /// Returns the replica file, once the database was met.
    pub(crate) fn find_replica_file(&self, on: &Machine) -> Option<ReplicaFile> {
        let databases = trueup_core::outbox::KnownDatabases::new(on.settings.paths.databases());
        let lineage = databases.last_known_at(&on.settings.database_address())?;
        Some(ReplicaFile::of_session(&on.settings.paths, &lineage, &self.id))
    }

    /// Returns where the replica is.
    pub(crate) fn replica_path(&self, on: &Machine) -> Option<PathBuf> {
        let databases = trueup_core::outbox::KnownDatabases::new(on.settings.paths.databases());
        let lineage = databases.last_known_at(&on.settings.database_address())?;
        Some(on.settings.paths.replica(&lineage, &self.id))
    }

    /// Reads the replica.
    pub(crate) fn read_replica(&self, on: &Machine) -> Option<Replica> {
        self.find_replica_file(on)?.read()
    }

    /// Returns the cache that the session uses.
    pub(crate) fn cache_path(&self) -> PathBuf {
        let own = session_cache_path(&self.dir, &self.id);
        if own.exists() { own } else { shared_cache_path(&self.dir) }
    }

    /// Adds a write whose text no other has; returns its place and the text.
    pub(crate) fn add_write(&self, kind: WriteKind) -> (usize, String) {
        let mut record = self.record.borrow_mut();
        let place = record.writes.len();
        let text = format!("{}-w{place}", self.id);
        record.writes.push(Write {
            text: text.clone(),
            kind,
            is_certain: false,
            is_met_again: false,
            based_on: None,
        });
        (place, text)
    }

    /// Notes that a write must not be lost from now on.
    pub(crate) fn set_certain(&self, place: usize) {
        self.record.borrow_mut().writes[place].is_certain = true;
    }

    /// Notes that a process may have taken the edit of the cache and not have written the cache.
    pub(crate) fn note_edit_half_taken(&self) {
        let mut record = self.record.borrow_mut();
        if let Some(place) = record.unseen_edit {
            record.writes[place].is_met_again = true;
        }
    }

    /// Notes that a process has seen the edit that was made in the cache.
    pub(crate) fn note_edit_seen(&self) {
        let seen = self.record.borrow_mut().unseen_edit.take();
        if let Some(place) = seen {
            self.set_certain(place);
        }
    }

    /// Notes that what is known of the session was read from the server again.
    pub(crate) fn note_server_reached(&self) {
        let mut record = self.record.borrow_mut();
        record.was_outage_told = false;
        record.outage = None;
        record.is_behind = false;
    }

    /// Notes that a hook has seen the edit of the cache, unless it could not compare.
    pub(crate) fn note_hook_saw_edit(&self, outcome: &HookOutcome) {
        let has_compared = !outcome.notes.iter().any(|note| note.contains("cannot be used"));
        let mut record = self.record.borrow_mut();
        record.has_compared = has_compared;
        record.is_behind |= !has_compared;
        drop(record);
        if has_compared {
            self.note_edit_seen();
        }
    }
}
