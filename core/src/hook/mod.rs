//! What the client sends a hook and what a hook answers. Pure.
//!
//! Lenient at the wire, strict inside: unknown events, tools and fields mean "nothing to do";
//! only text that is no JSON object, or a session id that is none, is an error.

mod broken;
mod event;
mod response;
#[cfg(test)]
mod tests;
mod wire;

pub use broken::commands_of;
pub use event::{Event, Parsed, PayloadError, Prompt, Shell, Source, TaskChange, Tool, parse};
pub use response::{Decision, Response, Verdict};
