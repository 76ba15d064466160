//! Findings as text, by repository and file, each with its fix.

use trueup_core::consistency::{CheckFinding, CheckReport};
use trueup_core::diagnostic::Severity;
use trueup_core::text::{path_to_text, pluralize};

use super::repo_check::RepoCheck;
use crate::page::{Line, Page, Tone};

/// Most files of a commit that are named.
const MAX_NAMED_FILES: usize = 5;

pub(super) fn render_repo_checks(repo_checks: &[RepoCheck], fix: bool) -> Page {
    let mut page = Page::default();
    if repo_checks.is_empty() {
        page.push("no repositories on this machine; `trueup repo add PATH` registers one");
    }
    for repo_check in repo_checks {
        render_repo_check(&mut page, repo_check, fix);
    }
    page
}

fn render_repo_check(page: &mut Page, repo_check: &RepoCheck, fix: bool) {
    let head = format!("{} ({})", repo_check.repo, path_to_text(&repo_check.root));
    page.push(Line::new(Tone::Head, head));
    if let Some(reason) = &repo_check.skip_reason {
        page.push(Line::new(Tone::Warning, format!("  skipped: {reason}")));
    }
    let Some(outcome) = &repo_check.outcome else {
        return;
    };
    let mut path = None;
    for finding in &outcome.findings {
        if finding.path.as_ref() != path {
            path = finding.path.as_ref();
            let name = path.map_or("(no file)", String::as_str);
            page.push(Line::new(Tone::Head, format!("  {name}")));
        }
        render_finding(page, finding);
    }
    for note in &outcome.notes {
        page.push(Line::new(Tone::Warning, format!("  {note}")));
    }
    for reason in &outcome.skipped {
        page.push(Line::new(Tone::Warning, format!("  skipped: {reason}")));
    }
    if let Some(commit) = &outcome.commit {
        let short: String = commit.chars().take(10).collect();
        let pushed = if outcome.pushed { ", pushed" } else { "" };
        let files = render_file_names(&outcome.written_files);
        page.push(Line::new(Tone::Good, format!("  committed {short}{pushed}: {files}")));
    }
    page.push(format!("  {}", render_summary(outcome, fix)));
}

/// Lists file names, shortened: a first run in a large repository commits thousands.
fn render_file_names(files: &[String]) -> String {
    let names: Vec<&str> = files.iter().take(MAX_NAMED_FILES).map(String::as_str).collect();
    match files.len().saturating_sub(MAX_NAMED_FILES) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

fn render_finding(page: &mut Page, finding: &CheckFinding) {
    let divergence = &finding.divergence;
    let (tone, mark) = match (finding.is_fixed, divergence.severity) {
        (true, _) => (Tone::Good, "fixed"),
        (false, Severity::Error) => (Tone::Error, "error"),
        (false, Severity::Warning) => (Tone::Warning, "warning"),
        (false, Severity::Info) => (Tone::Plain, "info"),
    };
    let code = divergence.code.as_str();
    let line =
        Line::new(tone, format!("    {mark:<7}")).and(format!(" {code} {}", divergence.message));
    page.push(line.hanging(12));
    if !finding.is_fixed {
        let line = format!("            fix: {}", divergence.advice);
        page.push(Line::new(Tone::Faint, line).hanging(17));
    }
}

fn render_summary(outcome: &CheckReport, fix: bool) -> String {
    let count = |severity: Severity| {
        let unfixed = outcome.findings.iter().filter(|finding| !finding.is_fixed);
        unfixed.filter(|finding| finding.divergence.severity == severity).count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let fixed_count = outcome.findings.iter().filter(|it| it.is_fixed).count();
    let fixed_text = if fix { format!("{fixed_count} fixed, ") } else { String::new() };
    let files = pluralize(outcome.workplan_count, "workplan", "workplans");
    if errors + warnings == 0 {
        return format!("{files}, {fixed_text}no differences");
    }
    let errors = pluralize(errors, "error", "errors");
    let warnings = pluralize(warnings, "warning", "warnings");
    format!("{files}, {fixed_text}{errors}, {warnings}")
}
