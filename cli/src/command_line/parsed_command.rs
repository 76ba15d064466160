//! A command line as parsed.

use clap::ArgMatches;

/// Parsed arguments, and the full name of their command, such as `item add`.
#[derive(Debug)]
pub(crate) struct ParsedCommand<T> {
    pub(crate) name: String,
    pub(crate) arguments: T,
}

/// Lists the names of the subcommands that were given, outermost first.
pub(super) fn subcommand_names(matches: &ArgMatches) -> Vec<&str> {
    let mut names = Vec::new();
    let mut current = matches;
    while let Some((name, inner)) = current.subcommand() {
        names.push(name);
        current = inner;
    }
    names
}
