//! What the client sends a hook and what a hook answers. Pure.
//!
//! Lenient at the wire, strict inside: unknown events, tools and fields mean "nothing to do";
//! only text that is no JSON object, or a session id that is none, is an error.

mod broken_payload;
mod payload;
mod response;
#[cfg(test)]
mod tests;
mod wire;

pub use broken_payload::find_commands;
pub use payload::{
    HookEvent, HookPayload, PayloadError, PromptKind, ShellCall, StartSource, TaskChange, ToolCall,
    parse_payload,
};
pub use response::{HookResponse, ToolDecision, ToolVerdict};
