//! The rules of the overview as tables, and the law of its history.

mod history;
mod needs;
mod rows;

use serde_json::json;

use super::{Overview, OverviewReadings, build_overview};
use crate::model::fixture::seconds_from_now;
use crate::model::{
    Attention, Event, Handoff, Item, LivenessState, ProcessState, Session, judge_session,
};
use crate::store::OverviewRows;

/// Judges sessions of which no process can be checked, with a ceiling of half an hour.
fn judge(session: &Session) -> LivenessState {
    judge_session(session, ProcessState::Unknown, 1_800).state
}

#[derive(Default)]
struct Scene {
    sessions: Vec<Session>,
    items: Vec<Item>,
    handoffs: Vec<Handoff>,
    attention: Vec<Attention>,
    events: Vec<Event>,
}

impl Scene {
    fn readings(self) -> OverviewReadings {
        let liveness =
            self.sessions.iter().map(|session| (session.id.clone(), judge(session))).collect();
        OverviewReadings {
            rows: OverviewRows {
                read_at: seconds_from_now(0),
                newest_event: 17,
                events_of_last_minute: 41,
                sessions: self.sessions,
                items: self.items,
                open_dependencies: Vec::new(),
                handoffs: self.handoffs,
                attention: self.attention,
                latest_events: self.events,
            },
            liveness,
            day_start: seconds_from_now(-3_600),
        }
    }

    fn overview(self) -> Overview {
        build_overview(&self.readings())
    }
}

/// Lets a session hold an item, or have worked on it.
fn with_work(mut session: Session, key: &str) -> Session {
    session.metadata.insert("execution_state".to_owned(), json!({"currentSd": key}));
    session
}

fn event(seq: i64, entity: &str, key: &str, kind: &str) -> Event {
    Event {
        seq,
        at: seconds_from_now(-1),
        actor: "user".to_owned(),
        entity: entity.to_owned(),
        key: key.to_owned(),
        kind: kind.to_owned(),
        before: json!(null),
        after: json!(null),
        epoch: None,
        reason: None,
        op_id: None,
        via: None,
    }
}
