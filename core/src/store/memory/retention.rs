//! Removing what is old and done.

use std::collections::BTreeSet;

use serde_json::json;

use super::MemoryStore;
use super::events::record;
use crate::model::{
    Event, EventRemains, Item, ItemStatus, PlanTaskStatus, PruneTally, Retention, Session,
    SessionId, SessionRemains, Subject, Tie, Timestamp,
};
use crate::store::news::News;
use crate::store::{Provenance, Result, RetentionStore, SessionCursor};

impl RetentionStore for MemoryStore {
    fn ended_sessions(
        &mut self,
        before: Timestamp,
        after: Option<&SessionCursor>,
        limit: u32,
    ) -> Result<Vec<SessionRemains>> {
        let mut found: Vec<&Session> = self
            .sessions
            .values()
            .filter(|s| !s.status.is_present() && s.heartbeat_at < before)
            .filter(|s| after.is_none_or(|(time, id)| (s.heartbeat_at, &s.id) < (*time, id)))
            .collect();
        found.sort_by(|a, b| (b.heartbeat_at, &b.id).cmp(&(a.heartbeat_at, &a.id)));
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(found.into_iter().map(|s| remains(self, s)).collect())
    }

    fn remove_sessions(
        &mut self,
        sessions: &[SessionId],
        retention: &Retention,
    ) -> Result<Vec<SessionId>> {
        let mut removed = Vec::new();
        for id in sessions {
            let Some(session) = self.sessions.get(id) else {
                continue;
            };
            let remains = remains(self, session);
            if retention.keeps(&remains, &BTreeSet::new()).is_some() {
                continue;
            }
            self.tasks.retain(|(owner, _), _| owner != id);
            self.sessions.remove(id);
            self.removed = self.removed.plus(PruneTally {
                sessions: 1,
                tasks: remains.tasks,
                events: 0,
            });
            removed.push(id.clone());
        }
        Ok(removed)
    }

    fn event_remains(&mut self, after: i64, limit: u32) -> Result<Vec<EventRemains>> {
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let later = self.events.iter().filter(|e| e.seq > after);
        Ok(later
            .take(most)
            .map(|e| remains_of_event(self, e))
            .collect())
    }

    fn remove_events(&mut self, events: &[i64], retention: &Retention) -> Result<u64> {
        let going: BTreeSet<i64> = self
            .events
            .iter()
            .filter(|e| events.contains(&e.seq))
            .filter(|e| retention.lets_go(&remains_of_event(self, e), &BTreeSet::new()))
            .map(|e| e.seq)
            .collect();
        self.events.retain(|e| !going.contains(&e.seq));
        let events = number(going.len());
        self.removed = self.removed.plus(PruneTally {
            events,
            ..PruneTally::default()
        });
        Ok(events)
    }

    fn note_removed(
        &mut self,
        before: Timestamp,
        provenance: &Provenance,
    ) -> Result<Option<PruneTally>> {
        if self.removed == PruneTally::default() {
            return Ok(None);
        }
        let work = |store: &mut Self| {
            let tally = std::mem::take(&mut store.removed);
            let mut after = tally.facts();
            after["before"] = json!(before);
            let lineage = store.lineage.0.clone();
            let news = News {
                entity: "database",
                key: &lineage,
                kind: "pruned",
                before: serde_json::Value::Null,
                after,
                epoch: None,
            };
            record(store, provenance, news);
            Ok(Some(tally))
        };
        self.write("note_removed", provenance, work, |_| Ok(None))
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn remains(store: &MemoryStore, session: &Session) -> SessionRemains {
    let id = &session.id;
    let ties = [
        (Tie::Holder, store.held_by(id).is_some()),
        (
            Tie::Parked,
            store.items.values().any(|item| parked(store, item, id)),
        ),
        (
            Tie::Task,
            store.plan_tasks.values().any(|task| {
                task.status == PlanTaskStatus::InProgress && task.session.as_ref() == Some(id)
            }) || store.phases.values().any(|phase| {
                phase.status == ItemStatus::Running && phase.assigned_to.as_ref() == Some(id)
            }),
        ),
        (
            Tie::Handoff,
            store
                .handoffs
                .values()
                .any(|h| h.status.is_open() && (h.from == *id || h.to.as_ref() == Some(id))),
        ),
        (
            Tie::Run,
            store
                .orchestrators
                .values()
                .any(|run| run.status.is_live() && run.session.as_ref() == Some(id)),
        ),
        (
            Tie::Ports,
            store
                .reservations
                .iter()
                .any(|r| r.owner.session.as_ref() == Some(id)),
        ),
    ];
    let successors = store
        .sessions
        .values()
        .filter(|s| s.predecessor.as_ref() == Some(id));
    SessionRemains {
        id: id.clone(),
        status: session.status,
        heartbeat_at: session.heartbeat_at,
        host: session.host.clone(),
        worktree: session.worktree.clone(),
        tasks: number(store.tasks.keys().filter(|(owner, _)| owner == id).count()),
        ties: ties
            .into_iter()
            .filter(|(_, tied)| *tied)
            .map(|(tie, _)| tie)
            .collect(),
        successors: successors.map(|s| s.id.clone()).collect(),
    }
}

/// Tells whether a session was the last to hold an item that is unfinished and free.
fn parked(store: &MemoryStore, item: &Item, session: &SessionId) -> bool {
    let given_up = |event: &&Event| {
        let (before, after) = (&event.before["holder"], &event.after["holder"]);
        event.entity == "item"
            && event.key == item.key.as_str()
            && !before.is_null()
            && before != after
    };
    let last = store.events.iter().rfind(given_up);
    item.holder.is_none()
        && !item.status.is_finished()
        && last.is_some_and(|event| event.before["holder"] == json!(session))
}

fn remains_of_event(store: &MemoryStore, event: &Event) -> EventRemains {
    let key = event.key.as_str();
    let item = match event.entity.as_str() {
        "item" => Some(key),
        "phase" => key.rsplit_once(':').map(|(item, _)| item),
        _ => None,
    };
    let item = item.and_then(|key| store.items.get(&key.parse().ok()?));
    let session = store
        .sessions
        .keys()
        .find(|id| event.entity == "session" && id.as_str() == key);
    let stands = match event.entity.as_str() {
        "handoff" => store
            .handoffs
            .values()
            .any(|h| h.id.as_str() == key && h.status.is_open()),
        "orchestrator" => store
            .orchestrators
            .values()
            .any(|run| run.id.as_str() == key && run.status.is_live()),
        "plan_task" => store
            .plan_tasks
            .values()
            .any(|task| !task.status.is_finished() && format!("{}/{}", task.plan, task.id) == key),
        "port" => store.reservations.iter().any(|r| r.id.as_str() == key),
        _ => false,
    };
    EventRemains {
        seq: event.seq,
        at: event.at,
        subject: match (item, session) {
            (Some(item), _) => Subject::Item {
                status: item.status,
                held: item.holder.is_some(),
            },
            (None, Some(session)) => Subject::Session(session.clone()),
            (None, None) if stands => Subject::Standing,
            (None, None) => Subject::Gone,
        },
    }
}
