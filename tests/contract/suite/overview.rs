//! What an overview of all work is made of.

use serde_json::Value as Json;
use trueup_core::model::{Attention, AttentionKind, ItemStatus, Timestamp};
use trueup_core::store::{OverviewQuery, OverviewRows, Store};

use crate::fixture::StoreFixture;
use crate::requests::{
    add_item, claim_item, item_key, list_events, load_session, move_item, new_provenance,
    register_session, release_request, session_id,
};
use crate::suite::attention::new_attention;
use crate::suite::dependencies::change_dependencies;
use crate::suite::handoffs::new_handoff;

on_every_store! {
    rows_are_what_is_unfinished_present_or_was_over_lately
    an_item_waits_for_what_is_not_completed
    a_lost_session_stays_until_its_work_is_taken_up
    the_newest_event_of_each_row_is_told
    an_open_report_comes_without_its_content
}

/// Leaves nothing out because of its age.
pub(crate) fn whole_overview() -> OverviewQuery {
    OverviewQuery { finished_since: Timestamp::from_millis(0) }
}

fn load(store: &mut dyn Store) -> OverviewRows {
    store.load_overview_rows(&whole_overview()).unwrap()
}

/// Loads the rows of an overview in which nothing was finished lately.
fn load_present(store: &mut dyn Store) -> OverviewRows {
    let later = store.database_time().unwrap().plus_seconds(3_600);
    store.load_overview_rows(&OverviewQuery { finished_since: later }).unwrap()
}

fn keys(rows: &OverviewRows) -> Vec<&str> {
    rows.items.iter().map(|item| item.key.as_str()).collect()
}

fn sessions(rows: &OverviewRows) -> Vec<&str> {
    let mut ids: Vec<&str> = rows.sessions.iter().map(|session| session.id.as_str()).collect();
    ids.sort_unstable();
    ids
}

fn rows_are_what_is_unfinished_present_or_was_over_lately(f: &mut impl StoreFixture) {
    for session in ["s1", "s2", "s3"] {
        register_session(f.store(), session);
    }
    for item in ["A", "B", "C"] {
        add_item(f.store(), item);
    }
    claim_item(f.store(), "s1", "A");
    claim_item(f.store(), "s3", "C");
    move_item(f.store(), "user", "B", ItemStatus::Cancelled);
    for session in ["s2", "s3"] {
        f.store().end_session(&session_id(session), "x", &new_provenance(session)).unwrap();
    }
    let rows = load(f.store());
    assert_eq!((keys(&rows), sessions(&rows)), (vec!["A", "B", "C"], vec!["s1", "s2", "s3"]));
    assert_eq!(rows.newest_event, list_events(f.store()).last().unwrap().seq);
    assert_eq!(rows.events_of_last_minute, list_events(f.store()).len() as u64);
    // Of what is over, what still holds something is present.
    let rows = load_present(f.store());
    assert_eq!((keys(&rows), sessions(&rows)), (vec!["A", "C"], vec!["s1", "s3"]));
    assert_eq!(rows.sessions[0].item, Some(item_key("A")));
}

fn an_item_waits_for_what_is_not_completed(f: &mut impl StoreFixture) {
    for item in ["A", "B", "C", "D"] {
        add_item(f.store(), item);
    }
    change_dependencies(f.store(), "D", &["A", "B", "C"]).unwrap();
    move_item(f.store(), "user", "A", ItemStatus::Completed);
    move_item(f.store(), "user", "B", ItemStatus::Cancelled);
    let waits: Vec<(String, String)> = load_present(f.store())
        .open_dependencies
        .into_iter()
        .map(|edge| (edge.item.to_string(), edge.on.to_string()))
        .collect();
    let expected = [("D", "B"), ("D", "C")].map(|(item, on)| (item.to_owned(), on.to_owned()));
    assert_eq!(waits, expected);
    move_item(f.store(), "user", "D", ItemStatus::Cancelled);
    assert_eq!(load(f.store()).open_dependencies, []);
}

fn a_lost_session_stays_until_its_work_is_taken_up(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    register_session(f.store(), "s2");
    register_session(f.store(), "idle");
    add_item(f.store(), "A");
    claim_item(f.store(), "s1", "A");
    for session in ["s1", "idle"] {
        let session = load_session(f.store(), session);
        f.store().mark_lost(&session, &new_provenance("s2")).unwrap();
    }
    assert_eq!(sessions(&load_present(f.store())), ["s1", "s2"]);
    claim_item(f.store(), "s2", "A");
    assert_eq!(sessions(&load_present(f.store())), ["s2"]);
}

fn the_newest_event_of_each_row_is_told(f: &mut impl StoreFixture) {
    register_session(f.store(), "s1");
    add_item(f.store(), "A");
    add_item(f.store(), "B");
    claim_item(f.store(), "s1", "A");
    f.store().release(&release_request("s1", "A")).unwrap();
    add_item(f.store(), "H0");
    claim_item(f.store(), "s1", "H0");
    let new = new_handoff(f.store(), None);
    let handoff = f.store().create_handoff(&new).unwrap();
    let told = |store: &mut dyn Store| -> Vec<(String, String)> {
        let events = load_present(store).latest_events;
        events.into_iter().map(|event| (event.key, event.kind)).collect()
    };
    let event = |key: &str, kind: &str| (key.to_owned(), kind.to_owned());
    let items = [event("B", "added"), event("A", "released"), event("H0", "claimed")];
    let handoffs = [event(handoff.id.as_str(), "created")];
    assert_eq!(told(f.store()), [&items[..], &handoffs].concat());
    // A session has something to tell once it may be dead.
    let session = load_session(f.store(), "s1");
    f.store().mark_lost(&session, &new_provenance("s2")).unwrap();
    let told = told(f.store());
    assert!(told.contains(&event("s1", "lost")), "{told:?}");
}

fn an_open_report_comes_without_its_content(f: &mut impl StoreFixture) {
    let new = new_attention("divergence:s1", AttentionKind::Divergence);
    let ended = new_attention("divergence:s2", AttentionKind::Divergence);
    for report in [&new, &ended] {
        f.store().raise_attention(report, &new_provenance("s1")).unwrap();
    }
    f.store().end_attention(&ended.id, &new_provenance("s1")).unwrap();
    let stored = f.store().load_attention(&new.id).unwrap().unwrap();
    assert!(!stored.content.is_null());
    let rows = load(f.store());
    assert_eq!(rows.attention, [Attention { content: Json::Null, ..stored }]);
    let event = rows.latest_events.last().unwrap();
    assert_eq!((event.entity.as_str(), event.key.as_str()), ("attention", new.id.as_str()));
}
