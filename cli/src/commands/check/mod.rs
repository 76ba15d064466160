//! `trueup check`: comparing workplan files, the database and git; which kind of check is run.

mod arguments;
mod check_output;
mod check_run;
mod check_text;
mod checkout_target;
mod github;
mod repo_check;
mod repo_reports;
mod sarif;
mod script_scan;
mod sweep_all;

use self::check_run::CheckRun;
use self::checkout_target::resolve_targets;
use self::repo_check::{RepoCheck, build_failed_check_finding, build_failed_outcome};
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, UNABLE};

pub(crate) use self::arguments::{CheckArgs, Format};

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
    let mut run = CheckRun::begin(context, arguments)?;
    let targets = resolve_targets(context, &mut *run.store, &arguments.targets)?;
    let is_only = targets.len() == 1;
    let mut repo_checks = Vec::with_capacity(targets.len());
    for target in targets {
        let outcome = match run.check(&target) {
            Err(error) if is_only => return Err(error.into()),
            // The other repositories are still checked.
            Err(error) => build_failed_outcome(&target, &error),
            Ok(checked) => checked,
        };
        repo_checks.push(RepoCheck {
            repo: outcome.repo.clone(),
            root: target.root,
            outcome: Some(outcome),
            skip_reason: None,
        });
    }
    run.finish(repo_checks)
}
