//! What goes to stdout and stderr, and readers that close their pipe.

use std::fs::OpenOptions;
use std::process::{Command, Stdio};

use support::client::find_binary;
use support::home::{FIRST_SESSION, Home};

use crate::fixture::{claimed, started, trueup, without_own_styles};

fn command(home: &Home, arguments: &[&str]) -> Command {
    let mut command = Command::new(find_binary("trueup").unwrap());
    command.env_clear().current_dir(home.project_dir()).stdin(Stdio::null()).args(arguments);
    home.set_variables(&mut command);
    command
}

#[test]
fn a_reader_that_went_away_is_no_failure() {
    let home = started();
    claimed(&home, "SD-1");
    for arguments in [
        &["log"][..],
        &["log", "--json"],
        &["log", "--follow"],
        &["log", "--follow", "--json"],
        &["completions", "bash"],
        &["--help"],
        &["status"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command(&home, arguments).stdout(writer).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*stderr), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn diagnostics_to_a_reader_that_went_away_keep_their_exit_code() {
    let home = started();
    for (code, arguments) in [(1, &["item", "show", "SD-9"][..]), (2, &["frobnicate"])] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command(&home, arguments).stderr(writer).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(code), 0), "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_written_is_exit_3() {
    let home = started();
    for arguments in [&["status"][..], &["status", "--json"]] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = command(&home, arguments).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{arguments:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.starts_with("the output could not be written: No space left"), "{said}");
    }
}

#[test]
fn no_color_means_none_even_where_it_is_forced() {
    let home = started();
    for arguments in [&["--help"][..], &["frobnicate"], &["status"], &["item", "show", "SD-9"]] {
        let mut command = command(&home, arguments);
        let output = command.env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").output().unwrap();
        let printed = [output.stdout, output.stderr].concat();
        assert!(!printed.contains(&0x1b), "{arguments:?}: {}", String::from_utf8_lossy(&printed));
    }
}

#[test]
fn a_follower_prints_what_happens_and_ends_with_its_reader() {
    use std::io::{BufRead as _, BufReader};
    let home = started();
    trueup(&home, &["item", "add", "SD-1"]).ok();
    let mut child = command(&home, &["log", "--follow", "--json", "--item", "SD-1"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    claimed(&home, "SD-1");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(first["key"], "SD-1");
    drop(lines);
    claimed(&home, "SD-2");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn nothing_from_the_database_acts_on_the_terminal() {
    let home = started();
    claimed(&home, "SD-1");
    let evil = "\u{1b}]0;x\u{7}\u{1b}[31mevil\u{9b}2J\u{202e}";
    home.execute_sql(
        "UPDATE claude_sessions SET host = ?1, worktree = ?1, ended_reason = ?1, status = 'ended',
             last_actor = ?1, last_reason = ?1",
        [evil],
    );
    home.set_state(FIRST_SESSION, "execution_state.currentTask", evil);
    home.set_state(FIRST_SESSION, "key", evil);
    let named = ["--session", FIRST_SESSION];
    for arguments in [
        &["sessions", "list"][..],
        &["sessions", "show", FIRST_SESSION],
        &["log"],
        &["item", "show", "SD-1"],
        &["statusline"],
        &["set", "--task", "\u{1b}[32mmine\nsecond", "--metadata", "key=1"],
        &["release"],
    ] {
        let mut command = command(&home, &[arguments, &named].concat());
        let output = command.env("CLICOLOR_FORCE", "1").output().unwrap();
        let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let printed = without_own_styles(&printed);
        let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!printed.contains(acts), "{arguments:?}: {printed:?}");
        assert!(!printed.contains("\nsecond"), "{arguments:?}: {printed:?}");
    }
}
