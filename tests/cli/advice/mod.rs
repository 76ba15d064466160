//! Tests the advice of every divergence: each state here causes a divergence, the printed advice is
//! followed literally, and the divergence must be gone. Every code and every row of the advice
//! table has a state.

mod files;
mod sessions;
mod words;
pub(crate) mod workplans;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use support::client::find_binary;
use support::home::{Bystander, FIRST_SESSION, Home};
use trueup_core::diagnostic::{AdviceRow, Code};

use crate::fixture::data;

/// What a person does before the command; returns the command as the person then runs it.
type ByHand = fn(&Home, String) -> String;

/// A state with one divergence.
struct State {
    /// The code of the divergence.
    code: &'static str,
    /// The row of the advice table.
    row: AdviceRow,
    /// The printed advice, without what differs between runs.
    fix: &'static str,
    /// Creates the state.
    make: fn() -> Home,
    /// The command that reports it.
    look: &'static [&'static str],
    /// What a person must do besides the command, for some rows.
    by_hand: Option<ByHand>,
}

const SESSION_LOOK: &[&str] = &["validate-session-state"];
const CHECK: &[&str] = &["trueup", "check"];

const fn state(code: &'static str, row: AdviceRow, fix: &'static str, make: fn() -> Home) -> State {
    State { code, row, fix, make, look: SESSION_LOOK, by_hand: None }
}

impl State {
    const fn look(self, look: &'static [&'static str]) -> Self {
        Self { look, ..self }
    }

    const fn by_hand(self, by_hand: ByHand) -> Self {
        Self { by_hand: Some(by_hand), ..self }
    }

    /// Returns whether a session gets the advice; advice on a repository also concerns a person.
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
        let found = answer["divergences"].as_array().cloned().unwrap_or_default();
        found.into_iter().filter(|it| it["code"] == self.code).collect()
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
        // An advice in a sentence ends with its command in backquotes, which no command contains.
        let command = printed.strip_suffix('`').map_or(printed, |printed| {
            assert!(printed.contains(", then run `"), "{name}: {printed}");
            printed.rsplit_once('`').unwrap().1
        });
        let command = if let Some(by_hand) = self.by_hand {
            by_hand(&home, command.to_owned())
        } else {
            assert_eq!(command, printed, "{name}: a person is needed");
            command.to_owned()
        };
        shell(&home, &command, self.is_of_a_session());
        let findings = self.find(&home);
        // Other divergences of such a file have their own advice.
        let is_left =
            |it: &&Value| !self.code.starts_with('F') || it["message"] == finding["message"];
        let findings: Vec<_> = findings.iter().filter(is_left).collect();
        assert!(findings.is_empty(), "{name}: {command}\nleaves {findings:#?}");
    }
}

/// Returns whether an advice matches the expected one, in which `*` stands for any text.
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

/// Runs a command in a shell, as an agent or a person does.
fn shell(home: &Home, command: &str, of_a_session: bool) {
    let binaries: PathBuf = find_binary("trueup").unwrap().parent().unwrap().to_owned();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", command])
        .current_dir(home.project_dir())
        .env_clear()
        .env("CLAUDE_PID", std::process::id().to_string())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("PATH", format!("{}:{path}", binaries.display()));
    home.set_variables(&mut shell);
    if of_a_session {
        shell.env("TRUEUP_SESSION_ID", FIRST_SESSION);
    }
    let output = shell.output().unwrap();
    // There is no installation here, which doctor reports as well.
    let is_judged = !command.contains("trueup doctor");
    assert!(output.status.success() || !is_judged, "{command}: {output:?}");
}

/// Follows every advice, and lists those that do not end their divergence.
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
    let rows: BTreeSet<AdviceRow> = states.iter().map(|state| state.row).collect();
    let all: BTreeSet<AdviceRow> = AdviceRow::ALL.iter().copied().collect();
    assert_eq!(rows, all);
    for state in &states {
        let is_for = state.row.codes().iter().any(|code| code.as_str() == state.code);
        assert!(is_for, "{} {:?}", state.code, state.row);
    }
}

/// Keeps a process alive while the tests run.
fn keep(process: Bystander) {
    static KEPT: std::sync::Mutex<Vec<Bystander>> = std::sync::Mutex::new(Vec::new());
    KEPT.lock().unwrap().push(process);
}
