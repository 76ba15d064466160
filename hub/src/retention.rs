//! Removing what is old, once a day. Who reaches the database through a hub may not remove anything
//! for good, so the hub does it.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use trueup_core::deadline::Deadline;
use trueup_core::model::{EventFilter, EventKind, Timestamp};
use trueup_core::retention::{PruneError, is_prune_due, prune_if_due};
use trueup_core::settings::Project;
use trueup_core::store::{CommandStore, Result as StoreResult};
use trueup_core::sync::RunContext;

use crate::database::Database;
use crate::printer::print_diagnostic;
use crate::store_pool::StorePool;

/// Who it is in the record of changes.
const ACTOR: &str = "trueup-hub";

/// How often it is looked whether it is time, which is a look at one file.
const LOOK_EVERY: Duration = Duration::from_mins(10);

/// How long it may take at a time. What is left is removed an hour later.
const MAX_DURATION: Duration = Duration::from_secs(5);

/// How long a hub leaves it to another one that has just removed something, in seconds.
const OTHERS_TURN_SECONDS: i64 = 50 * 60;

/// Removes what is old when it is time, until the hub is told to stop.
pub(crate) async fn prune_daily(
    database: Database,
    pool: StorePool,
    mut shutdown: watch::Receiver<bool>,
) {
    let working = async {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let database = database.clone();
            let outcome = pool.run(move |store| prune_records(store, &find_site(&database))).await;
            let problem = match outcome {
                Ok(done) => done.err(),
                Err(error) => Some(error.to_string()),
            };
            if let Some(problem) = problem {
                print_diagnostic(&format!("old records were not pruned: {problem}"));
            }
        }
    };
    tokio::select! {
        _ = shutdown.wait_for(|stopped| *stopped) => {}
        () = working => {}
    }
}

/// Returns the machine and the settings by which a hub prunes.
fn find_site(database: &Database) -> RunContext {
    let environment = database.environment();
    let settings = database.settings().clone();
    // A hub works for no project.
    let project = Project::at_dir(environment, settings.paths.data.clone());
    RunContext::new(environment, settings, project, None, Deadline::after(MAX_DURATION))
}

/// Removes what is old if it is time and no other hub does. One of this machine is kept out by a
/// lock, another one shows by what it recorded; two that did it at once would only do it twice.
fn prune_records(
    store: &mut dyn CommandStore,
    site: &RunContext,
) -> StoreResult<Result<(), String>> {
    if !is_prune_due(site) || has_another_pruned(store)? {
        return Ok(Ok(()));
    }
    match prune_if_due(store, ACTOR, site, MAX_DURATION) {
        Ok(_) => Ok(Ok(())),
        Err(PruneError::Store(error)) => Err(error),
        Err(error @ PruneError::Local(_)) => Ok(Err(error.to_string())),
    }
}

/// Tells whether a hub has removed something a moment ago: it is not done, or there is nothing left.
fn has_another_pruned(store: &mut dyn CommandStore) -> StoreResult<bool> {
    let since = store.database_time()?.as_millis() - OTHERS_TURN_SECONDS * 1_000;
    let by_hubs = EventFilter {
        kind: Some(EventKind::Pruned.as_str().to_owned()),
        actor: Some(ACTOR.to_owned()),
        since: Some(Timestamp::from_millis(since)),
        limit: 1,
        ..EventFilter::default()
    };
    Ok(!store.list_events(&by_hubs)?.is_empty())
}

#[cfg(test)]
mod tests {
    use trueup_core::settings::{Environment, Settings};
    use trueup_core::store::HookStore as _;
    use trueup_core::store::sqlite::SqliteStore;

    use super::*;

    const OLD_SESSION: &str = "
        INSERT INTO claude_sessions
            (session_id, status, ended_reason, heartbeat_at, lease_expires_at, swept)
        VALUES ('old', 'ended', 'logout', '2020-01-01T00:00:00.000Z', '2020-01-01T00:00:00.000Z', 1);";

    #[test]
    fn it_is_left_to_a_hub_that_has_just_done_it() {
        for (actor, ago, is_removed) in
            [(ACTOR, "-1 minute", false), (ACTOR, "-51 minutes", true), ("user", "-1 minute", true)]
        {
            let dir = tempfile::tempdir().unwrap();
            let environment = Environment::from_lookup(|name| {
                (name == "TRUEUP_HOME").then(|| dir.path().as_os_str().to_owned())
            });
            let settings = Settings::load(&environment).unwrap();
            let (path, deadline) = (settings.paths.database(), Deadline::after(MAX_DURATION));
            let mut store = SqliteStore::open_or_create(&path, deadline).unwrap();
            let connection = rusqlite::Connection::open(&path).unwrap();
            connection.execute_batch(OLD_SESSION).unwrap();
            let pruned = "INSERT INTO events (at, actor, entity, key, kind)
                 VALUES (strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?1), ?2, 'database', 'x', 'pruned')";
            connection.execute(pruned, [ago, actor]).unwrap();
            drop(connection);
            let project = Project::at_dir(&environment, dir.path().to_owned());
            let site = RunContext::new(&environment, settings, project, None, deadline);
            prune_records(&mut store, &site).unwrap().unwrap();
            let session = store.load_session(&"old".parse().unwrap()).unwrap();
            assert_eq!(session.is_none(), is_removed, "{actor} {ago}");
        }
    }
}
