//! Which ids an argument takes: by the type of its value, or by its place where that is a text.

use std::any::TypeId;

use trueup_core::model::{
    HandoffId, ItemKey, ItemStatus, OrchestratorId, PlanId, QueueId, RepoSlug, SessionId,
};

/// What an argument names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueKind {
    Handoff,
    Item,
    ItemStatus,
    JournalEntry,
    Orchestrator,
    OutboxWrite,
    Phase,
    Plan,
    PlanTask,
    Repository,
    Session,
    SessionPhase,
}

/// Finds what an argument of the command at a path, such as `item show`, names.
pub(super) fn find_value_kind(path: &str, argument: &clap::Arg) -> Option<ValueKind> {
    if !argument.get_action().takes_values() {
        return None;
    }
    find_by_type(argument).or_else(|| find_by_place(path, argument.get_id().as_str()))
}

fn find_by_type(argument: &clap::Arg) -> Option<ValueKind> {
    let kinds = [
        (TypeId::of::<HandoffId>(), ValueKind::Handoff),
        (TypeId::of::<ItemKey>(), ValueKind::Item),
        (TypeId::of::<ItemStatus>(), ValueKind::ItemStatus),
        (TypeId::of::<OrchestratorId>(), ValueKind::Orchestrator),
        (TypeId::of::<PlanId>(), ValueKind::Plan),
        (TypeId::of::<QueueId>(), ValueKind::Phase),
        (TypeId::of::<RepoSlug>(), ValueKind::Repository),
        (TypeId::of::<SessionId>(), ValueKind::Session),
    ];
    let value = argument.get_value_parser().type_id();
    kinds.into_iter().find(|(of, _)| value == *of).map(|(_, kind)| kind)
}

fn find_by_place(path: &str, argument: &str) -> Option<ValueKind> {
    Some(match (path, argument) {
        ("journal show" | "journal drop" | "journal restore", "id") => ValueKind::JournalEntry,
        ("outbox drop" | "outbox retry", "id") => ValueKind::OutboxWrite,
        ("plan status" | "plan export" | "plan watch", "name") | (_, "plan") => ValueKind::Plan,
        (
            "plan start" | "plan complete" | "plan fail" | "plan skip" | "plan retry"
            | "plan reopen",
            "task",
        ) => ValueKind::PlanTask,
        ("set", "phase") => ValueKind::SessionPhase,
        ("item list", "repo") => ValueKind::Repository,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::commands::TrueupArgs;

    fn kind_of(path: &str, argument: &str) -> Option<ValueKind> {
        let mut command = TrueupArgs::command();
        command.build();
        let mut at = &command;
        for word in path.split(' ') {
            at = at.find_subcommand(word).unwrap_or_else(|| panic!("{path}: {word}"));
        }
        let found = at.get_arguments().find(|it| it.get_id() == argument);
        find_value_kind(path, found.unwrap_or_else(|| panic!("{path}: {argument}")))
    }

    #[test]
    fn arguments_name_what_their_commands_take() {
        for (path, argument, kind) in [
            ("claim", "key", ValueKind::Item),
            ("item depend", "on", ValueKind::Item),
            ("next", "parent", ValueKind::Item),
            ("status", "session", ValueKind::Session),
            ("sessions show", "id", ValueKind::Session),
            ("handoff create", "to", ValueKind::Session),
            ("handoff accept", "id", ValueKind::Handoff),
            ("queue start", "id", ValueKind::Phase),
            ("queue list", "item", ValueKind::Item),
            ("plan remove", "plan", ValueKind::Plan),
            ("plan status", "name", ValueKind::Plan),
            ("plan next", "plan", ValueKind::Plan),
            ("plan start", "task", ValueKind::PlanTask),
            ("orchestrator start", "plan", ValueKind::Plan),
            ("orchestrator stop", "id", ValueKind::Orchestrator),
            ("journal restore", "id", ValueKind::JournalEntry),
            ("outbox retry", "id", ValueKind::OutboxWrite),
            ("state show", "slug", ValueKind::Repository),
            ("repo remove", "slug", ValueKind::Repository),
            ("item list", "repo", ValueKind::Repository),
            ("plan reopen", "task", ValueKind::PlanTask),
            ("item transition", "status", ValueKind::ItemStatus),
            ("item list", "status", ValueKind::ItemStatus),
            ("set", "phase", ValueKind::SessionPhase),
        ] {
            assert_eq!(kind_of(path, argument), Some(kind), "{path} {argument}");
        }
        assert_eq!(kind_of("set", "task"), None);
        assert_eq!(kind_of("claim", "json"), None);
    }
}
