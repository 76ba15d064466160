//! `trueup help`: topics, and the commands in groups.

mod groups;
mod topics;

use clap::Args;
use serde_json::json;

pub(crate) use self::groups::group_commands;
pub(crate) use self::topics::Topic;
use crate::output::Output;
use crate::page::Line;

#[derive(Debug, Args)]
pub(crate) struct HelpArgs {
    /// What to explain; a command is explained as by its --help
    #[arg(value_enum)]
    pub(crate) topic: Topic,
}

pub(super) fn cmd_help(arguments: &HelpArgs) -> Output {
    let text = arguments.topic.text();
    let lines: Vec<Line> = text.lines().map(Line::verbatim).collect();
    Output::page(lines, json!({"topic": arguments.topic.name(), "text": text}))
}
