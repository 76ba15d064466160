//! What commands show of a session whose database is on a server: from the server, or what was read
//! last while that is away.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;
use support::home::{FIRST_SESSION, Home, ProcessOutput};
use support::network::faulty_proxy::{Fault, FaultyProxy};
use support::postgres::TestDatabase;
use trueup_core::model::{Lineage, Timestamp};
use trueup_core::replica::ReplicaFile;
use trueup_core::settings::Paths;

use crate::fixture::data;

/// A session that was read once, and the URL of its database.
fn known_session() -> Option<(Home, TestDatabase, String)> {
    let database = TestDatabase::create()?;
    let (home, url) = (Home::new(), database.add_user("trueup_client"));
    let start = home.payload("session-start.startup");
    let run = home.prepare_run("session-start-sync").payload(&start);
    run.env("TRUEUP_DATABASE_URL", &url).wait().ok();
    run_with(&home, &url, &["claim", "A-1", "--create"]).ok();
    run_with(&home, &url, &["pull"]).ok();
    Some((home, database, url))
}

fn run_with(home: &Home, url: &str, arguments: &[&str]) -> ProcessOutput {
    let run = home.prepare_run("trueup").args(arguments).args(["--session", FIRST_SESSION]);
    run.env("TRUEUP_DATABASE_URL", url).wait()
}

/// The same address as far as it is shown, and a user that the server does not know.
fn away(url: &str) -> String {
    url.replace("postgres://", "postgres://unknown_")
}

#[test]
fn with_a_file_there_is_nothing_to_pull() {
    assert_eq!(data(&Home::new(), &["pull"]), json!({"pulled": false}));
}

#[test]
fn a_pull_registers_its_session_and_tells_the_revision() {
    let Some((home, _database, url)) = known_session() else { return };
    let pulled = run_with(&home, &url, &["pull", "--json"]).ok().json();
    let status = run_with(&home, &url, &["status", "--json"]).ok().json();
    assert_eq!(pulled["data"]["pulled"], true);
    assert_eq!(pulled["data"]["revision"], status["data"]["session"]["revision"]);
    let failed = run_with(&home, &away(&url), &["pull", "--json"]);
    assert_eq!(failed.code, Some(3), "{failed:?}");
}

#[test]
fn while_the_server_is_away_status_shows_what_was_read_last_and_says_so() {
    let Some((home, _database, url)) = known_session() else { return };
    let there = run_with(&home, &url, &["status", "--json"]).ok().json();
    assert_eq!(there["data"]["replica"], json!(null));
    let answer = run_with(&home, &away(&url), &["status", "--json"]).json();
    assert_eq!(answer["data"]["session"]["item"], there["data"]["session"]["item"]);
    assert!(answer["data"]["replica"]["age_seconds"].is_u64(), "{answer}");
    let warning = answer["warnings"][0].as_str().unwrap();
    assert!(warning.contains("because the server cannot be reached"), "{answer}");
    // The session of nobody is not known.
    let unknown = home.prepare_run("trueup").args(["status", "--session", "nobody"]);
    let unknown = unknown.env("TRUEUP_DATABASE_URL", away(&url)).wait();
    assert_eq!(unknown.code, Some(3), "{unknown:?}");
}

#[test]
fn the_status_line_waits_for_no_server() {
    let Some((home, _database, url)) = known_session() else { return };
    let answer = run_with(&home, &away(&url), &["statusline"]).ok();
    assert!(answer.stdout.starts_with("A-1 · "), "{answer:?}");
}

#[test]
fn status_waits_for_a_moment_only_where_the_server_is_known_to_be_away() {
    let Some(database) = TestDatabase::create() else { return };
    let (home, direct) = (Home::new(), database.add_user("trueup_client"));
    let (server, name) = direct.rsplit_once('/').unwrap();
    let (host, port) = server.rsplit_once(':').unwrap();
    let (proxy, network) = FaultyProxy::start_switched(port.parse().unwrap());
    let url = format!("{host}:{}/{name}", proxy.port);
    let start = home.payload("session-start.startup");
    let run = home.prepare_run("session-start-sync").payload(&start);
    run.env("TRUEUP_DATABASE_URL", &url).wait().ok();
    network.set(Fault::BlackHole);
    let lineages = fs::read_dir(home.trueup_home().join("replica")).unwrap();
    let lineage = lineages.flatten().next().unwrap().file_name().into_string().unwrap();
    let (config, data) = (home.trueup_home(), home.trueup_home());
    let session = FIRST_SESSION.parse().unwrap();
    let file = ReplicaFile::of_session(&Paths { config, data }, &Lineage(lineage), &session);
    file.note_outage(Timestamp::from_millis(0), Duration::from_mins(1)).unwrap();
    let begun = Instant::now();
    let answer = run_with(&home, &url, &["status", "--json"]).json();
    assert!(answer["data"]["replica"]["age_seconds"].is_u64(), "{answer}");
    let line = run_with(&home, &url, &["statusline"]).ok();
    assert!(line.stdout.contains(" · read "), "{line:?}");
    // Without the note it takes a minute, the deadline of tests.
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}
