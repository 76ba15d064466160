//! Findings of a check: their lines and the exit code.

use trueup_core::diagnostic::{Divergence, Severity};

use trueup_core::text::pluralize;

use crate::command_error::REFUSED;

/// Renders findings, each with its fix.
pub(super) fn render_divergences(divergences: &[Divergence]) -> Vec<String> {
    let line = |d: &Divergence| {
        let finding = format!("{} {}", d.code.as_str(), d.message);
        [finding, format!("     fix: {}", d.advice)]
    };
    divergences.iter().flat_map(line).collect()
}

/// Renders how many findings there are, by severity.
pub(super) fn count_findings(divergences: &[Divergence]) -> String {
    let count = |severity: Severity| divergences.iter().filter(|d| d.severity == severity).count();
    let errors = pluralize(count(Severity::Error), "error", "errors");
    let warnings = pluralize(count(Severity::Warning), "warning", "warnings");
    format!("{errors}, {warnings}")
}

/// Returns the exit code of findings. With `strict` warnings count as well.
pub(super) fn exit_code_for(divergences: &[Divergence], strict: bool) -> u8 {
    let min_severity = if strict { Severity::Warning } else { Severity::Error };
    if divergences.iter().any(|d| d.severity >= min_severity) { REFUSED } else { 0 }
}
