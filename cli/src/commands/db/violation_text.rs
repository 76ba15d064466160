//! Rows that break a rule, as text.

use trueup_core::store::Violation;

/// Describes how many rows break a rule.
pub(crate) fn summarize_violations(violations: &[Violation]) -> String {
    match violations.len() {
        0 => "rows are valid".to_owned(),
        count => format!("{count} rows are invalid"),
    }
}

/// Renders a row that breaks a rule.
pub(crate) fn render_violation(violation: &Violation) -> String {
    let Violation { table, row, field, problem } = violation;
    format!("{table} {row}: {field} {problem}")
}
