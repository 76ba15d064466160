//! Runs the real Codex client, unattended, with a scripted model on loopback.

#![expect(
    clippy::missing_errors_doc,
    reason = "every error here is a sentence for the person who reads the failed test"
)]

mod responses;
mod run;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub use responses::{CodexTurn, ScriptedResponses};
pub use run::{CodexRun, CodexScratch};

use crate::client::HarnessResult;
use crate::client::install::obtain_once;
use crate::npm::{cache_directory, install_packages};

/// The version of `@openai/codex` that the tests run on.
const CODEX: &str = "0.171.0";

/// Returns the client's executable, or `None` after saying once why its tests are skipped. With
/// `TRUEUP_REQUIRE_CLIENT=1` a client that cannot be had is an error; `TRUEUP_CODEX` names another one.
pub fn find_codex() -> HarnessResult<Option<&'static Path>> {
    static CLIENT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    obtain_once(&CLIENT, "tests with Codex", || {
        if let Some(named) = std::env::var_os("TRUEUP_CODEX").filter(|named| !named.is_empty()) {
            return Ok(PathBuf::from(named));
        }
        let home = cache_directory("trueup-codex-tests")?.join(CODEX);
        if let Some(ready) = find_executable(&home) {
            return Ok(ready);
        }
        let package = format!("@openai/codex@{CODEX}");
        install_packages(&home, &[], &["install", "--prefix", ".", &package])?;
        let found = find_executable(&home);
        found.ok_or_else(|| format!("npm left no executable in {}", home.display()).into())
    })
}

/// The native program in the platform's own package.
fn find_executable(home: &Path) -> Option<PathBuf> {
    let entries = |dir: &Path| {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let packages = entries(&home.join("node_modules/@openai"));
    let vendors = packages.iter().flat_map(|package| entries(&package.join("vendor")));
    vendors.map(|vendor| vendor.join("bin/codex")).find(|program| program.is_file())
}
