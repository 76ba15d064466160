//! On a terminal of 80 columns no line wraps, whatever it shows.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::process::Command;

use support::client::find_binary;
use support::home::{FIRST_SESSION, Home, SECOND_SESSION};
use unicode_width::UnicodeWidthChar;

use crate::fixture::{data, second, started, trueup};
use crate::help::COMMANDS;

const COLUMNS: usize = 80;

/// Begins the output of a command.
const MARK: &str = "==> ";

/// A key of 36 characters, as other programs make them.
const KEY: &str = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d";

/// Wide and combining characters, joined emoji, and more of them than a line has.
const TITLE: &str = "日本語の長い題名 e\u{301}te\u{301} 👩\u{200d}💻🇩🇪 und noch viel mehr Text, der in \
                     keine Zeile passt 한국어 终端宽度";

/// What a command is called with besides its name, where that is not enough.
fn arguments(command: &[&str]) -> Vec<String> {
    let words = match command {
        ["sessions", "show"] => vec![FIRST_SESSION],
        ["item", "show" | "reopen"] | ["blame"] => vec![KEY],
        ["item", "add"] => vec!["NEW-1", "--title", TITLE],
        ["item", "transition"] => vec![KEY, "running"],
        ["item", "edit"] => vec![KEY, "--kind", "k"],
        ["item", "list"] => vec!["--all-repos"],
        ["claim"] => vec![KEY, "--session", SECOND_SESSION],
        ["log"] => vec!["--limit", "0"],
        ["plan", "next"] => vec!["--count", "9"],
        ["plan", "start"] => vec!["1.1"],
        ["plan", "validate"] => vec!["docs/long.md"],
        ["queue", "start"] => vec!["0a1b2c3d"],
        ["handoff", "list"] => vec!["--all"],
        ["handoff", "show"] => vec!["h-"],
        ["set"] => vec!["--task", TITLE],
        ["orchestrator", "start"] => vec!["long", "--", "true"],
        ["ports", "reserve"] => vec!["77c90e61"],
        ["repo", "add"] => vec!["."],
        ["meta", "set"] => vec!["77c90e61", "branch_name=x"],
        ["db", "prune"] => vec!["--dry-run"],
        ["top"] => vec!["--once"],
        ["help"] => vec!["claims"],
        ["uninstall" | "leftovers"] => vec!["--help"],
        _ => Vec::new(),
    };
    words.into_iter().map(str::to_owned).collect()
}

/// Prints the content of a file or a script, whose lines are kept as they are.
fn prints_a_file(command: &[&str]) -> bool {
    matches!(
        command,
        ["completions" | "export" | "install" | "upgrade" | "statusline"]
            | ["db", "schema" | "export" | "import" | "backup" | "restore"]
            | ["plan", "export" | "watch"]
            | ["meta", "get"]
            | ["state", "show"]
    )
}

fn home_with_long_texts() -> Home {
    let home = started();
    second(&home, None);
    for key in [KEY, "SD-1", "SD-2"] {
        data(&home, &["item", "add", key, "--title", TITLE]);
    }
    data(&home, &["item", "depend", "SD-2", "--on", KEY]);
    data(&home, &["queue", "add", KEY]);
    data(&home, &["claim", KEY]);
    data(&home, &["set", "--phase", TITLE, "--task", TITLE]);
    data(&home, &["handoff", "create", "PLAN-TO-EXEC", "--summary", TITLE, "--actions", TITLE]);
    let plan = format!("# Plan\n\n## Phase 1: {TITLE}\n\n- [ ] 1.1 {TITLE}\n- [x] 1.2 {TITLE}\n");
    fs::create_dir_all(home.project_dir().join("docs")).unwrap();
    fs::write(home.project_dir().join("docs/long.md"), plan).unwrap();
    data(&home, &["plan", "import", "docs/long.md"]);
    data(&home, &["item", "transition", "SD-1", "failed", "--reason", TITLE]);
    home
}

/// Runs every line of a shell script on a terminal of 80 columns; returns what it shows.
fn run_on_terminal(home: &Home, script: &str) -> Option<String> {
    if Command::new("script").arg("--version").output().is_err() {
        std::io::stderr().write_all(b"\nSKIPPED: there is no program `script`\n").unwrap();
        return None;
    }
    let path = home.root().join("columns.sh");
    fs::write(&path, format!("stty rows 24 cols {COLUMNS}\n{script}")).unwrap();
    let line = format!("sh '{}'", path.display());
    let run = home.prepare_run("trueup").env("TERM", "xterm");
    let arguments = ["-qec", &line, "/dev/null"].map(Into::into);
    Some(run.run_through("script", |_| arguments.to_vec()).wait().stdout)
}

/// Removes colours.
fn strip_styles(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c == '\u{1b}' {
            rest.find(char::is_ascii_alphabetic);
        } else {
            plain.push(c);
        }
    }
    plain
}

/// Returns the columns of a line where a terminal joins nothing.
fn count_columns(line: &str) -> usize {
    line.chars().filter_map(UnicodeWidthChar::width).sum()
}

/// Asserts that no line of any command is too long.
#[track_caller]
fn assert_fits(shown: &str, commands: usize) {
    let mut command = "";
    let mut seen = 0;
    let mut problems = Vec::new();
    let plain = strip_styles(shown);
    for line in plain.lines().map(|line| line.trim_end_matches('\r')) {
        if let Some(name) = line.strip_prefix(MARK) {
            (command, seen) = (name, seen + 1);
        } else if count_columns(line) > COLUMNS {
            problems.push(format!("{command}: {} columns: {line}", count_columns(line)));
        }
    }
    assert_eq!(seen, commands, "{plain}");
    assert!(problems.is_empty(), "{problems:#?}");
}

fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Writes a script that runs command lines, each under its mark.
fn write_script(lines: &[Vec<String>]) -> String {
    let binary = find_binary("trueup").unwrap();
    let mut script = String::new();
    for words in lines {
        let quoted: Vec<String> = words.iter().map(|word| quote(word)).collect();
        let mark: String = words.join(" ").chars().take(40).collect();
        let _ = writeln!(script, "echo {}", quote(&format!("{MARK}{mark}")));
        let binary = quote(&binary.to_string_lossy());
        let _ = writeln!(script, "{binary} {} </dev/null", quoted.join(" "));
    }
    script
}

fn to_words(command: &[&str]) -> Vec<String> {
    command.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn no_help_wraps() {
    let home = Home::new();
    let help = |command: &&[&str]| [to_words(command), vec!["--help".to_owned()]].concat();
    let mut lines: Vec<Vec<String>> = COMMANDS.iter().map(help).collect();
    lines.extend(
        ["claims", "hand-offs", "plans", "workplans", "teams"]
            .map(|topic| to_words(&["help", topic])),
    );
    if let Some(shown) = run_on_terminal(&home, &write_script(&lines)) {
        assert_fits(&shown, lines.len());
    }
}

#[test]
fn no_output_wraps() {
    let home = home_with_long_texts();
    let shown_commands = COMMANDS.iter().filter(|command| !prints_a_file(command));
    let lines: Vec<Vec<String>> =
        shown_commands.map(|command| [to_words(command), arguments(command)].concat()).collect();
    if let Some(shown) = run_on_terminal(&home, &write_script(&lines)) {
        assert_fits(&shown, lines.len());
        assert!(shown.contains("…"), "nothing had to be shortened: {shown}");
    }
}

#[test]
fn no_error_and_no_hint_wraps() {
    let home = home_with_long_texts();
    let mut lines = vec![to_words(&["nonsense"]), to_words(&["item", "nonsense"])];
    for command in COMMANDS.iter().filter(|command| command.len() > 1) {
        lines.push([to_words(command), to_words(&["--nonsense"])].concat());
        lines.push([to_words(command), to_words(&["no-such-thing"])].concat());
    }
    for arguments in [
        &["claim", KEY, "--session", SECOND_SESSION][..],
        &["claim", "no-such-item", "--session", FIRST_SESSION],
        &["release", "SD-2"],
        &["item", "transition", "SD-2", "completed"],
        &["handoff", "create", TITLE],
        &["status", "--session", KEY],
        &["log", "--since", TITLE],
        &["log", "--item", TITLE],
    ] {
        lines.push(to_words(arguments));
    }
    if let Some(shown) = run_on_terminal(&home, &write_script(&lines)) {
        assert_fits(&shown, lines.len());
    }
}

#[test]
fn colour_follows_the_terminal_the_environment_and_the_flag() {
    let home = started();
    data(&home, &["item", "add", "SD-1", "--title", "first"]);
    let list = ["item", "list"];
    let has_colour = |text: &str| text.contains('\u{1b}');
    assert!(!has_colour(&trueup(&home, &list).ok().stdout));
    let run = |name: &str, arguments: &[&str]| {
        home.prepare_run("trueup").env(name, "1").args(arguments).wait().ok().stdout
    };
    assert!(has_colour(&run("CLICOLOR_FORCE", &["next"])));
    assert!(!has_colour(&run("NO_COLOR", &["next"])));
    assert!(has_colour(&run("NO_COLOR", &["next", "--color", "always"])));
    assert!(!has_colour(&run("CLICOLOR_FORCE", &["next", "--color", "never"])));
    assert!(!has_colour(&run("CLICOLOR_FORCE", &["next", "--json"])), "JSON has no colours");
    assert!(has_colour(&run("X", &["next", "--help", "--color", "always"])));
}
