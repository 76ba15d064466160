//! A command asks several operations for the same rows, and a server once.

use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use support::postgres::TestDatabase;
use trueup_core::model::{FieldValue, SessionStatus, StateField};
use trueup_core::settings::{Environment, Project, Settings};
use trueup_core::store::{
    ClaimStore as _, CommandStore as _, ExpectedRead, HookStore as _, ReadTime, SessionFilter,
    SessionStore as _,
};
use trueup_core::sync::{RunContext, true_up};
use trueup_remote::RemoteStore;

use super::{Watch, watched_engine};
use crate::fixture::test_deadline;
use crate::postgres_fixture::open_store;
use crate::requests::{
    add_item, claim_item, claim_request, field_push, item_key, load_session, register_session,
    session_id,
};

/// A store that never forgets because of the time, with a session and an item.
fn remembering_store() -> Option<(TestDatabase, RemoteStore, Rc<Watch>)> {
    let (database, engine, watch) = watched_engine()?;
    let mut store = RemoteStore::new(engine.remembering_rows(Duration::from_hours(1)));
    register_session(&mut store, "s1");
    register_session(&mut store, "s2");
    add_item(&mut store, "A");
    Some((database, store, watch))
}

/// Runs what others do.
fn run_sql(database: &TestDatabase, sql: &str) {
    database.run(&format!("SET search_path = trueup; {sql}")).unwrap();
}

fn set_task(store: &mut RemoteStore, task: &str) -> String {
    let session = load_session(store, "s1");
    let value = FieldValue::Text(Some(task.to_owned()));
    match store.push_state(&field_push(&session, StateField::Task, value)) {
        Ok(session) => session.execution_state().work.task.unwrap_or_default(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_change_with_reads_before_and_after_it_needs_two_requests() {
    let Some((_database, mut store, watch)) = remembering_store() else {
        return;
    };
    watch.requests.set(0);
    load_session(&mut store, "s1");
    load_session(&mut store, "s1");
    assert_eq!(set_task(&mut store, "write"), "write");
    let session = load_session(&mut store, "s1");
    assert_eq!(session.execution_state().work.task.as_deref(), Some("write"));
    assert_eq!(watch.requests.get(), 2);
}

#[test]
fn what_is_expected_comes_with_the_next_read_and_with_the_commit() {
    let Some((_database, mut store, watch)) = remembering_store() else {
        return;
    };
    let (item, session) = (item_key("A"), session_id("s1"));
    watch.requests.set(0);
    store.expect_reads(ReadTime::BeforeWrite, &[ExpectedRead::Item(&item)]);
    load_session(&mut store, "s1");
    assert!(store.load_item(&item).unwrap().is_some());
    assert_eq!(watch.requests.get(), 1);
    let claim = claim_request(&mut store, "s1", "A");
    watch.requests.set(0);
    store.expect_reads(ReadTime::AfterWrite, &[ExpectedRead::Session(&session)]);
    store.claim(&claim).unwrap();
    assert_eq!(load_session(&mut store, "s1").item, Some(item));
    assert_eq!(watch.requests.get(), 1);
}

#[test]
fn what_others_changed_meanwhile_is_noticed_by_a_write() {
    let Some((database, mut store, _watch)) = remembering_store() else {
        return;
    };
    let before = load_session(&mut store, "s1");
    let others = r#"{"execution_state":{"currentTask":"of others"}}"#;
    run_sql(
        &database,
        &format!(
            "UPDATE claude_sessions SET metadata = '{others}', revision = revision + 1
             WHERE session_id = 's1'"
        ),
    );
    assert_eq!(load_session(&mut store, "s1").revision, before.revision);
    let session = store.reload_session(&session_id("s1")).unwrap().unwrap();
    assert_eq!(session.revision.0, before.revision.0 + 1);
    let session = before;
    let value = FieldValue::Text(Some("mine".to_owned()));
    let pushed = store.push_state(&field_push(&session, StateField::Task, value));
    assert!(pushed.is_err(), "{pushed:?}");
    let session = load_session(&mut store, "s1");
    assert_eq!(session.execution_state().work.task.as_deref(), Some("of others"));
    let claim = claim_request(&mut store, "s1", "A");
    run_sql(
        &database,
        "UPDATE work_items SET holder = 's2', claim_epoch = claim_epoch + 1, claimed_at = 'now'
         WHERE key = 'A'",
    );
    assert!(store.claim(&claim).is_err());
    let holder = store.load_item(&item_key("A")).unwrap().unwrap().holder;
    assert_eq!(holder, Some(session_id("s2")));
}

/// The session was read before the change, the list of ended sessions after it. The list is of one
/// moment, and what is read next is not older.
#[test]
fn rows_of_several_moments_are_never_combined() {
    let Some((database, mut store, watch)) = remembering_store() else {
        return;
    };
    load_session(&mut store, "s1");
    run_sql(
        &database,
        "UPDATE claude_sessions SET status = 'ended', revision = revision + 1
         WHERE session_id = 's1'",
    );
    let filter = SessionFilter { statuses: vec![SessionStatus::Ended], ..SessionFilter::default() };
    watch.requests.set(0);
    let listed = store.list_sessions(&filter).unwrap();
    let statuses: Vec<_> = listed.iter().map(|session| session.status).collect();
    assert_eq!(statuses, [SessionStatus::Ended]);
    assert_eq!(load_session(&mut store, "s1").status, SessionStatus::Ended);
    // The ids, a check that fails, and both anew: what was found to be old is not used again.
    assert_eq!(watch.requests.get(), 4);
}

/// The context of a command in a project that has a `.claude` directory.
fn project_context(dir: &Path) -> RunContext {
    fs::create_dir_all(dir.join(".claude")).unwrap();
    let environment = Environment::from_lookup(|name| match name {
        "HOME" | "TRUEUP_HOME" => Some(dir.join("home").into()),
        _ => None,
    });
    let settings = Settings::load(&environment).unwrap();
    let project = Project::at_dir(&environment, dir.to_owned());
    RunContext::new(&environment, settings, project, None, test_deadline())
}

/// Another process of the same session changed the row and wrote the cache after this one read the
/// row. The older row must not win, and nobody may be told of a database restored from a backup.
#[test]
fn a_cache_newer_than_what_was_remembered_is_kept() {
    let Some((database, mut store, _watch)) = remembering_store() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let context = project_context(folder.path());
    claim_item(&mut store, "s1", "A");
    let before = load_session(&mut store, "s1");
    true_up(&mut store, before.clone(), &[], &context).unwrap();
    load_session(&mut store, "s1");
    let mut other = open_store(&database.url());
    let value = FieldValue::Text(Some("newer".to_owned()));
    let newer = other.push_state(&field_push(&before, StateField::Task, value)).unwrap();
    true_up(&mut other, newer.clone(), &[], &context).unwrap();
    let remembered = load_session(&mut store, "s1");
    assert_eq!(remembered.revision, before.revision, "the row is old");
    let outcome = true_up(&mut store, remembered, &[], &context).unwrap();
    assert_eq!(outcome.session.revision, newer.revision);
    assert_eq!((outcome.wrote_cache, outcome.found.len()), (false, 0), "{:?}", outcome.found);
}
