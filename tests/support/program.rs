//! Programs that a test writes and then runs.
//!
//! Another process writes them: a child inherits our open files until it calls exec, so a file
//! written here could still be open for writing, and then it cannot be run.

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes a program, which everybody may run.
///
/// # Errors
///
/// When it cannot be written.
pub fn write_program(path: &Path, text: &str) -> io::Result<()> {
    let script = r#"cat > "$0" && chmod 755 "$0""#;
    let arguments = [OsStr::new("-c"), OsStr::new(script), path.as_os_str()];
    let mut shell = Command::new("sh").args(arguments).stdin(Stdio::piped()).spawn()?;
    // Dropping stdin ends the input.
    shell.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(text.as_bytes()))?;
    check_written(path, shell.wait()?.success())
}

/// Copies a program, with its permissions.
///
/// # Errors
///
/// When it cannot be copied.
pub fn copy_program(from: &Path, to: &Path) -> io::Result<()> {
    let copied = Command::new("cp").arg("-p").args([from, to]).status()?;
    check_written(to, copied.success())
}

fn check_written(path: &Path, is_written: bool) -> io::Result<()> {
    let failure = || io::Error::other(format!("{} could not be written", path.display()));
    is_written.then_some(()).ok_or_else(failure)
}
