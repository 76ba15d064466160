//! Events are append-only, except for the transaction that prunes.

use std::collections::BTreeSet;

use trueup_core::model::{RetentionRules, Timestamp};
use trueup_core::store::{ClockStore as _, HookStore as _, RetentionStore as _};

use super::claim_rules::assert_refuses;
use crate::fixture::{DatabaseFile, StoreFixture as _, new_sqlite};
use crate::requests::{add_item, list_events, new_provenance, register_session, session_id};

const DAY_SECONDS: u64 = 24 * 3_600;

/// Creates a database with events of two days ago, all prunable except those of one item.
fn file_with_old_events() -> DatabaseFile {
    let mut file = new_sqlite();
    register_session(&mut file.store, "s1");
    file.store.end_session(&session_id("s1"), "x", &new_provenance("s1")).unwrap();
    add_item(&mut file.store, "kept");
    file.age_events(2 * DAY_SECONDS);
    file
}

fn retention_of_days(file: &mut DatabaseFile, days: u64) -> RetentionRules {
    let back = i64::try_from(days * DAY_SECONDS * 1000).unwrap();
    let now = file.store.database_time().unwrap().as_millis();
    RetentionRules { before: Timestamp::from_millis(now + 1000 - back), named: BTreeSet::new() }
}

#[test]
fn nobody_deletes_an_event_before_or_after_a_pruning() {
    let mut file = file_with_old_events();
    assert_refuses(&file, "DELETE FROM events", "append-only");
    let now = retention_of_days(&mut file, 0);
    file.store.remove_sessions(&[session_id("s1")], &now).unwrap();
    let yesterday = retention_of_days(&mut file, 1);
    let seqs: Vec<i64> = list_events(&mut file.store).iter().map(|e| e.seq).collect();
    assert_eq!(file.store.remove_events(&seqs, &yesterday).unwrap(), 2);
    let events = list_events(&mut file.store);
    assert_eq!(events.len(), 1, "the item is unfinished");
    for sql in [
        "DELETE FROM events",
        "DELETE FROM events WHERE at < strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 day')",
        "DELETE FROM events WHERE seq = 3",
    ] {
        assert_refuses(&file, sql, "append-only");
    }
    assert_eq!(list_events(&mut file.store), events);
}

#[test]
fn a_day_of_events_stays_whatever_anybody_says() {
    let mut file = file_with_old_events();
    let now = retention_of_days(&mut file, 0);
    register_session(&mut file.store, "s2");
    file.store.end_session(&session_id("s2"), "x", &new_provenance("s2")).unwrap();
    let removed = file.store.remove_sessions(&["s1", "s2"].map(session_id), &now).unwrap();
    assert_eq!(removed.len(), 2);
    file.execute_sql("INSERT INTO trueup_meta (key, value) VALUES ('pruned_through', '999999')");
    assert_refuses(&file, "DELETE FROM events WHERE seq > 3", "append-only");
    let seqs: Vec<i64> = list_events(&mut file.store).iter().map(|e| e.seq).collect();
    let count = seqs.len();
    let error = file.store.remove_events(&seqs, &now).unwrap_err();
    assert_eq!(error.code(), "denied", "{error}");
    assert_eq!(list_events(&mut file.store).len(), count, "all or none");
}

#[test]
fn what_plain_sql_removes_is_an_event() {
    let mut file = new_sqlite();
    register_session(&mut file.store, "s1");
    add_item(&mut file.store, "A");
    file.execute_sql("DELETE FROM work_items; DELETE FROM claude_sessions;");
    let all = list_events(&mut file.store);
    let last: Vec<String> = all[2..]
        .iter()
        .map(|e| format!("{} {} {} by {}", e.entity, e.key, e.kind, e.actor))
        .collect();
    assert_eq!(last, ["item A removed by sql", "session s1 removed by sql"]);
    assert_eq!(all[2].before["status"], "queued");
    assert_eq!(all[3].before["metadata"]["auto_proceed"], false);
}

#[test]
fn a_pruning_that_is_killed_between_batches_is_noted_by_the_next() {
    let mut file = file_with_old_events();
    let now = retention_of_days(&mut file, 0);
    file.store.remove_sessions(&[session_id("s1")], &now).unwrap();
    // Here the process ends; another begins.
    let mut next = trueup_core::store::sqlite::SqliteStore::open(
        &file.path(),
        crate::fixture::test_deadline(),
    )
    .unwrap();
    let tally = next.record_pruned(now.before, &new_provenance("user")).unwrap().unwrap();
    assert_eq!((tally.sessions, tally.events), (1, 0));
}
