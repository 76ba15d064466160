//! Findings of a check: their lines and the exit code.

use trueup_core::diagnostic::{Divergence, Severity};

use crate::command_error::REFUSED;

/// Renders findings, each with its fix.
pub(super) fn render_divergences(divergences: &[Divergence]) -> Vec<String> {
    let line = |d: &Divergence| {
        let finding = format!("{} {}", d.code.as_str(), d.message);
        [finding, format!("     -> {}", d.advice)]
    };
    divergences.iter().flat_map(line).collect()
}

/// Returns the exit code of findings. With `strict` warnings count as well.
pub(super) fn exit_code_for(divergences: &[Divergence], strict: bool) -> u8 {
    let min_severity = if strict { Severity::Warning } else { Severity::Error };
    if divergences.iter().any(|d| d.severity >= min_severity) { REFUSED } else { 0 }
}
