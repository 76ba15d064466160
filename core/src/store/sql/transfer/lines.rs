//! The lines of an export.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::row_value::RowValue;
use super::tables::{TRANSFER_TABLES, TransferTable};
use crate::model::{Lineage, Timestamp};
use crate::store::StoreError;
use crate::store::sql::Kind;
use crate::text::{to_hex, write_plain_json};

/// The version of the format.
pub(super) const FORMAT: u32 = 1;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) trueup_export: u32,
    pub(super) lineage: Lineage,
    pub(super) schema: i64,
    pub(super) exported_at: Timestamp,
    /// How many rows each table has.
    pub(super) rows: BTreeMap<String, u64>,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Footer {
    /// The digest of the lines of each table, in hexadecimal digits of SHA-256.
    pub(super) digests: BTreeMap<String, String>,
}

impl Header {
    /// How many rows all tables have.
    pub(super) fn total(&self) -> u64 {
        self.rows.values().sum()
    }

    /// How many rows a table has.
    pub(super) fn rows_of(&self, table: &TransferTable) -> u64 {
        self.rows.get(table.name()).copied().unwrap_or_default()
    }
}

/// What an export holds of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSummary {
    /// The name of the table.
    pub table: &'static str,
    /// How many rows it has.
    pub rows: u64,
    /// The digest of their lines, in hexadecimal digits of SHA-256.
    pub digest: String,
}

/// What an export holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportSummary {
    /// The lineage of the database.
    pub lineage: Lineage,
    /// Its schema.
    pub schema: i64,
    /// Its tables.
    pub tables: Vec<TableSummary>,
}

impl ExportSummary {
    /// How many rows all tables have.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}

/// Sums up the lines of one table.
pub(super) struct TableDigest {
    hasher: Sha256,
    rows: u64,
}

impl TableDigest {
    pub(super) fn new() -> Self {
        Self { hasher: Sha256::new(), rows: 0 }
    }

    /// Adds a line without its line end.
    pub(super) fn add_line(&mut self, line: &[u8]) {
        self.hasher.update(line);
        self.hasher.update(b"\n");
        self.rows += 1;
    }

    pub(super) fn finish(self, table: &'static TransferTable) -> TableSummary {
        let digest = to_hex(&self.hasher.finalize());
        TableSummary { table: table.name(), rows: self.rows, digest }
    }
}

/// Appends the line of a row, without a line end. An absent value is left out.
pub(super) fn push_row_line(table: &TransferTable, row: &[RowValue], line: &mut Vec<u8>) {
    line.extend_from_slice(b"{\"table\":\"");
    line.extend_from_slice(table.name().as_bytes());
    line.push(b'"');
    for (column, value) in table.columns().iter().zip(row) {
        if *value == RowValue::Null {
            continue;
        }
        line.extend_from_slice(b",\"");
        line.extend_from_slice(column.name.as_bytes());
        line.extend_from_slice(b"\":");
        match value {
            RowValue::Text(text) => push_text(text, column.kind, line),
            RowValue::Integer(number) => line.extend_from_slice(number.to_string().as_bytes()),
            RowValue::Null => {}
        }
    }
    line.push(b'}');
}

/// Appends a text, or JSON. Characters that act on a terminal are escaped.
fn push_text(text: &str, kind: Kind, line: &mut Vec<u8>) {
    // Writing into memory cannot fail.
    let _ = match serde_json::from_str::<&RawValue>(text) {
        Ok(json) if kind == Kind::Json => write_plain_json(line, &json),
        _ => write_plain_json(line, &text),
    };
}

/// Parses the line of a row. An error names no line; the caller knows its number.
pub(super) fn parse_row_line(table: &TransferTable, line: &[u8]) -> Result<Vec<RowValue>, String> {
    let mut members: BTreeMap<&str, &RawValue> =
        serde_json::from_slice(line).map_err(|error| format!("no row of an export: {error}"))?;
    let named = members.remove("table").map(RawValue::get);
    if named.and_then(|name| name.strip_prefix('"')?.strip_suffix('"')) != Some(table.name()) {
        return Err(format!("a row of {} is missing", table.name()));
    }
    let mut row = Vec::with_capacity(table.columns().len());
    for column in table.columns() {
        row.push(match members.remove(column.name) {
            None => RowValue::Null,
            Some(raw) => parse_value(raw, column.kind)
                .map_err(|problem| format!("{}.{}: {problem}", table.name(), column.name))?,
        });
    }
    match members.keys().next() {
        None => Ok(row),
        Some(unknown) => Err(format!("{} has no column {unknown}", table.name())),
    }
}

fn parse_value(raw: &RawValue, kind: Kind) -> Result<RowValue, String> {
    let value = match kind {
        Kind::Json | Kind::Integer => RowValue::from_text(raw.get(), kind),
        Kind::Text => serde_json::from_str(raw.get())
            .map(RowValue::Text)
            .map_err(|error| StoreError::unreadable(&error)),
    };
    value.map_err(|error| error.to_string())
}

/// Whether the names are those of the tables of this program.
pub(super) fn names_every_table<V>(members: &BTreeMap<String, V>) -> bool {
    members.len() == TRANSFER_TABLES.len()
        && TRANSFER_TABLES.iter().all(|table| members.contains_key(table.name()))
}
