//! `trueup completions`: the script by which a shell asks this program.

use clap_complete::Shell;
use serde_json::json;

use crate::command_error::CommandResult;
use crate::completion::render_script;
use crate::output::Output;
use crate::page::Line;

pub(super) fn cmd_completions(shell: Shell) -> CommandResult {
    let name = shell.to_string();
    let text = render_script(&name)?;
    let lines: Vec<Line> = text.lines().map(Line::verbatim).collect();
    Ok(Output::page(lines, json!({"shell": name, "script": text})))
}
