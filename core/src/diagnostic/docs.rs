//! `docs/codes.md`, generated from the tables.

use std::fmt::Write as _;
use std::path::Path;

use super::{AdviceRow, Code};
use crate::authority::Fact;

/// Renders the page.
fn render_page() -> String {
    let mut page = String::from(
        "# Codes\n\n\
         Every difference that `validate-session-state`, `trueup check`, `trueup meta` and \
         `trueup plan` report has a code.\n\
         This page is generated from `core/src/diagnostic/code.rs`; run \
         `TRUEUP_UPDATE_DOCS=1 cargo test -p trueup-core docs_of_codes` to write it anew.\n\n\
         | code | severity | about | authority | name in code |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    for code in Code::ALL {
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | `{}` |",
            code.as_str(),
            code.severity().as_str(),
            code.title(),
            code.fact().rule().describe(),
            code.name(),
        );
    }
    page.push_str(
        "\n## Who is right\n\n\
         | what two copies say | authority |\n\
         | --- | --- |\n",
    );
    for fact in Fact::ALL {
        let _ = writeln!(page, "| {} | {} |", fact.title(), fact.rule().describe());
    }
    page
}

#[test]
fn docs_of_codes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/codes.md");
    let page = render_page();
    if std::env::var_os("TRUEUP_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/codes.md is out of date; run \
         `TRUEUP_UPDATE_DOCS=1 cargo test -p trueup-core docs_of_codes`"
    );
}

#[test]
fn every_code_has_its_advice() {
    for code in Code::ALL {
        assert!(
            AdviceRow::ALL.iter().any(|row| row.codes().contains(code)),
            "{} ends by no advice",
            code.as_str()
        );
    }
}
