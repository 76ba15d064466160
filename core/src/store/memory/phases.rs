//! The phase queue.

use serde_json::{Value as Json, json};

use super::events::record;
use super::{MemoryStore, changes, claims, items};
use crate::model::phase::{
    self, COOLDOWN_SECONDS, MOST_STARTS, NewPhase, NewPhases, PhaseRefusal, PhaseStep, StepFacts,
    StuckPhase, after, interrupted,
};
use crate::model::{
    Entity, FOR_EVER, Item, ItemKey, ItemStatus, OrchestratorId, Phase, QueueId, Revision,
    SessionId, Step, Timestamp, silence, step,
};
use crate::store::news::News;
use crate::store::{
    PhaseFilter, PhaseMove, PhaseMoved, Provenance, QueueStore, Result, StepRequest, Stepped,
    StoreError,
};

impl QueueStore for MemoryStore {
    fn add_phases(&mut self, phases: &NewPhases, provenance: &Provenance) -> Result<Vec<Phase>> {
        let again = |store: &Self| Ok(of_item(store, &phases.item));
        let work = |store: &mut Self| add(store, phases, provenance);
        self.write("add_phases", provenance, work, again)
    }

    fn phase(&mut self, id: &QueueId) -> Result<Option<Phase>> {
        Ok(self.phases.get(id).cloned())
    }

    fn phases(&mut self, filter: &PhaseFilter) -> Result<Vec<Phase>> {
        let wanted = |row: &Phase| {
            filter.item.as_ref().is_none_or(|item| *item == row.item)
                && filter.status.is_none_or(|status| status == row.status)
        };
        Ok(in_queue(self, wanted))
    }

    fn next_phase(&mut self, session: Option<&SessionId>) -> Result<Option<Phase>> {
        let free = |item: &Item| {
            !item.status.is_finished() && (item.holder.is_none() || item.holder.as_ref() == session)
        };
        let wanted = |row: &Phase| {
            row.status == ItemStatus::Ready && self.items.get(&row.item).is_some_and(free)
        };
        Ok(in_queue(self, wanted).into_iter().next())
    }

    fn step_phase(&mut self, request: &StepRequest) -> Result<Stepped> {
        let by = &request.provenance;
        let again = |store: &Self| moved(store, &request.id, by);
        let again = |store: &Self| again(store).map(|moved| Stepped::Moved(Box::new(moved)));
        let mut refusal = None;
        let work = |store: &mut Self| match take(store, request)? {
            Ok(moved) => Ok(Stepped::Moved(Box::new(moved))),
            Err(refused) => {
                refusal = Some(refused);
                // A refusal is no operation that was carried out.
                Err(StoreError::Denied("the step is refused".to_owned()))
            }
        };
        let answer = self.write("step_phase", by, work, again);
        match refusal {
            Some(refusal) => Ok(Stepped::Refused(refusal)),
            None => answer,
        }
    }

    fn interrupt_phases(
        &mut self,
        orchestrator: &OrchestratorId,
        reason: &str,
        provenance: &Provenance,
    ) -> Result<Vec<Phase>> {
        let work = |store: &mut Self| {
            put_back(store, orchestrator, reason, provenance)?;
            freed(store, provenance)
        };
        let again = |store: &Self| freed(store, provenance);
        self.write("interrupt_phases", provenance, work, again)
    }

    fn stuck_phases(&mut self, seconds: u64, limit: u32) -> Result<Vec<StuckPhase>> {
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let silent = |stuck: &StuckPhase| stuck.silence_seconds() >= seconds;
        let running = in_queue(self, |row| row.status == ItemStatus::Running);
        let mut found: Vec<StuckPhase> = running
            .into_iter()
            .map(|phase| watched(self, phase))
            .filter(silent)
            .collect();
        found.sort_by_key(|stuck| stuck.phase.updated_at);
        found.truncate(most);
        Ok(found)
    }

    fn fail_stuck_phase(
        &mut self,
        stuck: &StuckPhase,
        error: &str,
        provenance: &Provenance,
    ) -> Result<Option<PhaseMoved>> {
        let id = &stuck.phase.id;
        let now = self.phases.get(id).cloned();
        let same = now.is_some_and(|now| {
            now.revision == stuck.phase.revision
                && now.status == ItemStatus::Running
                && watched(self, now).last_sign == stuck.last_sign
        });
        if !same && !self.was_done("fail_stuck_phase", provenance)? {
            return Ok(None);
        }
        let step = PhaseStep::Fail {
            error: error.to_owned(),
        };
        let work = |store: &mut Self| {
            let rows = of_item(store, &stuck.phase.item);
            let changed = after(&rows, id, |row| step.apply(row, None));
            write(store, &changed, provenance)?;
            moved(store, id, provenance).map(Some)
        };
        let again = |store: &Self| moved(store, id, provenance).map(Some);
        self.write("fail_stuck_phase", provenance, work, again)
    }
}

fn in_queue(store: &MemoryStore, wanted: impl Fn(&Phase) -> bool) -> Vec<Phase> {
    let mut found: Vec<Phase> = store
        .phases
        .values()
        .filter(|row| wanted(row))
        .cloned()
        .collect();
    found.sort_by_key(|row| (row.priority, row.position, row.number));
    found
}

fn of_item(store: &MemoryStore, item: &ItemKey) -> Vec<Phase> {
    let mut rows = in_queue(store, |row| row.item == *item);
    rows.sort_by_key(|row| row.number);
    rows
}

fn watched(store: &MemoryStore, phase: Phase) -> StuckPhase {
    let session = phase
        .assigned_to
        .as_ref()
        .and_then(|id| store.sessions.get(id));
    let run = phase.orchestrator.as_ref();
    let run = run.and_then(|id| store.orchestrators.get(id));
    let beats = [
        session.map(|session| session.heartbeat_at),
        run.map(|run| run.heartbeat_at),
    ];
    let signs = beats.into_iter().flatten().chain([phase.updated_at]);
    let real = signs.filter(|sign| silence(store.now, *sign) < FOR_EVER);
    let last_sign = real.max().unwrap_or(phase.updated_at);
    StuckPhase {
        last_sign,
        read_at: store.now,
        phase,
    }
}

fn add(store: &mut MemoryStore, new: &NewPhases, by: &Provenance) -> Result<Vec<Phase>> {
    let denied = |problem: &str| Err(StoreError::Denied(format!("item {} {problem}", new.item)));
    if !store.items.contains_key(&new.item) {
        return denied("does not exist");
    }
    if !of_item(store, &new.item).is_empty() {
        return denied("has phases already");
    }
    let last = store.phases.values().filter_map(|row| row.position).max();
    let position = last.unwrap_or(0) + 1;
    for phase in &new.phases {
        let rows = of_item(store, &new.item);
        let known = |on: &u32| rows.iter().any(|row| row.number == *on);
        if known(&phase.number) || !phase.depends_on.iter().all(known) {
            return denied("cannot have phases in this order");
        }
        insert(store, new, phase, position, by);
    }
    Ok(of_item(store, &new.item))
}

fn insert(
    store: &mut MemoryStore,
    new: &NewPhases,
    phase: &NewPhase,
    position: i64,
    by: &Provenance,
) {
    let ready = phase.depends_on.is_empty();
    let row = Phase {
        id: QueueId::of(&new.item, phase.number),
        item: new.item.clone(),
        issue_number: new.issue_number,
        feature_id: new.feature_id,
        number: phase.number,
        name: phase.name,
        status: if ready {
            ItemStatus::Ready
        } else {
            ItemStatus::Queued
        },
        depends_on: phase.depends_on.clone(),
        data: new.data.clone(),
        assigned_to: None,
        adw_id: new.adw_id.clone(),
        pr_number: None,
        priority: new.priority,
        position: Some(position),
        created_at: store.now,
        updated_at: store.now,
        completed_at: None,
        ready_at: ready.then_some(store.now),
        started_at: None,
        error_message: None,
        blocked_by: None,
        orchestrator: None,
        revision: Revision(1),
    };
    tell(store, None, &row, by);
    store.phases.insert(row.id.clone(), row);
}

/// Takes a step, or says why not.
fn take(
    store: &mut MemoryStore,
    request: &StepRequest,
) -> Result<std::result::Result<PhaseMoved, PhaseRefusal>> {
    if let Some(mover) = &request.mover {
        store.registered(mover)?;
    }
    let Some(row) = store.phases.get(&request.id).cloned() else {
        return Ok(Err(PhaseRefusal::NotFound));
    };
    let item = items::existing(store, &row.item)?;
    let rows = of_item(store, &row.item);
    let facts = StepFacts {
        mover: request.mover.as_ref(),
        item: &item,
        rows: &rows,
        id: &row.id,
        starts: &latest_starts(store, &row.id),
    };
    let changed = match phase::decide(&facts, &request.step) {
        Ok(changed) => changed,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let by = &request.provenance;
    write(store, &changed, by)?;
    if let PhaseStep::Start { .. } = request.step
        && let Some(mover) = request
            .mover
            .as_ref()
            .filter(|id| item.holder.as_ref() == Some(id))
    {
        begin(store, mover, &row, by)?;
    }
    moved(store, &row.id, by).map(Ok)
}

fn latest_starts(store: &MemoryStore, id: &QueueId) -> Vec<Timestamp> {
    let recent = |at: Timestamp| store.now.seconds_since(at) < COOLDOWN_SECONDS;
    let events = store.events.iter().rev();
    let starts = events.filter(|e| e.entity == "phase" && e.key == id.as_str());
    let starts = starts.filter(|e| e.kind == "status" && e.after["status"] == "running");
    let starts = starts.map(|e| e.at).filter(|at| recent(*at));
    starts.take(MOST_STARTS).collect()
}

fn begin(store: &mut MemoryStore, holder: &SessionId, row: &Phase, by: &Provenance) -> Result<()> {
    let name = row.name.as_str();
    changes::item(store, &row.item, by, |item| {
        item.phase = Some(name.to_owned());
    })?;
    let work = store.registered(holder)?.execution_state().work;
    if work.phase.as_deref() == Some(name) {
        return Ok(());
    }
    claims::patch_state(store, holder, json!({"currentPhase": name}), by)
}

/// What the triggers of the real adapters do with rows that change.
fn write(store: &mut MemoryStore, changed: &[Phase], by: &Provenance) -> Result<()> {
    for new in changed {
        let moved_on = || StoreError::Conflict(format!("phase {} moved on", new.id));
        let old = store.phases.get(&new.id).cloned().ok_or_else(moved_on)?;
        let mut row = new.clone();
        row.revision.0 += 1;
        row.updated_at = store.now;
        if row.status != old.status {
            stamp(&mut row, store.now);
        }
        tell(store, Some(&old), &row, by);
        store.phases.insert(row.id.clone(), row);
    }
    Ok(())
}

fn stamp(row: &mut Phase, now: Timestamp) {
    row.completed_at = row.status.is_finished().then_some(now);
    match row.status {
        ItemStatus::Queued => (row.ready_at, row.started_at) = (None, None),
        ItemStatus::Ready => (row.ready_at, row.started_at) = (Some(now), None),
        ItemStatus::Running => row.started_at = Some(now),
        _ => {}
    }
}

fn tell(store: &mut MemoryStore, old: Option<&Phase>, new: &Phase, by: &Provenance) {
    let way = old.map(|old| step(Entity::Phase, old.status.as_str(), new.status.as_str()));
    let news = News {
        entity: "phase",
        key: new.id.as_str(),
        kind: match way {
            None => "added",
            Some(Step::Back) => "reopened",
            Some(Step::Stays) => "changed",
            Some(Step::Forward | Step::Illegal) => "status",
        },
        before: old.map_or(Json::Null, shown),
        after: shown(new),
        epoch: store.items.get(&new.item).map(|item| item.epoch),
    };
    record(store, by, news);
}

/// Returns what an event shows of a phase.
fn shown(row: &Phase) -> Json {
    json!({
        "current_phase": row.name, "status": row.status, "depends_on_phases": row.depends_on,
        "phase_data": row.data, "issue_number": row.issue_number, "feature_id": row.feature_id,
        "assigned_to": row.assigned_to, "adw_id": row.adw_id, "pr_number": row.pr_number,
        "priority": row.priority, "queue_position": row.position,
        "error_message": row.error_message, "blocked_by": row.blocked_by,
        "orchestrator": row.orchestrator,
    })
}

fn moved(store: &MemoryStore, id: &QueueId, by: &Provenance) -> Result<PhaseMoved> {
    let (own, mut affected): (Vec<_>, Vec<_>) = moves(store, by)?
        .into_iter()
        .partition(|moved| moved.phase.id == *id);
    affected.sort_by_key(|moved| moved.phase.number);
    let vanished = || StoreError::Conflict(format!("phase {id} vanished"));
    let row = own.into_iter().next().ok_or_else(vanished)?;
    Ok(PhaseMoved { row, affected })
}

/// Returns the phases an operation changed, in the order in which it did.
fn moves(store: &MemoryStore, by: &Provenance) -> Result<Vec<PhaseMove>> {
    let of_this = |op: &Option<String>| op.as_deref() == Some(by.op_id.as_str());
    let events = store.events.iter();
    let events = events.filter(|e| e.entity == "phase" && of_this(&e.op_id) && !e.before.is_null());
    let strange = |what: &str| StoreError::Corrupt(format!("an event of a phase has no {what}"));
    let mut moves = Vec::new();
    for event in events {
        let id: QueueId = event.key.parse().map_err(|_| strange("id"))?;
        let from = event.before["status"].as_str().unwrap_or_default();
        let from = from.parse().map_err(|_| strange("status"))?;
        let phase = store.phases.get(&id).cloned();
        moves.extend(phase.map(|phase| PhaseMove { from, phase }));
    }
    Ok(moves)
}

/// Puts back what runs for an orchestrator, as one step of an operation that has others.
pub(super) fn put_back(
    store: &mut MemoryStore,
    orchestrator: &OrchestratorId,
    reason: &str,
    provenance: &Provenance,
) -> Result<()> {
    let by = Provenance {
        reason: Some(reason.into()),
        ..provenance.clone()
    };
    let keys: Vec<ItemKey> = store.items.keys().cloned().collect();
    for key in keys {
        let rows = of_item(store, &key);
        let changed = interrupted(&rows, orchestrator, reason);
        write(store, &changed, &by)?;
    }
    Ok(())
}

/// Reads the phases that an operation took from their work.
pub(super) fn freed(store: &MemoryStore, by: &Provenance) -> Result<Vec<Phase>> {
    let freed = moves(store, by)?.into_iter();
    let freed = freed.filter(|moved| moved.from == ItemStatus::Running);
    Ok(freed.map(|moved| moved.phase).collect())
}
