//! Codex CLI. Its hooks have the names and fields of Claude Code's, its answers are read strictly: one
//! key too many, and the whole answer is dropped.

use super::super::wire::{Payload, ToolInput};
use super::super::{
    HookEvent, HookResponse, PromptKind, ShellCall, StartSource, ToolCall, ToolDecision,
};
use super::{Client, bounded_name, find_unreadable_field, read_end_reason};

/// Codex CLI.
pub(super) static CODEX: Client = Client {
    agent: "codex",
    mark: Some("turn_id"),
    is_sender,
    parse_event,
    fit_response,
    tells_stderr: true,
    process_names: &["codex", "codex.exe"],
    script_names: &[],
    // A subagent is a thread of its session.
    session_variables: &["CODEX_SESSION_ID", "CODEX_THREAD_ID"],
    variables: &["CODEX_SESSION_ID", "CODEX_THREAD_ID"],
};

/// Returns whether the payload belongs to a turn of Codex. The start and the end of a session belong
/// to none; they name a transcript as only Codex does, or none at all.
fn is_sender(payload: &Payload) -> bool {
    let transcript = &payload.transcript_path;
    let file = transcript.0.as_deref().and_then(|path| path.rsplit(['/', '\\']).next());
    payload.turn_id.0.is_some()
        || transcript.is_null()
        || file.is_some_and(|name| name.starts_with("rollout-"))
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
        // What a subagent is told to do comes as a prompt too, under its session's id.
        "UserPromptSubmit" if payload.agent_id.0.is_none() => HookEvent::Prompt(PromptKind::User),
        "PreToolUse" => HookEvent::BeforeTool(parse_tool(payload)),
        "PostToolUse" => HookEvent::AfterTool(parse_tool(payload)),
        "PermissionRequest" => {
            let tool = bounded_name(&payload.tool_name).unwrap_or_default();
            HookEvent::WaitsForInput(format!("permission for {tool}"))
        }
        "PreCompact" => HookEvent::BeforeCompaction,
        "Stop" => HookEvent::Stop { is_repeated: payload.stop_hook_active.0 == Some(true) },
        "Interrupt" => HookEvent::Interrupted,
        "SubagentStop" => HookEvent::SubagentStop,
        "SessionEnd" => HookEvent::SessionEnd(read_end_reason(payload)),
        _ => return None,
    })
}

/// Reads a tool. Shell commands come as `Bash`, whichever tool the model has for them; an edit comes
/// as `apply_patch`, with the patch where a shell has its command.
fn parse_tool(payload: &Payload) -> ToolCall {
    if let Some(field) = find_unreadable_field(payload, &["Bash"]) {
        return ToolCall::Unreadable(field);
    }
    let nothing = ToolInput::default();
    let input = payload.tool_input.0.as_ref().unwrap_or(&nothing);
    match payload.tool_name.0.as_deref().unwrap_or_default() {
        // A command that takes longer goes on behind the call.
        "Bash" => ToolCall::Bash(ShellCall {
            command: input.command.0.clone().unwrap_or_default(),
            timeout: None,
            in_background: false,
        }),
        "spawn_agent" => ToolCall::Agent,
        _ => ToolCall::Other,
    }
}

/// Leaves what the answer to an event may have: no watched files, no sequence for the terminal, no
/// question to the user, and nothing at the end of a session.
fn fit_response(response: &mut HookResponse, event: &HookEvent) {
    if matches!(event, HookEvent::SessionEnd(_)) {
        *response = HookResponse::default();
    }
    response.watch_paths.clear();
    response.alert = None;
    if let Some(verdict) = response.verdict.take_if(|it| it.decision == ToolDecision::Ask) {
        response.system_message.get_or_insert(verdict.reason);
    }
}
