//! `kill -9` of a restore at any moment leaves the old database or the new one, complete.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use support::home::Home;

use super::kill_loop::KillLoop;

/// Kills for each state of the database before the restore.
const KILLS: usize = 60;

/// Rows of the two states; enough that writing them takes many steps.
const OLD: i64 = 700;
const NEW: i64 = 900;

fn fill(home: &Home, rows: i64) {
    home.execute_sql("DELETE FROM work_items", []);
    home.execute_sql(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
         INSERT INTO work_items (key, title) SELECT 'SD-' || i, hex(randomblob(60)) FROM n",
        [rows],
    );
}

/// Returns the rows of the database, which must be complete.
#[track_caller]
fn rows(path: &Path) -> i64 {
    let connection = Connection::open(path).unwrap();
    let ask = |query: &str| connection.query_row(query, [], |row| row.get::<_, String>(0));
    assert_eq!(ask("PRAGMA integrity_check").unwrap(), "ok");
    ask("SELECT CAST(count(*) AS TEXT) FROM work_items").unwrap().parse().unwrap()
}

fn backup(home: &Home, name: &str) -> std::path::PathBuf {
    let copy = home.root().join(name);
    let run = home.prepare_run("trueup").args(["db", "backup"]);
    run.args([&copy]).wait().ok();
    copy
}

#[test]
fn a_killed_restoration_leaves_the_old_or_the_new() {
    let home = Home::new();
    home.prepare_run("trueup").args(["db", "migrate"]).wait().ok();
    let database = home.trueup_home().join("trueup.db");
    fill(&home, OLD);
    let old = backup(&home, "old.db");
    fill(&home, NEW);
    let new = backup(&home, "new.db");

    let mut kill_loop = KillLoop::new(KILLS);
    let mut seen = [0, 0];
    while kill_loop.goes_on() {
        // From one state to the other and back, as far as the kills allow.
        let to = if rows(&database) == OLD { &new } else { &old };
        let run = home.prepare_run("trueup").args(["db", "restore"]).args([to]);
        kill_loop.kill(run, b"");
        let now = rows(&database);
        assert!(now == OLD || now == NEW, "{now}");
        seen[usize::from(now == NEW)] += 1;
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
    // Every database that was kept aside is complete.
    for entry in fs::read_dir(home.trueup_home()).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains(".replaced-") {
            let kept = rows(&path);
            assert!(kept == OLD || kept == NEW, "{kept}");
        }
    }
    let run = home.prepare_run("trueup").args(["db", "restore"]).args([&old]);
    run.wait().ok();
    assert_eq!(rows(&database), OLD);
    let left = fs::read_dir(home.trueup_home()).unwrap();
    let left = left.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let drafts: Vec<String> =
        left.filter(|name| name.starts_with(".restore-") || name.starts_with(".draft-")).collect();
    assert_eq!(drafts, [""; 0]);
}

#[test]
fn a_killed_restoration_over_a_damaged_file_leaves_that_or_the_new() {
    let home = Home::new();
    home.prepare_run("trueup").args(["db", "migrate"]).wait().ok();
    let database = home.trueup_home().join("trueup.db");
    fill(&home, NEW);
    let new = backup(&home, "new.db");
    let garbage = "garbage ".repeat(99_999).into_bytes();
    let mut kill_loop = KillLoop::new(KILLS / 2);
    while kill_loop.goes_on() {
        fs::write(&database, &garbage).unwrap();
        let run = home.prepare_run("trueup").args(["db", "restore"]).args([&new]);
        kill_loop.kill(run, b"");
        if fs::read(&database).unwrap() != garbage {
            assert_eq!(rows(&database), NEW);
        }
    }
}
