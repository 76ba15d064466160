//! Events stay append-only for everybody but the transaction that prunes.

use std::collections::BTreeSet;

use trueup_core::model::{Retention, Timestamp};
use trueup_core::store::{RetentionStore as _, Store as _};

use super::rules::refuses;
use crate::fixture::{File, Fixture as _, sqlite};
use crate::request::{add, by, events, id, register};

const DAY: u64 = 24 * 3_600;

/// A database with events of two days ago, all of them prunable but those of one item.
fn old() -> File {
    let mut file = sqlite();
    register(&mut file.store, "s1");
    file.store.end(&id("s1"), "x", &by("s1")).unwrap();
    add(&mut file.store, "kept");
    file.age_events(2 * DAY);
    file
}

fn rule(file: &mut File, days: u64) -> Retention {
    let back = i64::try_from(days * DAY * 1000).unwrap();
    let now = file.store.now().unwrap().as_millis();
    Retention {
        before: Timestamp::from_millis(now + 1000 - back),
        named: BTreeSet::new(),
    }
}

#[test]
fn nobody_deletes_an_event_before_or_after_a_pruning() {
    let mut file = old();
    refuses(&file, "DELETE FROM events", "append-only");
    let now = rule(&mut file, 0);
    file.store.remove_sessions(&[id("s1")], &now).unwrap();
    let yesterday = rule(&mut file, 1);
    let seqs: Vec<i64> = events(&mut file.store).iter().map(|e| e.seq).collect();
    assert_eq!(file.store.remove_events(&seqs, &yesterday).unwrap(), 2);
    let left = events(&mut file.store);
    assert_eq!(left.len(), 1, "the item is unfinished");
    for sql in [
        "DELETE FROM events",
        "DELETE FROM events WHERE at < strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 day')",
        "DELETE FROM events WHERE seq = 3",
    ] {
        refuses(&file, sql, "append-only");
    }
    assert_eq!(events(&mut file.store), left);
}

#[test]
fn a_day_of_events_stays_whatever_anybody_says() {
    let mut file = old();
    let now = rule(&mut file, 0);
    register(&mut file.store, "s2");
    file.store.end(&id("s2"), "x", &by("s2")).unwrap();
    let removed = file
        .store
        .remove_sessions(&["s1", "s2"].map(id), &now)
        .unwrap();
    assert_eq!(removed.len(), 2);
    file.sql("INSERT INTO trueup_meta (key, value) VALUES ('pruned_through', '999999')");
    refuses(&file, "DELETE FROM events WHERE seq > 3", "append-only");
    let seqs: Vec<i64> = events(&mut file.store).iter().map(|e| e.seq).collect();
    let count = seqs.len();
    let error = file.store.remove_events(&seqs, &now).unwrap_err();
    assert_eq!(error.code(), "denied", "{error}");
    assert_eq!(events(&mut file.store).len(), count, "all or none");
}

#[test]
fn what_plain_sql_removes_is_an_event() {
    let mut file = sqlite();
    register(&mut file.store, "s1");
    add(&mut file.store, "A");
    file.sql("DELETE FROM work_items; DELETE FROM claude_sessions;");
    let all = events(&mut file.store);
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
    let mut file = old();
    let now = rule(&mut file, 0);
    file.store.remove_sessions(&[id("s1")], &now).unwrap();
    // Here the process ends; another begins.
    let mut next =
        trueup_core::store::sqlite::SqliteStore::open(&file.path(), crate::fixture::patience())
            .unwrap();
    let tally = next.note_removed(now.before, &by("user")).unwrap().unwrap();
    assert_eq!((tally.sessions, tally.events), (1, 0));
}
