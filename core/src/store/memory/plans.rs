//! Plans and their tasks.

use super::MemoryStore;
use super::events::record;
use crate::model::{
    NewPlan, OrchestratorId, Plan, PlanId, PlanState, PlanSummary, PlanTask, PlanTaskId,
    PlanTaskStatus, PlanTaskStep, PlanTaskVerdict, Revision, decide_step, reimported, silence,
};
use crate::store::news::News;
use crate::store::{
    PlanImported, PlanListed, PlanStore, PlanTaskChange, Provenance, Result, StoreError,
};

impl PlanStore for MemoryStore {
    fn import_plan(&mut self, plan: &NewPlan, provenance: &Provenance) -> Result<PlanImported> {
        let work = |store: &mut Self| import(store, plan, provenance);
        let again = |store: &Self| answer(store, plan, 0, 0);
        self.write("import_plan", provenance, work, again)
    }

    fn plans(&mut self) -> Result<Vec<PlanListed>> {
        let ids = self.plans.keys();
        let states = ids.filter_map(|id| state(self, id));
        Ok(states
            .map(|state| PlanListed {
                summary: PlanSummary::of(state.tasks.iter().map(|task| task.status)),
                plan: state.plan,
            })
            .collect())
    }

    fn plan(&mut self, id: &PlanId) -> Result<Option<PlanState>> {
        Ok(state(self, id))
    }

    fn plan_ids(&mut self) -> Result<Vec<PlanId>> {
        Ok(self.plans()?.into_iter().map(|it| it.plan.id).collect())
    }

    fn plan_at(&mut self, path: &str) -> Result<Option<PlanId>> {
        Ok(at(self, path))
    }

    fn remove_plan(&mut self, id: &PlanId, provenance: &Provenance) -> Result<()> {
        let work = |store: &mut Self| {
            let plan = store.plans.remove(id);
            let plan =
                plan.ok_or_else(|| StoreError::Conflict(format!("there is no plan {id}")))?;
            store.plan_tasks.retain(|(of, _), _| of != id);
            record(store, provenance, News::of_removed_plan(&plan));
            Ok(())
        };
        self.write("remove_plan", provenance, work, |_| Ok(()))
    }

    fn plan_task(&mut self, plan: &PlanId, task: &PlanTaskId) -> Result<Option<PlanTask>> {
        Ok(load(self, plan, task))
    }

    fn change_plan_task(&mut self, change: &PlanTaskChange) -> Result<PlanTask> {
        let read = |store: &Self| {
            load(store, &change.plan, &change.task).ok_or_else(|| {
                StoreError::Conflict(format!("task {}/{} vanished", change.plan, change.task))
            })
        };
        let work = |store: &mut Self| {
            let before = read(store)?;
            if before.revision != change.expected {
                let text = format!("task {} moved on meanwhile", before.key());
                return Err(StoreError::Conflict(text));
            }
            if decide_step(&before, &change.step) != PlanTaskVerdict::Go {
                return Err(change.denied(&before));
            }
            take(store, &before, &change.step, &change.provenance)
        };
        self.write("change_plan_task", &change.provenance, work, read)
    }

    fn interrupt_plan_tasks(
        &mut self,
        orchestrator: &OrchestratorId,
        reason: &str,
        provenance: &Provenance,
    ) -> Result<Vec<PlanTask>> {
        let work = |store: &mut Self| interrupt(store, orchestrator, reason, provenance);
        let again = |store: &Self| Ok(done_by(store, provenance));
        self.write("interrupt_plan_tasks", provenance, work, again)
    }

    fn fail_stuck_plan_tasks(
        &mut self,
        stuck_seconds: u64,
        provenance: &Provenance,
    ) -> Result<Vec<PlanTask>> {
        let step = PlanTaskStep::stuck(stuck_seconds);
        let work = |store: &mut Self| {
            let tasks = in_progress(store).filter(|task| is_stuck(store, task, stuck_seconds));
            let mut tasks: Vec<PlanTask> = tasks.cloned().collect();
            tasks.sort_by_key(|task| task.updated_at);
            let take = |task| take(store, task, &step, provenance);
            tasks.iter().map(take).collect()
        };
        let again = |store: &Self| Ok(done_by(store, provenance));
        self.write("fail_stuck_plan_tasks", provenance, work, again)
    }
}

fn state(store: &MemoryStore, id: &PlanId) -> Option<PlanState> {
    let plan = store.plans.get(id)?.clone();
    let tasks = store.plan_tasks.values().filter(|task| task.plan == *id);
    let mut tasks: Vec<PlanTask> = tasks.cloned().collect();
    tasks.sort_by(|a, b| (a.position, a.id.as_str()).cmp(&(b.position, b.id.as_str())));
    Some(PlanState { plan, tasks })
}

fn at(store: &MemoryStore, path: &str) -> Option<PlanId> {
    let plan = store.plans.values().find(|plan| plan.path == path);
    plan.map(|plan| plan.id.clone())
}

fn load(store: &MemoryStore, plan: &PlanId, id: &PlanTaskId) -> Option<PlanTask> {
    store.plan_tasks.get(&(plan.clone(), id.clone())).cloned()
}

fn in_progress(store: &MemoryStore) -> impl Iterator<Item = &PlanTask> {
    let tasks = store.plan_tasks.values();
    tasks.filter(|task| task.status == PlanTaskStatus::InProgress)
}

/// Puts back what is in progress under an orchestrator.
pub(super) fn interrupt(
    store: &mut MemoryStore,
    orchestrator: &OrchestratorId,
    reason: &str,
    by: &Provenance,
) -> Result<Vec<PlanTask>> {
    let step = PlanTaskStep::Interrupt {
        reason: reason.to_owned(),
    };
    let of = |task: &PlanTask| task.orchestrator.as_ref() == Some(orchestrator);
    let tasks = in_progress(store).filter(|task| of(task)).cloned();
    let mut tasks: Vec<PlanTask> = tasks.collect();
    tasks.sort_by(|a, b| (&a.plan, a.position, &a.id).cmp(&(&b.plan, b.position, &b.id)));
    let take = |task| take(store, task, &step, by);
    tasks.iter().map(take).collect()
}

fn is_stuck(store: &MemoryStore, task: &PlanTask, seconds: u64) -> bool {
    let silent = |since| silence(store.now, since) >= seconds;
    let session = task.session.as_ref().and_then(|id| store.sessions.get(id));
    let run = task.orchestrator.as_ref();
    let run = run.and_then(|id| store.orchestrators.get(id));
    silent(task.updated_at)
        && session.is_none_or(|session| {
            silent(session.heartbeat_at) && session.silent_until.is_none_or(|end| end <= store.now)
        })
        && run.is_none_or(|run| silent(run.heartbeat_at))
}

/// Returns what an operation changed that was carried out before.
pub(super) fn done_by(store: &MemoryStore, by: &Provenance) -> Vec<PlanTask> {
    let events = store.events.iter().filter(|event| {
        event.entity == "plan_task" && event.op_id.as_deref() == Some(by.op_id.as_str())
    });
    let keys: Vec<&str> = events.map(|event| event.key.as_str()).collect();
    let tasks = store.plan_tasks.values();
    tasks
        .filter(|task| keys.contains(&task.key().as_str()))
        .cloned()
        .collect()
}

fn take(
    store: &mut MemoryStore,
    before: &PlanTask,
    step: &PlanTaskStep,
    by: &Provenance,
) -> Result<PlanTask> {
    let mut after = before.clone();
    step.apply(&mut after);
    let kind = if step.is_back() { "reopened" } else { "status" };
    let by = PlanTaskChange::because(step, by);
    put(store, before, after, kind, &by)
}

/// Does what the triggers of the real adapters do.
fn put(
    store: &mut MemoryStore,
    before: &PlanTask,
    mut after: PlanTask,
    kind: &str,
    by: &Provenance,
) -> Result<PlanTask> {
    let foreign = after.session != before.session;
    if let Some(session) = after.session.as_ref().filter(|_| foreign) {
        let registered = store.registered(session);
        registered.map_err(|error| StoreError::Denied(error.to_string()))?;
    }
    after.revision.0 += 1;
    after.updated_at = store.now;
    after.date(before.status, store.now);
    let news = News {
        entity: "plan_task",
        key: &after.key(),
        kind,
        before: before.facts(),
        after: after.facts(),
        epoch: None,
    };
    record(store, by, news);
    let key = (after.plan.clone(), after.id.clone());
    store.plan_tasks.insert(key, after.clone());
    Ok(after)
}

fn answer(store: &MemoryStore, new: &NewPlan, added: u64, changed: u64) -> Result<PlanImported> {
    let state = at(store, &new.path).and_then(|id| state(store, &id));
    let state = state.ok_or_else(|| StoreError::Conflict(format!("plan {} vanished", new.id)))?;
    Ok(PlanImported {
        not_in_file: new.missing(&state.tasks),
        state,
        added,
        changed,
    })
}

fn import(store: &mut MemoryStore, new: &NewPlan, by: &Provenance) -> Result<PlanImported> {
    let id = match at(store, &new.path) {
        Some(id) => {
            merge(store, &id, new, by);
            id
        }
        None => create(store, new, by)?,
    };
    let (mut fresh, mut changed) = (0, 0);
    for (position, task) in (1..).zip(&new.tasks) {
        match load(store, &id, &task.id) {
            None => {
                let task = task.first(&id, position, store.now);
                record(store, by, News::of_new_task(&task.key(), task.facts()));
                store.plan_tasks.insert((id.clone(), task.id.clone()), task);
                fresh += 1;
            }
            Some(before) => {
                let after = reimported(&before, task, position);
                if after != before {
                    let moved = after.status != before.status;
                    let kind = if moved { "status" } else { "changed" };
                    put(store, &before, after, kind, by)?;
                    changed += 1;
                }
            }
        }
    }
    answer(store, new, fresh, changed)
}

fn create(store: &mut MemoryStore, new: &NewPlan, by: &Provenance) -> Result<PlanId> {
    let mut id = new.id.clone();
    for number in 2.. {
        if !store.plans.contains_key(&id) {
            break;
        }
        let next = new.id.numbered(number);
        id = next.map_err(|error| StoreError::Invalid(error.to_string()))?;
    }
    let plan = Plan {
        id: id.clone(),
        path: new.path.clone(),
        title: new.title.clone(),
        extra: new.extra.clone(),
        revision: Revision(1),
        created_at: store.now,
        updated_at: store.now,
    };
    record(store, by, News::of_plan("added", None, &plan));
    store.plans.insert(id.clone(), plan);
    Ok(id)
}

fn merge(store: &mut MemoryStore, id: &PlanId, new: &NewPlan, by: &Provenance) {
    let Some(before) = store.plans.get(id).cloned() else {
        return;
    };
    let mut after = new.merged_into(&before);
    if after == before {
        return;
    }
    after.revision.0 += 1;
    after.updated_at = store.now;
    let news = News::of_plan("changed", Some(&before), &after);
    record(store, by, news);
    store.plans.insert(id.clone(), after);
}
