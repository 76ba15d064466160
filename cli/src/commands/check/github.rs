//! Annotations of GitHub Actions: a workflow command a line.

use trueup_core::consistency::Finding;
use trueup_core::reconcile::Severity;

use super::codes;

pub(super) fn lines<'f>(findings: impl Iterator<Item = &'f Finding>) -> Vec<String> {
    findings.map(line).collect()
}

fn line(finding: &Finding) -> String {
    let divergence = &finding.divergence;
    let level = match divergence.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let title = format!(
        "{} {}",
        divergence.code.as_str(),
        codes::about(divergence.code)
    );
    let file = finding.path.as_ref().map(|path| ("file", path.clone()));
    let line = finding.place.map(|place| ("line", place.line.to_string()));
    let column = finding.place.map(|place| ("col", place.column.to_string()));
    let all = file.into_iter().chain(line).chain(column);
    let properties: Vec<String> = all
        .chain([("title", title)])
        .map(|(name, value)| format!("{name}={}", property(&value)))
        .collect();
    let message = data(&format!("{}\n-> {}", divergence.message, divergence.fix));
    format!("::{level} {}::{message}", properties.join(","))
}

/// Escapes a message: a line break would end the command.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes a value among others.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
