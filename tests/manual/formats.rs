//! The page of the formats: its examples are files that the programs read, and it names every field.

use std::fs;
use std::sync::LazyLock;

use regex_lite::Regex;
use serde_json::Value;
use support::client::repository_root;

use super::page::{Part, page_path};
use super::pages::play_page;

/// The arm of a match that names a key, in the source of the parser.
static KEY_NAME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#""([a-z_-]+)" (=>|\|)"#).unwrap());

#[test]
fn every_example_is_read_without_complaint() {
    let page = play_page("formats.md");
    assert_eq!(page.failed_commands, Vec::<String>::new());
    let mut before: Option<&Part> = None;
    for part in
        page.parts.iter().filter(|part| !matches!(part, Part::Text(text) if text.is_empty()))
    {
        if let Part::Block(block) = part {
            let is_file = matches!(before, Some(Part::Directive(directive))
                if matches!(directive.name.as_str(), "file" | "shows"));
            let is_console = block.info == "console";
            assert!(is_file || is_console, "line {}: nothing reads this block", block.line);
            let complaint = block.body.lines().find(|line| is_complaint(line));
            assert!(is_file || complaint.is_none(), "line {}: {complaint:?}", block.line);
        }
        before = Some(part);
    }
}

fn is_complaint(line: &str) -> bool {
    ["error ", "warning ", "skipped "].iter().any(|word| line.trim_start().starts_with(word))
}

#[test]
fn every_field_of_a_workplan_is_described() {
    let source = repository_root().join("core/src/workplan/key.rs");
    let source = fs::read_to_string(source).unwrap();
    let names: Vec<_> = KEY_NAME.captures_iter(&source).map(|found| found[1].to_owned()).collect();
    assert!(names.len() > 20, "{names:?}");
    assert_described(&names);
}

#[test]
fn every_field_of_the_metadata_is_described() {
    let schema = fs::read(repository_root().join("schemas/adw_state.schema.json")).unwrap();
    let schema: Value = serde_json::from_slice(&schema).unwrap();
    let names: Vec<_> = schema["properties"].as_object().unwrap().keys().cloned().collect();
    assert!(names.len() > 20, "{names:?}");
    assert_described(&names);
}

#[track_caller]
fn assert_described(names: &[String]) {
    let page = fs::read_to_string(page_path("formats.md")).unwrap();
    let missing: Vec<_> =
        names.iter().filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "formats.md says nothing of {missing:?}");
}
