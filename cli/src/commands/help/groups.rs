//! The commands in groups, as `trueup --help` lists them.

use std::fmt::Write as _;

use clap::{Command, ValueEnum as _};

use super::Topic;

/// The groups and their commands, in the order of the help.
const GROUPS: &[(&str, &[&str])] = &[
    (
        "Everyday",
        &[
            "status",
            "next",
            "ready",
            "claim",
            "release",
            "set",
            "interrupt",
            "resume",
            "clear",
            "item",
            "search",
            "log",
            "blame",
        ],
    ),
    ("Coordination", &["top", "sessions", "handoff", "queue", "orchestrator", "ports"]),
    ("Plans", &["plan", "check"]),
    ("Files", &["repo", "state", "meta", "journal"]),
    ("Database", &["db", "outbox", "pull", "export"]),
    (
        "Setup",
        &[
            "init",
            "doctor",
            "demo",
            "prime",
            "mcp",
            "statusline",
            "completions",
            "install",
            "upgrade",
            "leftovers",
            "uninstall",
            "help",
        ],
    ),
];

/// Heads the commands that are in no group.
const OTHER: &str = "Other";

/// Makes the help of the whole program list its commands in groups.
pub(crate) fn group_commands(command: Command) -> Command {
    let groups = render_groups(&command);
    let styles = command.get_styles();
    let (header, end) = (styles.get_header(), format!("{:#}", styles.get_header()));
    let template = format!(
        "{{before-help}}{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{groups}\
         {header}Options:{end}\n{{options}}{{after-help}}"
    );
    command.help_template(template)
}

fn render_groups(command: &Command) -> String {
    let styles = command.get_styles();
    let (header, literal) = (styles.get_header(), styles.get_literal());
    let shown: Vec<&Command> =
        command.get_subcommands().filter(|inner| !inner.is_hide_set()).collect();
    let width = shown.iter().map(|inner| inner.get_name().len()).max().unwrap_or(0);
    let mut text = String::new();
    let mut write_group = |name: &str, members: Vec<&Command>| {
        if members.is_empty() {
            return;
        }
        let _ = writeln!(text, "{header}{name}:{header:#}");
        for member in members {
            let about = member.get_about().map(ToString::to_string).unwrap_or_default();
            let name = member.get_name();
            let _ = writeln!(text, "  {literal}{name:<width$}{literal:#}  {about}");
        }
        text.push('\n');
    };
    for (name, members) in GROUPS {
        let find = |member: &&str| shown.iter().copied().find(|inner| inner.get_name() == *member);
        write_group(name, members.iter().filter_map(find).collect());
    }
    let is_grouped = |name: &str| GROUPS.iter().any(|(_, members)| members.contains(&name));
    let others = shown.iter().copied().filter(|inner| !is_grouped(inner.get_name()));
    write_group(OTHER, others.collect());
    let _ = writeln!(text, "{header}Topics:{header:#}");
    for topic in Topic::value_variants() {
        let about = topic.to_possible_value();
        let about = about.and_then(|value| value.get_help().map(ToString::to_string));
        let name = format!("help {}", topic.name());
        let _ = writeln!(text, "  {literal}{name:<14}{literal:#}  {}", about.unwrap_or_default());
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::commands::TrueupArgs;

    #[test]
    fn every_command_is_in_a_group_and_the_help_fits_80_columns() {
        let mut command = group_commands(TrueupArgs::command()).term_width(80);
        let help = command.render_long_help().to_string();
        assert!(!help.contains(OTHER), "{help}");
        for (name, _) in GROUPS {
            assert!(help.contains(&format!("\n{name}:\n")), "{help}");
        }
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }

    #[test]
    fn no_command_is_listed_twice() {
        let mut all: Vec<&str> = GROUPS.iter().flat_map(|(_, members)| *members).copied().collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
