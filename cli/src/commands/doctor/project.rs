//! Checks of the project: its repository, git itself, and the configuration of the repository.

use super::check_result::CheckResult;
use super::client::run_version_command;
use crate::command_context::CommandContext;
use crate::commands::value_text::or_none;

pub(super) fn check_repository(context: &CommandContext, _: bool) -> CheckResult {
    match (&context.run.project.git, context.run.warnings.first()) {
        (_, Some(warning)) => CheckResult::warn(warning.clone(), "correct that line"),
        (Some(git), None) => CheckResult::ok(format!(
            "{}, branch {}",
            git.root.display(),
            or_none(context.run.branch().as_deref())
        )),
        (None, None) => {
            CheckResult::ok(format!("{} is not a git worktree", context.run.project.dir.display()))
        }
    }
}

/// Checks that git runs. Without it branches and remotes are not compared, and workplans are not
/// committed.
pub(super) fn check_git(_: &CommandContext, _: bool) -> CheckResult {
    match run_version_command("git") {
        Some(version) => CheckResult::ok(version),
        None => CheckResult::fail(
            "git cannot be run: branches, remotes and workplans are not compared",
            "install git and make sure that it is on PATH",
        ),
    }
}

/// Checks for hand-off command patterns that the hooks never see: the client starts a hook only for
/// commands that contain "handoff".
pub(super) fn check_handoff_commands(context: &CommandContext, _: bool) -> CheckResult {
    let patterns = context.run.settings.handoff_commands(&context.run.repository);
    let unseen: Vec<&str> = patterns
        .iter()
        .map(String::as_str)
        .filter(|pattern| !pattern.to_lowercase().contains("handoff"))
        .collect();
    if unseen.is_empty() {
        return CheckResult::ok(patterns.join(", "));
    }
    CheckResult::warn(
        format!(
            "the client passes only commands with the word handoff to the guard, so {} is checked only at Stop",
            unseen.join(", ")
        ),
        "add a PreToolUse hook of pre-handoff-validate for it to your settings.json",
    )
}
