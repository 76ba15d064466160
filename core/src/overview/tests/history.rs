//! Applying what changed since a version gives what there is.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::Scene;
use crate::model::fixture::{sample_item, sample_session};
use crate::model::{Item, ItemStatus, Revision, Session, SessionStatus};
use crate::overview::{Overview, OverviewChanges, OverviewHistory};

/// Some items by number, each with a revision of its session and whether that is stale.
type Picture = BTreeMap<u8, (u8, bool)>;

fn overview_of(picture: &Picture) -> Overview {
    let mut scene = Scene::default();
    for (number, (revision, is_stale)) in picture {
        let id = format!("s{number}");
        let silence = if *is_stale { 1_000 } else { 10 };
        scene.sessions.push(Session {
            revision: Revision(u64::from(*revision)),
            ..sample_session(&id, SessionStatus::Active, silence)
        });
        scene.items.push(Item {
            key: format!("i{number}").parse().unwrap(),
            ..sample_item(ItemStatus::Running, Some(&id))
        });
    }
    scene.overview()
}

/// What a client has: its rows by kind and id, as the JSON that it got.
#[derive(Default)]
struct Client {
    version: Option<String>,
    rows: BTreeMap<String, serde_json::Value>,
}

impl Client {
    fn apply(&mut self, changes: &OverviewChanges) {
        if changes.reset {
            self.rows.clear();
        }
        let answer = serde_json::to_value(changes).unwrap();
        for (kind, id) in [("needs_me", "id"), ("work", "key"), ("sessions", "session_id")] {
            for removed in answer[kind]["removed"].as_array().unwrap() {
                let id = format!("{kind} {}", removed.as_str().unwrap());
                assert!(self.rows.remove(&id).is_some() || !changes.reset, "{id} is not known");
            }
            for row in answer[kind]["rows"].as_array().unwrap() {
                let id = format!("{kind} {}", row[id].as_str().unwrap());
                self.rows.insert(id, row.clone());
            }
        }
        self.version = Some(changes.version.clone());
    }

    fn poll(&mut self, history: &OverviewHistory) {
        self.apply(&history.changes_since(self.version.as_deref()));
    }
}

fn everything(history: &OverviewHistory) -> BTreeMap<String, serde_json::Value> {
    let mut client = Client::default();
    client.poll(history);
    client.rows
}

fn pictures() -> impl Strategy<Value = Vec<(Picture, bool)>> {
    let picture = prop::collection::btree_map(0..6_u8, (0..3_u8, any::<bool>()), 0..6);
    prop::collection::vec((picture, any::<bool>()), 1..20)
}

proptest! {
    /// A client that asks now and then has what there is whenever it has asked.
    #[test]
    fn changes_applied_to_what_a_client_has_are_what_there_is(steps in pictures()) {
        let mut history = OverviewHistory::begin("run", overview_of(&Picture::new()));
        let mut client = Client::default();
        for (picture, asks) in steps {
            history.record(overview_of(&picture));
            if asks {
                client.poll(&history);
                prop_assert_eq!(&client.rows, &everything(&history));
            }
        }
    }

    /// Nothing is sent again that a client has.
    #[test]
    fn an_equal_overview_changes_nothing(picture in prop::collection::btree_map(0..6_u8, (0..3_u8, any::<bool>()), 0..6)) {
        let mut history = OverviewHistory::begin("run", overview_of(&picture));
        let version = history.changes_since(None).version;
        history.record(overview_of(&picture));
        let changes = history.changes_since(Some(&version));
        prop_assert_eq!(&changes.version, &version);
        prop_assert!(!changes.reset);
        prop_assert!(changes.work.rows.is_empty() && changes.work.removed.is_empty());
        prop_assert!(changes.sessions.rows.is_empty() && changes.needs_me.rows.is_empty());
    }
}

#[test]
fn an_unknown_version_gets_everything() {
    let picture = Picture::from([(1, (0, false)), (2, (0, true))]);
    let mut history = OverviewHistory::begin("run", overview_of(&picture));
    history.record(overview_of(&Picture::from([(1, (1, false))])));
    for (version, is_known) in [
        (None, false),
        (Some("run-1"), true),
        (Some("run-2"), true),
        (Some("run-3"), false),
        (Some("run-"), false),
        (Some("run"), false),
        (Some("other-1"), false),
        (Some("-1"), false),
        (Some(""), false),
    ] {
        assert_eq!(history.changes_since(version).reset, !is_known, "{version:?}");
    }
    let changes = history.changes_since(Some("run-1"));
    assert_eq!(changes.work.removed, ["i2"]);
    assert_eq!(changes.needs_me.removed, ["stale_claim:i2"]);
    assert_eq!(changes.sessions.rows.len(), 1);
}
