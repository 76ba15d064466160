//! Settings of the user and of the repository, and the patterns in them.

use std::fs;

use support::home::{Home, ProcessOutput};
use trueup_core::bounds;

use super::{assert_message_contains, fixes_cache, lines, set, size_beyond, start_session, write};

pub(super) fn config(home: &Home) {
    let text = format!("log = \"info\"\n#{}", "x".repeat(size_beyond(bounds::CONFIG)));
    write(&home.trueup_home().join("config.toml"), text);
    assert_message_contains(&start_session(home), "config.toml: larger than");
}

pub(super) fn repository_config(home: &Home) {
    set(home, &format!("repo = \"x\"\n#{}", "x".repeat(size_beyond(bounds::REPOSITORY_CONFIG))));
    assert_message_contains(&start_session(home), ".trueup.toml: larger than");
}

pub(super) fn refused_keys(home: &Home) {
    let keys = lines(12_000, |n| format!("key_{n} = 1"));
    set(home, &keys);
    let answer = start_session(home);
    assert_message_contains(&answer, "and 11995 more; ignored");
    assert!(answer.stderr.len() < 1_000, "{}", answer.stderr);
    assert!(fs::metadata(home.trueup_home().join("trueup.log")).unwrap().len() < 4_000);
    // One key as long as the file may be, and many nested ones.
    set(home, &format!("{} = 1\n", "k".repeat(200_000)));
    assert_message_contains(&start_session(home), "not allowed in a repository: kkk");
    set(home, &format!("{}x = 1\n", "k.".repeat(100_000)));
    start_session(home);
    set(home, &format!("x = {}\n", "[".repeat(200_000)));
    start_session(home);
}

/// Runs the guard on a command; it opens the database only if that is a hand-off.
#[track_caller]
fn is_checked(home: &Home, command: &str) -> ProcessOutput {
    let payload = home.payload("pre-tool-use.bash").with_input("command", command);
    fixes_cache(home, "pre-handoff-validate", &payload, &[])
}

pub(super) fn handoff_patterns(home: &Home) {
    let patterns: Vec<String> = (0..4_500).map(|n| format!("\"*make-ship-{n}*\"")).collect();
    set(home, &format!("handoff_commands = [{}]\n", patterns.join(",")));
    let answer = is_checked(home, "make-ship-3 now");
    assert_message_contains(&answer, "4244 of 4500 handoff_commands are ignored");
}

pub(super) fn handoff_pattern(home: &Home) {
    let long = "*a".repeat(size_beyond(bounds::HANDOFF_PATTERN));
    set(home, &format!("handoff_commands = [\"{long}\", \"ship\"]\n"));
    assert_message_contains(&is_checked(home, "ship"), "1 of 2 handoff_commands are ignored");
}

pub(super) fn branch_pattern(home: &Home) {
    let long = "(x|y)".repeat(size_beyond(bounds::BRANCH_PATTERN));
    set(home, &format!("branch_pattern = \"{long}\"\n"));
    assert_message_contains(&start_session(home), "branch_pattern has");
    // Short, but large once it is compiled.
    set(home, "branch_pattern = \"((x{900}){900}){900}\"\n");
    home.run_git(&["switch", "--quiet", "-c", "x1"]);
    start_session(home);
}

pub(super) fn command(home: &Home) {
    is_checked(home, &"echo ".repeat(bounds::COMMAND.len()));
}

pub(super) fn command_steps(home: &Home) {
    let patterns: Vec<String> = (0..250).map(|n| format!("\"{}{n}\"", "*a".repeat(200))).collect();
    set(home, &format!("handoff_commands = [{}]\n", patterns.join(",")));
    is_checked(home, &"a".repeat(200_000));
}
