//! Which one command the caller would give next.

use trueup_core::model::{ItemStatus, Phase, PlanTaskStatus, Session};
use trueup_core::text::CommandLine;

use super::handoff_command::build_accept_command;
use super::reading::Standing;

/// A command and what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Advice {
    pub(super) command: CommandLine,
    pub(super) does: &'static str,
}

impl Advice {
    const fn new(command: CommandLine, does: &'static str) -> Self {
        Self { command, does }
    }
}

/// Decides which command to give next.
pub(super) fn choose_next_command(standing: &Standing) -> Advice {
    match &standing.session {
        Some(session) => choose_for_session(standing, session),
        None => choose_for_person(standing),
    }
}

fn choose_for_session(standing: &Standing, session: &Session) -> Advice {
    if let Some(handoff) = &standing.handoff {
        return Advice::new(
            build_accept_command(handoff),
            "takes over what was handed to this session",
        );
    }
    let Some(item) = &standing.item else {
        if let Some(handoff) = &standing.offered {
            return Advice::new(
                build_accept_command(handoff),
                "takes over what was handed to anybody",
            );
        }
        return choose_without_item(standing);
    };
    if session.execution_state().work.was_interrupted {
        return Advice::new(CommandLine::new("trueup resume"), "goes on with interrupted work");
    }
    let key = item.key.as_str();
    match (item.status, &standing.phase) {
        (status, _) if status.is_finished() => {
            Advice::new(CommandLine::new("trueup next --claim"), "takes the next item")
        }
        (ItemStatus::Blocked, _) => Advice::new(
            CommandLine::new("trueup item show").with_word(key),
            "shows why the item is blocked",
        ),
        (_, Some(phase)) => step_phase(phase),
        (_, None) => {
            let command = CommandLine::new("trueup item transition").with_word(key);
            let command = command.with_words("completed");
            let needs_evidence = item.requires_evidence && item.evidence.is_none();
            let command =
                if needs_evidence { command.with_words("--evidence REF") } else { command };
            Advice::new(command, "finishes the item when its work is done")
        }
    }
}

fn step_phase(phase: &Phase) -> Advice {
    let id = phase.id.as_str();
    match phase.status {
        ItemStatus::Running => Advice::new(
            CommandLine::new("trueup queue complete").with_word(id),
            "finishes the phase when its work is done",
        ),
        _ => Advice::new(CommandLine::new("trueup queue start").with_word(id), "starts the phase"),
    }
}

fn choose_without_item(standing: &Standing) -> Advice {
    match &standing.next {
        Some(_) => Advice::new(CommandLine::new("trueup next --claim"), "takes the next item"),
        None if standing.plan_task.is_some() => advise_task(standing),
        None if standing.has_items => {
            Advice::new(CommandLine::new("trueup next"), "says why no item is ready")
        }
        None => add_first_item(),
    }
}

fn choose_for_person(standing: &Standing) -> Advice {
    let is_alone = standing.needs.is_empty() && standing.others.is_empty();
    if is_alone && standing.next.is_none() && standing.plan_task.is_some() {
        return advise_task(standing);
    }
    if standing.has_items || !is_alone {
        return Advice::new(CommandLine::new("trueup top"), "shows all of it as it changes");
    }
    advise_task(standing)
}

/// Leads to the next task of a plan, or to a first item where no plan has one.
fn advise_task(standing: &Standing) -> Advice {
    match &standing.plan_task {
        Some(task) if task.status == PlanTaskStatus::InProgress => Advice::new(
            CommandLine::new("trueup plan complete").with_word(task.key()),
            "completes the task when its work is done",
        ),
        Some(task) => Advice::new(
            CommandLine::new("trueup plan start").with_word(task.key()),
            "starts the task; `trueup plan next` lists what is ready",
        ),
        None => add_first_item(),
    }
}

fn add_first_item() -> Advice {
    let command = CommandLine::new("trueup item add").with_words("SD-1 --title \"First item\"");
    Advice::new(command, "adds an item for sessions to claim")
}
