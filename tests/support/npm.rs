//! Packages of npm that suites run, kept in the user's cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Returns a directory in the cache, which is created.
///
/// # Errors
///
/// Why there is none.
pub fn cache_directory(name: &str) -> Result<PathBuf, String> {
    let base = std::env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty());
    let base = base.map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".cache")));
    let cache = base.ok_or("there is no home directory to cache it in")?.join(name);
    fs::create_dir_all(&cache).map_err(|error| format!("{}: {error}", cache.display()))?;
    Ok(cache)
}

/// Runs npm in a new directory with these files, and renames that to `home`, so that two test
/// processes cannot mix.
///
/// # Errors
///
/// Why nothing was installed. Another process that was faster is no error.
pub fn install_packages(
    home: &Path,
    files: &[(&str, &str)],
    arguments: &[&str],
) -> Result<(), String> {
    let cache = home.parent().ok_or("there is no directory to install into")?;
    let partial = tempfile::Builder::new().prefix("partial-").tempdir_in(cache);
    let partial = partial.map_err(|error| format!("{}: {error}", cache.display()))?;
    for (name, text) in files {
        fs::write(partial.path().join(name), text).map_err(|error| format!("{name}: {error}"))?;
    }
    let output = Command::new("npm")
        .args(arguments)
        .args(["--no-fund", "--no-audit", "--loglevel=error"])
        .current_dir(partial.path())
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("npm could not be started: {error}"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let first = stderr.lines().next().unwrap_or("it said nothing");
        return Err(format!("npm {} failed: {first}", arguments.first().unwrap_or(&"")));
    }
    match fs::rename(partial.path(), home) {
        Err(error) if !home.is_dir() => Err(format!("{}: {error}", home.display())),
        _ => Ok(()),
    }
}
