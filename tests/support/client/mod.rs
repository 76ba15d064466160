//! Runs the real Claude Code client, unattended, with a scripted model on loopback.
//!
//! [`Scratch`] is a throw-away home, repository and plugin directory; [`Run`] is one `claude -p`
//! in it; [`Model`] answers the client's requests and keeps every one of them, so that a test can
//! read what a model would have read.

#![expect(
    clippy::missing_errors_doc,
    reason = "every error here is a sentence for whoever reads the failed test"
)]

mod finished;
mod install;
mod live;
mod model;
mod plugin;
mod request;
mod run;
mod scratch;
mod stream;
mod underway;

use std::error::Error;
use std::time::Duration;

pub use finished::Finished;
pub use install::client;
pub use live::Live;
pub use model::{Kind, Model, Turn};
pub use plugin::{binary, repository, stage_product, stage_scripts};
pub use request::{Request, ToolResult};
pub use run::Run;
pub use scratch::Scratch;
pub use stream::HookResponse;
pub use underway::Underway;

/// Is what the harness returns: a failure carries a sentence, not a type.
pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Is how long anything may take before the harness gives up on it; no assertion rests on it.
pub(crate) const LIMIT: Duration = Duration::from_mins(2);
