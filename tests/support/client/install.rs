//! Finds or fetches the client versions that the suite is written against.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::HarnessResult;
use crate::npm::{cache_directory, install_packages};

/// The newest version of `@anthropic-ai/claude-code` that the suite runs on.
const NEWEST_CLIENT: &str = "2.1.332";

/// The oldest version that is supported, and that the suite runs on, too.
const OLDEST_CLIENT: &str = "2.1.328";

/// Returns the client's executable, or `None` after saying once why the suite is skipped.
///
/// It is the newest version that the suite is written for. `TRUEUP_CLIENT` chooses another:
/// `oldest` for the oldest that is supported, or the path of an executable. With
/// `TRUEUP_REQUIRE_CLIENT=1` a client that cannot be had is an error, not a skip.
pub fn find_client() -> HarnessResult<Option<&'static Path>> {
    static CLIENT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    obtain_once(&CLIENT, "client suite", obtain_client)
}

/// Obtains a client on first use. One that cannot be had is said once, or is an error.
pub(crate) fn obtain_once(
    client: &'static OnceLock<Result<PathBuf, String>>,
    suite: &str,
    obtain: impl FnOnce() -> HarnessResult<PathBuf>,
) -> HarnessResult<Option<&'static Path>> {
    let found = client.get_or_init(|| {
        let found = obtain().map_err(|error| error.to_string());
        if let (Err(why), false) = (&found, is_required()) {
            // Straight to the stream: the test runner captures the printing macros.
            let line = format!("\nSKIPPED {suite}: {why}\n");
            drop(std::io::stderr().write_all(line.as_bytes()));
        }
        found
    });
    match found {
        Ok(path) => Ok(Some(path)),
        Err(why) if is_required() => Err(format!("TRUEUP_REQUIRE_CLIENT=1, but {why}").into()),
        Err(_) => Ok(None),
    }
}

fn is_required() -> bool {
    std::env::var_os("TRUEUP_REQUIRE_CLIENT").is_some_and(|value| value == "1")
}

fn obtain_client() -> HarnessResult<PathBuf> {
    let named = std::env::var_os("TRUEUP_CLIENT").filter(|named| !named.is_empty());
    let version = match named {
        None => NEWEST_CLIENT,
        Some(named) if named == "oldest" => OLDEST_CLIENT,
        Some(named) => {
            let path = PathBuf::from(named);
            let problem = || format!("TRUEUP_CLIENT names {}, which is not a file", path.display());
            return path.is_file().then_some(&path).cloned().ok_or_else(|| problem().into());
        }
    };
    let home = cache_directory("trueup-client-tests")?.join(version);
    if let Some(ready) = find_executable(&home) {
        return Ok(ready);
    }
    let package = format!("@anthropic-ai/claude-code@{version}");
    install_packages(&home, &[], &["install", "--prefix", ".", &package])?;
    find_executable(&home)
        .ok_or_else(|| format!("npm left no client executable in {}", home.display()).into())
}

/// The native program in the platform's own package, else npm's launcher.
fn find_executable(home: &Path) -> Option<PathBuf> {
    let modules = home.join("node_modules");
    let native = fs::read_dir(modules.join("@anthropic-ai")).ok()?.flatten().find_map(|package| {
        let name = package.file_name();
        let program = package.path().join("claude");
        (name.to_string_lossy().starts_with("claude-code-") && program.is_file()).then_some(program)
    });
    native.or_else(|| Some(modules.join(".bin/claude")).filter(|launcher| launcher.exists()))
}
