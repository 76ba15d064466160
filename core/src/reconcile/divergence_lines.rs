//! The lines of divergences, and the values in them.

use super::Reconciliation;
use super::advice::Way;
use super::divergence::{Code, Divergence};
use super::snapshot::{DatabaseReading, Snapshot};
use crate::authority::Authority;
use crate::model::{FieldValue, StateField, WorkState};
use crate::text::one_line;

/// Longest excerpt of a value in a line, in characters.
pub(super) const MAX_EXCERPT_CHARS: usize = 120;

pub(super) fn push_divergence(
    out: &mut Reconciliation,
    snapshot: &Snapshot,
    code: Code,
    message: String,
    detail: (Option<String>, Option<String>, Way),
) {
    let (expected, found, way) = detail;
    out.divergences.push(Divergence {
        code,
        severity: code.severity(),
        subject: snapshot.session.to_string(),
        authority: if code == Code::S05 {
            Authority::Git.as_str()
        } else {
            Authority::Database.as_str()
        },
        expected,
        found,
        message,
        fix: way.into(),
    });
}

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
        StateField::Item if database.claim.is_some() => (
            Code::S01,
            format!("⚠️ SD mismatch: file={file}, db_claim={db}"),
        ),
        StateField::Item => (
            Code::S02,
            format!("⚠️ SD mismatch: file={file}, db_state={db}"),
        ),
        StateField::Phase => (
            Code::S03,
            format!("⚠️ Phase mismatch: file={file}, db={db}"),
        ),
        StateField::Task => (
            Code::S04,
            format!(
                "⚠️ Task mismatch: file={}, db={}",
                render_quoted(found),
                render_quoted(&expected_value)
            ),
        ),
        flag => (
            Code::S06,
            format!("⚠️ Flag mismatch: {}: file={file}, db={db}", flag.key()),
        ),
    };
    push_divergence(
        out,
        snapshot,
        code,
        message,
        (Some(db), Some(file), Way::TrueUpSession),
    );
}

/// Shows a value bare, as the seed's lines do.
pub(super) fn render_plain(value: &FieldValue) -> String {
    match value {
        FieldValue::Flag(flag) => flag.to_string(),
        FieldValue::Text(None) => "none".to_owned(),
        FieldValue::Text(Some(text)) => one_line(text, MAX_EXCERPT_CHARS),
    }
}

/// Shows a text in quotes, so that a task of several words reads as one.
pub(super) fn render_quoted(value: &FieldValue) -> String {
    match value {
        FieldValue::Text(Some(text)) => format!("\"{}\"", one_line(text, MAX_EXCERPT_CHARS)),
        other => render_plain(other),
    }
}
