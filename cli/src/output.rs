//! The output of a command: text for a person, and the data of the JSON object.

use std::io;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use trueup_core::diagnostic::Divergence;

use crate::page::{Page, Table};

/// The result of a command that succeeded or has findings.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// Lines and tables for a person.
    pub(crate) text: Page,
    /// Whether the lines are workflow commands of GitHub Actions. All other output is kept from
    /// being taken for one.
    pub(crate) has_runner_commands: bool,
    /// Content of a file to print unchanged in place of the text. On a terminal it is cleaned.
    pub(crate) verbatim: Option<String>,
    /// The `data` of the JSON object.
    pub(crate) data: Value,
    /// `data` that is serialized already, where a tree of values would be large.
    pub(crate) raw_data: Option<Box<RawValue>>,
    /// Findings.
    pub(crate) divergences: Vec<Divergence>,
    /// Problems that did not stop the command.
    pub(crate) warnings: Vec<String>,
    /// Exit code.
    pub(crate) exit_code: u8,
    /// Signal by which to end this process after printing, as the supervised command did.
    pub(crate) signal: Option<i32>,
}

impl Output {
    /// Makes an output of plain lines and `data`.
    pub(crate) fn new(text: Vec<String>, data: Value) -> Self {
        Self::page(text, data)
    }

    /// Makes an output of lines with tones, or of a table, and `data`.
    pub(crate) fn page(text: impl Into<Page>, data: Value) -> Self {
        Self { text: text.into(), data, ..Self::default() }
    }

    /// Makes an output of a table, or of the one line `if_empty` where it has no rows.
    pub(crate) fn table<const N: usize>(table: Table<N>, if_empty: &str, data: Value) -> Self {
        if table.is_empty() { Self::page(vec![if_empty], data) } else { Self::page(table, data) }
    }

    /// Makes an output for `--json` only, without building a tree of values.
    pub(crate) fn from_serializable(data: &impl Serialize) -> io::Result<Self> {
        Ok(Self { raw_data: Some(to_raw_value(data)?), ..Self::default() })
    }

    /// Sets the warnings.
    pub(crate) fn with_warnings(mut self, warnings: impl IntoIterator<Item = String>) -> Self {
        self.warnings = warnings.into_iter().collect();
        self
    }
}
