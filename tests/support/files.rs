//! Files that a test looks into.

#![expect(clippy::unwrap_used, reason = "a directory that cannot be read fails its test")]

use std::fs;
use std::path::Path;

/// Returns every file below a directory that contains a text.
pub fn find_files_with(dir: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(find_files_with(&path, text));
        } else {
            let bytes = fs::read(&path).unwrap_or_default();
            if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}
