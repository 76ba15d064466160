//! `docs/errors.md`, generated from the error tables.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::{ErrorRow, error_rows};

fn render_page() -> String {
    let mut page = String::from(
        "# Errors\n\n\
         Each error of `trueup` and `validate-session-state` has a stable code. With `--json` it is \
         `error.code` of the object; as text the message is followed by the hint. The exit code is 1 \
         for findings and refusals, 2 for a command line that cannot be understood or a missing \
         session, 3 for work that could not be done; 126 and 127 are those of a shell. Words in braces are filled in.\n\n\
         This page is generated from `cli/src/command_error/cases`; run \
         `TRUEUP_UPDATE_DOCS=1 cargo test -p trueup docs_of_errors` to write it anew.\n\n\
         | code | exit | when | hint |\n| --- | --: | --- | --- |\n",
    );
    let mut by_code: BTreeMap<&str, Vec<&ErrorRow>> = BTreeMap::new();
    for row in error_rows() {
        by_code.entry(row.code).or_default().push(row);
    }
    for (code, rows) in by_code {
        for row in rows {
            let (about, hint) = (render_about(row), render_hint(row));
            let _ = writeln!(page, "| `{code}` | {} | {about} | {hint} |", row.exit);
        }
    }
    page
}

fn render_about(row: &ErrorRow) -> String {
    let lines: Vec<&str> = row.about.iter().map(|line| line.trim()).collect();
    escape_cell(&lines.join(" "))
}

fn render_hint(row: &ErrorRow) -> String {
    let parts = row.hint.iter().map(|(command, text)| match command {
        Some(command) => format!("`{command}` {text}"),
        None => (*text).to_owned(),
    });
    escape_cell(&parts.collect::<Vec<_>>().join("; "))
}

fn escape_cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[test]
fn docs_of_errors() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors.md");
    let page = render_page();
    if std::env::var_os("TRUEUP_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/errors.md is out of date; run \
         `TRUEUP_UPDATE_DOCS=1 cargo test -p trueup docs_of_errors`"
    );
}

#[test]
fn every_error_says_when_it_occurs() {
    for row in error_rows() {
        assert!(!render_about(row).is_empty() && !row.hint.is_empty(), "{}", row.name);
    }
}
