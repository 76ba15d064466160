//! SARIF 2.1.0: the rule is the code, the place is that in the file.

use serde_json::{Value, json};
use trueup_core::consistency::Finding;
use trueup_core::reconcile::{Code, Divergence, Severity};

use super::codes;

/// Where a finding is shown that belongs to no file: code scanning demands a place.
const FOLDER: &str = "workplans";

pub(super) fn lines<'f>(findings: impl Iterator<Item = &'f Finding>) -> Vec<String> {
    let document = format!("{:#}", document(&findings.collect::<Vec<_>>()));
    document.lines().map(str::to_owned).collect()
}

fn document(findings: &[&Finding]) -> Value {
    let mut codes: Vec<Code> = findings.iter().map(|f| f.divergence.code).collect();
    codes.sort();
    codes.dedup();
    let rules: Vec<Value> = codes.iter().map(|code| rule(*code)).collect();
    let results: Vec<Value> = findings.iter().map(|f| result(f, &codes)).collect();
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

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.as_str(),
        "name": code.as_str(),
        "shortDescription": {"text": codes::about(code)},
        "defaultConfiguration": {"level": level(code.severity())},
    })
}

fn result(finding: &Finding, codes: &[Code]) -> Value {
    let divergence = &finding.divergence;
    let mut place = json!({
        "artifactLocation": {"uri": uri(finding.path.as_deref().unwrap_or(FOLDER))},
    });
    if let (Some(at), Some(place)) = (finding.place, place.as_object_mut()) {
        let region = json!({"startLine": at.line, "startColumn": at.column});
        place.insert("region".to_owned(), region);
    }
    json!({
        "ruleId": divergence.code.as_str(),
        "ruleIndex": codes.binary_search(&divergence.code).ok(),
        "level": level(divergence.severity),
        "message": {"text": format!("{}\n-> {}", divergence.message, divergence.fix)},
        "locations": [{"physicalLocation": place}],
        // The same finding in the next run, wherever its line is by then.
        "partialFingerprints": {
            "trueup/v1": fingerprint(finding),
        },
    })
}

/// Tells findings apart, of which one item may have several of one code.
fn fingerprint(finding: &Finding) -> String {
    let Divergence {
        code,
        subject,
        message,
        ..
    } = &finding.divergence;
    let place = match (&finding.path, finding.place) {
        (Some(path), Some(at)) => format!("{path}:{}:{}: ", at.line, at.column),
        (Some(path), None) => format!("{path}: "),
        (None, _) => String::new(),
    };
    let text = message.strip_prefix(&place).unwrap_or(message);
    let path = finding.path.as_deref().unwrap_or_default();
    format!("{} {subject} {path} {text}", code.as_str())
}

/// Writes a path as a reference: what is special in one is escaped.
fn uri(path: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    let one = |b: u8| {
        if plain(b) {
            char::from(b).to_string()
        } else {
            format!("%{b:02X}")
        }
    };
    let escaped: String = path.bytes().map(one).collect();
    // One of several repositories.
    if path.starts_with('/') {
        return format!("file://{escaped}");
    }
    escaped
}
