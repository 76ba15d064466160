//! Finds or fetches the client versions that the suite is written against.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::HarnessResult;

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
    let found = CLIENT.get_or_init(|| {
        let found = obtain_client().map_err(|error| error.to_string());
        if let (Err(why), false) = (&found, is_required()) {
            // Straight to the stream: the test runner captures the printing macros.
            let line = format!("\nSKIPPED client suite: {why}\n");
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
    let cache = cache_directory()?;
    let home = cache.join(version);
    if let Some(ready) = find_executable(&home) {
        return Ok(ready);
    }
    fetch_client(&cache, &home, version)?;
    find_executable(&home)
        .ok_or_else(|| format!("npm left no client executable in {}", home.display()).into())
}

fn cache_directory() -> HarnessResult<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty());
    let base = base.map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".cache")));
    let cache =
        base.ok_or("there is no home directory to cache it in")?.join("trueup-client-tests");
    fs::create_dir_all(&cache)?;
    Ok(cache)
}

/// Installs beside its final place and renames, so that two test processes cannot mix.
fn fetch_client(cache: &Path, home: &Path, version: &str) -> HarnessResult<()> {
    let partial = tempfile::Builder::new().prefix("partial-").tempdir_in(cache)?;
    let output = Command::new("npm")
        .arg("install")
        .arg("--prefix")
        .arg(partial.path())
        .args(["--no-fund", "--no-audit", "--loglevel=error"])
        .arg(format!("@anthropic-ai/claude-code@{version}"))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("npm could not be started: {error}"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let first = stderr.lines().next().unwrap_or("it said nothing");
        return Err(format!("npm install failed: {first}").into());
    }
    match fs::rename(partial.path(), home) {
        Ok(()) => Ok(()),
        Err(_) if find_executable(home).is_some() => Ok(()),
        Err(error) => Err(error.into()),
    }
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
