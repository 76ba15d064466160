//! The lines of divergences, and the values in them.

use super::Reconciliation;
use super::advice::Way;
use super::divergence::{Code, Divergence};
use super::snapshot::{DatabaseReading, Snapshot};
use crate::authority::Authority;
use crate::model::{Field, Value, WorkState};
use crate::text::one_line;

/// Longest excerpt of a value in a line, in characters.
pub(super) const EXCERPT: usize = 120;

pub(super) fn push(
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

pub(super) fn mismatch_line(
    database: &DatabaseReading,
    field: Field,
    expected: &WorkState,
    found: &Value,
    snapshot: &Snapshot,
    out: &mut Reconciliation,
) {
    let right = expected.get(field);
    let (file, db) = (plain(found), plain(&right));
    let (code, message) = match field {
        Field::Item if database.claim.is_some() => (
            Code::S01,
            format!("⚠️ SD mismatch: file={file}, db_claim={db}"),
        ),
        Field::Item => (
            Code::S02,
            format!("⚠️ SD mismatch: file={file}, db_state={db}"),
        ),
        Field::Phase => (
            Code::S03,
            format!("⚠️ Phase mismatch: file={file}, db={db}"),
        ),
        Field::Task => (
            Code::S04,
            format!(
                "⚠️ Task mismatch: file={}, db={}",
                show(found),
                show(&right)
            ),
        ),
        flag => (
            Code::S06,
            format!("⚠️ Flag mismatch: {}: file={file}, db={db}", flag.key()),
        ),
    };
    push(
        out,
        snapshot,
        code,
        message,
        (Some(db), Some(file), Way::TrueUpSession),
    );
}

/// Shows a value bare, as the seed's lines do.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Flag(flag) => flag.to_string(),
        Value::Text(None) => "none".to_owned(),
        Value::Text(Some(text)) => one_line(text, EXCERPT),
    }
}

/// Shows a text in quotes, so that a task of several words reads as one.
pub(super) fn show(value: &Value) -> String {
    match value {
        Value::Text(Some(text)) => format!("\"{}\"", one_line(text, EXCERPT)),
        other => plain(other),
    }
}
