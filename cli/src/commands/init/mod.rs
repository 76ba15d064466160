//! `trueup init`: the files that a repository begins with, and its registration. What is there stays
//! as it is.

mod starter_files;
mod starter_workplan;

use clap::Args;
use serde_json::{Value, json};
use trueup_core::text::{CommandLine, path_to_text};

use self::starter_files::{StarterFile, list_starter_files};
use super::repo::{cmd_add, find_git_root};
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, DatabaseCase};
use crate::output::Output;
use crate::page::Page;

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Show what would be written, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not register the repository on this machine
    #[arg(long)]
    no_register: bool,
}

pub(super) fn cmd_init(context: &CommandContext, arguments: &InitArgs) -> CommandResult {
    let root = find_git_root(&context.run.project.dir)?;
    let files = list_starter_files(&root, context.run.repository.repo.as_deref())?;
    let (missing, kept): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| !file.is_there);
    // What is refused here is refused before anything is written.
    let registration = if arguments.dry_run || arguments.no_register {
        Registration::default()
    } else {
        register(context)?
    };
    let verb = if arguments.dry_run { "would write" } else { "wrote" };
    let mut text = Page::default();
    for file in &missing {
        if !arguments.dry_run {
            file.write(&root)?;
        }
        text.push(format!("{verb} {}, {}", file.path, file.about));
    }
    text.extend(kept.iter().map(|file| format!("kept {}", file.path)));
    text.append(registration.text);
    let next = list_next_steps(&missing, registration.is_due.then_some(&root));
    text.extend(next.iter().map(|(command, does)| format!("next: `{command}` {does}")));
    let paths = |files: &[StarterFile]| -> Vec<String> {
        files.iter().map(|file| file.path.clone()).collect()
    };
    let commands: Vec<&str> = next.iter().map(|(command, _)| command.as_str()).collect();
    let data = json!({
        "dry_run": arguments.dry_run, "written": paths(&missing), "kept": paths(&kept),
        "repo": registration.repo, "next": commands,
    });
    Ok(Output { text, data, ..Output::default() }.with_warnings(registration.warnings))
}

/// What came of the registration.
#[derive(Debug, Default)]
struct Registration {
    text: Page,
    repo: Value,
    warnings: Vec<String>,
    /// Whether it has to wait for the database to be created.
    is_due: bool,
}

/// Registers the repository as `trueup repo add` does.
fn register(context: &CommandContext) -> CommandResult<Registration> {
    match cmd_add(context, &context.run.project.dir, None, None) {
        Ok(output) => Ok(Registration {
            repo: output.data["repo"].clone(),
            text: output.text,
            warnings: output.warnings,
            is_due: false,
        }),
        // The first session creates it.
        Err(error) if is_database_missing(&error) => {
            Ok(Registration { is_due: true, ..Registration::default() })
        }
        Err(error) => Err(error),
    }
}

fn is_database_missing(error: &CommandError) -> bool {
    error.is(&DatabaseCase::DatabaseMissing) || error.is(&DatabaseCase::RemoteDatabaseMissing)
}

/// Lists the commands that come next, each with what it does.
fn list_next_steps(
    written: &[StarterFile],
    unregistered: Option<&std::path::PathBuf>,
) -> Vec<(String, &'static str)> {
    let mut steps = Vec::new();
    if let Some(root) = unregistered {
        let add = CommandLine::new("trueup repo add").with_word(path_to_text(root).as_str());
        steps
            .push((format!("trueup db migrate && {add}"), "creates the database and registers it"));
    }
    if written.iter().any(|file| file.is_workplan) {
        let paths = written.iter().map(|file| file.path.as_str());
        let add = paths.fold(CommandLine::new("git add"), CommandLine::with_word);
        let commit = format!("{add} && git commit -m \"Add a workplan\" && trueup check --fix");
        steps.push((commit, "makes its tasks work items, once you have written them"));
    }
    steps.push(("trueup prime".to_owned(), "prints what an agent should know"));
    steps
}
