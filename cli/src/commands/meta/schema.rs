//! The findings on values that the schema of metadata does not allow.

use trueup_core::diagnostic::Divergence;
use trueup_core::metadata::{JsonDocument, find_invalid_fields, schema_violation_finding};
use trueup_core::model::AdwId;

/// Finds violations of the schema. Fields of the database and the id have findings of their own.
pub(super) fn find_violations(id: &AdwId, path: &str, document: &JsonDocument) -> Vec<Divergence> {
    let invalid = find_invalid_fields(document).into_iter();
    invalid.map(|field| schema_violation_finding(id, path, &field.path, &field.problem)).collect()
}
