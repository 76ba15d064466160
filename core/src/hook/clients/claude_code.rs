//! Claude Code.

use std::time::Duration;

use super::super::wire::{Lenient, Payload, Todo, ToolInput};
use super::super::{HookEvent, PromptKind, ShellCall, StartSource, TaskChange, ToolCall};
use super::{Client, bounded_name, find_unreadable_field, read_end_reason};

/// Claude Code. Its payloads have no mark of their own, so whatever nobody else sent is its.
pub(super) static CLAUDE_CODE: Client = Client {
    agent: "claude-code",
    mark: None,
    is_sender: |_| true,
    parse_event,
    fit_response: |_, _| {},
    tells_stderr: false,
    process_names: &["claude", "claude.exe"],
    script_names: &["claude", "claude-code"],
    session_variables: &["CLAUDE_CODE_SESSION_ID"],
    variables: &[
        "CLAUDE_PROJECT_DIR",
        "CLAUDE_ENV_FILE",
        "CLAUDE_PID",
        "CLAUDE_CODE_SESSION_ID",
        "CLAUDE_CODE_SESSION_ATTENDED",
    ],
};

fn parse_event(payload: &Payload) -> Option<HookEvent> {
    if payload.hook_event_name.is_unreadable() && payload.tool_name.0.is_some() {
        // Without a readable event name, assume that the tool has not run yet.
        return Some(HookEvent::BeforeTool(parse_tool(payload)));
    }
    Some(match payload.hook_event_name.0.as_deref().unwrap_or_default() {
        "SessionStart" => HookEvent::SessionStart(StartSource::from_name(
            payload.source.0.as_deref().unwrap_or_default(),
        )),
        "UserPromptSubmit" => {
            let prompt = payload.prompt.0.as_deref().unwrap_or_default();
            HookEvent::Prompt(if prompt.trim_start().starts_with("<task-notification>") {
                PromptKind::Notification
            } else {
                PromptKind::User
            })
        }
        "PreSkillShellCommand" => HookEvent::BeforeSkillLine(parse_tool(payload)),
        "PreToolUse" => HookEvent::BeforeTool(parse_tool(payload)),
        "PostToolUse" => HookEvent::AfterTool(parse_tool(payload)),
        "TaskCreated" => HookEvent::Task(TaskChange::Created {
            id: bounded_name(&payload.task_id)?,
            subject: payload.task_subject.0.clone()?,
        }),
        "TaskCompleted" => {
            HookEvent::Task(TaskChange::Finished { id: bounded_name(&payload.task_id)? })
        }
        "PreCompact" => HookEvent::BeforeCompaction,
        "Stop" => HookEvent::Stop { is_repeated: payload.stop_hook_active.0 == Some(true) },
        // The client's own compaction agent stops with an empty type.
        "SubagentStop" if payload.agent_type.0.as_deref().is_some_and(|t| !t.is_empty()) => {
            HookEvent::SubagentStop
        }
        "FileChanged" => HookEvent::FileChanged,
        "Notification" if asks_for_a_person(payload) => {
            HookEvent::WaitsForInput(bounded_name(&payload.message).unwrap_or_default())
        }
        "SessionEnd" => HookEvent::SessionEnd(read_end_reason(payload)),
        _ => return None,
    })
}

fn parse_tool(payload: &Payload) -> ToolCall {
    if let Some(field) = find_unreadable_field(payload, &["Bash", "PowerShell"]) {
        return ToolCall::Unreadable(field);
    }
    let nothing = ToolInput::default();
    let input = payload.tool_input.0.as_ref().unwrap_or(&nothing);
    match payload.tool_name.0.as_deref().unwrap_or_default() {
        "Bash" | "PowerShell" => ToolCall::Bash(ShellCall {
            command: input.command.0.clone().unwrap_or_default(),
            timeout: input.timeout.0.map(Duration::from_millis),
            in_background: input.run_in_background.0 == Some(true),
        }),
        "Agent" | "Task" => ToolCall::Agent,
        "TodoWrite" => match input.todos.0.as_deref().map(find_task_in_progress) {
            Some(TaskInProgress::Task(task)) => ToolCall::Tasks(TaskChange::List(Some(task))),
            Some(TaskInProgress::Nothing) => ToolCall::Tasks(TaskChange::List(None)),
            Some(TaskInProgress::Unreadable) | None => ToolCall::Other,
        },
        "TaskCreate" => {
            let response = payload.tool_response.0.as_ref();
            let created = response.and_then(|response| response.task.0.as_ref());
            let id = created.and_then(|task| bounded_name(&task.id));
            match (id, input.subject.0.clone()) {
                (Some(id), Some(subject)) => ToolCall::Tasks(TaskChange::Created { id, subject }),
                _ => ToolCall::Other,
            }
        }
        "TaskUpdate" => match (bounded_name(&input.task_id), input.status.0.as_deref()) {
            (Some(id), Some("in_progress")) => {
                ToolCall::Tasks(TaskChange::Started { id, subject: input.subject.0.clone() })
            }
            (Some(id), Some("pending" | "completed" | "deleted" | "cancelled")) => {
                ToolCall::Tasks(TaskChange::Finished { id })
            }
            _ => ToolCall::Other,
        },
        _ => ToolCall::Other,
    }
}

/// Returns whether a notification says that the client waits for an answer or a permission.
fn asks_for_a_person(payload: &Payload) -> bool {
    let kind = payload.notification_type.0.as_deref();
    matches!(kind, Some("permission_prompt" | "idle_prompt" | "elicitation_dialog"))
}

/// What a todo list says about the task in progress.
enum TaskInProgress {
    Task(String),
    Nothing,
    /// There is, or may be, one that cannot be read.
    Unreadable,
}

/// Finds the first readable task in progress. An unreadable entry hides no other.
fn find_task_in_progress(todos: &[Lenient<Todo>]) -> TaskInProgress {
    let read = todos.iter().filter_map(|todo| todo.0.as_ref());
    let mut working = read.filter(|todo| todo.status.0.as_deref() == Some("in_progress"));
    let content = |todo: &Todo| todo.content.0.clone().filter(|text| !text.trim().is_empty());
    let is_unclear = |todo: &Lenient<Todo>| {
        let status = todo.0.as_ref().map(|todo| &todo.status);
        status.is_none_or(|status| {
            status.is_unreadable() || status.0.as_deref() == Some("in_progress")
        })
    };
    match working.find_map(content) {
        Some(task) => TaskInProgress::Task(task),
        None if todos.iter().any(is_unclear) => TaskInProgress::Unreadable,
        None => TaskInProgress::Nothing,
    }
}
