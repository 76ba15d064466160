//! The codes of errors, and the guide that says what to do about each.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex_lite::Regex;

use super::documents::{read_guide, repository_file};

/// Reads the sources of a directory, without their tests.
fn read_sources(directory: &Path, text: &mut String) {
    for entry in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            read_sources(&entry, text);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&entry).unwrap();
            text.push_str(source.split("#[cfg(test)]").next().unwrap());
        }
    }
}

#[test]
fn every_code_of_an_error_is_in_the_guide() {
    let mut sources = String::new();
    read_sources(&repository_file("hub/src"), &mut sources);
    let given = r#"(?:code: |(?:bad_request|refused|unknown)\(\s*)"([a-z]+(?:_[a-z]+)*)""#;
    let mut codes: BTreeSet<String> = Regex::new(given)
        .unwrap()
        .captures_iter(&sources)
        .map(|found| found[1].to_owned())
        .collect();
    let listed = Regex::new(r#"=> "([a-z]+(?:_[a-z]+)*)""#).unwrap();
    for file in ["hub/src/problem.rs", "core/src/store/error.rs"] {
        let source = fs::read_to_string(repository_file(file)).unwrap();
        codes.extend(listed.captures_iter(&source).map(|found| found[1].to_owned()));
    }
    assert!(codes.len() > 30, "{codes:?}");
    let guide = read_guide("hub.md");
    codes.retain(|code| !guide.contains(&format!("`{code}`")));
    assert!(codes.is_empty(), "docs/hub.md does not say what to do about {codes:?}");
}
