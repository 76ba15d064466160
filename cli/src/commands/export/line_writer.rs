//! Lines of an export, one object each.

use std::io::Write;

use serde::Serialize;

use super::counts::ExportCounts;
use super::export_error::ExportResult;

/// The type of the first line.
pub(super) const HEADER: &str = "export";

/// A line: an object with its type before its own fields.
#[derive(Serialize)]
struct Line<T: Serialize> {
    r#type: &'static str,
    #[serde(flatten)]
    fields: T,
}

/// Writes lines and counts them.
pub(super) struct LineWriter<'a> {
    out: &'a mut dyn Write,
    pub(super) counts: ExportCounts,
}

impl<'a> LineWriter<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, counts: ExportCounts::default() }
    }

    pub(super) fn write_line(
        &mut self,
        kind: &'static str,
        fields: impl Serialize,
    ) -> ExportResult<()> {
        serde_json::to_writer(&mut *self.out, &Line { r#type: kind, fields })?;
        self.out.write_all(b"\n")?;
        if kind != HEADER {
            self.counts.add(kind, 1);
        }
        Ok(())
    }
}
