//! Annotations of GitHub Actions: one workflow command per line.

use trueup_core::consistency::CheckFinding;
use trueup_core::diagnostic::Severity;

pub(super) fn render_annotations<'f>(
    findings: impl Iterator<Item = &'f CheckFinding>,
) -> Vec<String> {
    findings.map(render_annotation).collect()
}

fn render_annotation(finding: &CheckFinding) -> String {
    let divergence = &finding.divergence;
    let level = match divergence.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let title = format!("{} {}", divergence.code.as_str(), divergence.code.title());
    let file = finding.path.as_ref().map(|path| ("file", path.clone()));
    let line = finding.place.map(|place| ("line", place.line.to_string()));
    let column = finding.place.map(|place| ("col", place.column.to_string()));
    let properties_in_order = file.into_iter().chain(line).chain(column);
    let properties: Vec<String> = properties_in_order
        .chain([("title", title)])
        .map(|(name, value)| format!("{name}={}", escape_property(&value)))
        .collect();
    let message = escape_message(&format!("{}\n-> {}", divergence.message, divergence.advice));
    format!("::{level} {}::{message}", properties.join(","))
}

/// Escapes a message, in which a line break would end the workflow command.
fn escape_message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a property.
fn escape_property(text: &str) -> String {
    escape_message(text).replace(':', "%3A").replace(',', "%2C")
}
