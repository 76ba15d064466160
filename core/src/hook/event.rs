//! What a client tells of a session, whichever client it is.

use std::time::Duration;

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
    /// The user stopped the turn; no hook can keep it going.
    Interrupted,
    /// `SubagentStop` of a real subagent.
    SubagentStop,
    /// `FileChanged`: a watched file changed.
    FileChanged,
    /// `Notification` that the agent waits for a person, with the client's words.
    WaitsForInput(String),
    /// `SessionEnd`, with the client's reason.
    SessionEnd(String),
}
