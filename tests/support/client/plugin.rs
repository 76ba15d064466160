//! Stages a plugin directory: the product's, or one of shell scripts.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::HarnessResult;
use crate::program;

/// The programs in the staged plugin's `bin/`.
const BINARIES: [&str; 6] = [
    "session-start-sync",
    "checkpoint-push",
    "pre-handoff-validate",
    "validate-session-state",
    "trueup",
    "trueup-hub",
];

/// Returns the root of the repository that the suite was built from.
pub fn repository_root() -> PathBuf {
    let member = Path::new(env!("CARGO_MANIFEST_DIR"));
    member.parent().unwrap_or(member).to_path_buf()
}

/// Finds a built binary of the profile that this test was built with.
///
/// # Panics
///
/// When it has not been built: `cargo test` of one package does not build those of others.
pub fn find_binary(name: &str) -> HarnessResult<PathBuf> {
    let test = std::env::current_exe()?;
    let deps = test.parent().ok_or("the test executable lies in no directory")?;
    let built = deps.parent().unwrap_or(deps).join(name);
    assert!(built.is_file(), "no {}: run `cargo build --workspace` first", built.display());
    Ok(built)
}

/// Stages the repository's plugin, with the binaries that were built last, into `target`.
pub fn stage_product(target: &Path) -> HarnessResult<()> {
    let source = repository_root();
    copy_tree(&source.join(".claude-plugin"), &target.join(".claude-plugin"))?;
    copy_tree(&source.join("skills"), &target.join("skills"))?;
    fs::create_dir_all(target.join("hooks"))?;
    fs::copy(source.join("hooks/hooks.json"), target.join("hooks/hooks.json"))?;
    symlink(".claude-plugin/plugin.json", target.join("plugin.json"))?;
    let bin = target.join("bin");
    fs::create_dir_all(&bin)?;
    for name in BINARIES {
        // A copy, not a link: a build in the meantime must not change what runs.
        program::copy_program(&find_binary(name)?, &bin.join(name))?;
    }
    Ok(())
}

/// Writes a plugin whose programs in `bin/` are shell scripts: a name and a body each.
pub fn stage_scripts(target: &Path, hooks: &Value, scripts: &[(&str, &str)]) -> HarnessResult<()> {
    for dir in [".claude-plugin", "hooks", "bin"] {
        fs::create_dir_all(target.join(dir))?;
    }
    let manifest = json!({"name": "scripted", "version": "0.0.1", "description": "scripts"});
    fs::write(target.join(".claude-plugin/plugin.json"), manifest.to_string())?;
    fs::write(target.join("hooks/hooks.json"), json!({"hooks": hooks}).to_string())?;
    for (name, body) in scripts {
        let path = target.join("bin").join(name);
        program::write_program(&path, &format!("#!/bin/sh\n{body}\n"))?;
    }
    Ok(())
}

fn copy_tree(source: &Path, target: &Path) -> HarnessResult<()> {
    fs::create_dir_all(target)?;
    let entries = fs::read_dir(source).map_err(|error| format!("{}: {error}", source.display()))?;
    for entry in entries {
        let entry = entry?;
        let to = target.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
