//! Tests the hints of all errors: each state here causes an error, every command in its hint is run
//! literally, and must have the effect that the error table promises.

mod claims;
mod commands;
mod files;
mod handoffs;
mod imports;
mod installations;
mod items;
mod plans;
mod repos;
mod scene;

use std::collections::BTreeSet;

use support::home::{FIRST_SESSION, SECOND_SESSION};
use trueup::{ErrorRow, HintPromise, error_rows};

use scene::Scene;

/// A state in which a command fails.
struct State {
    /// The row of the error table.
    row: &'static str,
    /// Creates the state.
    make: fn(&Scene),
    /// The failing command, for a shell.
    failing: &'static str,
    /// Lets the time pass that the hint names.
    wait: fn(&Scene),
}

/// Builds a state that needs no waiting.
const fn state(row: &'static str, make: fn(&Scene), failing: &'static str) -> State {
    let wait = |_: &Scene| {};
    State { row, make, failing, wait }
}

/// Rows that no test causes, and why.
const UNTRIED: &[(&str, &str)] = &[
    ("Internal", "a panic is a fault that is fixed when it is known"),
    ("Orphaned", "the supervisor has to die between two steps of its child"),
    ("CommandStillRuns", "a command has to outlive its killed supervisor for half a minute"),
    (
        "JournalUnwritable",
        "the directory becomes read-only between two steps; root writes all the same",
    ),
    ("DataDirectory", "root may write everywhere"),
    (
        "NotConsistentForGood",
        "every disagreement that forbids a hand-off has a command that ends it",
    ),
    ("HandoffItemNotFound", "an item with an open hand-off is not removed"),
    ("PoolOccupied", "other processes of the machine have to listen on thirty ports"),
    ("RemoteDatabaseMissing", "a server has to be there; `shared_databases` follows the hint"),
    ("SchemaTooOld", "a server has to be there, with a schema of the past"),
    ("RemoteDatabaseBusy", "a server has to be there, with all its connections or locks in use"),
    ("NotPermitted", "a hub or a server has to be there that refuses; the suite `hub` looks"),
    ("NeedsDatabaseOfHub", "a hub has to be there; the suite `hub` follows the hint"),
    ("MigrationNotPermitted", "a server has to be there; `shared_databases` follows the hint"),
    ("ExportOutrun", "a server has to be there, which changes while it is read by pages"),
    ("ImportNotPermitted", "a server has to be there; `transfers` follows the hint"),
    ("ImportNotVerified", "a database has to give back other rows than it was given"),
    ("NoSlug", "every name of a directory makes one that was tried"),
    ("MetadataBusy", "another process has to keep a lock that the test cannot name"),
    ("FileBusy", "another process has to keep a lock that the test cannot name"),
    ("InstallerMissing", "an installer may lie beside the tested program; `installer` looks"),
    ("InstallerUnusable", "a file has to be in the place of the installer or of the shell"),
    ("ReleaseUnfit", "a server has to answer; `upgrades` looks"),
];

fn states() -> Vec<State> {
    let mut all = commands::states();
    all.extend(files::states());
    all.extend(items::states());
    all.extend(claims::states());
    all.extend(handoffs::states());
    all.extend(plans::states());
    all.extend(repos::states());
    all.extend(imports::states());
    all.extend(installations::states());
    all
}

fn row(name: &str) -> &'static ErrorRow {
    let row = error_rows().find(|row| row.name == name);
    row.unwrap_or_else(|| panic!("the table has no row {name}"))
}

/// Finds the commands in a printed hint, in order, each with its promised effect. A template may be
/// printed several times, as for a list.
fn find_promised_commands(row: &ErrorRow, hint: &str, speaks: &str) -> Vec<(HintPromise, String)> {
    let mut used = BTreeSet::new();
    let printed = hint.split('`').skip(1).step_by(2).filter(|command| !is_form(command));
    let found = printed.map(|command| {
        let bare = command.replace(speaks, "");
        let is_it = |template: &str| {
            matches_template(template, command) || matches_template(template, &bare)
        };
        let at = row.commands.iter().position(|(_, template)| is_it(template));
        let at = at.unwrap_or_else(|| panic!("{}: {command} is not in the table", row.name));
        used.insert(at);
        (row.commands[at].0, command.to_owned())
    });
    let found = found.collect();
    assert_eq!(used.len(), row.commands.len(), "{}: {hint}", row.name);
    found
}

/// Returns whether a command has placeholders, such as `FILE`, and so cannot be run as it is.
fn is_form(command: &str) -> bool {
    const PLACEHOLDERS: [&str; 9] =
        ["CMD", "FIELD", "FILE", "ID", "KEY", "PATH", "PLAN", "REF", "SLUG"];
    command.split([' ', '=']).any(|word| PLACEHOLDERS.contains(&word))
}

/// Returns whether a command matches a template.
fn matches_template(template: &str, command: &str) -> bool {
    let mut pieces = template.split('{');
    let begin = pieces.next().unwrap_or_default();
    let Some(mut rest) = command.strip_prefix(begin) else {
        return false;
    };
    for piece in pieces {
        let (_, fixed) = piece.split_once('}').unwrap();
        if fixed.is_empty() {
            return true;
        }
        match rest.find(fixed) {
            Some(at) => rest = &rest[at + fixed.len()..],
            None => return false,
        }
    }
    rest.is_empty()
}

#[test]
fn the_table_has_a_state_for_each_error_and_codes_have_one_exit_code() {
    let tried: BTreeSet<&str> = states().iter().map(|state| state.row).collect();
    let untried: BTreeSet<&str> = UNTRIED.iter().map(|(name, _)| *name).collect();
    for name in tried.iter().chain(&untried) {
        row(name);
    }
    for row in error_rows() {
        let is_tried = tried.contains(row.name);
        assert_ne!(is_tried, untried.contains(row.name), "{} has no state", row.name);
        let same_code = error_rows().filter(|other| other.code == row.code);
        for other in same_code {
            assert_eq!(other.exit, row.exit, "{}", row.code);
        }
        for (_, command) in row.commands {
            let is_placeholder = |word: &str| {
                word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase() || "<>…".contains(c))
            };
            let left_open = command.split([' ', '=']).find(|word| is_placeholder(word));
            assert_eq!(left_open, None, "{}: {command} does not run as it stands", row.name);
        }
    }
}

/// Runs the failing command; returns the hint.
fn run_failing_command(state: &State, scene: &Scene) -> String {
    let row = row(state.row);
    let json = state.failing.replacen("trueup ", "trueup --json ", 1);
    let output = scene.shell(&json);
    let context = || format!("{}: {}: {output:?}", row.name, state.failing);
    assert_eq!(output.code, Some(i32::from(row.exit)), "{}", context());
    let object = output.json();
    assert_eq!(object["ok"], false, "{}", context());
    assert_eq!(object["error"]["code"], row.code, "{}", context());
    object["error"]["hint"].as_str().unwrap().to_owned()
}

fn prepare_scene(state: &State) -> Scene {
    let scene = Scene::new();
    (state.make)(&scene);
    scene
}

/// Returns the flag by which a command line names its session.
fn session_flag_of(failing: &str) -> String {
    let named = failing.split_once("--session ");
    named.map_or_else(|| "?".to_owned(), |(_, id)| format!(" --session {id}"))
}

fn keeps_its_promises(state: &State) {
    let row = row(state.row);
    let advice = |scene: &Scene| {
        find_promised_commands(
            row,
            &run_failing_command(state, scene),
            &session_flag_of(state.failing),
        )
    };
    let first = prepare_scene(state);
    let hint = run_failing_command(state, &first);
    let text = first.shell(state.failing);
    assert!(
        text.stderr.contains(&format!("hint: {hint}")) || state.row == "Usage",
        "{}: {hint}: {text:?}",
        row.name
    );
    let count = advice(&first).len();
    let mut first = Some(first);
    for number in 0..count {
        // Each command runs in a fresh state, so that none depends on the one before.
        let scene = first.take().unwrap_or_else(|| prepare_scene(state));
        let (promise, command) = advice(&scene).swap_remove(number);
        if promise == HintPromise::Later {
            (state.wait)(&scene);
        }
        let output = scene.shell(&command);
        assert_eq!(output.code, Some(0), "{}: {command}: {output:?}", row.name);
        if promise == HintPromise::Ends {
            let again = scene.shell(state.failing);
            let context = || format!("{}: {command}: {}: {again:?}", row.name, state.failing);
            assert_eq!(again.code, Some(0), "{}", context());
        }
    }
}

fn keep_their_promises(states: &[State]) {
    let broken = states.iter().filter(|state| {
        let kept = std::panic::catch_unwind(|| keeps_its_promises(state));
        kept.is_err()
    });
    let broken: Vec<_> = broken.map(|state| (state.row, state.failing)).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn hints_on_command_lines_keep_what_they_promise() {
    keep_their_promises(&commands::states());
}

#[test]
fn hints_on_files_keep_what_they_promise() {
    keep_their_promises(&files::states());
}

#[test]
fn hints_on_items_keep_what_they_promise() {
    keep_their_promises(&items::states());
}

#[test]
fn hints_on_claims_keep_what_they_promise() {
    keep_their_promises(&claims::states());
}

#[test]
fn hints_on_handoffs_keep_what_they_promise() {
    keep_their_promises(&handoffs::states());
}

#[test]
fn hints_on_plans_keep_what_they_promise() {
    keep_their_promises(&plans::states());
}

#[test]
fn hints_on_repositories_keep_what_they_promise() {
    keep_their_promises(&repos::states());
}

#[test]
fn hints_on_imports_keep_what_they_promise() {
    keep_their_promises(&imports::states());
}

#[test]
fn hints_on_installations_keep_what_they_promise() {
    keep_their_promises(&installations::states());
}

#[test]
fn an_advised_command_speaks_for_whom_the_first_spoke_for() {
    let scene = Scene::started();
    scene.sh("trueup item add SD-1 --requires-evidence");
    scene.second(None);
    let project = scene.home.project_dir().display().to_string();
    let failing = format!("trueup interrupt --session {SECOND_SESSION} --project {project} --json");
    let output = scene.shell(&format!("cd / && {failing}")).json();
    let hint = output["error"]["hint"].as_str().unwrap();
    let command = format!("trueup next --session {SECOND_SESSION} --project {project}");
    assert!(hint.contains(&format!("`{command}`")), "{hint}");
    assert_eq!(scene.shell(&format!("cd / && {command}")).code, Some(0));
    assert_ne!(SECOND_SESSION, FIRST_SESSION);
}
