//! SARIF 2.1.0. The rule of a result is its code; its location is the place in the file.

use serde_json::{Value, json};
use trueup_core::consistency::CheckFinding;
use trueup_core::diagnostic::{Code, Divergence, Severity};

/// Location of findings without a file, because code scanning requires a location.
const FALLBACK_LOCATION: &str = "workplans";

pub(super) fn render_sarif<'f>(findings: impl Iterator<Item = &'f CheckFinding>) -> Vec<String> {
    let document = format!("{:#}", build_sarif_document(&findings.collect::<Vec<_>>()));
    document.lines().map(str::to_owned).collect()
}

fn build_sarif_document(findings: &[&CheckFinding]) -> Value {
    let mut codes: Vec<Code> = findings.iter().map(|f| f.divergence.code).collect();
    codes.sort();
    codes.dedup();
    let rules: Vec<Value> = codes.iter().map(|code| sarif_rule(*code)).collect();
    let results: Vec<Value> = findings.iter().map(|f| sarif_result(f, &codes)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "trueup",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

const fn sarif_level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn sarif_rule(code: Code) -> Value {
    json!({
        "id": code.as_str(),
        "name": code.as_str(),
        "shortDescription": {"text": code.title()},
        "defaultConfiguration": {"level": sarif_level(code.severity())},
    })
}

fn sarif_result(finding: &CheckFinding, codes: &[Code]) -> Value {
    let divergence = &finding.divergence;
    let mut location = json!({
        "artifactLocation": {"uri": path_to_uri(finding.path.as_deref().unwrap_or(FALLBACK_LOCATION))},
    });
    if let (Some(at), Some(place)) = (finding.place, location.as_object_mut()) {
        let region = json!({"startLine": at.line, "startColumn": at.column});
        place.insert("region".to_owned(), region);
    }
    json!({
        "ruleId": divergence.code.as_str(),
        "ruleIndex": codes.binary_search(&divergence.code).ok(),
        "level": sarif_level(divergence.severity),
        "message": {"text": format!("{}\n-> {}", divergence.message, divergence.advice)},
        "locations": [{"physicalLocation": location}],
        // Identifies the finding in later runs, even when its line has moved.
        "partialFingerprints": {
            "trueup/v1": build_fingerprint(finding),
        },
    })
}

/// Builds text that distinguishes findings; one item may have several of one code.
fn build_fingerprint(finding: &CheckFinding) -> String {
    let Divergence { code, subject, message, .. } = &finding.divergence;
    let place = match (&finding.path, finding.place) {
        (Some(path), Some(at)) => format!("{path}:{}:{}: ", at.line, at.column),
        (Some(path), None) => format!("{path}: "),
        (None, _) => String::new(),
    };
    let text = message.strip_prefix(&place).unwrap_or(message);
    let path = finding.path.as_deref().unwrap_or_default();
    format!("{} {subject} {path} {text}", code.as_str())
}

/// Renders a path as a URI reference, with reserved characters escaped.
fn path_to_uri(path: &str) -> String {
    let is_unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    let escape_byte = |b: u8| {
        if is_unreserved(b) { char::from(b).to_string() } else { format!("%{b:02X}") }
    };
    let escaped: String = path.bytes().map(escape_byte).collect();
    // Absolute when several repositories were checked.
    if path.starts_with('/') {
        return format!("file://{escaped}");
    }
    escaped
}
