//! Plans.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde_json::{Map, Value as Json};

use super::errors::from_sqlite;
use super::events::record_event;
use super::stored_text::{stored_object, stored_optional_text};
use super::{NOW, SqliteStore, is_replay, plan_tasks, rows};
use crate::model::{
    NewPlan, OrchestratorId, Plan, PlanId, PlanState, PlanSummary, PlanTask, PlanTaskId,
    PlanTaskStatus, Timestamp, merge_reimported_task,
};
use crate::store::event_draft::EventDraft;
use crate::store::{
    ImportedPlan, PlanOverview, PlanStore, PlanTaskStepRequest, Provenance, Result, StoreError,
};

impl PlanStore for SqliteStore {
    fn import_plan(&mut self, plan: &NewPlan, provenance: &Provenance) -> Result<ImportedPlan> {
        self.run_write(|tx| import_plan(tx, plan, provenance))
    }

    fn list_plans(&mut self) -> Result<Vec<PlanOverview>> {
        list_plans(&self.connection)
    }

    fn load_plan(&mut self, id: &PlanId) -> Result<Option<PlanState>> {
        // Two statements see two moments unless one transaction holds them.
        let tx = self.connection.transaction().map_err(from_sqlite)?;
        load_plan_state(&tx, id)
    }

    fn list_plan_ids(&mut self) -> Result<Vec<PlanId>> {
        list_plan_ids(&self.connection)
    }

    fn find_plan_by_path(&mut self, path: &str) -> Result<Option<PlanId>> {
        find_plan_by_path(&self.connection, path)
    }

    fn remove_plan(&mut self, id: &PlanId, provenance: &Provenance) -> Result<()> {
        self.run_write(|tx| remove_plan(tx, id, provenance))
    }

    fn load_plan_task(&mut self, plan: &PlanId, task: &PlanTaskId) -> Result<Option<PlanTask>> {
        plan_tasks::load_task(&self.connection, plan, task)
    }

    fn apply_plan_task_step(&mut self, change: &PlanTaskStepRequest) -> Result<PlanTask> {
        self.run_write(|tx| plan_tasks::change_task(tx, change))
    }

    fn interrupt_plan_tasks(
        &mut self,
        orchestrator: &OrchestratorId,
        reason: &str,
        provenance: &Provenance,
    ) -> Result<Vec<PlanTask>> {
        self.run_write(|tx| plan_tasks::interrupt_tasks(tx, orchestrator, reason, provenance))
    }

    fn fail_stuck_plan_tasks(
        &mut self,
        stuck_seconds: u64,
        provenance: &Provenance,
    ) -> Result<Vec<PlanTask>> {
        if plan_tasks::list_stuck_tasks(&self.connection, stuck_seconds)?.is_empty() {
            return Ok(Vec::new());
        }
        self.run_write(|tx| plan_tasks::fail_stuck_tasks(tx, stuck_seconds, provenance))
    }
}

/// The columns [`plan`] reads, of `plans`.
const PLAN_COLUMNS: &str = "plan_id, path, title, extra, revision, created_at, updated_at";

fn plan_from_row(row: &Row<'_>) -> rusqlite::Result<Plan> {
    Ok(Plan {
        id: rows::parse_column(row, 0)?,
        path: row.get(1)?,
        title: row.get(2)?,
        extra: rows::parse_json(row, 3)?,
        revision: rows::parse_revision(row, 4)?,
        created_at: rows::parse_time(row, 5)?,
        updated_at: rows::parse_time(row, 6)?,
    })
}

fn load_plan(connection: &Connection, id: &PlanId) -> Result<Option<Plan>> {
    let sql = format!("SELECT {PLAN_COLUMNS} FROM plans WHERE plan_id = ?1");
    connection
        .query_row(&sql, [id.as_str()], plan_from_row)
        .optional()
        .map_err(from_sqlite)
}

fn load_plan_state(connection: &Connection, id: &PlanId) -> Result<Option<PlanState>> {
    let Some(plan) = load_plan(connection, id)? else {
        return Ok(None);
    };
    let tasks = plan_tasks::list_tasks(connection, id)?;
    Ok(Some(PlanState { plan, tasks }))
}

fn find_plan_by_path(connection: &Connection, path: &str) -> Result<Option<PlanId>> {
    connection
        .query_row("SELECT plan_id FROM plans WHERE path = ?1", [path], |row| {
            rows::parse_column(row, 0)
        })
        .optional()
        .map_err(from_sqlite)
}

fn list_plan_ids(connection: &Connection) -> Result<Vec<PlanId>> {
    let sql = "SELECT plan_id FROM plans ORDER BY plan_id";
    let mut statement = connection.prepare(sql).map_err(from_sqlite)?;
    statement
        .query_map([], |row| rows::parse_column(row, 0))
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

fn list_plans(connection: &Connection) -> Result<Vec<PlanOverview>> {
    let sql = format!(
        "SELECT {PLAN_COLUMNS}, (SELECT json_group_object(status, n) FROM (
             SELECT status, count(*) AS n FROM plan_tasks t WHERE t.plan_id = p.plan_id
             GROUP BY status))
         FROM plans p ORDER BY plan_id"
    );
    let mut statement = connection.prepare(&sql).map_err(from_sqlite)?;
    statement
        .query_map([], |row| {
            let counts: Map<String, Json> = rows::parse_json(row, 7)?;
            let mut summary = PlanSummary::default();
            for status in PlanTaskStatus::ALL {
                let count = counts.get(status.as_str()).and_then(Json::as_u64);
                summary.add(status, count.unwrap_or(0));
            }
            Ok(PlanOverview {
                plan: plan_from_row(row)?,
                summary,
            })
        })
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

/// Most plans whose files have one name.
const MAX_NAMESAKES: u32 = 10_000;

/// Finds the plan of the file, else an id that is free.
fn choose_plan_id(tx: &Transaction<'_>, new_plan: &NewPlan) -> Result<(PlanId, bool)> {
    if let Some(id) = find_plan_by_path(tx, &new_plan.path)? {
        return Ok((id, true));
    }
    if load_plan(tx, &new_plan.id)?.is_none() {
        return Ok((new_plan.id.clone(), false));
    }
    for number in 2..MAX_NAMESAKES {
        let id = new_plan.id.with_number(number);
        let id = id.map_err(|error| StoreError::Invalid(error.to_string()))?;
        if load_plan(tx, &id)?.is_none() {
            return Ok((id, false));
        }
    }
    Err(StoreError::Denied(format!(
        "there are already {MAX_NAMESAKES} plans named {}",
        new_plan.id
    )))
}

fn import_plan(
    tx: &Transaction<'_>,
    new_plan: &NewPlan,
    provenance: &Provenance,
) -> Result<ImportedPlan> {
    let (id, exists) = choose_plan_id(tx, new_plan)?;
    let is_replay = is_replay(tx, provenance)?;
    if !is_replay {
        if exists {
            merge_plan(tx, &id, new_plan, provenance)?;
        } else {
            tx.execute(
                "INSERT INTO plans (plan_id, path, title, extra) VALUES (?1, ?2, ?3, ?4)",
                params![
                    id.as_str(),
                    new_plan.path,
                    stored_optional_text(new_plan.title.as_ref()),
                    stored_object(&new_plan.extra),
                ],
            )
            .map_err(from_sqlite)?;
            if let Some(plan) = load_plan(tx, &id)? {
                record_event(tx, provenance, &EventDraft::of_plan("added", None, &plan))?;
            }
        }
    }
    let now: Timestamp = tx
        .query_row(&format!("SELECT {NOW}"), [], |row| rows::parse_time(row, 0))
        .map_err(from_sqlite)?;
    let (mut added, mut changed) = (0, 0);
    for (position, task) in (1..).zip(&new_plan.tasks).filter(|_| !is_replay) {
        match plan_tasks::load_task(tx, &id, &task.id)? {
            None => {
                plan_tasks::insert_task(tx, &task.to_new_row(&id, position, now), provenance)?;
                added += 1;
            }
            Some(before) => {
                let after = merge_reimported_task(&before, task, position);
                if after != before {
                    plan_tasks::update_task(tx, &before, &after, false, provenance)?;
                    changed += 1;
                }
            }
        }
    }
    let state = load_plan_state(tx, &id)?;
    let state = state.ok_or_else(|| StoreError::Conflict(format!("plan {id} no longer exists")))?;
    let not_in_file = new_plan.list_missing_tasks(&state.tasks);
    Ok(ImportedPlan {
        plan_state: state,
        added,
        changed,
        tasks_not_in_file: not_in_file,
    })
}

fn remove_plan(tx: &Transaction<'_>, id: &PlanId, provenance: &Provenance) -> Result<()> {
    if is_replay(tx, provenance)? {
        return Ok(());
    }
    let plan = load_plan(tx, id)?;
    let plan = plan.ok_or_else(|| StoreError::Conflict(format!("plan {id} does not exist")))?;
    let steps = [
        "INSERT INTO trueup_meta (key, value) VALUES ('removing_plan', ?1)",
        "DELETE FROM plan_tasks WHERE plan_id = ?1",
        "DELETE FROM plans WHERE plan_id = ?1",
        "DELETE FROM trueup_meta WHERE key = 'removing_plan' AND value = ?1",
    ];
    for step in steps {
        tx.execute(step, [id.as_str()]).map_err(from_sqlite)?;
    }
    record_event(tx, provenance, &EventDraft::of_removed_plan(&plan))
}

/// Merges what a file says of a plan that is there.
fn merge_plan(
    tx: &Transaction<'_>,
    id: &PlanId,
    new_plan: &NewPlan,
    provenance: &Provenance,
) -> Result<()> {
    let Some(before) = load_plan(tx, id)? else {
        return Ok(());
    };
    let after = new_plan.merge_into(&before);
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
            stored_optional_text(after.title.as_ref()),
            stored_object(&after.extra),
        ],
    )
    .map_err(from_sqlite)?;
    if let Some(plan) = load_plan(tx, id)? {
        record_event(
            tx,
            provenance,
            &EventDraft::of_plan("changed", Some(&before), &plan),
        )?;
    }
    Ok(())
}
