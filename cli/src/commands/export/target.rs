//! The file that an export is written to.

use std::io::{self, ErrorKind};
use std::path::Path;

use serde_json::{Map, Value};
use trueup_core::fs::{NewFile, read_bytes};

use super::format::ExportFormat;
use crate::command_error::{CommandError, CommandResult, ImportCase};
use crate::commands::item::import_source::without_bom;

/// How much of a file is looked at, to see what it is, in bytes.
const MAX_LOOK_BYTES: u64 = 512 * 1024 * 1024;

/// How many lines are looked at.
const MAX_LOOK_LINES: usize = 1_000;

/// Reads the file that an export is to replace, if there is one. Only a file of the same format is
/// replaced: an export never overwrites something else.
pub(super) fn read_replaced(path: &Path, format: ExportFormat) -> CommandResult<Option<Vec<u8>>> {
    match read_bytes(path, MAX_LOOK_BYTES, true) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unwritable_error(path, &error)),
        Ok(bytes) if without_bom(&bytes).trim_ascii().is_empty() => Ok(None),
        Ok(bytes) if is_of_format(&bytes, format) => Ok(Some(bytes)),
        Ok(_) => {
            let message = format!("{} exists and is no {} file", path.display(), format.as_str());
            Err(CommandError::new(ImportCase::ExportInTheWay, message))
        }
    }
}

/// Creates the file that takes the place of `path` once it is complete.
pub(super) fn create_draft(path: &Path) -> CommandResult<NewFile> {
    NewFile::replacing(path).map_err(|error| unwritable_error(path, &error))
}

pub(super) fn unwritable_error(path: &Path, error: &io::Error) -> CommandError {
    let message = format!("the export cannot be written: {}: {error}", path.display());
    CommandError::new(ImportCase::ExportUnwritable, message)
}

/// Tells whether a file has a record of the format; broken lines before it do not count.
fn is_of_format(bytes: &[u8], format: ExportFormat) -> bool {
    let text = without_bom(bytes).trim_ascii();
    let has = |fields: &Map<String, Value>, key: &str| fields.contains_key(key);
    let mut lines = text
        .split(|byte| *byte == b'\n')
        .take(MAX_LOOK_LINES)
        .filter_map(|line| serde_json::from_slice::<Map<String, Value>>(line).ok());
    match format {
        ExportFormat::TaskMaster => {
            let file = serde_json::from_slice::<Map<String, Value>>(text).unwrap_or_default();
            has(&file, "tasks") || file.values().any(|tag| tag.get("tasks").is_some())
        }
        ExportFormat::Beads => {
            lines.next().is_some_and(|first| has(&first, "id") && !has(&first, "type"))
        }
        ExportFormat::JsonLines | ExportFormat::Backlog => {
            let first = lines.next().unwrap_or_default();
            first.get("type").and_then(Value::as_str) == Some("export")
        }
    }
}
