//! Two checkouts of the same workplans beside one database that has all of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::workplans::{self, FILES, TASKS};
use crate::binaries::{Binaries, answer};
use crate::coordination::Yard;
use crate::measure::{self, Task};
use crate::{Failure, say};

/// The checkouts, and how long it took to link them.
pub(super) struct Checkouts {
    pub(super) yard: Yard,
    /// In git, without a remote.
    pub(super) repository: PathBuf,
    /// The same files, outside git.
    pub(super) folder: PathBuf,
    /// How long the first `check --fix` took: rows, ids in files, one commit.
    pub(super) linked_in: Duration,
}

impl Checkouts {
    /// Makes them: the product links what the files have, and then some of both are changed.
    pub(super) fn make(binaries: &Binaries) -> Result<Self, Failure> {
        say(&format!("{FILES} workplans of {TASKS} tasks"));
        let yard = Yard::make(binaries)?;
        let (repository, folder) = (yard.root().join("app"), yard.root().join("loose"));
        workplans::write(&repository)?;
        git(
            &repository,
            &["-c", "init.defaultBranch=main", "init", "-q"],
        )?;
        for (name, value) in [("user.name", "bench"), ("user.email", "bench@example.org")] {
            git(&repository, &["config", name, value])?;
        }
        commit(&repository)?;
        say("linking them");
        let start = Instant::now();
        let told = measure::printed(&yard.trueup_in(&repository, &["check", "--fix", "--json"]))?;
        let linked_in = start.elapsed();
        made_a_commit(&told)?;
        workplans::edit(&repository)?;
        commit(&repository)?;
        workplans::advance(&yard.database())?;
        fs::create_dir_all(folder.join("workplans"))?;
        for entry in fs::read_dir(repository.join("workplans"))? {
            let entry = entry?;
            fs::copy(
                entry.path(),
                folder.join("workplans").join(entry.file_name()),
            )?;
        }
        Ok(Self {
            yard,
            repository,
            folder,
            linked_in,
        })
    }

    /// Makes a check of one of them.
    pub(super) fn check(&self, checkout: &Path) -> Task {
        self.yard.trueup_in(checkout, &["check", "--json"])
    }
}

/// Makes sure that files carry what they were linked to.
fn made_a_commit(told: &str) -> Result<(), Failure> {
    let answer: Json = serde_json::from_str(told)?;
    let repo = answer.pointer("/data/repos/0").unwrap_or(&Json::Null);
    if repo.get("commit").is_some_and(Json::is_string) {
        return Ok(());
    }
    let skipped = repo.get("skipped").unwrap_or(&Json::Null);
    let warnings = answer.get("warnings").unwrap_or(&Json::Null);
    Err(format!("nothing was committed: {skipped}, {warnings}").into())
}

fn commit(repository: &Path) -> Result<(), Failure> {
    git(repository, &["add", "."])?;
    git(repository, &["commit", "-q", "-m", "by hand"])
}

/// Runs git for somebody without settings of his own.
fn git(dir: &Path, words: &[&str]) -> Result<(), Failure> {
    let mut git = Command::new("git");
    git.args([
        "-c",
        "user.name=bench",
        "-c",
        "user.email=bench@example.org",
    ])
    .args(words)
    .current_dir(dir)
    .env("GIT_CONFIG_GLOBAL", "/dev/null");
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        git.env_remove(name);
    }
    answer(&mut git).map(|_| ())
}
