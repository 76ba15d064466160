//! The project: its repository, git itself, and what the repository's file sets.

use super::super::or_none;
use super::Finding;
use super::client::first_line_of;
use crate::desk::Desk;

pub(super) fn repository(desk: &Desk, _: bool) -> Finding {
    match (&desk.site.project.git, desk.site.warnings.first()) {
        (_, Some(warning)) => Finding::warn(warning.clone(), "correct that line"),
        (Some(git), None) => Finding::ok(format!(
            "{}, branch {}",
            git.root.display(),
            or_none(desk.site.branch().as_deref())
        )),
        (None, None) => Finding::ok(format!(
            "{} is not a git worktree",
            desk.site.project.dir.display()
        )),
    }
}

/// Without git nothing is compared with a branch or a remote, and no workplan is committed.
pub(super) fn git(_: &Desk, _: bool) -> Finding {
    match first_line_of("git") {
        Some(version) => Finding::ok(version),
        None => Finding::fail(
            "git cannot be run: branches, remotes and workplans are not compared",
            "install git and make sure that it is on PATH",
        ),
    }
}

/// Patterns of hand-off commands that the plugin's hooks would never see: the client decides
/// by the word "handoff" in the command before it starts a hook.
pub(super) fn handoff_commands(desk: &Desk, _: bool) -> Finding {
    let patterns = desk.site.settings.handoff_commands(&desk.site.repository);
    let unseen: Vec<&str> = patterns
        .iter()
        .map(String::as_str)
        .filter(|pattern| !pattern.to_lowercase().contains("handoff"))
        .collect();
    if unseen.is_empty() {
        return Finding::ok(patterns.join(", "));
    }
    Finding::warn(
        format!(
            "the client passes only commands with the word handoff to the gate, so {} is checked only at Stop",
            unseen.join(", ")
        ),
        "add a PreToolUse hook of pre-handoff-validate for it to your settings.json",
    )
}
