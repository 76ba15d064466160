//! Files of the client, Claude Code: where they are, and reading them.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::Value;
use trueup_core::fs::read_bytes;

use crate::command_context::CommandContext;

/// Largest client file read, in bytes.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Finds the configuration directory of the client.
pub(crate) fn find_config_dir(context: &CommandContext) -> Option<PathBuf> {
    context
        .environment
        .path("CLAUDE_CONFIG_DIR")
        .or_else(|| context.environment.path("HOME").map(|home: PathBuf| home.join(".claude")))
}

/// Reads a JSON object of the client; absent when the file is missing or invalid.
pub(super) fn read_client_json(path: &Path) -> Option<Value> {
    try_read_client_json(path).ok().flatten()
}

/// Reads a JSON object of the client; absent when the file is missing, an error when it is invalid.
pub(super) fn try_read_client_json(path: &Path) -> Result<Option<Value>, String> {
    let bytes = match read_bytes(path, MAX_FILE_BYTES, true) {
        Ok(bytes) => bytes,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error.to_string()),
    };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    // An empty file counts as missing.
    if bytes.trim_ascii().is_empty() {
        return Ok(None);
    }
    let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let is_object = value.is_object();
    is_object.then_some(Some(value)).ok_or_else(|| "not a JSON object".to_owned())
}
