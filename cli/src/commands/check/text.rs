//! What was found, for a person: by repository and file, with what ends it.

use trueup_core::consistency::{Checked, Finding};
use trueup_core::files::path_to_text;
use trueup_core::reconcile::Severity;

use super::Looked;
use crate::report::Tint;

/// Most files of a commit that are named.
const NAMED: usize = 5;

/// Lines, and how some of them are coloured.
#[derive(Default)]
struct Page {
    lines: Vec<String>,
    tints: Vec<(usize, Tint)>,
}

impl Page {
    fn add(&mut self, tint: Option<Tint>, line: impl Into<String>) {
        self.tints.extend(tint.map(|tint| (self.lines.len(), tint)));
        self.lines.push(line.into());
    }
}

pub(super) fn lines(all: &[Looked], fix: bool) -> (Vec<String>, Vec<(usize, Tint)>) {
    let mut page = Page::default();
    if all.is_empty() {
        page.add(
            None,
            "no repositories on this machine; `trueup repo add PATH` registers one",
        );
    }
    for looked in all {
        repository(&mut page, looked, fix);
    }
    (page.lines, page.tints)
}

fn repository(page: &mut Page, looked: &Looked, fix: bool) {
    let head = format!("{} ({})", looked.repo, path_to_text(&looked.root));
    page.add(Some(Tint::Head), head);
    if let Some(reason) = &looked.passed {
        page.add(Some(Tint::Warning), format!("  skipped: {reason}"));
    }
    let Some(checked) = &looked.checked else {
        return;
    };
    let mut path = None;
    for (finding, mended) in checked.findings.iter().zip(&checked.mended) {
        if finding.path.as_ref() != path {
            path = finding.path.as_ref();
            let name = path.map_or("(no file)", String::as_str);
            page.add(Some(Tint::Head), format!("  {name}"));
        }
        finding_lines(page, finding, *mended);
    }
    for note in &checked.notes {
        page.add(Some(Tint::Warning), format!("  {note}"));
    }
    for reason in &checked.skipped {
        page.add(Some(Tint::Warning), format!("  skipped: {reason}"));
    }
    if let Some(commit) = &checked.commit {
        let short: String = commit.chars().take(10).collect();
        let pushed = if checked.pushed { ", pushed" } else { "" };
        let files = named(&checked.written);
        page.add(
            Some(Tint::Good),
            format!("  committed {short}{pushed}: {files}"),
        );
    }
    page.add(None, format!("  {}", summary(checked, fix)));
}

/// Names files; a first run in a large repository commits thousands.
fn named(files: &[String]) -> String {
    let names: Vec<&str> = files.iter().take(NAMED).map(String::as_str).collect();
    match files.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

fn finding_lines(page: &mut Page, finding: &Finding, mended: bool) {
    let divergence = &finding.divergence;
    let (tint, mark) = match (mended, divergence.severity) {
        (true, _) => (Some(Tint::Good), "fixed"),
        (false, Severity::Error) => (Some(Tint::Error), "error"),
        (false, Severity::Warning) => (Some(Tint::Warning), "warning"),
        (false, Severity::Info) => (None, "info"),
    };
    let code = divergence.code.as_str();
    page.add(tint, format!("    {mark:<7} {code} {}", divergence.message));
    if !mended {
        let line = format!("            -> {}", divergence.fix);
        page.add(Some(Tint::Faint), line);
    }
}

fn summary(checked: &Checked, fix: bool) -> String {
    let count = |severity: Severity| {
        let all = checked.findings.iter().zip(&checked.mended);
        all.filter(|(finding, mended)| !**mended && finding.divergence.severity == severity)
            .count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let mended = checked.mended.iter().filter(|mended| **mended).count();
    let mended = if fix {
        format!("{mended} fixed, ")
    } else {
        String::new()
    };
    let files = counted(checked.files, "workplan");
    if errors + warnings == 0 {
        return format!("{files}, {mended}no differences");
    }
    let (errors, warnings) = (counted(errors, "error"), counted(warnings, "warning"));
    format!("{files}, {mended}{errors}, {warnings}")
}

fn counted(count: usize, noun: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{end}")
}
