//! The tracker's file that an export replaces: nothing in it may be lost.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize as _;
use serde_json::ser::PrettyFormatter;
use serde_json::{Map, Serializer, Value};
use trueup_core::plan::trackers::{
    ExportedItems, SourceFile, TrackerChange, TrackerFile, TrackerFormat, find_tracker_changes,
    read_tracker,
};
use trueup_core::text::path_to_text;

use crate::command_error::{CommandError, CommandResult, ImportCase};
use crate::commands::item::import_source::without_bom;

/// Most changes that a refusal lists.
const MAX_CHANGES: usize = 40;

/// A line of a file with its end, and what it says.
pub(super) struct KnownLine<'a> {
    pub(super) line: &'a [u8],
    pub(super) fields: &'a Map<String, Value>,
}

/// A file that was read before it is replaced.
pub(super) struct ReplacedFile<'a> {
    /// The path as the user gave it.
    pub(super) name: &'a Path,
    /// The name by which items know it.
    pub(super) place: String,
    pub(super) bytes: Vec<u8>,
}

impl ReplacedFile<'_> {
    /// Returns the mark before the text, if it has one.
    pub(super) fn byte_order_mark(&self) -> &[u8] {
        let mark = self.bytes.len() - without_bom(&self.bytes).len();
        self.bytes.get(..mark).unwrap_or_default()
    }

    /// Returns what ends the first line.
    pub(super) fn line_end(&self) -> &'static [u8] {
        let first = self.bytes.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        if first.ends_with(b"\r\n") { b"\r\n" } else { b"\n" }
    }

    /// Returns the members of a file that is an object.
    pub(super) fn parse_object(&self) -> Map<String, Value> {
        serde_json::from_slice(without_bom(&self.bytes)).unwrap_or_default()
    }

    /// Lists the lines that are one record each, by its id.
    pub(super) fn list_lines<'a>(
        &'a self,
        file: &'a TrackerFile,
    ) -> BTreeMap<&'a str, KnownLine<'a>> {
        let text = without_bom(&self.bytes);
        // In an array a line may have several records.
        let is_list = text.trim_ascii_start().starts_with(b"[");
        let lines = text.split_inclusive(|byte| *byte == b'\n');
        let lines: Vec<&[u8]> = lines.filter(|_| !is_list).collect();
        let known = file.records.iter().filter_map(|record| {
            let line = lines.get(record.line.checked_sub(1)?)?;
            Some((record.id.as_str(), KnownLine { line, fields: record.fields_of_file() }))
        });
        known.collect()
    }

    /// Writes a value as the file is laid out: with its indentation, and with an end of the last
    /// line if it has one.
    pub(super) fn render_like(&self, value: &Value) -> serde_json::Result<Vec<u8>> {
        let text = without_bom(&self.bytes).trim_ascii_start();
        let ends_line = text.ends_with(b"\n");
        let mut lines = text.trim_ascii_end().split(|byte| *byte == b'\n').skip(1);
        let mut bytes = match lines.next() {
            None => serde_json::to_vec(value)?,
            Some(second) => {
                let indent = second.len() - second.trim_ascii_start().len();
                let indent = second.get(..indent).unwrap_or_default();
                let mut bytes = Vec::new();
                let pretty = PrettyFormatter::with_indent(indent);
                value.serialize(&mut Serializer::with_formatter(&mut bytes, pretty))?;
                bytes
            }
        };
        bytes.extend(ends_line.then_some(b'\n'));
        if self.line_end() == b"\r\n" {
            let lines = bytes.split(|byte| *byte == b'\n');
            bytes = lines.collect::<Vec<_>>().join(&b"\r\n"[..]);
        }
        Ok([self.byte_order_mark(), &bytes].concat())
    }

    /// Parses the file, and refuses to replace it where it has what was not imported.
    pub(super) fn check(
        &self,
        format: TrackerFormat,
        items: &mut ExportedItems,
    ) -> CommandResult<TrackerFile> {
        let path = path_to_text(self.name);
        let sources = [SourceFile { path: &path, bytes: &self.bytes }];
        let file = read_tracker(format, &sources)
            .map_err(|error| CommandError::new(ImportCase::ExportInTheWay, error.to_string()))?;
        refuse_changes((self.name, &self.place), &|_| path.clone(), &file, items)?;
        Ok(file)
    }
}

/// Refuses where the files have what was not imported.
pub(super) fn refuse_changes(
    (name, place): (&Path, &str),
    path_of: &dyn Fn(usize) -> String,
    file: &TrackerFile,
    items: &mut ExportedItems,
) -> CommandResult<()> {
    let changes = find_tracker_changes(file, items, place);
    let Some(first) = changes.first() else {
        return Ok(());
    };
    let describe = |change: &TrackerChange| {
        let skipped = if change.is_skipped { "an import skips it: " } else { "" };
        format!("{}:{}: {skipped}{}", path_of(change.file), change.line, change.problem)
    };
    let file = path_to_text(name);
    // What an import skips stays in the way after it.
    let case = if changes.iter().all(|change| change.is_skipped) {
        ImportCase::ExportOverSkipped
    } else {
        ImportCase::ExportOverChanges { file: (&file).into() }
    };
    let more = match changes.len() - 1 {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    let message = format!(
        "{file} changed since the import, and the export would destroy that: {}{more}",
        describe(first)
    );
    let rest = changes.iter().skip(1).take(MAX_CHANGES).map(describe);
    Err(CommandError::new(case, message).with_details(rest.collect()))
}
