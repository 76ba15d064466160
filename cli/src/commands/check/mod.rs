//! `trueup check`

mod check_text;
mod checkout_target;
mod github;
mod sarif;
mod script_scan;
mod sweep_all;

use std::path::PathBuf;
use std::time::Duration;

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, REFUSED, UNABLE};
use crate::command_line::path_text;
use crate::output::Output;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use trueup_core::consistency::{
    CheckError, CheckFinding, CheckReport, CheckRequest, Checkout, FixActor, PushScope,
    check_checkout,
};
use trueup_core::deadline::Deadline;
use trueup_core::diagnostic::{Code, Divergence, Severity, Way};
use trueup_core::model::Session;
use trueup_core::store::Store;
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::text::path_to_text;

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct CheckArgs {
    /// Repositories, by directory or slug [default: the current one]
    #[arg(value_name = "PATH|SLUG", value_parser = path_text())]
    pub(crate) targets: Vec<String>,
    /// Fix what can be fixed: the more advanced status wins, in the database and in the file
    #[arg(long)]
    pub(crate) fix: bool,
    /// Do not write or commit files
    #[arg(long)]
    pub(crate) no_writeback: bool,
    /// Commit without pushing
    #[arg(long)]
    pub(crate) no_push: bool,
    /// Push your own unpushed commits too
    #[arg(long, requires = "fix", conflicts_with = "no_push")]
    pub(crate) push: bool,
    /// Fast-forward the branch first, if possible
    #[arg(long)]
    pub(crate) pull: bool,
    /// Check every repository registered on this machine
    #[arg(long, conflicts_with = "targets")]
    pub(crate) all: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    pub(crate) format: Format,
    /// Treat warnings as findings
    #[arg(long)]
    pub(crate) strict: bool,
    /// Instead, search this directory or file for scripts that read or write database-owned
    /// fields in a metadata file
    #[arg(long, value_name = "PATH", conflicts_with_all = ["targets", "fix", "pull", "all", "format"])]
    pub(crate) sources: Option<PathBuf>,
}

/// Output format of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Human-readable text
    Text,
    /// One JSON object, like --json
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// GitHub Actions annotations
    Github,
}

/// Time limit of the writes of one repository. The first check may need thousands of them.
const WRITE_PATIENCE: Duration = Duration::from_mins(5);

/// The check of one repository.
struct RepoCheck {
    /// Slug or path.
    repo: String,
    root: PathBuf,
    /// Absent where the repository was skipped.
    outcome: Option<CheckReport>,
    /// Why the repository was skipped.
    skip_reason: Option<String>,
}

impl RepoCheck {
    /// Adds the directory of the repository to its fixes, unless the reader is in it.
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

pub(super) fn cmd_check(context: &CommandContext, arguments: &CheckArgs) -> CommandResult {
    if context.json && matches!(arguments.format, Format::Sarif | Format::Github) {
        let message = "--json and --format cannot be used together";
        return Err(CommandError::usage("trueup check --help", message));
    }
    if let Some(scripts_path) = &arguments.sources {
        return script_scan::check_scripts(scripts_path);
    }
    match check_targets(context, arguments) {
        Ok(output) => Ok(output),
        // A reader of the findings must see that the check failed, so this is a finding too.
        Err(mut error) if error.exit_code() == UNABLE => {
            let finding = build_failed_check_finding("trueup", &error.message, error.code());
            error.divergences.push(finding.divergence);
            Err(error)
        }
        Err(error) => Err(error),
    }
}

fn check_targets(context: &CommandContext, arguments: &CheckArgs) -> CommandResult {
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
            // The other repositories are still checked.
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

/// Builds the report of a repository whose check failed.
fn build_failed_outcome(target: &Checkout, error: &CheckError) -> CheckReport {
    let slug = target.slug.as_ref().map(ToString::to_string);
    let name = slug.unwrap_or_else(|| path_to_text(&target.root));
    let code = match error {
        CheckError::Store(error) => error.code(),
        CheckError::Io(_) => "io",
    };
    CheckReport {
        findings: vec![build_failed_check_finding(&name, &error.to_string(), code)],
        repo: name,
        ..CheckReport::default()
    }
}

fn open_store(context: &CommandContext, arguments: &CheckArgs) -> CommandResult<SqliteStore> {
    if arguments.fix { context.open_sqlite_for_change() } else { context.open_sqlite_for_reading() }
}

/// Builds the request, and loads the session that makes the fixes. Edits of its cache by hand are
/// pushed first.
fn build_request(
    context: &CommandContext,
    store: &mut dyn Store,
    arguments: &CheckArgs,
) -> CommandResult<(CheckRequest, Option<Session>)> {
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

/// Builds the output of all checks.
fn build_output(
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
    let (text, tints) = match arguments.format {
        Format::Text | Format::Json => check_text::render_repo_checks(repo_checks, arguments.fix),
        Format::Sarif => (sarif::render_sarif(remaining_findings()), Vec::new()),
        Format::Github => (github::render_annotations(remaining_findings()), Vec::new()),
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
        styles: tints,
        has_runner_commands: arguments.format == Format::Github,
        ..Output::new(text, data)
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

/// Makes the finding that the check itself failed; `code` is the code of the error.
fn build_failed_check_finding(subject: &str, reason: &str, code: &str) -> CheckFinding {
    CheckFinding {
        divergence: Divergence::new(
            Code::CheckFailed,
            subject,
            format!("{subject} could not be checked: {reason}"),
            Way::from_store_error(code),
        ),
        path: None,
        place: None,
        fix: None,
        is_fixed: false,
    }
}
