//! Machines that work with a database on a server.

use std::ffi::OsString;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use support::home::{Home, ProcessOutput, ProcessRun};
use support::host_name::{self, rename_arguments};
use support::postgres::TestDatabase;

/// A home whose configuration names the database of a URL.
pub(super) fn home_with_url(url: &str) -> Home {
    let home = Home::new();
    fs::write(home.trueup_home().join("config.toml"), format!("database_url = {url:?}\n")).unwrap();
    home
}

/// A home and its database, with the rights of a client alone; `None` where there is no server.
pub(super) fn home_with_server() -> Option<(Home, TestDatabase)> {
    let database = TestDatabase::create()?;
    let home = home_with_url(&database.add_user("trueup_client"));
    Some((home, database))
}

/// Queries one value, as text.
#[track_caller]
pub(super) fn query(database: &TestDatabase, sql: &str) -> String {
    let sql = format!("SET search_path = trueup; {sql}");
    database.run(&sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"))
}

/// Runs `trueup`, which must succeed.
#[track_caller]
pub(super) fn trueup(home: &Home, arguments: &[&str]) -> ProcessOutput {
    let output = home.prepare_run("trueup").args(arguments).cwd(home.project_dir()).wait();
    assert_eq!(output.code, Some(0), "{arguments:?}: {output:?}");
    output
}

/// Brings what waits to the server and its news to a session, behind whatever a hook started.
#[track_caller]
pub(super) fn pull(home: &Home, session: &str) {
    trueup(home, &["pull", "--session", session]);
}

/// Waits for what a process does that nobody waits for.
#[track_caller]
pub(super) fn wait_until(is_done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_done() {
        assert!(begun.elapsed() < Duration::from_mins(1), "it did not come");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Adds an item, lets a session claim it, and sets its phase.
#[track_caller]
pub(super) fn claim_item(home: &Home, session: &str, key: &str) {
    trueup(home, &["claim", key, "--create", "--session", session]);
    trueup(home, &["set", "--phase", "PLAN", "--session", session]);
}

/// Runs a binary on a machine of another name.
pub(super) fn on_host<'h>(run: ProcessRun<'h>, name: &str) -> ProcessRun<'h> {
    run.run_through(host_name::PROGRAM, |binary| {
        let words = rename_arguments(name).into_iter().map(OsString::from);
        words.chain([binary.to_owned()]).collect()
    })
}
