//! States of sessions that each advice is run in.

use std::fs;

use support::home::{Home, SECOND_SESSION, spawn_bystander};
use trueup_core::diagnostic::AdviceRow;

use super::{State, data, keep, state};
use crate::fixture::second;
use crate::validate::drifted;

const TRUE_UP: &str = "validate-session-state --fix";

macro_rules! drifts {
    ($($code:literal),*) => {
        [$(state($code, AdviceRow::TrueUpSession, TRUE_UP, || drifted($code))),*]
    };
}

pub(super) fn states() -> Vec<State> {
    let mut states: Vec<State> =
        drifts!["S-01", "S-02", "S-03", "S-04", "S-06", "S-07", "S-08", "S-09", "S-10"].into();
    states.extend([
        state(
            "S-11",
            AdviceRow::RestoreEdit,
            "validate-session-state --fix && trueup journal restore j-*",
            || drifted("S-11"),
        ),
        state("S-05", AdviceRow::SwitchBranch, "git switch -c feat/SD-002C", || drifted("S-05")),
        state("S-05", AdviceRow::SwitchBranch, "git switch feat/SD-002C-y", || {
            let home = drifted("S-05");
            home.run_git(&["branch", "feat/SD-002C-y"]);
            home
        }),
        state("S-13", AdviceRow::ClaimItem, "trueup claim SD-002C", || {
            let home = Home::new().with_held_item();
            let free = "UPDATE work_items SET holder = NULL WHERE key = 'SD-002C'";
            home.execute_sql(free, []);
            home
        }),
        state("S-13", AdviceRow::AcceptLoss, "trueup clear", || drifted("S-13")),
        state("S-08", AdviceRow::MoveAside, MOVE_FILE, symlink),
        state("S-08", AdviceRow::MoveAside, MOVE_DIR, symlink_of_dir),
    ]);
    states.extend(beyond_the_session());
    states
}

/// States of the database, of other sessions and of the outbox.
fn beyond_the_session() -> [State; 6] {
    [
        state("S-12", AdviceRow::CreateDatabase, "trueup db migrate", || {
            let home = Home::new().with_held_item();
            fs::remove_dir_all(home.trueup_home()).unwrap();
            home
        }),
        state("S-12", AdviceRow::RestoreDatabase, RESTORE, damaged).by_hand(|home, command| {
            let copy = home.root().join("a copy.db");
            command.replace("BACKUP", &format!("'{}'", copy.display()))
        }),
        state("S-12", AdviceRow::FixReportedCause, TROUBLE, || {
            let home = Home::new().with_held_item();
            let version: i64 = home.query_value("PRAGMA user_version", []);
            fs::write(home.root().join("version"), version.to_string()).unwrap();
            set_version(&home, "9999");
            home
        })
        .by_hand(|home, command| {
            // A newer trueup is installed.
            let version = fs::read_to_string(home.root().join("version")).unwrap();
            set_version(home, &version);
            command
        }),
        state("S-14", AdviceRow::LeaveWorktree, LEAVE, || {
            let home = Home::new().with_held_item();
            let process = spawn_bystander();
            second(&home, Some(&process));
            keep(process);
            home
        })
        .by_hand(|home, command| {
            let end = home.payload("session-end.other").for_session(SECOND_SESSION);
            home.run_hook("checkpoint-push", &end);
            command
        }),
        state("S-15", AdviceRow::SendWaiting, "trueup doctor --fix", || drifted("S-15")),
        state("S-15", AdviceRow::SendToOtherDatabase, ELSEWHERE, || {
            let home = drifted("S-15");
            fs::rename(home.trueup_home().join("trueup.db"), home.root().join("a.db")).unwrap();
            data(&home, &["db", "migrate"]);
            home.start_session();
            home
        })
        .by_hand(|home, command| {
            let url = format!("sqlite:{}", home.root().join("a.db").display());
            command.replacen("URL=URL", &format!("URL={url}"), 1)
        }),
    ]
}

const MOVE_FILE: &str = "mv ROOT/project/.claude/auto-proceed-state.json \
                         ROOT/project/.claude/auto-proceed-state.json.aside-2";
const MOVE_DIR: &str = "mv ROOT/project/.claude ROOT/project/.claude.aside";
const RESTORE: &str =
    "replace BACKUP with the path of a backup, then run `trueup db restore BACKUP`";
const TROUBLE: &str = "fix the reported cause, then run `trueup db status`";
const LEAVE: &str = "end session 0a1b2c3d-0000-4000-8000-000000000002 or move it to its own \
                     worktree, then run `trueup sessions sweep`";
const ELSEWHERE: &str = "replace URL with the database they wait for (see `trueup doctor`), \
                         then run `TRUEUP_DATABASE_URL=URL trueup doctor --fix`";

fn set_version(home: &Home, version: &str) {
    let set = format!("PRAGMA journal_mode = DELETE; PRAGMA user_version = {version}");
    home.open_database().execute_batch(&set).unwrap();
}

fn symlink() -> Home {
    let home = Home::new().with_held_item();
    let elsewhere = home.root().join("elsewhere");
    fs::rename(home.cache_path(), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, home.cache_path()).unwrap();
    // What was moved away before stays.
    fs::create_dir(home.cache_path().with_extension("json.aside")).unwrap();
    home
}

fn symlink_of_dir() -> Home {
    let home = Home::new().with_held_item();
    let (dir, elsewhere) = (home.project_dir().join(".claude"), home.root().join("a b"));
    fs::rename(&dir, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &dir).unwrap();
    home
}

/// A damaged database, of which there is a copy.
pub(super) fn damaged() -> Home {
    let home = Home::new().with_held_item();
    let copy = home.root().join("a copy.db");
    data(&home, &["db", "backup", copy.to_str().unwrap()]);
    let path = home.trueup_home().join("trueup.db");
    fs::write(path, "garbage that is no database".repeat(99)).unwrap();
    home
}
