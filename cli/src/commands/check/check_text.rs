//! Findings as text, by repository and file, each with its fix.

use trueup_core::consistency::{CheckFinding, CheckReport};
use trueup_core::diagnostic::Severity;
use trueup_core::text::{path_to_text, pluralize};

use super::repo_check::RepoCheck;
use crate::output::LineStyle;

/// Most files of a commit that are named.
const MAX_NAMED_FILES: usize = 5;

/// Lines, and the styles of some of them.
#[derive(Default)]
struct TextPage {
    lines: Vec<String>,
    styles: Vec<(usize, LineStyle)>,
}

impl TextPage {
    fn add_line(&mut self, style: Option<LineStyle>, line: impl Into<String>) {
        self.styles.extend(style.map(|tint| (self.lines.len(), tint)));
        self.lines.push(line.into());
    }
}

pub(super) fn render_repo_checks(
    repo_checks: &[RepoCheck],
    fix: bool,
) -> (Vec<String>, Vec<(usize, LineStyle)>) {
    let mut page = TextPage::default();
    if repo_checks.is_empty() {
        page.add_line(
            None,
            "no repositories on this machine; `trueup repo add PATH` registers one",
        );
    }
    for repo_check in repo_checks {
        render_repo_check(&mut page, repo_check, fix);
    }
    (page.lines, page.styles)
}

fn render_repo_check(page: &mut TextPage, repo_check: &RepoCheck, fix: bool) {
    let head = format!("{} ({})", repo_check.repo, path_to_text(&repo_check.root));
    page.add_line(Some(LineStyle::Head), head);
    if let Some(reason) = &repo_check.skip_reason {
        page.add_line(Some(LineStyle::Warning), format!("  skipped: {reason}"));
    }
    let Some(outcome) = &repo_check.outcome else {
        return;
    };
    let mut path = None;
    for finding in &outcome.findings {
        if finding.path.as_ref() != path {
            path = finding.path.as_ref();
            let name = path.map_or("(no file)", String::as_str);
            page.add_line(Some(LineStyle::Head), format!("  {name}"));
        }
        render_finding(page, finding);
    }
    for note in &outcome.notes {
        page.add_line(Some(LineStyle::Warning), format!("  {note}"));
    }
    for reason in &outcome.skipped {
        page.add_line(Some(LineStyle::Warning), format!("  skipped: {reason}"));
    }
    if let Some(commit) = &outcome.commit {
        let short: String = commit.chars().take(10).collect();
        let pushed = if outcome.pushed { ", pushed" } else { "" };
        let files = render_file_names(&outcome.written_files);
        page.add_line(Some(LineStyle::Good), format!("  committed {short}{pushed}: {files}"));
    }
    page.add_line(None, format!("  {}", render_summary(outcome, fix)));
}

/// Lists file names, shortened: a first run in a large repository commits thousands.
fn render_file_names(files: &[String]) -> String {
    let names: Vec<&str> = files.iter().take(MAX_NAMED_FILES).map(String::as_str).collect();
    match files.len().saturating_sub(MAX_NAMED_FILES) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

fn render_finding(page: &mut TextPage, finding: &CheckFinding) {
    let divergence = &finding.divergence;
    let (style, mark) = match (finding.is_fixed, divergence.severity) {
        (true, _) => (Some(LineStyle::Good), "fixed"),
        (false, Severity::Error) => (Some(LineStyle::Error), "error"),
        (false, Severity::Warning) => (Some(LineStyle::Warning), "warning"),
        (false, Severity::Info) => (None, "info"),
    };
    let code = divergence.code.as_str();
    page.add_line(style, format!("    {mark:<7} {code} {}", divergence.message));
    if !finding.is_fixed {
        let line = format!("            fix: {}", divergence.advice);
        page.add_line(Some(LineStyle::Faint), line);
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
