//! Runs the command of a call as a process of its own.

use std::io;
use std::process::{Command, Output as ProcessOutput, Stdio};

use serde_json::Value;

use super::answers::build_call_result;
use super::spoken_for::SpokenFor;
use crate::command_context::CommandContext;

/// Longest text of an answer, in characters: a tenth of what a model can read at once.
const MAX_ANSWER_CHARS: usize = 40_000;

/// Begins what only helps at a terminal.
const FOR_MORE: &str = "\nFor more information, try";

/// Runs `trueup` with these words for a session, and builds the result of the call. A command
/// that is refused or fails says on stderr why, and what to do.
pub(super) fn run_command(
    context: &CommandContext,
    session: &SpokenFor,
    words: &[String],
) -> Value {
    match run_process(context, session, words) {
        Ok(output) => build_call_result(&render_output(&output), !output.status.success()),
        Err(error) => {
            let text = format!("the command cannot be run: {error}\nhint: shorten the arguments");
            build_call_result(&text, true)
        }
    }
}

/// Runs `trueup` for a session, in the project of this server.
///
/// # Errors
///
/// When no process can be started: an argument is too long, or contains a NUL.
pub(super) fn run_process(
    context: &CommandContext,
    session: &SpokenFor,
    words: &[String],
) -> io::Result<ProcessOutput> {
    let project = &context.run.project.dir;
    let mut command = Command::new(std::env::current_exe()?);
    command.current_dir(project).env("CLAUDE_PROJECT_DIR", project).stdin(Stdio::null());
    session.speak_through(&mut command);
    command.args(words).output()
}

/// Joins what a command printed: the answer, then warnings or the error.
fn render_output(output: &ProcessOutput) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let stderr = stderr.split(FOR_MORE).next().unwrap_or_default();
    let parts = [stdout.trim_end(), stderr.trim_end()];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let text = parts.join("\n");
    if text.is_empty() && !output.status.success() {
        return format!("the command ended without an answer: {}", output.status);
    }
    shorten(&text)
}

/// Cuts a long answer at a line.
fn shorten(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(MAX_ANSWER_CHARS) else {
        return text.to_owned();
    };
    let (kept, _) = text.split_at(end);
    let kept = kept.rsplit_once('\n').map_or(kept, |(lines, _)| lines);
    let left_out = text.chars().count() - kept.chars().count();
    format!("{kept}\n({left_out} more characters; ask for less)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_answer_is_cut_at_a_line() {
        assert_eq!(shorten("a\nb"), "a\nb");
        let line = "é".repeat(99);
        let long = [line.as_str(); 1_000].join("\n");
        let short = shorten(&long);
        assert!(short.chars().count() < MAX_ANSWER_CHARS + 100);
        assert!(
            short.ends_with("é\n(60000 more characters; ask for less)"),
            "{:?}",
            &short[short.len() - 60..]
        );
    }
}
