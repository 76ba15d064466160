//! `trueup man`: the manual pages, for packages and for an installation.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use serde_json::json;
use trueup_core::fs::create_shared_dir;
use trueup_core::text::{path_to_text, pluralize};

use crate::command_error::{CommandError, CommandResult, FileCase};
use crate::output::Output;

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Directory to write to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn cmd_man(arguments: &ManArgs, programs: Vec<Command>) -> CommandResult {
    let pages = write_pages(arguments, programs).map_err(|error| {
        CommandError::new(FileCase::File, format!("{}: {error}", arguments.out.display()))
    })?;
    let dir = path_to_text(&arguments.out);
    let count = pluralize(pages.len(), "man page", "man pages");
    Ok(Output::new(vec![format!("{count} in {dir}")], json!({"dir": dir, "pages": pages})))
}

/// Writes the page of each program and each of their commands; returns the names of the files.
fn write_pages(arguments: &ManArgs, programs: Vec<Command>) -> io::Result<Vec<String>> {
    create_missing_dirs(&arguments.out)?;
    let mut pages = Vec::new();
    for program in programs {
        let mut program = program.disable_help_subcommand(true);
        program.build();
        write_pages_of(&program, arguments, &mut pages)?;
    }
    Ok(pages)
}

fn create_missing_dirs(dir: &Path) -> io::Result<()> {
    let missing = dir.ancestors().take_while(|dir| !dir.as_os_str().is_empty() && !dir.exists());
    let missing: Vec<&Path> = missing.collect();
    missing.into_iter().rev().try_for_each(create_shared_dir)
}

fn write_pages_of(
    command: &Command,
    arguments: &ManArgs,
    pages: &mut Vec<String>,
) -> io::Result<()> {
    let page = clap_mangen::Man::new(command.clone()).manual("trueup manual");
    pages.push(page.get_filename());
    page.generate_to(&arguments.out)?;
    let mut shown = command.get_subcommands().filter(|inner| !inner.is_hide_set());
    shown.try_for_each(|inner| write_pages_of(inner, arguments, pages))
}
