//! Payloads as the client sends them.

use serde_json::{Value as Json, json};

use crate::agent::Agent;

fn build(agent: &Agent, event: &str, mut fields: Json) -> Vec<u8> {
    fields["session_id"] = agent.id.as_str().into();
    fields["cwd"] = agent.dir.to_str().unwrap().into();
    fields["hook_event_name"] = event.into();
    fields.to_string().into_bytes()
}

fn after_tool(agent: &Agent, tool: &str, input: &Json, response: &Json) -> Vec<u8> {
    let fields = json!({"tool_name": tool, "tool_input": input, "tool_response": response});
    build(agent, "PostToolUse", fields)
}

/// The agent made a text its current task.
pub(crate) fn todo_write(agent: &Agent, text: &str) -> Vec<u8> {
    let todo = json!({"content": text, "status": "in_progress", "activeForm": text});
    after_tool(agent, "TodoWrite", &json!({"todos": [todo]}), &json!({}))
}

/// The agent added a task to its list.
pub(crate) fn task_create(agent: &Agent, task: &str, subject: &str) -> Vec<u8> {
    let response = json!({"task": {"id": task, "subject": subject}});
    after_tool(agent, "TaskCreate", &json!({"subject": subject}), &response)
}

/// The agent changed the status of a task of its list.
pub(crate) fn task_update(agent: &Agent, task: &str, status: &str) -> Vec<u8> {
    let input = json!({"taskId": task, "status": status});
    after_tool(agent, "TaskUpdate", &input, &json!({"success": true, "taskId": task}))
}

/// The agent ran a tool that says nothing of its work.
pub(crate) fn bash(agent: &Agent) -> Vec<u8> {
    after_tool(agent, "Bash", &json!({"command": "cd sub"}), &json!({"stdout": ""}))
}

/// The agent is about to start another one, which hands work off.
pub(crate) fn before_agent(agent: &Agent) -> Vec<u8> {
    let input = json!({"description": "d", "prompt": "look", "subagent_type": "general-purpose"});
    build(agent, "PreToolUse", json!({"tool_name": "Agent", "tool_input": input}))
}

/// The user wrote something.
pub(crate) fn prompt(agent: &Agent) -> Vec<u8> {
    build(agent, "UserPromptSubmit", json!({"prompt": "go on"}))
}

/// The turn ended.
pub(crate) fn stop(agent: &Agent) -> Vec<u8> {
    build(agent, "Stop", json!({"stop_hook_active": false}))
}

/// The session ended.
pub(crate) fn session_end(agent: &Agent) -> Vec<u8> {
    build(agent, "SessionEnd", json!({"reason": "other"}))
}
