//! Advice is data with a test: in a state that brings each finding about, what is advised is done
//! exactly as it is printed, and the finding is gone. Every code and every row of the table of
//! advice has a state.

mod files;
mod sessions;
mod words;
mod workplans;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use support::client::find_binary;
use support::home::{Bystander, FIRST_SESSION, Home};
use trueup_core::reconcile::{Code, Row};

use crate::fixture::data;

/// What a person does before the command; returns the command as that person runs it.
type ByHand = fn(&Home, String) -> String;

/// A state in which a finding stands.
struct State {
    /// The finding.
    code: &'static str,
    /// What is advised of it.
    row: Row,
    /// The advice as it is printed, without what differs from run to run.
    fix: &'static str,
    /// How it comes about.
    make: fn() -> Home,
    /// The command that finds it.
    look: &'static [&'static str],
    /// What is done besides the command; for some rows a person has to.
    by_hand: Option<ByHand>,
}

const SESSION_LOOK: &[&str] = &["validate-session-state"];
const CHECK: &[&str] = &["trueup", "check"];

const fn state(code: &'static str, row: Row, fix: &'static str, make: fn() -> Home) -> State {
    State {
        code,
        row,
        fix,
        make,
        look: SESSION_LOOK,
        by_hand: None,
    }
}

impl State {
    const fn look(self, look: &'static [&'static str]) -> Self {
        Self { look, ..self }
    }

    const fn by_hand(self, by_hand: ByHand) -> Self {
        Self {
            by_hand: Some(by_hand),
            ..self
        }
    }

    /// Tells whether a session is told; a repository is a person's as well.
    fn is_of_a_session(&self) -> bool {
        self.look == SESSION_LOOK
    }

    /// Returns the findings of the code.
    fn find(&self, home: &Home) -> Vec<Value> {
        let [program, arguments @ ..] = self.look else {
            return Vec::new();
        };
        let run = home.prepare_run(program).args(arguments).args(["--json"]);
        let mut run = run.env("GIT_CONFIG_NOSYSTEM", "1");
        if self.is_of_a_session() {
            run = run.env("TRUEUP_SESSION_ID", FIRST_SESSION);
        }
        let answer = run.wait().json();
        let found = answer["divergences"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        found
            .into_iter()
            .filter(|it| it["code"] == self.code)
            .collect()
    }

    /// Follows the advice.
    fn follow(&self) {
        let name = format!("{} {:?}", self.code, self.row);
        let home = (self.make)();
        let found = self.find(&home);
        let is_meant = |it: &&Value| matches(it["fix"].as_str().unwrap(), self.fix, &home);
        let finding = found.iter().find(is_meant);
        let finding =
            finding.unwrap_or_else(|| panic!("{name}: nothing is advised so: {found:#?}"));
        let printed = finding["fix"].as_str().unwrap();
        // A sentence ends with its command between backquotes, which no command holds.
        let command = printed.strip_suffix('`').map_or(printed, |printed| {
            assert!(printed.contains(" by hand, then `"), "{name}: {printed}");
            printed.rsplit_once('`').unwrap().1
        });
        let command = if let Some(by_hand) = self.by_hand {
            by_hand(&home, command.to_owned())
        } else {
            assert_eq!(command, printed, "{name}: a person is needed");
            command.to_owned()
        };
        shell(&home, &command, self.is_of_a_session());
        let left = self.find(&home);
        // What else such a file has is ended by advice of its own.
        let is_left =
            |it: &&Value| !self.code.starts_with('F') || it["message"] == finding["message"];
        let left: Vec<_> = left.iter().filter(is_left).collect();
        assert!(left.is_empty(), "{name}: {command}\nleaves {left:#?}");
    }
}

/// Tells whether an advice is what was expected, in which `*` stands for anything.
fn matches(printed: &str, expected: &str, home: &Home) -> bool {
    let expected = expected.replace("ROOT", home.root().to_str().unwrap());
    match expected.split_once('*') {
        Some((start, end)) => {
            printed.len() >= start.len() + end.len()
                && printed.starts_with(start)
                && printed.ends_with(end)
        }
        None => printed == expected,
    }
}

/// Runs a command as an agent's or a person's shell does.
fn shell(home: &Home, command: &str, of_a_session: bool) {
    let binaries: PathBuf = find_binary("trueup").unwrap().parent().unwrap().to_owned();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", command])
        .current_dir(home.project_dir())
        .env_clear()
        .env("HOME", home.user_home())
        .env("TRUEUP_HOME", home.trueup_home())
        .env("CLAUDE_PID", std::process::id().to_string())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("PATH", format!("{}:{path}", binaries.display()));
    if of_a_session {
        shell.env("TRUEUP_SESSION_ID", FIRST_SESSION);
    }
    let done = shell.output().unwrap();
    // Of an installation, which doctor looks at as well, there is none here.
    let is_judged = !command.contains("trueup doctor");
    assert!(done.status.success() || !is_judged, "{command}: {done:?}");
}

/// Follows every advice, and names those that end nothing.
fn follow(states: Vec<State>) {
    let mut failed = Vec::new();
    for state in states {
        let name = format!("{} {:?}: {}", state.code, state.row, state.fix);
        if std::thread::spawn(move || state.follow()).join().is_err() {
            failed.push(name);
        }
    }
    assert_eq!(failed, [""; 0]);
}

#[test]
fn every_advice_on_a_session_ends_its_finding() {
    follow(sessions::states());
}

#[test]
fn every_advice_on_a_file_ends_its_finding() {
    follow(files::states());
}

#[test]
fn every_advice_on_a_workplan_ends_its_finding() {
    follow(workplans::states());
}

#[test]
fn every_code_and_every_row_of_the_table_has_a_state() {
    let all = [sessions::states(), files::states(), workplans::states()];
    let states: Vec<State> = all.into_iter().flatten().collect();
    let codes: BTreeSet<&str> = states.iter().map(|state| state.code).collect();
    let all: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(codes, all);
    let rows: BTreeSet<Row> = states.iter().map(|state| state.row).collect();
    let all: BTreeSet<Row> = Row::ALL.iter().copied().collect();
    assert_eq!(rows, all);
    for state in &states {
        let is_for = state
            .row
            .codes()
            .iter()
            .any(|code| code.as_str() == state.code);
        assert!(is_for, "{} {:?}", state.code, state.row);
    }
}

/// Keeps a process alive as long as the tests run.
fn keep(process: Bystander) {
    static KEPT: std::sync::Mutex<Vec<Bystander>> = std::sync::Mutex::new(Vec::new());
    KEPT.lock().unwrap().push(process);
}
