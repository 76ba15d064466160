//! `trueup check`

mod check_text;
mod checkout_target;
mod code_titles;
mod github;
mod sarif;
mod script_scan;
mod sweep_all;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use trueup_core::consistency::{
    CheckError, CheckFinding, CheckReport, CheckRequest, Checkout, FixActor, PushScope,
    check_checkout,
};
use trueup_core::deadline::Deadline;
use trueup_core::model::Session;
use trueup_core::reconcile::{Code, Divergence, Severity};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::text::path_to_text;

use crate::args::{CheckArgs, Format};
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, REFUSED, UNABLE};
use crate::output::Output;

/// How long the writes of one repository may take: thousands of them the first time.
const WRITE_PATIENCE: Duration = Duration::from_mins(5);

/// A repository that was looked at, or was to be.
struct RepoCheck {
    /// Its name, as far as it is known.
    repo: String,
    root: PathBuf,
    /// What came of it; absent where it could not be looked at.
    outcome: Option<CheckReport>,
    /// Why it was passed over.
    skip_reason: Option<String>,
}

impl RepoCheck {
    /// Advises what is done in the repository, to a reader who stands elsewhere.
    fn set_fix_directories(&mut self, context: &CommandContext) {
        if self.root == context.cwd() {
            return;
        }
        let findings = self.outcome.iter_mut().flat_map(|it| &mut it.findings);
        for finding in findings {
            finding.divergence.fix.set_directory(&self.root);
        }
    }
}

pub(super) fn cmd_check(
    context: &CommandContext,
    arguments: &CheckArgs,
) -> Result<Output, CommandError> {
    if context.json && matches!(arguments.format, Format::Sarif | Format::Github) {
        let message = "--json and --format cannot be used together";
        return Err(CommandError::usage("trueup check --help", message));
    }
    if let Some(scripts_path) = &arguments.sources {
        return script_scan::check_scripts(scripts_path);
    }
    match check_targets(context, arguments) {
        Ok(output) => Ok(output),
        // Whoever reads findings alone must see that there was no check.
        Err(mut error) if error.exit_code() == UNABLE => {
            let finding =
                code_titles::build_failed_check_finding("trueup", &error.message, error.code());
            error.divergences.push(finding.divergence);
            Err(error)
        }
        Err(error) => Err(error),
    }
}

fn check_targets(context: &CommandContext, arguments: &CheckArgs) -> Result<Output, CommandError> {
    if arguments.all {
        return sweep_all::sweep_registered_repos(context, arguments);
    }
    let mut store = open_store(context, arguments)?;
    let (request, session) = build_request(context, &mut store, arguments)?;
    let targets = checkout_target::resolve_targets(context, &mut store, &arguments.targets)?;
    let is_only = targets.len() == 1;
    let mut repo_checks = Vec::with_capacity(targets.len());
    for target in targets {
        store.set_deadline(Deadline::after(WRITE_PATIENCE.max(context.patience())));
        let outcome = check_checkout(&mut store, &target, &request, &context.run.settings.paths);
        let outcome = match outcome {
            Err(error) if is_only => return Err(error.into()),
            // The others are looked at all the same.
            Err(error) => build_failed_outcome(&target, &error),
            Ok(checked) => checked,
        };
        let mut repo_check = RepoCheck {
            repo: outcome.repo.clone(),
            root: target.root,
            outcome: Some(outcome),
            skip_reason: None,
        };
        repo_check.set_fix_directories(context);
        repo_checks.push(repo_check);
    }
    let mut warnings = Vec::new();
    if let Some(session) = session {
        context.true_up_after_change(&mut store, &session.id, &mut warnings)?;
    }
    let mut output = build_output(context, arguments, &repo_checks);
    output.warnings.extend(warnings);
    Ok(output)
}

/// What is known of a repository that could not be checked.
fn build_failed_outcome(target: &Checkout, error: &CheckError) -> CheckReport {
    let slug = target.slug.as_ref().map(ToString::to_string);
    let name = slug.unwrap_or_else(|| path_to_text(&target.root));
    let code = match error {
        CheckError::Store(error) => error.code(),
        CheckError::Io(_) => "io",
    };
    CheckReport {
        findings: vec![code_titles::build_failed_check_finding(
            &name,
            &error.to_string(),
            code,
        )],
        mended: vec![false],
        repo: name,
        ..CheckReport::default()
    }
}

fn open_store(
    context: &CommandContext,
    arguments: &CheckArgs,
) -> Result<SqliteStore, CommandError> {
    if arguments.fix {
        context.open_for_change()
    } else {
        context.open_for_reading()
    }
}

/// Says what is asked for, and for which session: what was edited by hand in its cache is
/// pushed before anything of it changes.
fn build_request(
    context: &CommandContext,
    store: &mut SqliteStore,
    arguments: &CheckArgs,
) -> Result<(CheckRequest, Option<Session>), CommandError> {
    let mut session = None;
    if arguments.fix
        && let Some(active) = context.find_active_session(store)?
    {
        session = Some(context.true_up_before_change(store, active)?);
    }
    let mover = FixActor {
        session: session.as_ref().map(|session| session.id.clone()),
        name: context.resolve_actor(store)?,
    };
    let request = CheckRequest {
        fix: arguments.fix,
        writeback: !arguments.no_writeback,
        pull: arguments.pull,
        push: match (arguments.push, arguments.no_push) {
            (true, _) => PushScope::All,
            (false, true) => PushScope::Never,
            (false, false) => PushScope::Own,
        },
        actor: mover,
    };
    Ok((request, session))
}

/// Puts together what was found.
fn build_output(
    context: &CommandContext,
    arguments: &CheckArgs,
    repo_checks: &[RepoCheck],
) -> Output {
    let is_one_of_several = repo_checks.len() > 1;
    let findings = repo_checks
        .iter()
        .flat_map(|looked| collect_findings(looked, is_one_of_several));
    let findings: Vec<(CheckFinding, bool)> = findings.collect();
    // What is mended is no state of the repository that others need to see.
    let remaining_findings = || {
        let left = findings.iter().filter(|(_, mended)| !mended);
        left.map(|(finding, _)| finding)
    };
    let unfixed = repo_checks.iter().flat_map(remaining_divergences);
    let min_severity = if arguments.strict {
        Severity::Warning
    } else {
        Severity::Error
    };
    let mut exit_code = 0;
    for divergence in unfixed {
        if divergence.code == Code::C00 {
            exit_code = UNABLE;
        } else if divergence.severity >= min_severity && exit_code == 0 {
            exit_code = REFUSED;
        }
    }
    let data = json!({"repos": repo_checks.iter().map(repo_check_view).collect::<Vec<_>>()});
    let (text, tints) = match arguments.format {
        Format::Text | Format::Json => check_text::render_repo_checks(repo_checks, arguments.fix),
        Format::Sarif => (sarif::render_sarif(remaining_findings()), Vec::new()),
        Format::Github => (github::render_annotations(remaining_findings()), Vec::new()),
    };
    // What was passed over or refused is part of the text.
    let warnings = if matches!(arguments.format, Format::Text) && !context.json {
        Vec::new()
    } else {
        repo_checks.iter().flat_map(render_notes).collect()
    };
    let divergences = findings.into_iter();
    let divergences = divergences.map(|(finding, _)| finding.divergence);
    Output {
        exit_code,
        divergences: divergences.collect(),
        warnings,
        styles: tints,
        has_runner_commands: arguments.format == Format::Github,
        ..Output::new(text, data)
    }
}

/// Returns the findings of a repository, and which are mended. Of several, each says whose it
/// is.
fn collect_findings(repo_check: &RepoCheck, is_one_of_several: bool) -> Vec<(CheckFinding, bool)> {
    let checked = repo_check.outcome.iter();
    let findings = checked.flat_map(|it| it.findings.iter().cloned().zip(it.mended.clone()));
    let mut findings: Vec<(CheckFinding, bool)> = findings.collect();
    if is_one_of_several {
        let root = path_to_text(&repo_check.root);
        for (finding, _) in &mut findings {
            if finding.path.is_some() {
                let message = &finding.divergence.message;
                finding.divergence.message = format!("{root}/{message}");
                finding.path = finding.path.as_ref().map(|path| format!("{root}/{path}"));
            }
        }
    }
    findings
}

/// Returns what is left of the findings.
fn remaining_divergences(repo_check: &RepoCheck) -> impl Iterator<Item = &Divergence> {
    repo_check.outcome.iter().flat_map(|checked| {
        let all = checked.findings.iter().zip(&checked.mended);
        all.filter(|(_, mended)| !**mended)
            .map(|(finding, _)| &finding.divergence)
    })
}

/// Returns what was refused or tried in vain.
fn render_notes(repo_check: &RepoCheck) -> Vec<String> {
    let notes = repo_check.outcome.iter().flat_map(|checked| &checked.notes);
    notes
        .map(|note| format!("{}: {note}", repo_check.repo))
        .collect()
}

fn repo_check_view(repo_check: &RepoCheck) -> Value {
    let outcome = repo_check.outcome.as_ref();
    let skip_reasons = outcome.map_or(&[][..], |checked| &checked.skipped);
    let skipped: Vec<&str> = skip_reasons
        .iter()
        .chain(&repo_check.skip_reason)
        .map(String::as_str)
        .collect();
    let mut fixed_codes: Vec<&str> = outcome.map_or_else(Vec::new, |checked| {
        let all = checked.findings.iter().zip(&checked.mended);
        all.filter(|(_, mended)| **mended)
            .map(|(finding, _)| finding.divergence.code.as_str())
            .collect()
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
