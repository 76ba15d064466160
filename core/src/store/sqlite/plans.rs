//! Plans.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde_json::{Map, Value as Json};

use super::errors::from_sqlite;
use super::events::record;
use super::free::{free_object, free_option};
use super::{NOW, SqliteStore, plan_tasks, rows, was_done};
use crate::model::{
    NewPlan, OrchestratorId, Plan, PlanId, PlanState, PlanSummary, PlanTask, PlanTaskId,
    PlanTaskStatus, Timestamp, reimported,
};
use crate::store::news::News;
use crate::store::{
    PlanImported, PlanListed, PlanStore, PlanTaskChange, Provenance, Result, StoreError,
};

impl PlanStore for SqliteStore {
    fn import_plan(&mut self, plan: &NewPlan, provenance: &Provenance) -> Result<PlanImported> {
        self.write(|tx| import(tx, plan, provenance))
    }

    fn plans(&mut self) -> Result<Vec<PlanListed>> {
        list(&self.connection)
    }

    fn plan(&mut self, id: &PlanId) -> Result<Option<PlanState>> {
        // Two statements see two moments unless one transaction holds them.
        let tx = self.connection.transaction().map_err(from_sqlite)?;
        state(&tx, id)
    }

    fn plan_ids(&mut self) -> Result<Vec<PlanId>> {
        ids(&self.connection)
    }

    fn plan_at(&mut self, path: &str) -> Result<Option<PlanId>> {
        at(&self.connection, path)
    }

    fn remove_plan(&mut self, id: &PlanId, provenance: &Provenance) -> Result<()> {
        self.write(|tx| remove(tx, id, provenance))
    }

    fn plan_task(&mut self, plan: &PlanId, task: &PlanTaskId) -> Result<Option<PlanTask>> {
        plan_tasks::load(&self.connection, plan, task)
    }

    fn change_plan_task(&mut self, change: &PlanTaskChange) -> Result<PlanTask> {
        self.write(|tx| plan_tasks::change(tx, change))
    }

    fn interrupt_plan_tasks(
        &mut self,
        orchestrator: &OrchestratorId,
        reason: &str,
        provenance: &Provenance,
    ) -> Result<Vec<PlanTask>> {
        self.write(|tx| plan_tasks::interrupt(tx, orchestrator, reason, provenance))
    }

    fn fail_stuck_plan_tasks(
        &mut self,
        stuck_seconds: u64,
        provenance: &Provenance,
    ) -> Result<Vec<PlanTask>> {
        if plan_tasks::stuck(&self.connection, stuck_seconds)?.is_empty() {
            return Ok(Vec::new());
        }
        self.write(|tx| plan_tasks::fail_stuck(tx, stuck_seconds, provenance))
    }
}

/// The columns [`plan`] reads, of `plans`.
const PLAN: &str = "plan_id, path, title, extra, revision, created_at, updated_at";

fn plan(row: &Row<'_>) -> rusqlite::Result<Plan> {
    Ok(Plan {
        id: rows::parsed(row, 0)?,
        path: row.get(1)?,
        title: row.get(2)?,
        extra: rows::json(row, 3)?,
        revision: rows::revision(row, 4)?,
        created_at: rows::time(row, 5)?,
        updated_at: rows::time(row, 6)?,
    })
}

fn load(connection: &Connection, id: &PlanId) -> Result<Option<Plan>> {
    let sql = format!("SELECT {PLAN} FROM plans WHERE plan_id = ?1");
    connection
        .query_row(&sql, [id.as_str()], plan)
        .optional()
        .map_err(from_sqlite)
}

fn state(connection: &Connection, id: &PlanId) -> Result<Option<PlanState>> {
    let Some(plan) = load(connection, id)? else {
        return Ok(None);
    };
    let tasks = plan_tasks::list(connection, id)?;
    Ok(Some(PlanState { plan, tasks }))
}

fn at(connection: &Connection, path: &str) -> Result<Option<PlanId>> {
    connection
        .query_row("SELECT plan_id FROM plans WHERE path = ?1", [path], |row| {
            rows::parsed(row, 0)
        })
        .optional()
        .map_err(from_sqlite)
}

fn ids(connection: &Connection) -> Result<Vec<PlanId>> {
    let sql = "SELECT plan_id FROM plans ORDER BY plan_id";
    let mut statement = connection.prepare(sql).map_err(from_sqlite)?;
    statement
        .query_map([], |row| rows::parsed(row, 0))
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

fn list(connection: &Connection) -> Result<Vec<PlanListed>> {
    let sql = format!(
        "SELECT {PLAN}, (SELECT json_group_object(status, n) FROM (
             SELECT status, count(*) AS n FROM plan_tasks t WHERE t.plan_id = p.plan_id
             GROUP BY status))
         FROM plans p ORDER BY plan_id"
    );
    let mut statement = connection.prepare(&sql).map_err(from_sqlite)?;
    statement
        .query_map([], |row| {
            let counts: Map<String, Json> = rows::json(row, 7)?;
            let mut summary = PlanSummary::default();
            for status in PlanTaskStatus::ALL {
                let count = counts.get(status.as_str()).and_then(Json::as_u64);
                summary.add(status, count.unwrap_or(0));
            }
            Ok(PlanListed {
                plan: plan(row)?,
                summary,
            })
        })
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

/// Most plans whose files have one name.
const NAMESAKES: u32 = 10_000;

/// Finds the plan of the file, else an id that is free.
fn place(tx: &Transaction<'_>, new: &NewPlan) -> Result<(PlanId, bool)> {
    if let Some(id) = at(tx, &new.path)? {
        return Ok((id, true));
    }
    if load(tx, &new.id)?.is_none() {
        return Ok((new.id.clone(), false));
    }
    for number in 2..NAMESAKES {
        let id = new.id.numbered(number);
        let id = id.map_err(|error| StoreError::Invalid(error.to_string()))?;
        if load(tx, &id)?.is_none() {
            return Ok((id, false));
        }
    }
    Err(StoreError::Denied(format!(
        "there are already {NAMESAKES} plans named {}",
        new.id
    )))
}

fn import(tx: &Transaction<'_>, new: &NewPlan, by: &Provenance) -> Result<PlanImported> {
    let (id, exists) = place(tx, new)?;
    let again = was_done(tx, by)?;
    if !again {
        if exists {
            merge(tx, &id, new, by)?;
        } else {
            tx.execute(
                "INSERT INTO plans (plan_id, path, title, extra) VALUES (?1, ?2, ?3, ?4)",
                params![
                    id.as_str(),
                    new.path,
                    free_option(new.title.as_ref()),
                    free_object(&new.extra),
                ],
            )
            .map_err(from_sqlite)?;
            if let Some(plan) = load(tx, &id)? {
                record(tx, by, &News::of_plan("added", None, &plan))?;
            }
        }
    }
    let now: Timestamp = tx
        .query_row(&format!("SELECT {NOW}"), [], |row| rows::time(row, 0))
        .map_err(from_sqlite)?;
    let (mut added, mut changed) = (0, 0);
    for (position, task) in (1..).zip(&new.tasks).filter(|_| !again) {
        match plan_tasks::load(tx, &id, &task.id)? {
            None => {
                plan_tasks::insert(tx, &task.first(&id, position, now), by)?;
                added += 1;
            }
            Some(before) => {
                let after = reimported(&before, task, position);
                if after != before {
                    plan_tasks::write(tx, &before, &after, false, by)?;
                    changed += 1;
                }
            }
        }
    }
    let state = state(tx, &id)?;
    let state = state.ok_or_else(|| StoreError::Conflict(format!("plan {id} vanished")))?;
    let not_in_file = new.missing(&state.tasks);
    Ok(PlanImported {
        state,
        added,
        changed,
        not_in_file,
    })
}

fn remove(tx: &Transaction<'_>, id: &PlanId, by: &Provenance) -> Result<()> {
    if was_done(tx, by)? {
        return Ok(());
    }
    let plan = load(tx, id)?;
    let plan = plan.ok_or_else(|| StoreError::Conflict(format!("no plan {id}")))?;
    let steps = [
        "INSERT INTO trueup_meta (key, value) VALUES ('removing_plan', ?1)",
        "DELETE FROM plan_tasks WHERE plan_id = ?1",
        "DELETE FROM plans WHERE plan_id = ?1",
        "DELETE FROM trueup_meta WHERE key = 'removing_plan' AND value = ?1",
    ];
    for step in steps {
        tx.execute(step, [id.as_str()]).map_err(from_sqlite)?;
    }
    record(tx, by, &News::of_removed_plan(&plan))
}

/// Merges what a file says of a plan that is there.
fn merge(tx: &Transaction<'_>, id: &PlanId, new: &NewPlan, by: &Provenance) -> Result<()> {
    let Some(before) = load(tx, id)? else {
        return Ok(());
    };
    let after = new.merged_into(&before);
    if after == before {
        return Ok(());
    }
    tx.execute(
        &format!(
            "UPDATE plans SET title = ?2, extra = ?3, revision = revision + 1, updated_at = {NOW}
             WHERE plan_id = ?1"
        ),
        params![
            id.as_str(),
            free_option(after.title.as_ref()),
            free_object(&after.extra),
        ],
    )
    .map_err(from_sqlite)?;
    if let Some(plan) = load(tx, id)? {
        record(tx, by, &News::of_plan("changed", Some(&before), &plan))?;
    }
    Ok(())
}
