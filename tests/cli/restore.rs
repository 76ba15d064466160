//! `trueup db restore`: the backup replaces the database, which is kept aside, and caches ahead of
//! it are reported.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::{Value, json};
use support::home::{FIRST_SESSION, Home, skip_over_postgres};

use crate::fixture::{assert_in_step, claimed, data, keys, object, refused, started, trueup};

fn database(home: &Home) -> PathBuf {
    home.trueup_home().join("trueup.db")
}

/// Makes a backup outside trueup's directory.
fn backup(home: &Home) -> PathBuf {
    let copy = home.root().join("copy.db");
    data(home, &["db", "backup", copy.to_str().unwrap()]);
    copy
}

fn restore(home: &Home, copy: &Path) -> Value {
    data(home, &["db", "restore", copy.to_str().unwrap()])
}

/// Lists names in trueup's directory that hold a word.
fn names(home: &Home, word: &str) -> Vec<String> {
    let entries = fs::read_dir(home.trueup_home()).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains(word))
        .collect();
    names.sort();
    names
}

fn items(home: &Home) -> i64 {
    home.query_value("SELECT count(*) FROM work_items", [])
}

/// Damages one index so that `quick_check` does not notice: its number of entries is right, but
/// they are wrong.
fn break_an_index(path: &Path) {
    let redefine = |from: &str, to: &str| {
        let connection = Connection::open(path).unwrap();
        let changed = connection.execute_batch("PRAGMA writable_schema = ON").and_then(|()| {
            connection.execute(
                "UPDATE sqlite_schema SET sql = replace(sql, ?1, ?2) WHERE name = 'events_actor'",
                [from, to],
            )
        });
        assert_eq!(changed.unwrap(), 1);
    };
    redefine("actor,", "kind,");
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("REINDEX events_actor").unwrap();
    drop(connection);
    redefine("kind,", "actor,");
    let connection = Connection::open(path).unwrap();
    let ask = |pragma: &str| -> String {
        connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!(ask("quick_check"), "ok");
    assert_ne!(ask("integrity_check"), "ok");
}

#[test]
fn an_older_state_comes_back_and_what_was_there_is_kept() {
    if skip_over_postgres("backups of the file") {
        return;
    }
    let home = started();
    claimed(&home, "SD-1");
    let copy = backup(&home);
    let bytes = fs::read(&copy).unwrap();
    data(&home, &["set", "--phase", "EXEC", "--session", FIRST_SESSION]);
    data(&home, &["item", "add", "SD-2"]);
    let report = restore(&home, &copy);
    let all = ["caches", "from", "kept_as", "lineage", "outbox", "path", "schema"];
    assert_eq!(keys(&report), all, "{report}");
    assert_eq!(items(&home), 1);
    assert_eq!(fs::read(&copy).unwrap(), bytes, "the copy stays as it is");
    assert!(!home.root().join("copy.db-wal").exists());
    for log in ["trueup.db-wal", "trueup.db-shm"] {
        assert_eq!(names(&home, log), [""; 0], "no log is left");
    }

    // What was there lies complete and private beside it.
    let aside = PathBuf::from(report["kept_as"].as_str().unwrap());
    let kept: i64 = Connection::open(&aside)
        .unwrap()
        .query_row("SELECT count(*) FROM work_items", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 2);
    {
        use std::os::unix::fs::PermissionsExt as _;
        for path in [&aside, &database(&home)] {
            let mode = fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", path.display());
        }
    }

    // The cache is ahead, which is reported now and journaled by the next hook.
    let cache_report = &report["caches"][0];
    assert_eq!(cache_report["session_id"], FIRST_SESSION);
    assert_eq!(cache_report["codes"], json!(["S-03", "S-09", "S-11"]), "{report}");
    assert_eq!(home.read_lines("journal.jsonl").len(), 0);
    let message = home.send_prompt().ok().message().join("\n");
    assert!(message.contains("(restored from a backup?)"), "{message}");
    let journal = home.read_lines("journal.jsonl");
    assert_eq!(journal[0]["fields"], json!({"Phase": "EXEC"}));
    assert_in_step(&home);

    // It can be undone by the same way.
    restore(&home, &aside);
    assert_eq!(items(&home), 2);
}

#[test]
fn a_session_that_began_after_the_copy_loses_nothing_either() {
    if skip_over_postgres("backups of the file") {
        return;
    }
    let home = Home::new();
    data(&home, &["db", "migrate"]);
    let copy = backup(&home);
    home.start_session().ok();
    claimed(&home, "SD-1");
    data(&home, &["set", "--phase", "EXEC", "--session", FIRST_SESSION]);
    let report = restore(&home, &copy);
    assert_eq!(report["caches"][0]["known"], false, "{report}");
    home.start_session().ok();
    let journal = home.read_lines("journal.jsonl");
    assert_eq!(journal[0]["fields"]["Phase"], "EXEC");
    assert_eq!(journal[0]["fields"]["Item"], "SD-1");
    assert_in_step(&home);
}

#[test]
fn while_others_have_it_open_nothing_is_replaced() {
    if skip_over_postgres("backups of the file") {
        return;
    }
    let home = started();
    let copy = backup(&home);
    data(&home, &["item", "add", "SD-2"]);
    for reads in [false, true] {
        let other = home.open_database();
        let _: i64 =
            other.query_row("SELECT count(*) FROM work_items", [], |row| row.get(0)).unwrap();
        if reads {
            other.execute_batch("BEGIN; SELECT * FROM work_items").unwrap();
        }
        let run =
            home.prepare_run("trueup").args(["db", "restore", copy.to_str().unwrap(), "--json"]);
        let answer = run.env("TRUEUP_DEADLINE_MS", "200").wait();
        assert_eq!(answer.code, Some(1), "{answer:?}");
        assert_eq!(answer.json()["error"]["code"], "database_in_use");
        drop(other);
        assert_eq!(items(&home), 1);
        assert_eq!(names(&home, ".replaced-"), [""; 0]);
        assert_eq!(names(&home, ".restore-"), [""; 0]);
    }
    restore(&home, &copy);
    assert_eq!(items(&home), 0);
}

#[test]
fn a_copy_that_cannot_be_used_changes_nothing() {
    if skip_over_postgres("backups of the file") {
        return;
    }
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    let good = backup(&home);
    let at = |name: &str| home.root().join(name);
    let changed = |name: &str, sql: &str| {
        fs::copy(&good, at(name)).unwrap();
        let connection = Connection::open(at(name)).unwrap();
        connection.execute_batch(sql).unwrap();
    };
    fs::write(at("empty"), "").unwrap();
    fs::write(at("garbage"), "garbage ".repeat(999)).unwrap();
    fs::write(at("cut"), &fs::read(&good).unwrap()[..5_000]).unwrap();
    changed("newer", "PRAGMA user_version = 9999");
    changed("foreign", "PRAGMA application_id = 7");
    changed("nameless", "DELETE FROM trueup_meta");
    fs::copy(&good, at("index")).unwrap();
    break_an_index(&at("index"));
    let before = fs::read(database(&home)).unwrap();
    for name in ["missing", "empty", "garbage", "cut", "newer", "foreign", "nameless", "index", "."]
    {
        let path = at(name);
        let object = object(&home, 3, &["db", "restore", path.to_str().unwrap()]);
        let error = &object["error"];
        assert_eq!(error["code"], "copy_unusable", "{name}: {error}");
        assert!(error["message"].as_str().unwrap().contains(name), "{error}");
    }
    let itself = database(&home);
    refused(&home, "invalid", &["db", "restore", itself.to_str().unwrap()]);
    assert!(fs::read(database(&home)).unwrap() == before);
    assert_eq!(names(&home, ".re"), [""; 0], "nothing is left");
    assert_eq!(trueup(&home, &["db", "restore"]).code, Some(2));
}

#[test]
fn a_missing_or_damaged_database_is_no_hindrance() {
    if skip_over_postgres("backups of the file") {
        return;
    }
    for damage in ["missing", "orphaned log", "garbage", "empty", "cut", "index"] {
        let home = started();
        data(&home, &["item", "add", "SD-1"]);
        let copy = backup(&home);
        let path = database(&home);
        match damage {
            "missing" => fs::remove_file(&path).unwrap(),
            "orphaned log" => {
                fs::remove_file(&path).unwrap();
                fs::write(home.trueup_home().join("trueup.db-wal"), "old").unwrap();
            }
            "garbage" => fs::write(&path, "garbage ".repeat(999)).unwrap(),
            "empty" => fs::write(&path, "").unwrap(),
            "cut" => {
                let bytes = fs::read(&path).unwrap();
                fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
            }
            _ => break_an_index(&path),
        }
        let broken = fs::read(&path).ok();
        let report = restore(&home, &copy);
        assert_eq!(items(&home), 1, "{damage}");
        assert_eq!(home.query_value::<String>("PRAGMA integrity_check", []), "ok");
        let aside = report["kept_as"].as_str();
        assert_eq!(aside.is_some(), broken.is_some(), "{damage}: {report}");
        if matches!(damage, "garbage" | "empty") {
            assert_eq!(fs::read(aside.unwrap()).ok(), broken, "{damage}");
        }
        data(&home, &["db", "status"]);
        data(&home, &["item", "add", "SD-2"]);
    }
}

#[test]
fn a_database_of_somebody_else_stays() {
    if skip_over_postgres("backups of the file") {
        return;
    }
    let home = started();
    let copy = backup(&home);
    let path = database(&home);
    fs::remove_file(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE mine (x)").unwrap();
    drop(other);
    let before = fs::read(&path).unwrap();
    object(&home, 3, &["db", "restore", copy.to_str().unwrap()]);
    assert!(fs::read(&path).unwrap() == before);
}

#[test]
fn a_copy_with_its_log_beside_it_is_read_with_that() {
    if skip_over_postgres("backups of the file") {
        return;
    }
    let home = started();
    let other = home.open_database();
    other
        .execute_batch(
            "PRAGMA wal_autocheckpoint = 0; INSERT INTO work_items (key) VALUES ('SD-9')",
        )
        .unwrap();
    let copy = home.root().join("raw.db");
    let log = home.root().join("raw.db-wal");
    fs::copy(database(&home), &copy).unwrap();
    fs::copy(home.trueup_home().join("trueup.db-wal"), &log).unwrap();
    drop(other);
    home.execute_sql("DELETE FROM work_items", []);
    let bytes = (fs::read(&copy).unwrap(), fs::read(&log).unwrap());
    restore(&home, &copy);
    assert_eq!(items(&home), 1);
    assert!((fs::read(&copy).unwrap(), fs::read(&log).unwrap()) == bytes);
}

#[test]
fn a_database_behind_a_link_is_restored_where_it_is() {
    if skip_over_postgres("backups of the file") {
        return;
    }
    let home = started();
    data(&home, &["item", "add", "SD-1"]);
    let copy = backup(&home);
    let real = home.root().join("elsewhere.db");
    fs::rename(database(&home), &real).unwrap();
    std::os::unix::fs::symlink(&real, database(&home)).unwrap();
    home.execute_sql("DELETE FROM work_items", []);
    restore(&home, &copy);
    assert!(fs::symlink_metadata(database(&home)).unwrap().is_symlink());
    assert_eq!(items(&home), 1);
    assert!(fs::metadata(&real).unwrap().is_file());
}

#[test]
fn a_broken_index_is_found_and_made_anew_by_doctor() {
    if skip_over_postgres("backups of the file") {
        return;
    }
    let home = started();
    break_an_index(&database(&home));
    let check = |arguments: &[&str], code: i32| -> Value {
        let object = object(&home, code, arguments);
        let checks = object["data"]["checks"].as_array().unwrap().clone();
        checks.into_iter().find(|check| check["name"] == "database").unwrap()
    };
    let found = check(&["doctor"], 1);
    assert_eq!(found["status"], "fail");
    let fix = found["fix"].as_str().unwrap();
    assert!(fix.contains("trueup db restore") && fix.contains("trueup doctor --fix"), "{fix}");
    object(&home, 3, &["db", "status"]);
    assert_eq!(check(&["doctor", "--fix"], 0)["status"], "ok");
    assert_eq!(check(&["doctor"], 0)["status"], "ok");
}

#[test]
fn a_backup_never_replaces_and_is_private() {
    use std::os::unix::fs::PermissionsExt as _;

    if skip_over_postgres("backups of the file") {
        return;
    }
    let home = started();
    let copy = backup(&home);
    let mode = fs::metadata(&copy).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let link = home.root().join("link.db");
    std::os::unix::fs::symlink(home.root().join("nowhere"), &link).unwrap();
    for path in [&copy, &link] {
        refused(&home, "invalid", &["db", "backup", path.to_str().unwrap()]);
    }
    assert!(!home.root().join("nowhere").exists());
    break_an_index(&database(&home));
    let other = home.root().join("other.db");
    object(&home, 3, &["db", "backup", other.to_str().unwrap()]);
    assert!(!other.exists());
}
