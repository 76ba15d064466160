//! Describes everything that a store holds, by every operation that reads.

use std::collections::BTreeSet;

use trueup_core::model::{EventFilter, FieldValue, StateField};
use trueup_core::store::{
    AttentionFilter, HandoffFilter, ItemFilter, NextItemQuery, PhaseFilter, ReadyQuery,
    SearchQuery, SessionFilter, Store,
};

use super::canonical::describe;
use super::{ITEM_COUNT, MARGIN_SECONDS, SESSIONS, TEXTS};
use crate::requests::{item_key, session_id};
use crate::suite::overview::whole_overview;

/// Describes a store in parts, in the same order for each.
pub(super) fn describe_store(store: &mut dyn Store) -> Vec<String> {
    let mut description = describe_work(store);
    description.extend(describe_repos(store));
    description.extend(describe_sessions(store));
    description.extend(describe_items(store));
    description.extend(describe_events(store, &EventFilter::default()));
    for filter in [
        EventFilter { item: Some("i1".to_owned()), ..EventFilter::default() },
        EventFilter { session: Some("s1".to_owned()), limit: 20, ..EventFilter::default() },
        EventFilter { actor: Some("user".to_owned()), ..EventFilter::default() },
        EventFilter { entity: Some("plan_task".to_owned()), ..EventFilter::default() },
        EventFilter { kind: Some("state".to_owned()), ..EventFilter::default() },
    ] {
        description.push(describe_events(store, &filter).join("; "));
    }
    description
}

/// Describes hand-offs, phases, plans, their runs and ports.
fn describe_work(store: &mut dyn Store) -> Vec<String> {
    let mut handoffs = store.list_handoffs(HandoffFilter::default()).unwrap();
    handoffs.sort_by_key(|handoff| handoff.id.to_string());
    let mut runs = store.list_orchestrators(0).unwrap();
    runs.sort_by_key(|run| run.id.to_string());
    let mut description = vec![
        describe(store.list_phases(&PhaseFilter::default())),
        describe(store.load_phase(&"i1:1".parse().unwrap())),
        describe(store.list_plans()),
        describe(store.list_plan_ids()),
        describe(store.find_plan_by_path("/q.md")),
        describe(store.list_live_orchestrators()),
        describe(store.list_reservations(None)),
        describe(store.list_tokens()),
        describe(
            store
                .list_attention(&AttentionFilter { limit: 3, ..AttentionFilter::default() })
                .map(|found| found.len()),
        ),
        describe(store.find_pending_matters()),
        describe_overview(store),
    ];
    for id in store.list_plan_ids().unwrap() {
        description.push(describe(store.load_plan(&id)));
    }
    for handoff in &handoffs {
        description.push(describe(store.load_handoff(&handoff.id)));
    }
    for run in &runs {
        description.push(describe(store.load_orchestrator(&run.id)));
    }
    description
}

/// Describes the rows of an overview. The events among them are described with all others, and how
/// many there are in a minute differs.
fn describe_overview(store: &mut dyn Store) -> String {
    let rows = store.load_overview_rows(&whole_overview()).map(|mut rows| {
        rows.sessions.sort_by_key(|session| session.id.clone());
        let subjects: BTreeSet<(String, String)> =
            rows.latest_events.into_iter().map(|event| (event.entity, event.key)).collect();
        (
            rows.sessions,
            rows.items,
            rows.open_dependencies,
            rows.attention.len(),
            rows.handoffs.len(),
            subjects,
        )
    });
    describe(rows)
}

/// Describes repositories and workplans.
fn describe_repos(store: &mut dyn Store) -> Vec<String> {
    let links = ["link-0", "link-3", "nobody"].map(|link| link.parse().unwrap());
    let mut description = vec![
        describe(store.load_lineage()),
        describe(store.list_repos()),
        describe(store.load_workplan_rows("alpha")),
        describe(store.load_workplan_rows("BETA")),
        describe(store.find_workplan_rows(&[item_key("i1"), item_key("W-1")], &links)),
    ];
    for name in ["alpha", "beta", "É"] {
        description.push(describe(store.list_repo_identities(name)));
    }
    for identity in ["/a", "/b"] {
        description.push(describe(store.find_repo_name(identity)));
    }
    for repo in store.list_repos().unwrap() {
        description.push(describe(store.load_repo_state(&repo.slug)));
    }
    description
}

fn describe_sessions(store: &mut dyn Store) -> Vec<String> {
    let mut sessions = store.list_sessions(&SessionFilter::default()).unwrap();
    sessions.sort_by_key(|session| session.id.clone());
    let mut description = vec![
        // How old a database is by its own record differs.
        describe(store.find_differing_clock_reading(MARGIN_SECONDS).map(|_| ())),
        describe(Ok(&sessions)),
    ];
    for session in &sessions {
        let mut peers = store.list_peers(session, 10).unwrap();
        peers.sort_by_key(|peer| peer.id.clone());
        description.push(describe(Ok(peers)));
        for task in ["0", "1", "2"] {
            description.push(describe(store.load_task(&session.id, task)));
        }
        for text in TEXTS {
            let value = FieldValue::Text(Some(text.to_owned()));
            description.push(describe(store.had_state_value(
                &session.id,
                StateField::Phase,
                &value,
            )));
        }
        let flag = FieldValue::Flag(true);
        description.push(describe(store.had_state_value(
            &session.id,
            StateField::WasInterrupted,
            &flag,
        )));
    }
    description
}

fn describe_items(store: &mut dyn Store) -> Vec<String> {
    let mut description = vec![
        describe(store.list_items(&ItemFilter::default())),
        describe(store.find_item_keys(&["I0", "i1", "w-0", "none"])),
        describe(store.count_items(&ItemFilter { held: true, ..ItemFilter::default() }, 2)),
        describe(store.list_item_kinds()),
        describe(store.find_repo_of_items("REPO")),
    ];
    // Either orders by times of its own.
    let ready = ReadyQuery { limit: 99, blocker_limit: 99, ..ReadyQuery::default() };
    description.push(describe(store.list_ready_items(&ready).map(|mut ready| {
        ready.items.sort_by(|one, other| one.item.key.cmp(&other.item.key));
        ready
    })));
    let search = SearchQuery { words: vec!["I1".to_owned()], limit: 99, ..SearchQuery::default() };
    description.push(describe(store.find_search_hits(&search).map(|mut hits| {
        hits.items.sort_by(|one, other| one.key.cmp(&other.key));
        (hits.items, hits.tasks)
    })));
    for who in SESSIONS {
        let query = NextItemQuery { session: Some(session_id(who)), ..NextItemQuery::default() };
        description.push(describe(store.find_next_item(&query)));
        description.push(describe(store.find_next_phase(Some(&session_id(who)))));
    }
    for number in 0..ITEM_COUNT {
        let key = item_key(&format!("i{number}"));
        description.push(describe(store.load_item_title(&key)));
        description.push(describe(store.list_waiting_items(&key)));
        description.push(describe(store.list_open_dependencies(&key)));
        description.push(describe(store.count_children(&key)));
        description.push(describe(store.find_last_holder(&key)));
    }
    description
}

/// Describes events. They have the numbers of their order, since those of a database may have gaps;
/// who called is the database's own, as are its lineage, which is the key of its own events, and
/// the ids of operations that a store names itself.
fn describe_events(store: &mut dyn Store, filter: &EventFilter) -> Vec<String> {
    let events = store.list_events(filter).unwrap();
    let described = (1..).zip(events).map(|(number, mut event)| {
        event.seq = number;
        event.via = None;
        if event.entity == "database" {
            event.key.clear();
        }
        event.op_id = event.op_id.filter(|op| op.starts_with("walk-"));
        describe(Ok(event))
    });
    described.collect()
}
