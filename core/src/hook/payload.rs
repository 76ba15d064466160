//! Parses a payload into an event.

use std::time::Duration;

use super::wire::{Lenient, Payload, Todo, ToolInput};
use crate::bounds::PAYLOAD_NAME;
use crate::model::{IdError, SessionId};
use crate::text::lenient_json;

/// Why a payload cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// Nothing on stdin.
    #[error("stdin was empty; a hook reads one JSON object")]
    Empty,
    /// It is not a JSON object.
    #[error("stdin is not a hook payload: {0}")]
    Syntax(#[from] serde_json::Error),
    /// The session id is missing or invalid.
    #[error("stdin has no valid session: {0}")]
    Session(#[from] IdError),
}

/// Why a session starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartSource {
    /// A new session.
    Startup,
    /// The same session again.
    Resume,
    /// A new session after `/clear`.
    Clear,
    /// The same session after compaction.
    Compact,
    /// A new session forked from another.
    Fork,
}

impl StartSource {
    /// Reads the client's name of a source. An unknown one still needs the database's state.
    pub fn from_name(name: &str) -> Self {
        match name {
            "resume" => Self::Resume,
            "clear" => Self::Clear,
            "compact" => Self::Compact,
            "fork" => Self::Fork,
            _ => Self::Startup,
        }
    }

    /// Returns the client's name of the source.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Startup => "startup",
            Self::Resume => "resume",
            Self::Clear => "clear",
            Self::Compact => "compact",
            Self::Fork => "fork",
        }
    }
}

/// What caused a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptKind {
    /// A user's turn.
    User,
    /// The client's notice to the agent that a background agent is done.
    Notification,
}

/// A change of the session's task list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskChange {
    /// A task was created.
    Created {
        /// The task's id in the session.
        id: String,
        /// The task's subject.
        subject: String,
    },
    /// A task was started.
    Started {
        /// The task's id in the session.
        id: String,
        /// The task's subject, if the tool named it.
        subject: Option<String>,
    },
    /// A task was finished or dropped.
    Finished {
        /// The task's id in the session.
        id: String,
    },
    /// The whole list was written; holds the task in progress, if any.
    List(Option<String>),
}

/// A shell command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShellCall {
    /// The command's text.
    pub command: String,
    /// Its time limit, if the agent set one.
    pub timeout: Option<Duration>,
    /// Whether the session continues while it runs.
    pub in_background: bool,
}

/// A tool that is about to run, or ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolCall {
    /// A shell command.
    Bash(ShellCall),
    /// A subagent.
    Agent,
    /// The task and todo tools.
    Tasks(TaskChange),
    /// Any other tool.
    Other,
    /// A tool whose named field decides what it is, and cannot be read.
    Unreadable(&'static str),
}

/// The event of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookEvent {
    /// `SessionStart`
    SessionStart(StartSource),
    /// `UserPromptSubmit`
    Prompt(PromptKind),
    /// `PreToolUse`
    BeforeTool(ToolCall),
    /// `PreSkillShellCommand`: a shell line of a skill or command, which is not a tool call.
    BeforeSkillLine(ToolCall),
    /// `PostToolUse`
    AfterTool(ToolCall),
    /// `TaskCreated`, `TaskCompleted`
    Task(TaskChange),
    /// `PreCompact`
    BeforeCompaction,
    /// `Stop`; `is_repeated` if the turn continues because a hook blocked before.
    Stop {
        /// The client's `stop_hook_active`.
        is_repeated: bool,
    },
    /// `SubagentStop` of a real subagent.
    SubagentStop,
    /// `FileChanged`: a watched file changed.
    FileChanged,
    /// `Notification` that the agent waits for a person, with the client's words.
    WaitsForInput(String),
    /// `SessionEnd`, with the client's reason.
    SessionEnd(String),
}

/// A parsed payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookPayload {
    /// The session that sent it.
    pub session: SessionId,
    /// The session's working directory.
    pub cwd: Option<String>,
    /// Whether a subagent sent it, whose directory and branch are its own.
    pub is_subagent: bool,
    /// The event of a payload.
    pub event: HookEvent,
}

/// Parses a payload; `None` if trueup has nothing to do with it, such as an event of a newer
/// client.
///
/// # Errors
///
/// When the text is not a JSON object or has no valid session id.
pub fn parse_payload(text: &[u8]) -> Result<Option<HookPayload>, PayloadError> {
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err(PayloadError::Empty);
    }
    let payload: Payload = lenient_json::from_slice(text)?;
    let Some(event) = parse_event(&payload) else {
        return Ok(None);
    };
    Ok(Some(HookPayload {
        session: payload.session_id.0.as_deref().unwrap_or_default().parse()?,
        cwd: payload.cwd.0.filter(|cwd| !cwd.is_empty()),
        is_subagent: payload.agent_id.0.is_some(),
        event,
    }))
}

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
        "SessionEnd" => HookEvent::SessionEnd(
            bounded_name(&payload.reason)
                .filter(|r| !r.is_empty())
                .unwrap_or_else(|| "other".to_owned()),
        ),
        _ => return None,
    })
}

fn parse_tool(payload: &Payload) -> ToolCall {
    if payload.tool_name.is_unreadable() {
        return ToolCall::Unreadable("tool_name");
    }
    let nothing = ToolInput::default();
    let input = payload.tool_input.0.as_ref().unwrap_or(&nothing);
    match payload.tool_name.0.as_deref().unwrap_or_default() {
        "Bash" | "PowerShell" if payload.tool_input.is_unreadable() => {
            ToolCall::Unreadable("tool_input")
        }
        "Bash" | "PowerShell" if input.command.is_unreadable() => ToolCall::Unreadable("command"),
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

/// Returns an id or a reason, truncated: it is stored in rows and lines of the outbox.
fn bounded_name(text: &Lenient<String>) -> Option<String> {
    let text = text.0.as_deref()?;
    let end = text.char_indices().nth(PAYLOAD_NAME.len());
    Some(text.get(..end.map_or(text.len(), |(at, _)| at))?.to_owned())
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
