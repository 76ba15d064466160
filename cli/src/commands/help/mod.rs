//! `trueup help`: topics, codes of findings, and the commands in groups.

mod groups;
mod subject;
mod topics;

use clap::Args;
use serde_json::json;

pub(crate) use self::groups::group_commands;
pub(crate) use self::subject::HelpSubject;
pub(crate) use self::topics::Topic;
use crate::output::Output;
use crate::page::Line;

#[derive(Debug, Args)]
pub(crate) struct HelpArgs {
    /// What to explain: a topic, a command as its --help does, or a code such as C-13
    #[arg(value_enum, ignore_case = true)]
    pub(crate) topic: HelpSubject,
}

pub(super) fn cmd_help(arguments: &HelpArgs) -> Output {
    let subject = arguments.topic;
    let text = subject.text();
    let lines: Vec<Line> = match subject {
        HelpSubject::Topic(_) => text.lines().map(Line::verbatim).collect(),
        HelpSubject::Code(_) => text.lines().map(Line::from).collect(),
    };
    Output::page(lines, json!({"topic": subject.name(), "text": text}))
}
