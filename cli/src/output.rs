//! The output of a command: text for a person, and the data of the JSON object.

use std::io;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use trueup_core::diagnostic::Divergence;

/// The style of a line on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineStyle {
    Head,
    Good,
    Warning,
    Error,
    Faint,
}

/// The result of a command that succeeded or has findings.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// Lines for a person. A line break inside of one comes from foreign text and is printed
    /// escaped.
    pub(crate) text: Vec<String>,
    /// Whether the lines are workflow commands of GitHub Actions. All other output is kept from
    /// being taken for one.
    pub(crate) has_runner_commands: bool,
    /// Names of the columns, printed only on a terminal: a script reads rows.
    pub(crate) header: Option<String>,
    /// Content of a file to print unchanged in place of the text. On a terminal it is cleaned.
    pub(crate) verbatim: Option<String>,
    /// Styles of lines, by their index in ascending order.
    pub(crate) styles: Vec<(usize, LineStyle)>,
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
    /// Makes an output of lines and `data`.
    pub(crate) fn new(text: Vec<String>, data: Value) -> Self {
        Self { text, data, ..Self::default() }
    }

    /// Makes an output of rows under a header, or of the one line `if_empty` where there are none.
    pub(crate) fn table(
        header: &str,
        rows: impl IntoIterator<Item = String>,
        if_empty: &str,
        data: Value,
    ) -> Self {
        let rows: Vec<String> = rows.into_iter().collect();
        if rows.is_empty() {
            return Self::new(vec![if_empty.to_owned()], data);
        }
        Self { header: Some(header.trim_end().to_owned()), ..Self::new(rows, data) }
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
