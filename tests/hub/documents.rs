//! What the guides tell a reader to run, so that tests can run it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns a file of the repository.
pub(crate) fn repository_file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Reads a guide of `docs`.
pub(crate) fn read_guide(name: &str) -> String {
    fs::read_to_string(repository_file("docs").join(name)).unwrap()
}

/// Returns the one block of code in a language that contains a text.
#[track_caller]
pub(crate) fn code_block(guide: &str, language: &str, containing: &str) -> String {
    let text = read_guide(guide);
    let opening = format!("```{language}\n");
    let blocks = text.split(&opening).skip(1).filter_map(|rest| rest.split_once("```"));
    let mut found = blocks.map(|(block, _)| block).filter(|block| block.contains(containing));
    let block = found.next().unwrap_or_else(|| panic!("{guide}: no block with {containing:?}"));
    assert!(found.next().is_none(), "{guide}: two blocks with {containing:?}");
    block.to_owned()
}

/// Runs a Python program; returns what it prints, without the line break.
#[track_caller]
pub(crate) fn run_python(program: &str, arguments: &[&str]) -> String {
    let output = Command::new("python3").args(["-c", program]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
