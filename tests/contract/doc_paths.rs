//! Documents name files that exist: a reader who follows a path must find what it promises.

use std::fs;
use std::path::{Path, PathBuf};

use regex_lite::Regex;

#[test]
fn files_that_documents_name_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut documents: Vec<PathBuf> =
        ["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| root.join(name)).into();
    collect(&root.join("docs"), "md", &mut documents);
    let mut sources = Vec::new();
    for dir in ["core", "remote", "cli", "hooks", "hub", "install", "bench", "tests", "fuzz"] {
        collect(&root.join(dir), "rs", &mut sources);
    }
    let is_source = |path: &str| sources.iter().any(|source| source.ends_with(path));
    let named = Regex::new(r"`([\w./-]+\.rs)`").unwrap();
    let mut missing = Vec::new();
    for document in &documents {
        for path in named.captures_iter(&fs::read_to_string(document).unwrap()) {
            let is_pattern = path[1].contains("NAME");
            if !is_pattern && !is_source(&path[1]) {
                missing.push(format!("{}: {}", document.display(), &path[1]));
            }
        }
    }
    assert!(!documents.is_empty() && missing.is_empty(), "{missing:#?}");
}

fn collect(dir: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, extension, found);
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
}
