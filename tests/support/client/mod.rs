//! Runs the real Claude Code client, unattended, with a scripted model on loopback.
//!
//! [`Scratch`] is a throw-away home, repository and plugin directory; [`ClientRun`] is one `claude -p`
//! in it; [`ScriptedModel`] answers the client's requests and keeps every one of them, so that a test can
//! read what a model would have read.

#![expect(
    clippy::missing_errors_doc,
    reason = "every error here is a sentence for the person who reads the failed test"
)]

mod finished;
pub(crate) mod install;
mod live;
mod plugin;
mod request;
mod run;
mod scratch;
pub(crate) mod scripted_model;
mod stream;
mod underway;

use std::error::Error;
use std::time::Duration;

pub use finished::FinishedRun;
pub use install::find_client;
pub use live::LiveClient;
pub use plugin::{find_binary, repository_root, stage_product, stage_scripts};
pub use request::{Request, ToolResult};
pub use run::ClientRun;
pub use scratch::Scratch;
pub use scripted_model::{RequestKind, ScriptedModel, Turn};
pub use stream::HookResponse;
pub use underway::RunningToolCall;

/// The harness's result: an error is a sentence.
pub type HarnessResult<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// How long anything may take before the harness gives up; no assertion depends on it.
pub(crate) const HARNESS_TIMEOUT: Duration = Duration::from_mins(2);
