//! `trueup completions`: the script by which a shell asks this program.

use clap_complete::Shell;
use serde_json::json;

use crate::command_error::CommandResult;
use crate::completion::render_script;
use crate::output::Output;

pub(super) fn cmd_completions(shell: Shell) -> CommandResult {
    let name = shell.to_string();
    let text = render_script(&name)?;
    let lines = text.lines().map(str::to_owned).collect();
    Ok(Output::new(lines, json!({"shell": name, "script": text})))
}
