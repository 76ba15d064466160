//! What trueup leaves in repositories: shown, and removed without anything else.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use support::home::{Home, skip_over_postgres};

use crate::fixture::{data, started, trueup};

const USER_LINE: &str = "{\n  \"model\": \"opus\",\n  \"statusLine\": {\"type\": \"command\", \
                         \"command\": \"~/.local/bin/trueup statusline\"}\n}\n";
const USER_REST: &str = "{\n  \"model\": \"opus\"\n}\n";

fn exclude_file(home: &Home) -> PathBuf {
    home.project_dir().join(".git/info/exclude")
}

fn user_settings(home: &Home) -> PathBuf {
    home.user_home().join(".claude/settings.json")
}

/// A project in which everything was left, with lines of the user around it.
fn home_with_leftovers() -> Home {
    let home = Home::new();
    fs::create_dir_all(exclude_file(&home).parent().unwrap()).unwrap();
    fs::write(exclude_file(&home), "# mine\n/notes\n").unwrap();
    home.start_session().ok();
    fs::create_dir_all(user_settings(&home).parent().unwrap()).unwrap();
    fs::write(user_settings(&home), USER_LINE).unwrap();
    home
}

fn found(home: &Home, arguments: &[&str]) -> Vec<(String, String)> {
    let data = data(home, &[&["leftovers"], arguments].concat());
    let all = data["leftovers"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    all.iter().map(|it| (text(&it["kind"]), text(&it["state"]))).collect()
}

fn pairs(state: &str) -> Vec<(String, String)> {
    let kinds = ["cache", "exclude_lines", "status_line"];
    kinds.map(|kind| (kind.to_owned(), state.to_owned())).to_vec()
}

#[test]
fn what_is_left_is_shown_then_removed_and_everything_else_stays() {
    let home = home_with_leftovers();
    assert_eq!(found(&home, &[]), pairs("left"));
    let shown = trueup(&home, &["leftovers"]).ok().stdout;
    let cache = format!("cache of a session: {}", home.cache_path().display());
    assert!(shown.contains(&cache), "{shown}");
    assert_eq!(found(&home, &["--remove"]), pairs("removed"));
    assert!(!home.project_dir().join(".claude").exists(), "an empty directory is removed as well");
    assert_eq!(fs::read_to_string(exclude_file(&home)).unwrap(), "# mine\n/notes\n");
    assert_eq!(fs::read_to_string(user_settings(&home)).unwrap(), USER_REST);
    assert_eq!(found(&home, &["--remove"]), []);
    let answer = trueup(&home, &["leftovers"]);
    assert_eq!(answer.code, Some(0));
    assert_eq!(answer.stdout, "", "the uninstaller shows what is on stdout");
    assert_eq!(answer.stderr, "nothing is left in repositories\n");
}

#[test]
fn it_finds_the_projects_of_sessions_and_registered_repositories_from_elsewhere() {
    let home = home_with_leftovers();
    let elsewhere = home.root().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let run = home.prepare_run("trueup").args(["leftovers", "--remove"]).cwd(&elsewhere).wait();
    assert!(run.ok().stdout.contains("auto-proceed-state.json"));
    assert!(!home.cache_path().exists());
}

#[test]
fn an_edit_that_only_the_cache_has_goes_to_the_journal() {
    let home = home_with_leftovers();
    home.edit_cache("currentTask", "written by hand");
    data(&home, &["leftovers", "--remove"]);
    assert!(!home.cache_path().exists());
    let entries = data(&home, &["journal", "list"]);
    let entry = entries["entries"][0].to_string();
    assert!(entry.contains("written by hand"), "{entries}");
    assert_eq!(entries["entries"].as_array().unwrap().len(), 1, "{entries}");
}

#[test]
fn a_cache_with_content_of_another_program_or_an_unsaved_edit_is_kept() {
    let home = home_with_leftovers();
    home.edit_cache("otherTool", "x");
    let shown = trueup(&home, &["leftovers", "--remove"]).ok().stdout;
    assert!(shown.contains("kept") && shown.contains("otherTool"), "{shown}");
    assert!(home.cache_path().exists());
    if skip_over_postgres("the file of the database is removed") {
        return;
    }
    let home = home_with_leftovers();
    home.edit_cache("currentTask", "written by hand");
    for file in ["trueup.db", "trueup.db-wal", "trueup.db-shm"] {
        let _ = fs::remove_file(home.trueup_home().join(file));
    }
    let answer = trueup(&home, &["leftovers", "--remove"]);
    assert_eq!(answer.code, Some(0));
    assert!(answer.stdout.contains("kept"), "{answer:?}");
    assert!(answer.stderr.contains("only this project was searched"), "{answer:?}");
    assert!(home.cache_path().exists());
}

#[test]
fn files_that_are_not_trueups_are_left_alone() {
    let home = started();
    data(&home, &["leftovers", "--remove"]);
    let dir = home.project_dir().join(".claude");
    fs::create_dir_all(&dir).unwrap();
    // As the original tool wrote it, without a stamp.
    fs::write(home.cache_path(), "{\"currentSd\": \"SD-1\"}").unwrap();
    fs::write(dir.join("settings.json"), "{\"statusLine\": {\"command\": \"mine\"}}").unwrap();
    assert_eq!(found(&home, &["--remove"]), []);
    assert!(home.cache_path().exists() && dir.join("settings.json").exists());
}

#[test]
fn copies_of_other_states_are_removed_unless_they_hold_more() {
    let home = started();
    let other = home.root().join("other");
    fs::create_dir(&other).unwrap();
    home.init_repository(&other);
    fs::write(other.join("STATE.md"), "# Other\n\nAll is well.\n").unwrap();
    for dir in [home.project_dir(), &*other] {
        let run = home.prepare_run("trueup").args(["repo", "add", "."]).cwd(dir);
        run.wait().ok();
    }
    let sync = || home.prepare_run("trueup").args(["state", "sync"]).cwd(&other).wait().ok();
    sync();
    let copies = home.project_dir().join(".aibrain/global-state-cache.md");
    let text = fs::read_to_string(&copies).unwrap();
    fs::write(&copies, format!("{text}\nA note of mine.\n")).unwrap();
    let kept = trueup(&home, &["leftovers", "--remove"]).ok().stdout;
    assert!(kept.contains("text besides the copies"), "{kept}");
    assert!(copies.exists());
    fs::write(&copies, text).unwrap();
    data(&home, &["leftovers", "--remove"]);
    assert!(!home.project_dir().join(".aibrain").exists());
}

#[test]
fn a_database_that_cannot_be_read_is_not_said_to_know_of_nothing() {
    let home = Home::new();
    fs::create_dir_all(home.trueup_home()).unwrap();
    fs::write(home.trueup_home().join("trueup.db"), "damaged").unwrap();
    let answer = trueup(&home, &["leftovers"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert!(answer.stderr.starts_with("nothing is left in this project\n"), "{answer:?}");
    assert!(answer.stderr.contains("warning: only this project was searched"), "{answer:?}");
}

#[test]
fn a_project_that_is_no_longer_there_is_named() {
    let home = home_with_leftovers();
    let elsewhere = home.root().join("elsewhere");
    fs::rename(home.project_dir(), home.root().join("moved")).unwrap();
    fs::create_dir(&elsewhere).unwrap();
    let run = home.prepare_run("trueup").args(["leftovers"]).cwd(&elsewhere).wait();
    let named = format!("no longer there, not searched: {}", home.project_dir().display());
    let run = run.ok();
    assert!(run.stdout.contains(&named), "{run:?}");
    assert!(!run.stderr.contains("warning"), "the uninstaller would not go on: {run:?}");
}
