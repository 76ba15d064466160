//! What the client sends to a hook and what a hook answers. Pure.
//!
//! Lenient on input, strict inside: unknown events, tools and fields mean "nothing to do". Only
//! text that is not a JSON object, or an invalid session id, is an error.

mod broken_payload;
mod clients;
mod event;
mod payload;
mod response;
mod terminal_alert;
#[cfg(test)]
mod tests;
mod wire;

pub use broken_payload::find_commands;
pub use clients::{CLIENTS, Client};
pub use event::{HookEvent, PromptKind, ShellCall, StartSource, TaskChange, ToolCall};
pub use payload::{HookPayload, PayloadError, parse_payload};
pub use response::{HookResponse, ToolDecision, ToolVerdict};
pub use terminal_alert::{TerminalAlert, TerminalNotice};
