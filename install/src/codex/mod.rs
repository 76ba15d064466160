//! Codex: its hooks are entries of `hooks.json` in its directory, which other programs share.

mod hooks_file;

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::dirs;
use crate::error::{Error, IoResultExt, Result};
use crate::files;
use crate::layout::Layout;
use crate::manifest::{Manifest, PriorContent, replace_file, sha256_hex};

/// Permission bits of a new `hooks.json`.
const FILE_MODE: u32 = 0o600;

/// What a registration did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CodexRecord {
    /// The file with the hooks.
    path: PathBuf,
    /// The commands that are registered there, or were.
    commands: Vec<String>,
    /// What the file held before.
    before: PriorContent,
    /// SHA-256 of the file after it; empty until it is written.
    after: String,
}

/// What became of the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CodexOutcome {
    /// It has the hooks already, or none of them.
    Unchanged,
    /// It was written.
    Written,
    /// It has its bytes of before the installation, or is gone as it was then.
    Restored,
}

/// The file as it is.
struct HooksFile {
    mode: u32,
    bytes: Vec<u8>,
}

/// Registers the staged hooks. `record` writes what is about to change before it does, so that an
/// uninstallation knows it, whatever happens in between.
pub(crate) fn register_hooks(
    layout: &Layout,
    manifest: &mut Manifest,
    record: impl Fn(&mut Manifest) -> Result<()>,
) -> Result<CodexOutcome> {
    let path = layout.codex_hooks();
    if manifest.codex.as_ref().is_some_and(|record| record.path != path) {
        unregister_hooks(layout, manifest)?;
        manifest.codex = None;
    }
    let bin = layout.stage.join("bin");
    let mut own = list_own_commands(layout, manifest);
    let file = read_hooks_file(&path)?;
    let mut value = parse_hooks(&path, file.as_ref())?;
    let known = value.clone();
    hooks_file::merge_hooks(&mut value, &hooks_file::build_hooks(&bin), &own)
        .map_err(|why| refuse(&path, &why))?;
    if value == known {
        return Ok(CodexOutcome::Unchanged);
    }
    let earlier =
        manifest.codex.take().filter(|it| it.path == path && is_as_left(it, file.as_ref()));
    let before = match earlier {
        // What an earlier run has left is not what the user had.
        Some(record) => record.before,
        None if hooks_file::has_own_hooks(&known, &own) => PriorContent::Unknown,
        None => {
            PriorContent::from_content(file.as_ref().map(|it| (it.mode, it.bytes.clone())).as_ref())
        }
    };
    own.sort();
    own.dedup();
    let after = String::new();
    manifest.codex = Some(CodexRecord { path: path.clone(), commands: own, before, after });
    if let Some(dir) = path.parent() {
        manifest.add_created_dirs(dirs::create_dirs(dir)?);
    }
    record(manifest)?;
    let bytes = render(&value);
    replace_file(&path, file.map_or(FILE_MODE, |file| file.mode), &bytes)?;
    if let Some(record) = &mut manifest.codex {
        record.after = sha256_hex(&bytes);
    }
    record(manifest)?;
    Ok(CodexOutcome::Written)
}

/// Takes the hooks out again. A file that nobody has changed since gets its bytes back.
pub(crate) fn unregister_hooks(layout: &Layout, manifest: &Manifest) -> Result<CodexOutcome> {
    let record = manifest.codex.as_ref();
    let path = registered_file(layout, manifest);
    let Some(file) = read_hooks_file(&path)? else {
        return Ok(CodexOutcome::Unchanged);
    };
    let file = Some(file);
    if let Some(record) =
        record.filter(|it| is_as_left(it, file.as_ref()) && it.before != PriorContent::Unknown)
    {
        match record.before.to_content() {
            Some((mode, bytes)) => replace_file(&path, mode, &bytes)?,
            None => drop(dirs::remove_all(&path)?),
        }
        return Ok(CodexOutcome::Restored);
    }
    let mut value = parse_hooks(&path, file.as_ref())?;
    let known = value.clone();
    hooks_file::remove_hooks(&mut value, &list_own_commands(layout, manifest))
        .map_err(|why| refuse(&path, &why))?;
    if value == known {
        return Ok(CodexOutcome::Unchanged);
    }
    if hooks_file::is_empty(&value) {
        dirs::remove_all(&path)?;
    } else {
        replace_file(&path, file.map_or(FILE_MODE, |file| file.mode), &render(&value))?;
    }
    Ok(CodexOutcome::Written)
}

/// Says what the user has to do: hooks have to be trusted, and Codex keeps commands from writing outside
/// of the project.
pub(crate) fn describe_next(layout: &Layout) -> String {
    format!(
        "start codex and choose \"Trust all and continue\", or trust them in /hooks; until then it runs \
         none of them, and codex exec does not say so\n\
         let commands in its sandbox write the database, in {}: [sandbox_workspace_write] \
         writable_roots = [{:?}]",
        layout.shorten(&layout.codex.join("config.toml")),
        layout.data.display().to_string(),
    )
}

/// Returns the file with the hooks.
pub(crate) fn registered_file(layout: &Layout, manifest: &Manifest) -> PathBuf {
    manifest.codex.as_ref().map_or_else(|| layout.codex_hooks(), |record| record.path.clone())
}

/// Lists the commands that are trueup's in the file: those of this installation and of the recorded one.
fn list_own_commands(layout: &Layout, manifest: &Manifest) -> Vec<String> {
    let mut own = hooks_file::list_commands(&layout.stage.join("bin"));
    own.extend(manifest.codex.iter().flat_map(|record| record.commands.iter().cloned()));
    own
}

/// Returns whether a file is as the recorded registration has left it.
fn is_as_left(record: &CodexRecord, file: Option<&HooksFile>) -> bool {
    file.is_some_and(|file| sha256_hex(&file.bytes) == record.after)
}

fn read_hooks_file(path: &Path) -> Result<Option<HooksFile>> {
    match files::read_file(path) {
        Ok(bytes) => {
            let mode = fs::metadata(path).with_action("read", path)?.permissions().mode() & 0o7777;
            Ok(Some(HooksFile { mode, bytes }))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_action("read", path),
    }
}

/// Parses the file; a missing or an empty one has no hooks.
fn parse_hooks(path: &Path, file: Option<&HooksFile>) -> Result<Value> {
    let bytes = file.map_or(&[][..], |file| file.bytes.trim_ascii());
    if bytes.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(bytes).map_err(|error| refuse(path, &format!("is not JSON: {error}")))
}

fn render(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

fn refuse(path: &Path, why: &str) -> Error {
    Error::Refused {
        path: path.to_owned(),
        why: format!("{why}; kept as it is"),
        hint: "correct it, then run trueup install --codex again".to_owned(),
    }
}
