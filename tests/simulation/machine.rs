//! A machine: a home of trueup, the settings of its processes, and its host name.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use trueup_core::outbox::{Journal, Outbox};
use trueup_core::settings::{Environment, Settings};

/// What the machines know the server by. Nothing ever connects to it: hooks work on replicas, and
/// pulls use the simulated network.
const DATABASE_URL: &str = "postgres://trueup@server.invalid/trueup";

/// A machine.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) home: PathBuf,
    pub(crate) environment: Environment,
    pub(crate) settings: Settings,
    /// The ids of journal entries that somebody on this machine was told of.
    pub(crate) told_entries: RefCell<BTreeSet<String>>,
    /// Of how many more somebody was told.
    pub(crate) told_unnamed: Cell<usize>,
}

impl Machine {
    /// Sets a machine up in a directory of its own.
    pub(crate) fn create(number: usize, run_dir: &Path) -> Self {
        let home = run_dir.join(format!("machine-{number}"));
        fs::create_dir_all(&home).unwrap();
        let (own_home, pid) = (home.clone(), std::process::id().to_string());
        let environment = Environment::from_lookup(move |name| {
            Some(match name {
                "TRUEUP_HOME" => own_home.join("trueup").into(),
                "HOME" => own_home.clone().into(),
                "TRUEUP_DATABASE_URL" => DATABASE_URL.into(),
                "TRUEUP_LOG" => "off".into(),
                // A client that lives as long as the simulation.
                "CLAUDE_PID" => OsString::from(&pid),
                _ => return None,
            })
        });
        let settings = Settings::load_leniently(&environment).unwrap();
        Self {
            home,
            environment,
            settings,
            told_entries: RefCell::default(),
            told_unnamed: Cell::new(0),
        }
    }

    /// Returns the outbox.
    pub(crate) fn outbox(&self) -> Outbox {
        Outbox::new(self.settings.paths.outbox())
    }

    /// Returns the journal.
    pub(crate) fn journal(&self) -> Journal {
        Journal::new(self.settings.paths.journal())
    }

    /// Notes the journal entries that a text names, since somebody reads it.
    pub(crate) fn note_told(&self, text: &str) {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        let ids = words.filter(|word| word.starts_with("j-")).map(str::to_owned);
        self.told_entries.borrow_mut().extend(ids);
        // Of many, some are only counted.
        for line in text.lines().filter(|line| line.contains("more edits lost")) {
            let count: usize = line.split(' ').find_map(|word| word.parse().ok()).unwrap();
            self.told_unnamed.set(self.told_unnamed.get() + count);
        }
    }
}
