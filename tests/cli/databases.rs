//! `trueup db`: creating, migrating and inspecting a database, and backups.

use std::fs;

use rusqlite::Connection;
use support::home::{Home, skip_over_postgres};

use crate::fixture::{claimed, data, keys, object, refused, started, trueup};
use crate::state_snapshot::StateSnapshot;

#[test]
fn migrate_creates_a_database_once() {
    if skip_over_postgres("the file of the database") {
        return;
    }
    let home = Home::new();
    let path = home.trueup_home().join("trueup.db");
    let created = data(&home, &["db", "migrate"]);
    assert_eq!(keys(&created), ["created", "from", "known", "path", "to"]);
    assert_eq!(created["created"], true);
    assert!(created["from"].is_null() && created["to"] == created["known"]);
    let answer = trueup(&home, &["db", "migrate"]).ok();
    let line = format!("{} already has schema {}\n", path.display(), created["to"]);
    assert_eq!(answer.stdout, line);
}

#[cfg(unix)]
#[test]
fn a_new_database_is_its_users_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    if skip_over_postgres("the file of the database") {
        return;
    }
    let home = Home::new();
    data(&home, &["db", "migrate"]);
    let mode = fs::metadata(home.trueup_home().join("trueup.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
}

#[test]
fn status_is_true_and_writes_nothing() {
    let home = started();
    let before = StateSnapshot::take(&home);
    let status = data(&home, &["db", "status"]);
    assert_eq!(status["healthy"], true);
    assert_eq!(status["schema"]["version"], status["schema"]["known"]);
    let lineage: String =
        home.query_value("SELECT value FROM trueup_meta WHERE key = 'lineage'", []);
    assert_eq!(status["lineage"], *lineage);
    let applied = status["schema"]["applied"].as_array().unwrap();
    assert!(applied.iter().all(|migration| migration["unchanged"] == true), "{applied:?}");
    assert_eq!(StateSnapshot::take(&home), before);
}

#[test]
fn a_backup_is_a_whole_database() {
    if skip_over_postgres("backups of the file") {
        return;
    }
    let home = started();
    claimed(&home, "SD-1");
    let file = home.root().join("backup.db");
    let backup = data(&home, &["db", "backup", file.to_str().unwrap()]);
    assert_eq!(keys(&backup), ["file", "size_bytes"]);
    assert_eq!(backup["size_bytes"], fs::metadata(&file).unwrap().len());
    let copy = Connection::open(&file).unwrap();
    let held: String = copy
        .query_row("SELECT holder FROM work_items WHERE key = 'SD-1'", [], |r| r.get(0))
        .unwrap();
    assert_eq!(held, support::home::FIRST_SESSION);
    let sound: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    let run = home.prepare_run("trueup").args(["item", "list", "--json"]);
    let answer = run.env("TRUEUP_DATABASE_URL", format!("sqlite:{}", file.display())).wait();
    assert_eq!(answer.ok().json()["data"]["items"][0]["key"], "SD-1");
}

#[test]
fn a_backup_replaces_no_file() {
    if skip_over_postgres("backups of the file") {
        return;
    }
    let home = started();
    let file = home.root().join("precious");
    fs::write(&file, "precious").unwrap();
    let arguments = ["db", "backup", file.to_str().unwrap()];
    assert_eq!(object(&home, 1, &arguments)["error"]["code"], "invalid");
    assert_eq!(fs::read(&file).unwrap(), b"precious");
}

#[test]
fn a_backup_that_cannot_be_written_is_exit_3_and_leaves_nothing() {
    if skip_over_postgres("backups of the file") {
        return;
    }
    let home = started();
    let file = home.root().join("no/such/folder/backup.db");
    let error = object(&home, 3, &["db", "backup", file.to_str().unwrap()])["error"].take();
    assert_eq!(error["code"], "io");
    let folder = file.parent().unwrap().display();
    assert_eq!(error["message"], format!("the directory {folder} does not exist"));
    assert!(!home.root().join("no").exists());
}

#[test]
fn a_relative_backup_is_made_where_the_user_stands() {
    if skip_over_postgres("backups of the file") {
        return;
    }
    let home = started();
    let dir = home.root().join("elsewhere");
    fs::create_dir(&dir).unwrap();
    let run = home.prepare_run("trueup").args(["db", "backup", "b.db"]).cwd(&dir);
    run.wait().ok();
    assert!(dir.join("b.db").exists());
    refused(&home, "item_not_found", &["item", "show", "SD-1"]);
}
