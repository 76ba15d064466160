//! What was read, found by its keys.

use std::collections::{BTreeMap, BTreeSet};

use super::{OverviewReadings, SessionState, decide_session_state};
use crate::model::{
    AttentionKind, Event, Handoff, Item, ItemKey, LivenessState, Session, SessionId, SessionStatus,
};
use crate::views::EventView;

/// The readings with what they are looked up by.
pub(super) struct OverviewIndex<'r> {
    pub(super) readings: &'r OverviewReadings,
    sessions: BTreeMap<&'r SessionId, (&'r Session, SessionState)>,
    items: BTreeMap<&'r ItemKey, &'r Item>,
    latest_events: BTreeMap<(&'r str, &'r str), &'r Event>,
    waits_for: BTreeMap<&'r ItemKey, Vec<ItemKey>>,
    awaited_by: BTreeMap<&'r ItemKey, Vec<ItemKey>>,
    /// The session that was lost last, by the item that it worked on.
    lost_with: BTreeMap<String, &'r Session>,
    /// The sessions that present sessions continue.
    continued: BTreeSet<&'r SessionId>,
}

impl<'r> OverviewIndex<'r> {
    pub(super) fn new(readings: &'r OverviewReadings) -> Self {
        let rows = &readings.rows;
        let (mut waits_for, mut awaited_by) = (BTreeMap::new(), BTreeMap::new());
        for edge in &rows.open_dependencies {
            waits_for.entry(&edge.item).or_insert_with(Vec::new).push(edge.on.clone());
            awaited_by.entry(&edge.on).or_insert_with(Vec::new).push(edge.item.clone());
        }
        let mut index = Self {
            readings,
            sessions: BTreeMap::new(),
            items: rows.items.iter().map(|item| (&item.key, item)).collect(),
            latest_events: rows
                .latest_events
                .iter()
                .map(|event| ((event.entity.as_str(), event.key.as_str()), event))
                .collect(),
            waits_for,
            awaited_by,
            lost_with: BTreeMap::new(),
            continued: BTreeSet::new(),
        };
        let waiting: BTreeSet<&SessionId> = rows
            .attention
            .iter()
            .filter(|report| report.kind == AttentionKind::WaitsForInput)
            .filter_map(|report| report.session.as_ref())
            .collect();
        for session in &rows.sessions {
            let waits_for_input = waiting.contains(&session.id);
            let alive = index.liveness_of(session);
            let state = decide_session_state(session, alive, waits_for_input);
            if state.is_present() {
                index.continued.extend(&session.predecessor);
            }
            index.note_lost_work(session);
            index.sessions.insert(&session.id, (session, state));
        }
        index
    }

    fn note_lost_work(&mut self, session: &'r Session) {
        if session.status != SessionStatus::Lost {
            return;
        }
        if let Some(item) = session.execution_state().work.item {
            let last = self.lost_with.entry(item).or_insert(session);
            if (last.heartbeat_at, &last.id) < (session.heartbeat_at, &session.id) {
                *last = session;
            }
        }
    }

    /// Returns whether a session lives. One that nobody judged is not known to.
    pub(super) fn liveness_of(&self, session: &Session) -> LivenessState {
        self.readings.liveness.get(&session.id).copied().unwrap_or(LivenessState::Unknown)
    }

    /// Returns the sessions in the order in which they were read, with their states.
    pub(super) fn sessions(&self) -> impl Iterator<Item = (&'r Session, SessionState)> {
        let rows = &self.readings.rows;
        rows.sessions.iter().filter_map(|session| self.sessions.get(&session.id).copied())
    }

    pub(super) fn session(&self, id: &SessionId) -> Option<(&'r Session, SessionState)> {
        self.sessions.get(id).copied()
    }

    pub(super) fn item(&self, key: &ItemKey) -> Option<&'r Item> {
        self.items.get(key).copied()
    }

    /// Returns the session that was lost last of those that worked on an item.
    pub(super) fn lost_session_of(&self, key: &ItemKey) -> Option<&'r Session> {
        self.lost_with.get(key.as_str()).copied()
    }

    /// Returns the newest event of a thing, as it is shown.
    pub(super) fn latest_event(&self, entity: &str, key: &str) -> Option<EventView> {
        self.latest_events.get(&(entity, key)).map(|event| EventView::from(*event))
    }

    /// Returns what an item waits for.
    pub(super) fn waits_for(&self, key: &ItemKey) -> &[ItemKey] {
        self.waits_for.get(key).map_or(&[], Vec::as_slice)
    }

    /// Returns what waits for an item.
    pub(super) fn awaited_by(&self, key: &ItemKey) -> &[ItemKey] {
        self.awaited_by.get(key).map_or(&[], Vec::as_slice)
    }

    /// Returns whether a session, or one that continues it, may still do something.
    pub(super) fn is_present(&self, id: &SessionId) -> bool {
        let own = self.session(id).is_some_and(|(_, state)| state.is_present());
        own || self.continued.contains(id)
    }

    /// Returns whether a session has ended, or is known no more.
    pub(super) fn has_ended(&self, id: &SessionId) -> bool {
        self.session(id).is_none_or(|(_, state)| state == SessionState::Ended)
    }

    /// Returns the hand-offs that somebody could accept.
    pub(super) fn handoffs_in_force(&self) -> impl Iterator<Item = &'r Handoff> {
        let handoffs = self.readings.rows.handoffs.iter();
        handoffs.filter(|handoff| {
            self.item(&handoff.item).is_some_and(|item| {
                !item.status.is_finished()
                    && item.epoch == handoff.epoch
                    && item.holder.as_ref().is_none_or(|holder| *holder == handoff.from)
            })
        })
    }
}
