//! Completion in a shell: its script runs this program with [`VARIABLE`] set and the words so far
//! as arguments, and gets back what may follow.
//!
//! Invariants: whatever fails, nothing is printed; nothing is created or changed; no network is
//! used; what is offered is safe to insert into a command line as it is.

mod bash_words;
mod known_id;
mod known_ids;
mod replica_ids;
mod stored_ids;
mod value_kind;

use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{EnvCompleter, Shells};

use crate::printer::open_raw_output;
use known_ids::list_known_ids;
use value_kind::{ValueKind, find_value_kind};

/// The variable by which a script asks; its value is the name of the shell.
const VARIABLE: &str = "TRUEUP_COMPLETE";

/// The name of the program in the scripts, which find it on the search path.
const PROGRAM: &str = "trueup";

/// Answers a shell, where one asks, by the definition of the commands.
pub(crate) fn answer_shell(commands: impl FnOnce() -> clap::Command) -> Option<ExitCode> {
    let shell = std::env::var_os(VARIABLE).filter(|shell| !shell.is_empty())?;
    // A message would appear in the middle of the line that the user types.
    std::panic::set_hook(Box::new(|_| {}));
    let shells = Shells::builtins();
    let shell = shells.completer(&shell.to_string_lossy());
    let answer = shell.and_then(|shell| render_answer(shell, commands()));
    let written = answer.map(|answer| open_raw_output().write_all(&answer));
    Some(if matches!(written, Some(Ok(()))) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Renders the script for a shell.
///
/// # Errors
///
/// When there is none for it.
pub(crate) fn render_script(shell: &str) -> io::Result<String> {
    let shells = Shells::builtins();
    let completer = shells
        .completer(shell)
        .ok_or_else(|| io::Error::other(format!("no script for {shell}")))?;
    let mut script = Vec::new();
    completer.write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script)?;
    let script = String::from_utf8(script).map_err(io::Error::other)?;
    Ok(match shell {
        "zsh" => script + AUTOLOADED_IN_ZSH,
        _ => script,
    })
}

/// What a file in `fpath` needs: zsh runs it as the function at the first completion, which would
/// otherwise only define another one.
const AUTOLOADED_IN_ZSH: &str = "\
if [ \"$funcstack[1]\" = \"_trueup\" ]; then
    _clap_dynamic_completer_trueup \"$@\"
fi
";

fn render_answer(shell: &dyn EnvCompleter, commands: clap::Command) -> Option<Vec<u8>> {
    let mut arguments = std::env::args_os().skip_while(|word| word != "--");
    arguments.next()?;
    let words: Vec<OsString> = arguments.collect();
    let current_dir = std::env::current_dir().ok();
    let mut command = build_command(commands);
    let mut answer = Vec::new();
    if shell.name() == "bash" {
        answer = bash_words::render_answer(&mut command, words, current_dir.as_deref())?;
    } else {
        shell.write_complete(&mut command, words, current_dir.as_deref(), &mut answer).ok()?;
    }
    Some(answer)
}

/// Builds the definition of all commands, whose arguments know the ids that they may have.
fn build_command(mut command: clap::Command) -> clap::Command {
    command.build();
    add_completers(command, &mut Vec::new())
}

fn add_completers(command: clap::Command, path: &mut Vec<String>) -> clap::Command {
    let here = path.join(" ");
    let command = command.mut_args(|argument| match find_value_kind(&here, &argument) {
        Some(kind) => argument.add(ArgValueCompleter::new(move |begun: &OsStr| offer(kind, begun))),
        None => argument,
    });
    command.mut_subcommands(|inner| {
        path.push(inner.get_name().to_owned());
        let inner = add_completers(inner, path);
        path.pop();
        inner
    })
}

/// Offers the known ids that begin so.
fn offer(kind: ValueKind, begun: &OsStr) -> Vec<CompletionCandidate> {
    let Some(begun) = begun.to_str() else {
        return Vec::new();
    };
    let known = list_known_ids(kind, begun.to_owned());
    let offered = known.into_iter().filter(|known| known.id.starts_with(begun));
    offered
        .map(|known| {
            let about = (!known.about.is_empty()).then(|| known.about.into());
            CompletionCandidate::new(known.id).help(about)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn each_shell_has_a_script_that_asks_this_program() {
        for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
            let script = render_script(shell).unwrap();
            assert!(script.contains(VARIABLE) && script.contains(PROGRAM), "{shell}: {script}");
        }
        assert!(render_script("zsh").unwrap().starts_with("#compdef trueup\n"));
    }

    #[test]
    fn the_definition_with_completers_is_sound() {
        build_command(crate::commands::TrueupArgs::command()).debug_assert();
    }
}
