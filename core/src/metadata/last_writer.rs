//! The last writer of a metadata file, as far as the file tells.

use serde_json::Value as Json;

use super::JsonDocument;

/// Fields in which scripts note who saved the file, the most reliable first.
const WRITER_FIELDS: [&str; 6] = [
    "last_writer",
    "last_updated_by",
    "updated_by",
    "written_by",
    "workflow_step",
    "last_workflow_step",
];

/// Returns the last writer: the script that says so itself, or else the last script that ran.
pub fn find_last_writer(document: &JsonDocument) -> Option<String> {
    let text = |value: Json| match value {
        Json::String(text) if !text.trim().is_empty() => Some(text),
        _ => None,
    };
    let named = WRITER_FIELDS.iter().find_map(|key| document.get(key).and_then(text));
    named.or_else(|| match document.get("all_adws") {
        Some(Json::Array(mut scripts)) => scripts.pop().and_then(text),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_counts_before_the_last_script_that_ran() {
        for (text, expected) in [
            (r#"{"workflow_step": "Build", "last_writer": "me"}"#, Some("me")),
            (r#"{"workflow_step": "Build", "all_adws": ["a"]}"#, Some("Build")),
            (r#"{"all_adws": ["adw_plan_iso", "adw_build_iso"]}"#, Some("adw_build_iso")),
            (r#"{"last_writer": " ", "all_adws": []}"#, None),
            (r#"{"last_writer": 7, "all_adws": "x"}"#, None),
            ("{}", None),
        ] {
            let document = JsonDocument::parse(text.as_bytes()).unwrap();
            assert_eq!(find_last_writer(&document).as_deref(), expected, "{text}");
        }
    }
}
