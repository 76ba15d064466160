//! Benchmarks of the commands that coordinate: many processes at once, and many rows.

mod completes;
mod contention;
mod growth;
mod report;

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::BenchError;
use crate::binaries::{Binaries, COMMAND_BINARY};
use crate::measure::{self, Task};

/// Measures everything; returns the table.
pub(crate) fn run_coordination(binaries: &Binaries) -> Result<String, BenchError> {
    let contention = contention::measure_contention(binaries)?;
    let growth = growth::measure_growth(binaries)?;
    let recorded = completes::measure_completions(binaries)?;
    Ok(report::render_coordination(&contention, &growth, &recorded))
}

/// A scratch installation without sessions, for commands.
#[derive(Debug)]
pub(crate) struct ScratchStore {
    folder: TempDir,
    trueup: PathBuf,
}

impl ScratchStore {
    /// Makes one with an empty database.
    pub(crate) fn create(binaries: &Binaries) -> Result<Self, BenchError> {
        let yard = Self {
            folder: tempfile::Builder::new().prefix("trueup-bench-").tempdir()?,
            trueup: binaries.path(COMMAND_BINARY),
        };
        fs::create_dir(yard.project())?;
        measure::wall_time(&yard.trueup_task(&["db", "migrate"]))?;
        Ok(yard)
    }

    /// Returns the database.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("home").join("trueup.db")
    }

    /// Returns the scratch directory.
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the directory commands are called in.
    pub(crate) fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// Makes a call of a command.
    pub(crate) fn trueup_task(&self, words: &[&str]) -> Task {
        self.trueup_task_in(&self.project(), words)
    }

    /// Makes a call of a command in another directory.
    pub(crate) fn trueup_task_in(&self, dir: &Path, words: &[&str]) -> Task {
        let mut task = Task::new(self.trueup.clone(), dir.to_owned(), Vec::new());
        for word in words {
            task.argument(word);
        }
        task.set("TRUEUP_HOME", self.folder.path().join("home"));
        task.set("HOME", self.folder.path());
        // On a slow machine the deadline must not cut the work short.
        task.set("TRUEUP_DEADLINE_MS", "60000");
        task
    }
}
