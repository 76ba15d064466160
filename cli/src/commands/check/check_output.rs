//! The output of a check of one or several repositories.

use serde_json::{Value, json};
use trueup_core::consistency::CheckFinding;
use trueup_core::diagnostic::{Code, Divergence, Severity};
use trueup_core::text::path_to_text;

use super::arguments::{CheckArgs, Format};
use super::repo_check::RepoCheck;
use super::{check_text, github, sarif};
use crate::command_context::CommandContext;
use crate::command_error::{REFUSED, UNABLE};
use crate::output::Output;
use crate::page::{Line, Page};

/// Builds the output of all checks.
pub(super) fn build_output(
    context: &CommandContext,
    arguments: &CheckArgs,
    repo_checks: &[RepoCheck],
) -> Output {
    let is_one_of_several = repo_checks.len() > 1;
    let findings =
        repo_checks.iter().flat_map(|looked| collect_findings(looked, is_one_of_several));
    let findings: Vec<CheckFinding> = findings.collect();
    // Annotations and SARIF describe the repository as it is now, without what was fixed.
    let remaining_findings = || findings.iter().filter(|finding| !finding.is_fixed);
    let unfixed = repo_checks.iter().flat_map(remaining_divergences);
    let min_severity = if arguments.strict { Severity::Warning } else { Severity::Error };
    let mut exit_code = 0;
    for divergence in unfixed {
        if divergence.code == Code::CheckFailed {
            exit_code = UNABLE;
        } else if divergence.severity >= min_severity && exit_code == 0 {
            exit_code = REFUSED;
        }
    }
    let data = json!({"repos": repo_checks.iter().map(repo_check_view).collect::<Vec<_>>()});
    let program_lines =
        |lines: Vec<String>| lines.into_iter().map(Line::verbatim).collect::<Vec<_>>().into();
    let text: Page = match arguments.format {
        Format::Text | Format::Json => check_text::render_repo_checks(repo_checks, arguments.fix),
        Format::Sarif => program_lines(sarif::render_sarif(remaining_findings())),
        Format::Github => program_lines(github::render_annotations(remaining_findings())),
    };
    // The text contains these notes already.
    let warnings = if matches!(arguments.format, Format::Text) && !context.json {
        Vec::new()
    } else {
        repo_checks.iter().flat_map(render_notes).collect()
    };
    let divergences = findings.into_iter();
    let divergences = divergences.map(|finding| finding.divergence);
    Output {
        exit_code,
        divergences: divergences.collect(),
        warnings,
        has_runner_commands: arguments.format == Format::Github,
        ..Output::page(text, data)
    }
}

/// Collects the findings of a repository. With several repositories the
/// messages and paths begin with the root.
fn collect_findings(repo_check: &RepoCheck, is_one_of_several: bool) -> Vec<CheckFinding> {
    let outcome = repo_check.outcome.as_ref();
    let mut findings = outcome.map_or_else(Vec::new, |outcome| outcome.findings.clone());
    if is_one_of_several {
        let root = path_to_text(&repo_check.root);
        for finding in &mut findings {
            if finding.path.is_some() {
                let message = &finding.divergence.message;
                finding.divergence.message = format!("{root}/{message}");
                finding.path = finding.path.as_ref().map(|path| format!("{root}/{path}"));
            }
        }
    }
    findings
}

/// Iterates over the findings that were not fixed.
fn remaining_divergences(repo_check: &RepoCheck) -> impl Iterator<Item = &Divergence> {
    let outcome = repo_check.outcome.iter();
    let findings = outcome.flat_map(|outcome| &outcome.findings);
    findings.filter(|finding| !finding.is_fixed).map(|finding| &finding.divergence)
}

/// Returns notes on what was refused or failed.
fn render_notes(repo_check: &RepoCheck) -> Vec<String> {
    let notes = repo_check.outcome.iter().flat_map(|checked| &checked.notes);
    notes.map(|note| format!("{}: {note}", repo_check.repo)).collect()
}

fn repo_check_view(repo_check: &RepoCheck) -> Value {
    let outcome = repo_check.outcome.as_ref();
    let skip_reasons = outcome.map_or(&[][..], |checked| &checked.skipped);
    let skipped: Vec<&str> =
        skip_reasons.iter().chain(&repo_check.skip_reason).map(String::as_str).collect();
    let mut fixed_codes: Vec<&str> = outcome.map_or_else(Vec::new, |checked| {
        let fixed = checked.findings.iter().filter(|finding| finding.is_fixed);
        fixed.map(|it| it.divergence.code.as_str()).collect()
    });
    fixed_codes.sort_unstable();
    fixed_codes.dedup();
    json!({
        "repo": repo_check.repo,
        "path": path_to_text(&repo_check.root),
        "files": outcome.map_or(0, |checked| checked.workplan_count),
        "written": outcome.map_or(&[][..], |checked| &checked.written_files),
        "commit": outcome.and_then(|checked| checked.commit.as_ref()),
        "pushed": outcome.is_some_and(|checked| checked.pushed),
        "skipped": (!skipped.is_empty()).then(|| skipped.join("; ")),
        "mended": fixed_codes,
    })
}
