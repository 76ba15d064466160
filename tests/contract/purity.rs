//! Pure modules use neither the file system nor the environment, processes, network or clock.

use std::fs;
use std::path::{Path, PathBuf};

const PURE_MODULES: &[&str] = &[
    "authority.rs",
    "diagnostic/advice",
    "diagnostic/code.rs",
    "diagnostic/divergence.rs",
    "diagnostic/mod.rs",
    "consistency/assessment.rs",
    "consistency/task_entry.rs",
    "consistency/finding.rs",
    "consistency/ids.rs",
    "consistency/rules",
    "consistency/workplan_file.rs",
    "model",
    "reconcile",
    "repo_state",
    "text",
    "hook",
    "shell",
    "plan",
    "workplan",
    "json_spans.rs",
    "metadata/phase_contract.rs",
    "metadata/json_document.rs",
    "metadata/database_fields.rs",
    "metadata/findings.rs",
    "metadata/script_search",
    "metadata/adw_state.rs",
    "metadata/last_writer.rs",
];

const FORBIDDEN_NAMES: [&str; 9] = [
    "std::fs",
    "std::env",
    "std::process",
    "std::net",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "rusqlite",
    "std::thread",
];

fn collect_sources(at: &Path, found: &mut Vec<PathBuf>) {
    if at.is_file() {
        found.push(at.to_owned());
        return;
    }
    for entry in fs::read_dir(at).unwrap() {
        collect_sources(&entry.unwrap().path(), found);
    }
}

/// Returns the forbidden names in a source, except in comments; `use std::{fs, …}` counts as well.
fn find_forbidden(text: &str) -> Vec<&'static str> {
    let code: String = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or(line))
        .collect::<Vec<_>>()
        .join(" ");
    let code = code.split_whitespace().collect::<String>();
    let grouped = code.split("usestd::{").skip(1).any(|rest| {
        let group = rest.split(';').next().unwrap_or(rest);
        let words = group.split(['{', '}', ',', ':']);
        words.into_iter().any(|word| matches!(word, "fs" | "env" | "process" | "net"))
    });
    let direct = FORBIDDEN_NAMES.into_iter().filter(|name| code.contains(name));
    direct.chain(grouped.then_some("use std::{…}")).collect()
}

#[test]
fn the_pure_parts_name_no_surroundings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src");
    let mut files = Vec::new();
    for part in PURE_MODULES {
        collect_sources(&root.join(part), &mut files);
    }
    assert!(files.len() > 20, "{files:?}");
    // Tests may read what they compare with.
    for file in
        files.iter().filter(|file| !file.components().any(|part| part.as_os_str() == "tests"))
    {
        let found = find_forbidden(&fs::read_to_string(file).unwrap());
        assert_eq!(found, Vec::<&str>::new(), "{}", file.display());
    }
}

#[test]
fn a_forbidden_name_is_found_in_any_spelling() {
    for text in [
        "use std::fs;",
        "std::env::var(\"X\")",
        "use std::{collections::BTreeMap, fs::File};",
        "use std::{\n    io,\n    process,\n};",
        "let t = Instant::now();",
        "jiff::Timestamp::now()",
    ] {
        assert_eq!(find_forbidden(text).len(), 1, "{text}");
    }
    assert_eq!(find_forbidden("// std::fs is not named here\nuse std::fmt;"), Vec::<&str>::new());
}
