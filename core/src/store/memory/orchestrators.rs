//! Who runs which plan: one run at a time, like every adapter's.

use super::events::record;
use super::{MemoryStore, phases, plans};
use crate::model::{Epoch, Orchestrator, OrchestratorId, OrchestratorStatus, Revision, RunEnd};
use crate::store::news::News;
use crate::store::port::{ended_orchestrator, unknown_orchestrator, used_elsewhere};
use crate::store::{
    NewRun, OrchestratorStore, Provenance, Registered, Result, RunEnded, StoreError,
};

impl OrchestratorStore for MemoryStore {
    fn register_orchestrator(&mut self, run: &NewRun) -> Result<Registered> {
        let by = &run.provenance;
        // A refusal is not remembered: the plan may be free when it is asked again.
        if !self.was_done("register_orchestrator", by)?
            && let Some(holder) = all(self).find(|row| row.plan == run.plan && row.status.is_live())
        {
            return Ok(Registered::Held(holder));
        }
        let again = |store: &Self| begun_by(store, by).map(Registered::Started);
        self.write(
            "register_orchestrator",
            by,
            |store| register(store, run),
            again,
        )
    }

    fn orchestrator(&mut self, id: &OrchestratorId) -> Result<Option<Orchestrator>> {
        Ok(existing(self, id).ok())
    }

    fn live_orchestrators(&mut self) -> Result<Vec<Orchestrator>> {
        let mut live: Vec<Orchestrator> = all(self).filter(|row| row.status.is_live()).collect();
        live.sort_by(|a, b| a.plan.cmp(&b.plan));
        Ok(live)
    }

    fn orchestrators(&mut self, limit: u32) -> Result<Vec<Orchestrator>> {
        let mut found: Vec<Orchestrator> = all(self).collect();
        found.sort_by(|a, b| {
            let latest = b.started_at.cmp(&a.started_at);
            latest
                .then_with(|| a.plan.cmp(&b.plan))
                .then_with(|| b.epoch.cmp(&a.epoch))
        });
        if limit > 0 {
            found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        }
        Ok(found)
    }

    fn beat_orchestrator(&mut self, id: &OrchestratorId) -> Result<Orchestrator> {
        live(self, id)?;
        let now = self.now;
        if let Some(row) = self.orchestrators.get_mut(id) {
            row.heartbeat_at = now;
        }
        existing(self, id)
    }

    fn tell_orchestrator_to_stop(
        &mut self,
        id: &OrchestratorId,
        provenance: &Provenance,
    ) -> Result<Orchestrator> {
        let work = |store: &mut Self| {
            live(store, id)?;
            change(store, id, provenance, |row| {
                row.status = OrchestratorStatus::Stopping;
            })
        };
        let again = |store: &Self| existing(store, id);
        self.write("tell_orchestrator_to_stop", provenance, work, again)
    }

    fn stop_orchestrator(
        &mut self,
        id: &OrchestratorId,
        end: RunEnd,
        provenance: &Provenance,
    ) -> Result<RunEnded> {
        let work = |store: &mut Self| {
            let row = live(store, id)?;
            finish(store, &row, OrchestratorStatus::Stopped, end, provenance)
        };
        let again = |store: &Self| {
            Ok(RunEnded {
                orchestrator: existing(store, id)?,
                tasks: plans::done_by(store, provenance),
                phases: phases::freed(store, provenance)?,
            })
        };
        self.write("stop_orchestrator", provenance, work, again)
    }

    fn crash_orchestrator(
        &mut self,
        read: &Orchestrator,
        provenance: &Provenance,
    ) -> Result<Option<RunEnded>> {
        let work = |store: &mut Self| {
            let row = existing(store, &read.id).ok();
            let crashed = |row: Orchestrator| {
                let end = RunEnd::default();
                finish(store, &row, OrchestratorStatus::Crashed, end, provenance)
            };
            row.filter(|row| row.is_as_read(read))
                .map(crashed)
                .transpose()
        };
        self.write("crash_orchestrator", provenance, work, |_| Ok(None))
    }
}

/// Ends a run and puts back what it had begun.
fn finish(
    store: &mut MemoryStore,
    row: &Orchestrator,
    status: OrchestratorStatus,
    end: RunEnd,
    by: &Provenance,
) -> Result<RunEnded> {
    let why = row.interruption(status, by.reason.as_deref());
    let tasks = plans::interrupt(store, &row.id, &why, by)?;
    phases::put_back(store, &row.id, &format!("interrupted: {why}"), by)?;
    let phases = phases::freed(store, by)?;
    let orchestrator = change(store, &row.id, by, |row| {
        row.status = status;
        row.end = end;
        row.reason = by.reason.clone().map(String::from);
    })?;
    Ok(RunEnded {
        orchestrator,
        tasks,
        phases,
    })
}

fn all(store: &MemoryStore) -> impl Iterator<Item = Orchestrator> + '_ {
    store.orchestrators.values().map(|row| Orchestrator {
        read_at: store.now,
        ..row.clone()
    })
}

fn existing(store: &MemoryStore, id: &OrchestratorId) -> Result<Orchestrator> {
    all(store)
        .find(|row| row.id == *id)
        .ok_or_else(|| unknown_orchestrator(id))
}

/// Returns a run that has not ended.
fn live(store: &MemoryStore, id: &OrchestratorId) -> Result<Orchestrator> {
    let row = existing(store, id)?;
    if row.status.is_live() {
        return Ok(row);
    }
    Err(ended_orchestrator(&row))
}

/// Returns the run that a registration carried out before began.
fn begun_by(store: &MemoryStore, by: &Provenance) -> Result<Orchestrator> {
    let mut events = store.events.iter();
    let first = events.find(|event| event.op_id.as_ref() == Some(&by.op_id));
    let begun = first.and_then(|event| all(store).find(|row| row.id.as_str() == event.key));
    begun.ok_or_else(|| used_elsewhere(by))
}

fn register(store: &mut MemoryStore, run: &NewRun) -> Result<Registered> {
    let earlier = all(store).filter(|row| row.plan == run.plan);
    let epoch = earlier.map(|row| row.epoch.0).max().unwrap_or(0) + 1;
    if store.orchestrators.contains_key(&run.id) {
        let text = format!("orchestrator {} exists already", run.id);
        return Err(StoreError::Denied(text));
    }
    let row = Orchestrator {
        id: run.id.clone(),
        plan: run.plan.clone(),
        session: run.session.clone(),
        host: run.host.clone(),
        process: run.process.clone(),
        supervised: run.supervised,
        status: OrchestratorStatus::Running,
        started_at: store.now,
        heartbeat_at: store.now,
        stopped_at: None,
        end: RunEnd::default(),
        reason: None,
        epoch: Epoch(epoch),
        revision: Revision(1),
        read_at: store.now,
    };
    record(store, &run.provenance, News::of_run("started", None, &row));
    store.orchestrators.insert(run.id.clone(), row.clone());
    Ok(Registered::Started(row))
}

/// Changes a run: a change is an event and raises the revision.
fn change(
    store: &mut MemoryStore,
    id: &OrchestratorId,
    by: &Provenance,
    work: impl FnOnce(&mut Orchestrator),
) -> Result<Orchestrator> {
    let before = existing(store, id)?;
    let mut after = before.clone();
    work(&mut after);
    if !before.status.may_become(after.status) {
        let text = format!("orchestrator {id}: {} -> {}", before.status, after.status);
        return Err(StoreError::Denied(text));
    }
    if after == before {
        return Ok(before);
    }
    after.revision.0 += 1;
    after.stopped_at = Some(store.now).filter(|_| !after.status.is_live());
    let news = News::of_run(after.status.as_str(), Some(&before), &after);
    record(store, by, news);
    store.orchestrators.insert(id.clone(), after.clone());
    Ok(after)
}
