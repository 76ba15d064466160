//! Python packages that suites run, kept in the user's cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::npm::cache_directory;

/// Returns a directory of packages for `PYTHONPATH`, which has this version of a package and what it
/// needs.
///
/// # Errors
///
/// Why there is none.
pub fn install_package(name: &str, version: &str) -> Result<PathBuf, String> {
    // What is compiled fits one version of Python alone.
    let python = run_python(&["-c", "import sys; print('%d.%d' % sys.version_info[:2])"])?;
    let cache = cache_directory("trueup-test-python")?;
    let home = cache.join(format!("{name}-{version}-python{}", python.trim()));
    if home.is_dir() {
        return Ok(home);
    }
    let partial = tempfile::Builder::new().prefix("partial-").tempdir_in(&cache);
    let partial = partial.map_err(|error| format!("{}: {error}", cache.display()))?;
    let wanted = format!("{name}=={version}");
    let target = partial.path().to_string_lossy();
    run_python(&["-m", "pip", "install", "--quiet", "--target", &target, &wanted])?;
    move_into_place(partial.path(), &home)?;
    Ok(home)
}

/// Another process that was faster is no error.
fn move_into_place(partial: &Path, home: &Path) -> Result<(), String> {
    match fs::rename(partial, home) {
        Err(error) if !home.is_dir() => Err(format!("{}: {error}", home.display())),
        _ => Ok(()),
    }
}

fn run_python(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("python3")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("python3 could not be started: {error}"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let last = stderr.lines().last().unwrap_or("it said nothing");
        return Err(format!("python3 {} failed: {last}", arguments.join(" ")));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
