//! The help of every command says what it does and gives an example.

use support::home::Home;

use crate::fixture::{trueup, validate};

pub(crate) const COMMANDS: &[&[&str]] = &[
    &[],
    &["status"],
    &["set"],
    &["interrupt"],
    &["resume"],
    &["clear"],
    &["item"],
    &["item", "add"],
    &["item", "list"],
    &["item", "show"],
    &["item", "transition"],
    &["item", "reopen"],
    &["item", "depend"],
    &["item", "edit"],
    &["item", "remove"],
    &["item", "import"],
    &["next"],
    &["ready"],
    &["search"],
    &["claim"],
    &["release"],
    &["handoff"],
    &["handoff", "create"],
    &["handoff", "accept"],
    &["handoff", "reject"],
    &["handoff", "list"],
    &["handoff", "show"],
    &["queue"],
    &["queue", "add"],
    &["queue", "list"],
    &["queue", "next"],
    &["queue", "start"],
    &["queue", "complete"],
    &["queue", "fail"],
    &["queue", "block"],
    &["queue", "reopen"],
    &["queue", "cancel"],
    &["queue", "remove"],
    &["sessions"],
    &["sessions", "list"],
    &["sessions", "show"],
    &["sessions", "sweep"],
    &["plan"],
    &["plan", "import"],
    &["plan", "remove"],
    &["plan", "list"],
    &["plan", "status"],
    &["plan", "next"],
    &["plan", "start"],
    &["plan", "complete"],
    &["plan", "fail"],
    &["plan", "skip"],
    &["plan", "retry"],
    &["plan", "reopen"],
    &["plan", "validate"],
    &["plan", "export"],
    &["plan", "watch"],
    &["ports"],
    &["ports", "reserve"],
    &["ports", "release"],
    &["ports", "list"],
    &["ports", "sweep"],
    &["init"],
    &["prime"],
    &["repo"],
    &["repo", "add"],
    &["repo", "list"],
    &["repo", "remove"],
    &["state"],
    &["state", "sync"],
    &["state", "pull"],
    &["state", "show"],
    &["orchestrator"],
    &["orchestrator", "start"],
    &["orchestrator", "register"],
    &["orchestrator", "heartbeat"],
    &["orchestrator", "stop"],
    &["orchestrator", "list"],
    &["log"],
    &["blame"],
    &["journal"],
    &["journal", "list"],
    &["journal", "show"],
    &["journal", "drop"],
    &["journal", "restore"],
    &["outbox"],
    &["outbox", "list"],
    &["outbox", "drain"],
    &["outbox", "drop"],
    &["outbox", "retry"],
    &["pull"],
    &["top"],
    &["check"],
    &["meta"],
    &["meta", "get"],
    &["meta", "set"],
    &["meta", "check"],
    &["meta", "fix"],
    &["export"],
    &["db"],
    &["db", "status"],
    &["db", "migrate"],
    &["db", "backup"],
    &["db", "prune"],
    &["db", "schema"],
    &["db", "export"],
    &["db", "import"],
    &["db", "restore"],
    &["doctor"],
    &["demo"],
    &["mcp"],
    &["statusline"],
    &["completions"],
    &["install"],
    &["uninstall"],
    &["upgrade"],
    &["leftovers"],
    &["help"],
];

#[test]
fn help_explains_codes_and_asks_for_no_word() {
    let home = Home::new();
    let code = trueup(&home, &["help", "c-13"]).ok().stdout;
    assert!(code.starts_with("C-13: all tasks are finished"), "{code}");
    let help = trueup(&home, &["help"]).ok().stdout;
    assert_eq!(trueup(&home, &["help", "--json"]).ok().stdout, help);
}

#[test]
fn help_of_every_command_has_an_example_and_exits_0() {
    let home = Home::new();
    for command in COMMANDS {
        let answer = trueup(&home, &[command, &["--help"][..]].concat()).ok();
        assert!(answer.stdout.contains("Usage: trueup"), "{command:?}");
        assert!(answer.stdout.contains("Example: "), "{command:?}: {}", answer.stdout);
        assert!(!answer.stdout.contains('\u{1b}'), "{command:?}");
    }
    let answer = validate(&home, &["--help"]).ok();
    assert!(answer.stdout.contains("Example: "), "{}", answer.stdout);
}

#[test]
fn the_list_of_commands_here_is_the_programs() {
    let home = Home::new();
    for group in [
        &[][..],
        &["item"],
        &["handoff"],
        &["queue"],
        &["sessions"],
        &["orchestrator"],
        &["journal"],
        &["outbox"],
        &["db"],
        &["plan"],
        &["ports"],
        &["meta"],
    ] {
        let help = trueup(&home, &[group, &["--help"]].concat()).ok().stdout;
        // The program's own help has its commands in groups.
        let start = if group.is_empty() { "Everyday:\n" } else { "Commands:\n" };
        let command_list = help.split_once(start).unwrap().1;
        let command_list = command_list.split("Topics:\n").next().unwrap_or_default();
        let names =
            command_list.lines().take_while(|line| !group.is_empty() || *line != "Options:");
        let names = names.take_while(|line| group.is_empty() || !line.trim().is_empty());
        let names = names.filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next());
        for name in names.filter(|name| *name != "help" && !name.is_empty()) {
            let command = [group, &[name]].concat();
            let known = COMMANDS.iter().any(|known| *known == command);
            assert!(known || LATER.contains(&name), "{command:?} has no test");
        }
    }
}

/// Commands that belong to other suites.
const LATER: &[&str] = &[];

#[test]
fn version_names_program_and_version() {
    let home = Home::new();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(trueup(&home, &["--version"]).ok().stdout, format!("trueup {version}\n"));
    let answer = validate(&home, &["--version"]).ok();
    assert_eq!(answer.stdout, format!("validate-session-state {version}\n"));
}
