//! The names of all commands.

use std::collections::BTreeSet;

/// Adds the names of the commands below one, such as `item edit`.
pub(super) fn add_command_names(
    command: &clap::Command,
    before: &str,
    names: &mut BTreeSet<String>,
) {
    for inner in command.get_subcommands() {
        let name = format!("{before}{}", inner.get_name());
        add_command_names(inner, &format!("{name} "), names);
        names.insert(name);
    }
}
