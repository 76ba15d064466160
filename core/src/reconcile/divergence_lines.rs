//! Divergences of a session, and how their lines show values.

use super::Reconciliation;
use super::snapshot::{DatabaseReading, Snapshot};
use crate::diagnostic::{Code, Divergence, Way};
use crate::model::{FieldValue, StateField, WorkState};
use crate::text::one_line;

/// Longest value shown in a line, in characters.
pub(super) const MAX_EXCERPT_CHARS: usize = 120;

/// Adds a divergence of the session; `detail` is what the database says, what the other copy
/// says, and what ends it.
pub(super) fn push_divergence(
    out: &mut Reconciliation,
    snapshot: &Snapshot,
    code: Code,
    message: String,
    detail: (Option<String>, Option<String>, Way),
) {
    let (expected, found, way) = detail;
    let divergence = Divergence::new(code, snapshot.session.to_string(), message, way)
        .with_values(expected, found);
    out.divergences.push(divergence);
}

/// Reports that the cache has another value than the database for a field.
pub(super) fn report_mismatch(
    database: &DatabaseReading,
    field: StateField,
    expected: &WorkState,
    found: &FieldValue,
    snapshot: &Snapshot,
    out: &mut Reconciliation,
) {
    let expected_value = expected.get(field);
    let (file, db) = (render_plain(found), render_plain(&expected_value));
    let (code, message) = match field {
        StateField::Item if database.claim.is_some() => {
            (Code::ItemDiffersFromClaim, format!("⚠️ SD mismatch: file={file}, db_claim={db}"))
        }
        StateField::Item => {
            (Code::ItemDiffersFromState, format!("⚠️ SD mismatch: file={file}, db_state={db}"))
        }
        StateField::Phase => {
            (Code::PhaseDiffers, format!("⚠️ Phase mismatch: file={file}, db={db}"))
        }
        StateField::Task => (
            Code::TaskDiffers,
            format!(
                "⚠️ Task mismatch: file={}, db={}",
                render_quoted(found),
                render_quoted(&expected_value)
            ),
        ),
        flag => {
            (Code::FlagDiffers, format!("⚠️ Flag mismatch: {}: file={file}, db={db}", flag.key()))
        }
    };
    push_divergence(out, snapshot, code, message, (Some(db), Some(file), Way::TrueUpSession));
}

/// Renders a value without quotes.
pub(super) fn render_plain(value: &FieldValue) -> String {
    match value {
        FieldValue::Flag(flag) => flag.to_string(),
        FieldValue::Text(None) => "none".to_owned(),
        FieldValue::Text(Some(text)) => one_line(text, MAX_EXCERPT_CHARS),
    }
}

/// Renders a text in quotes, so that a task of several words reads as one value.
pub(super) fn render_quoted(value: &FieldValue) -> String {
    match value {
        FieldValue::Text(Some(text)) => format!("\"{}\"", one_line(text, MAX_EXCERPT_CHARS)),
        other => render_plain(other),
    }
}
