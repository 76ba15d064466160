//! What a command reports as done is synced to disk.

use std::fs;

use support::home::Home;

use super::traced::{can_trace, trace};

/// Runs a command; returns its calls that write or sync, in order, with the paths of their files.
fn calls(home: &Home, arguments: &[&str]) -> Vec<String> {
    let run = home.prepare_run("trueup").args(arguments);
    let options = ["-f", "-y", "-e", "trace=pwrite64,write,fsync,fdatasync"];
    let (answer, calls) = trace(run, &home.root(), &options);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    calls
}

#[test]
fn a_write_is_on_the_disk_before_it_is_reported() {
    if can_trace() {
        assert_settled(&Home::new().with_held_item());
    }
}

/// The write-ahead log is beside the target of a link, not beside the link.
#[test]
fn a_write_through_a_link_is_on_the_disk_before_it_is_reported() {
    if !can_trace() {
        return;
    }
    let home = Home::new().with_held_item();
    let real = home.root().join("real");
    fs::create_dir(&real).unwrap();
    let (link, real) = (home.trueup_home().join("trueup.db"), real.join("trueup.db"));
    fs::rename(&link, &real).unwrap();
    std::os::unix::fs::symlink("../real/trueup.db", &link).unwrap();
    assert_settled(&home);
    let beside = |ending: &str| home.trueup_home().join(format!("trueup.db{ending}")).exists();
    assert!(!beside("-wal") && !beside("-shm"));
    assert!(real.with_file_name("trueup.db.queue").exists());
}

/// Asserts that a command synced its writes to the log before it printed its answer.
#[track_caller]
fn assert_settled(home: &Home) {
    // With the database open elsewhere, the command does not checkpoint the log as it ends.
    let other = home.open_database();
    other.query_row("SELECT count(*) FROM events", [], |row| row.get::<_, i64>(0)).unwrap();
    let calls = calls(home, &["item", "add", "SD-9"]);
    let on_log = |call: &String, names: [&str; 2]| {
        call.contains("trueup.db-wal>") && names.iter().any(|name| call.contains(name))
    };
    let last = |names: [&str; 2]| calls.iter().rposition(|call| on_log(call, names));
    let written = last(["pwrite64(", " write("]).unwrap();
    let synced_at = last(["fsync(", "fdatasync("]).unwrap();
    let printed_at = calls.iter().position(|call| call.contains("\"added SD-9")).unwrap();
    assert!(written < synced_at, "{calls:#?}");
    assert!(synced_at < printed_at, "{calls:#?}");
}
