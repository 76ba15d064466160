//! Hearing of events when they are committed.

use std::ffi::OsStr;
use std::time::Duration;

use support::postgres::TestDatabase;
use trueup_core::settings::{ApiCredentials, DatabaseUrl, TlsRoots};
use trueup_remote::url::PasswordSources;
use trueup_remote::{ChangeListener, RemoteDatabase};

use crate::requests::{insert_item, request};

/// How long a hint may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A wait for what does not come.
const SHORT_WAIT: Duration = Duration::from_millis(100);

fn listen(url: &str) -> ChangeListener {
    let Ok(DatabaseUrl::Remote(url)) = DatabaseUrl::parse(OsStr::new(url)) else {
        panic!("{url}");
    };
    let database = RemoteDatabase {
        url,
        credentials: ApiCredentials::default(),
        passwords: PasswordSources::default(),
        roots: TlsRoots::default(),
        flavour_memory: None,
    };
    database.open_listener().unwrap().unwrap()
}

#[test]
fn whoever_listens_hears_of_commits_and_of_nothing_else() {
    let Some(database) = TestDatabase::create() else { return };
    let mut listener = listen(&database.client_url());
    assert!(listener.wait(PATIENCE).unwrap(), "what was before is to be read");
    assert!(!listener.wait(SHORT_WAIT).unwrap());
    let exchange = |mode: &str, key: &str| {
        let request = request(mode, &[insert_item(key, key)]);
        database.run(&format!("SELECT trueup.exchange($r${request}$r$)")).unwrap();
    };
    exchange("try", "A");
    assert!(!listener.wait(SHORT_WAIT).unwrap(), "a trial is no event");
    exchange("commit", "A");
    assert!(listener.wait(PATIENCE).unwrap(), "an exchange");
    database.run("INSERT INTO trueup.work_items (key) VALUES ('B')").unwrap();
    assert!(listener.wait(PATIENCE).unwrap(), "plain SQL");
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    database.run(cut).unwrap();
    while !listener.wait(SHORT_WAIT).unwrap_or(false) {}
    exchange("commit", "C");
    assert!(listener.wait(PATIENCE).unwrap(), "after the connection was cut");
}
