//! Divergences of a session, and how their lines show values.

use super::Reconciliation;
use super::snapshot::{DatabaseReading, Snapshot};
use crate::diagnostic::{AdviceKind, Code, Divergence};
use crate::model::{FieldValue, StateField, WorkState};
use crate::text::one_line;

/// Longest value shown in a line, in characters.
pub(super) const MAX_EXCERPT_CHARS: usize = 120;

/// The values of a divergence, and what ends it.
pub(super) struct DivergenceDetail {
    /// What the database says.
    pub(super) expected: Option<String>,
    /// What the other copy says.
    pub(super) found: Option<String>,
    /// What ends it.
    pub(super) advice: AdviceKind,
}

impl From<AdviceKind> for DivergenceDetail {
    fn from(advice: AdviceKind) -> Self {
        Self { expected: None, found: None, advice }
    }
}

/// Adds a divergence of the session.
pub(super) fn push_divergence(
    out: &mut Reconciliation,
    snapshot: &Snapshot,
    code: Code,
    message: String,
    detail: impl Into<DivergenceDetail>,
) {
    let DivergenceDetail { expected, found, advice } = detail.into();
    let divergence = Divergence::new(code, snapshot.session.to_string(), message, advice)
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
    let advice = AdviceKind::TrueUpSession;
    let detail = DivergenceDetail { expected: Some(db), found: Some(file), advice };
    push_divergence(out, snapshot, code, message, detail);
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
