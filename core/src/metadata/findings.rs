//! What is wrong with a metadata file, as divergences. Pure.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::database_fields::{DATABASE_FIELDS, DatabaseField};
use super::{JsonDocument, JsonDocumentError};
use crate::diagnostic::{Advice, AdviceKind, Code, Divergence, FileLine, Severity};
use crate::model::AdwId;
use crate::text::one_line;

/// The longest value shown, in characters.
const MAX_SHOWN_CHARS: usize = 80;

/// Returns the findings on the content of a file: fields that the database owns, a missing or wrong
/// id, and duplicate fields. `writer` is the last writer of the file, if known.
pub fn check_metadata(
    id: &AdwId,
    path: &str,
    document: &JsonDocument,
    writer: Option<&str>,
) -> Vec<Divergence> {
    let held_fields =
        DATABASE_FIELDS.into_iter().filter_map(|field| Some((field, document.get(field.name)?)));
    let mut findings: Vec<Divergence> = held_fields
        .map(|(field, value)| database_field_finding(id, path, field, &value, writer))
        .collect();
    findings.extend(id_finding(id, path, document));
    findings.extend(duplicate_field_findings(id, path, document));
    findings
}

fn render_value(value: &Json) -> String {
    match value {
        Json::String(text) => one_line(text, MAX_SHOWN_CHARS),
        other => one_line(&other.to_string(), MAX_SHOWN_CHARS),
    }
}

fn database_field_finding(
    id: &AdwId,
    path: &str,
    field: DatabaseField,
    value: &Json,
    writer: Option<&str>,
) -> Divergence {
    let by = writer.map_or(String::new(), |writer| {
        format!(" (written by {})", one_line(writer, MAX_SHOWN_CHARS))
    });
    let DatabaseField { name, command } = field;
    let shown = render_value(value);
    let message = format!(
        "⚠️ Metadata has a field owned by the database: {path} has {name}={shown}{by}; \
         change it with `{command}`"
    );
    Divergence::new(
        Code::MetadataHasDatabaseField,
        id.to_string(),
        message,
        AdviceKind::FixMetadata { id: id.clone() },
    )
    .with_values(None, Some(shown))
}

fn id_finding(id: &AdwId, path: &str, document: &JsonDocument) -> Option<Divergence> {
    let value = document.get("adw_id").filter(|value| !value.is_null());
    if value.as_ref().and_then(Json::as_str) == Some(id.as_str()) {
        return None;
    }
    let (what, advice) = match &value {
        None => ("has no adw_id".to_owned(), AdviceKind::FixMetadata { id: id.clone() }),
        // Only a person can tell which of the two is wrong.
        Some(value) => (
            format!("has adw_id={}, but its directory is {id}", render_value(value)),
            AdviceKind::SetMetadataId { id: id.clone() },
        ),
    };
    let message = format!("⚠️ Metadata id is missing or wrong: {path} {what}");
    let divergence = Divergence::new(Code::MetadataIdWrong, id.to_string(), message, advice)
        .with_values(Some(id.to_string()), value.as_ref().map(render_value));
    Some(divergence)
}

fn duplicate_field_findings(id: &AdwId, path: &str, document: &JsonDocument) -> Vec<Divergence> {
    let mut seen = BTreeSet::new();
    let duplicates: BTreeSet<&str> = document.keys().filter(|key| !seen.insert(*key)).collect();
    duplicates
        .into_iter()
        .map(|key| {
            schema_violation_finding(id, path, key, "occurs more than once; the last one counts")
        })
        .collect()
}

fn edit_advice(id: &AdwId, place: FileLine) -> Advice {
    let id = id.clone();
    AdviceKind::EditMetadata { id, place }.into()
}

/// Returns the finding on a file that does not parse.
pub fn unparsable_finding(id: &AdwId, path: &str, error: &JsonDocumentError) -> Divergence {
    let message = format!(
        "⚠️ Metadata does not parse: {path}:{}:{}: {}",
        error.line,
        error.column,
        one_line(&error.reason, MAX_SHOWN_CHARS)
    );
    unusable_finding(id, message, FileLine::new(path, error.line))
}

/// Returns the finding on a path that cannot be read as a metadata file: a symlink, a directory, a
/// FIFO, or a file that is too large.
pub fn unreadable_finding(id: &AdwId, path: &str, reason: &str) -> Divergence {
    let message =
        format!("⚠️ Metadata cannot be read: {path}: {}", one_line(reason, MAX_SHOWN_CHARS));
    unusable_finding(id, message, FileLine::new(path, 1))
}

fn unusable_finding(id: &AdwId, message: String, place: FileLine) -> Divergence {
    Divergence::new(Code::FileInvalid, id.to_string(), message, edit_advice(id, place))
}

/// Returns the finding on a field that breaks a rule of the schema. It is a warning: no reason to
/// stop a workflow.
pub fn schema_violation_finding(id: &AdwId, path: &str, field: &str, rule: &str) -> Divergence {
    let field = one_line(field, MAX_SHOWN_CHARS);
    let message =
        format!("Metadata breaks a rule: {path}: {field}: {}", one_line(rule, 2 * MAX_SHOWN_CHARS));
    let advice = edit_advice(id, FileLine::whole_file(path));
    Divergence::new(Code::FileInvalid, id.to_string(), message, advice)
        .with_severity(Severity::Warning)
        .with_values(Some(one_line(rule, MAX_SHOWN_CHARS)), Some(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "agents/77c90e61/adw_state.json";

    fn check_text(text: &str, writer: Option<&str>) -> Vec<Divergence> {
        let document = JsonDocument::parse(text.as_bytes()).unwrap();
        check_metadata(&"77c90e61".parse().unwrap(), PATH, &document, writer)
    }

    fn finding_codes(text: &str) -> Vec<&'static str> {
        check_text(text, None).iter().map(|d| d.code.as_str()).collect()
    }

    #[test]
    fn each_field_of_the_database_is_a_finding_with_its_command() {
        for field in DATABASE_FIELDS {
            let text = format!(r#"{{"adw_id": "77c90e61", "{}": "x"}}"#, field.name);
            let found = check_text(&text, Some("adw_build_iso"));
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(
                (found[0].code, found[0].severity),
                (Code::MetadataHasDatabaseField, Severity::Error)
            );
            for part in
                [PATH, &format!("{}=x", field.name), field.command, "written by adw_build_iso"]
            {
                assert!(found[0].message.contains(part), "{part}: {}", found[0].message);
            }
        }
    }

    #[test]
    fn files_and_their_findings() {
        for (text, expected) in [
            (r#"{"adw_id": "77c90e61"}"#, &[][..]),
            (r#"{"adw_id": "77c90e61", "nested": {"status": 1}}"#, &[]),
            (r#"{"adw_id": "77c90e61", "status": null}"#, &["F-01"]),
            (r#"{"adw_id": "77c90e61", "status": 1, "current_phase": "x"}"#, &["F-01", "F-01"]),
            ("{}", &["F-03"]),
            (r#"{"adw_id": null}"#, &["F-03"]),
            (r#"{"adw_id": "other", "status": 1}"#, &["F-01", "F-03"]),
            (r#"{"adw_id": 77}"#, &["F-03"]),
            (r#"{"adw_id": "77c90e61", "a": 1, "a": 2, "a": 3}"#, &["F-02"]),
        ] {
            assert_eq!(finding_codes(text), expected, "{text}");
        }
    }

    #[test]
    fn a_missing_id_is_fixed_and_a_wrong_one_is_for_a_person() {
        let fix = |text: &str| check_text(text, None)[0].advice.to_string();
        assert_eq!(fix("{}"), "trueup meta fix 77c90e61");
        assert_eq!(fix(r#"{"adw_id": "x"}"#), "trueup meta set 77c90e61 adw_id=77c90e61");
    }

    #[test]
    fn values_are_cleaned_and_cut_before_they_are_shown() {
        let long = "x".repeat(500);
        let text = format!(r#"{{"adw_id": "77c90e61", "status": "a\u001b[31mb\n{long}"}}"#);
        let message = &check_text(&text, Some("w\u{1b}[0m"))[0].message;
        assert!(message.contains("status=ab xxx"), "{message}");
        assert!(message.chars().count() < 300 && !message.contains('\u{1b}'), "{message}");
    }

    #[test]
    fn the_place_of_a_fault_is_named() {
        let error = JsonDocument::parse(b"{\n  \"a\": x\n}").unwrap_err();
        let found = unparsable_finding(&"77c90e61".parse().unwrap(), PATH, &error);
        assert_eq!(found.severity, Severity::Error);
        assert!(
            found.message.contains("agents/77c90e61/adw_state.json:2:8: "),
            "{}",
            found.message
        );
    }
}
