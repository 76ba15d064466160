//! `trueup-hub man`: the manual pages, for packages and for an installation.

use std::path::Path;

use clap::CommandFactory as _;

use crate::command_line::HubArgs;
use crate::failure::Failure;
use crate::printer::print_line;

/// Writes a page for the program and each of its commands.
pub(crate) fn run(out: &Path) -> Result<(), Failure> {
    clap_mangen::generate_to(HubArgs::command(), out)
        .map_err(|error| Failure::unable("io", format!("{}: {error}", out.display())))?;
    print_line(&format!("man pages in {}", out.display()));
    Ok(())
}
