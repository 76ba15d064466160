//! Two checkouts of the same workplans beside one database that has all of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::workplans::{self, FILES, TASKS};
use crate::binaries::{Binaries, command_output};
use crate::coordination::ScratchStore;
use crate::measure::{self, Task};
use crate::{BenchError, print_progress};

/// The checkouts, and how long it took to link them.
pub(super) struct Checkouts {
    pub(super) yard: ScratchStore,
    /// In git, without a remote.
    pub(super) repository: PathBuf,
    /// The same files, outside git.
    pub(super) folder: PathBuf,
    /// How long the first `check --fix` took: rows, ids in files, one commit.
    pub(super) linked_in: Duration,
}

impl Checkouts {
    /// Makes them: the product links what the files have, and then some of both are changed.
    pub(super) fn create(binaries: &Binaries) -> Result<Self, BenchError> {
        print_progress(&format!("{FILES} workplans of {TASKS} tasks"));
        let yard = ScratchStore::create(binaries)?;
        let (repository, folder) = (yard.root().join("app"), yard.root().join("loose"));
        workplans::write_workplans(&repository)?;
        run_git(&repository, &["-c", "init.defaultBranch=main", "init", "-q"])?;
        for (name, value) in [("user.name", "bench"), ("user.email", "bench@example.org")] {
            run_git(&repository, &["config", name, value])?;
        }
        commit_all(&repository)?;
        print_progress("linking them");
        let start = Instant::now();
        let told =
            measure::read_stdout(&yard.trueup_task_in(&repository, &["check", "--fix", "--json"]))?;
        let linked_in = start.elapsed();
        ensure_committed(&told)?;
        workplans::edit_files(&repository)?;
        commit_all(&repository)?;
        workplans::advance_database(&yard.database())?;
        fs::create_dir_all(folder.join("workplans"))?;
        for entry in fs::read_dir(repository.join("workplans"))? {
            let entry = entry?;
            fs::copy(entry.path(), folder.join("workplans").join(entry.file_name()))?;
        }
        Ok(Self { yard, repository, folder, linked_in })
    }

    /// Makes a check of one of them.
    pub(super) fn check_task(&self, checkout: &Path) -> Task {
        self.yard.trueup_task_in(checkout, &["check", "--json"])
    }
}

/// Makes sure that files carry what they were linked to.
fn ensure_committed(output: &str) -> Result<(), BenchError> {
    let answer: Json = serde_json::from_str(output)?;
    let repo = answer.pointer("/data/repos/0").unwrap_or(&Json::Null);
    if repo.get("commit").is_some_and(Json::is_string) {
        return Ok(());
    }
    let skipped = repo.get("skipped").unwrap_or(&Json::Null);
    let warnings = answer.get("warnings").unwrap_or(&Json::Null);
    Err(format!("nothing was committed: {skipped}, {warnings}").into())
}

fn commit_all(repository: &Path) -> Result<(), BenchError> {
    run_git(repository, &["add", "."])?;
    run_git(repository, &["commit", "-q", "-m", "by hand"])
}

/// Runs git for somebody without settings of his own.
fn run_git(dir: &Path, words: &[&str]) -> Result<(), BenchError> {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=bench", "-c", "user.email=bench@example.org"])
        .args(words)
        .current_dir(dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        git.env_remove(name);
    }
    command_output(&mut git).map(|_| ())
}
