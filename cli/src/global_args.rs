//! The arguments that every command takes.

use std::path::PathBuf;

use clap::{Args, ColorChoice};
use trueup_core::model::{OperationId, SessionId};
use trueup_core::text::{path_to_text, quote_for_shell};

use crate::time_text::TimesChoice;

/// The heading of these arguments in the help of a command.
const HEADING: &str = "Global options";

/// The arguments that every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct GlobalArgs {
    /// Print one JSON object
    #[arg(long, global = true, overrides_with = "json", help_heading = HEADING)]
    pub(crate) json: bool,
    #[arg(
        long,
        global = true,
        value_name = "ID",
        overrides_with = "session",
        help_heading = HEADING,
        help = "Session to act for [default: $TRUEUP_SESSION_ID, or the session of this project]"
    )]
    pub(crate) session: Option<SessionId>,
    /// Project directory [default: the current git worktree]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        overrides_with = "project",
        help_heading = HEADING
    )]
    pub(crate) project: Option<PathBuf>,
    /// Color of text
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        overrides_with = "color",
        help_heading = HEADING
    )]
    pub(crate) color: ColorChoice,
    #[arg(
        long,
        global = true,
        value_name = "HOW",
        default_value = "auto",
        hide_default_value = true,
        hide_possible_values = true,
        overrides_with = "times",
        help_heading = HEADING,
        help = "Times in text: relative, exact, or auto, relative on a terminal"
    )]
    pub(crate) times: TimesChoice,
    /// Operation id; repeating a command with the same id changes nothing
    #[arg(long, global = true, value_name = "ID", hide = true)]
    pub(crate) op_id: Option<OperationId>,
}

impl GlobalArgs {
    /// Returns the flags `--session` and `--project`, for a command that a hint advises to repeat.
    pub(crate) fn render_caller_flags(&self) -> String {
        let session = self.session.as_ref().map(SessionId::as_str);
        let project = self.project.as_deref().map(path_to_text);
        let flag = |name: &str, value: Option<&str>| {
            value.map_or_else(String::new, |value| format!(" --{name} {}", quote_for_shell(value)))
        };
        flag("session", session) + &flag("project", project.as_deref())
    }
}
