//! Plans.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::engine::{Tx, args};
use super::events::record_event;
use super::row::Row;
use super::statement::{columns, statements};
use super::stored_text::{stored_object, stored_optional_text};
use super::{NOW, plan_tasks};
use crate::model::EventKind;
use crate::model::{
    NewPlan, Plan, PlanId, PlanState, PlanSummary, PlanTask, PlanTaskId, PlanTaskStatus, Revision,
    Timestamp, merge_reimported_task,
};
use crate::store::event_draft::EventDraft;
use crate::store::{ImportedPlan, PlanOverview, Provenance, Result, StoreError};

columns! {
    /// The columns of a plan; a statement adds its own behind them.
    enum PlanColumn {
        Id = "plan_id",
        Path = "path",
        Title = "title",
        Extra = "extra",
        Revision = "revision",
        CreatedAt = "created_at",
        UpdatedAt = "updated_at",
    }
}

/// The place of a column behind those of a plan.
const STATUS_COUNTS: usize = PlanColumn::UpdatedAt as usize + 1;

statements! {
    LOAD_PLAN(text) = @repeated "SELECT ", PlanColumn::SQL, " FROM plans WHERE plan_id = ?1";
    FIND_PLAN_BY_PATH(text) = "SELECT plan_id FROM plans WHERE path = ?1";
    LIST_PLAN_IDS() = "SELECT plan_id FROM plans ORDER BY plan_id";
    LIST_PLANS() =
        "SELECT ", PlanColumn::SQL, ", (SELECT json_group_object(status, n) FROM (
             SELECT status, count(*) AS n FROM plan_tasks t WHERE t.plan_id = p.plan_id
             GROUP BY status) AS counts)
         FROM plans p ORDER BY plan_id"
        => postgres
        "SELECT ", PlanColumn::SQL, ", (SELECT coalesce(jsonb_object_agg(status, n), '{}') FROM (
             SELECT status, count(*) AS n FROM plan_tasks t WHERE t.plan_id = p.plan_id
             GROUP BY status) AS counts)
         FROM plans p ORDER BY plan_id";

    INSERT_PLAN(text, text, text, text) =
        "INSERT INTO plans (plan_id, path, title, extra) VALUES (?1, ?2, ?3, ?4)";
    UPDATE_PLAN(text, text, text) =
        "UPDATE plans SET title = ?2, extra = ?3, revision = revision + 1, updated_at = ", NOW, "
         WHERE plan_id = ?1";

    /// Tells the triggers that the removal of this plan is recorded here.
    ANNOUNCE_PLAN_REMOVAL(text) =
        "INSERT INTO trueup_meta (key, value) VALUES ('removing_plan', ?1)";
    DELETE_PLAN_TASKS(text) = "DELETE FROM plan_tasks WHERE plan_id = ?1";
    DELETE_PLAN(text) = "DELETE FROM plans WHERE plan_id = ?1";
    CONCLUDE_PLAN_REMOVAL(text) =
        "DELETE FROM trueup_meta WHERE key = 'removing_plan' AND value = ?1";
}

/// Most plans whose files have one name.
const MAX_NAMESAKES: u32 = 10_000;

fn plan_from_row(row: &dyn Row) -> Result<Plan> {
    Ok(Plan {
        id: row.get(PlanColumn::Id)?,
        path: row.get(PlanColumn::Path)?,
        title: row.get(PlanColumn::Title)?,
        extra: row.json(PlanColumn::Extra)?,
        revision: row.get(PlanColumn::Revision)?,
        created_at: row.get(PlanColumn::CreatedAt)?,
        updated_at: row.get(PlanColumn::UpdatedAt)?,
    })
}

fn load_existing_plan(tx: &mut impl Tx, id: &PlanId) -> Result<Plan> {
    let plan = load_plan(tx, id)?;
    plan.ok_or_else(|| StoreError::Conflict(format!("plan {id} no longer exists")))
}

fn load_plan(tx: &mut impl Tx, id: &PlanId) -> Result<Option<Plan>> {
    tx.row(&LOAD_PLAN, args![id], plan_from_row)
}

pub(super) fn load_plan_state(tx: &mut impl Tx, id: &PlanId) -> Result<Option<PlanState>> {
    plan_tasks::prefetch_tasks(tx, id);
    let Some(plan) = load_plan(tx, id)? else {
        return Ok(None);
    };
    let tasks = plan_tasks::list_tasks(tx, id)?;
    Ok(Some(PlanState { plan, tasks }))
}

pub(super) fn find_plan_by_path(tx: &mut impl Tx, path: &str) -> Result<Option<PlanId>> {
    tx.row(&FIND_PLAN_BY_PATH, args![path], |row| row.get(0))
}

pub(super) fn list_plan_ids(tx: &mut impl Tx) -> Result<Vec<PlanId>> {
    tx.rows(&LIST_PLAN_IDS, args![], |row| row.get(0))
}

pub(super) fn list_plans(tx: &mut impl Tx) -> Result<Vec<PlanOverview>> {
    tx.rows(&LIST_PLANS, args![], |row| {
        let counts: Map<String, Json> = row.json(STATUS_COUNTS)?;
        let mut summary = PlanSummary::default();
        for status in PlanTaskStatus::ALL {
            let count = counts.get(status.as_str()).and_then(Json::as_u64);
            summary.add(status, count.unwrap_or(0));
        }
        Ok(PlanOverview { plan: plan_from_row(row)?, summary })
    })
}

/// Finds the plan of the file, or else an id that is free; returns whether the plan is there.
fn choose_plan_id(tx: &mut impl Tx, new_plan: &NewPlan) -> Result<(PlanId, bool)> {
    if let Some(id) = find_plan_by_path(tx, &new_plan.path)? {
        return Ok((id, true));
    }
    if load_plan(tx, &new_plan.id)?.is_none() {
        return Ok((new_plan.id.clone(), false));
    }
    for number in 2..MAX_NAMESAKES {
        let id = new_plan.id.with_number(number);
        let id = id.map_err(|error| StoreError::invalid(error.to_string()))?;
        if load_plan(tx, &id)?.is_none() {
            return Ok((id, false));
        }
    }
    Err(StoreError::denied(format!(
        "there are already {MAX_NAMESAKES} plans named {}",
        new_plan.id
    )))
}

pub(super) fn import_plan(
    tx: &mut impl Tx,
    new_plan: &NewPlan,
    provenance: &Provenance,
) -> Result<ImportedPlan> {
    // Mostly the plan has the id that its file proposes, or is new.
    tx.prefetch(&LOAD_PLAN, args![new_plan.id]);
    plan_tasks::prefetch_tasks(tx, &new_plan.id);
    super::events::prefetch_database_time(tx);
    let (id, exists) = choose_plan_id(tx, new_plan)?;
    let (mut added, mut changed) = (0, 0);
    if !tx.is_replay(provenance)? {
        let now = super::events::load_database_time(tx)?;
        let mut tasks = Vec::new();
        if exists {
            plan_tasks::prefetch_tasks(tx, &id);
            let before = load_existing_plan(tx, &id)?;
            tasks = plan_tasks::list_tasks(tx, &id)?;
            merge_plan(tx, &before, new_plan, provenance)?;
        } else {
            insert_plan(tx, &id, new_plan, now, provenance)?;
        }
        (added, changed) = import_tasks(tx, &id, &tasks, new_plan, now, provenance)?;
        tx.finish();
    }
    let plan_state = load_plan_state(tx, &id)?;
    let plan_state =
        plan_state.ok_or_else(|| StoreError::Conflict(format!("plan {id} no longer exists")))?;
    let tasks_not_in_file = new_plan.list_missing_tasks(&plan_state.tasks);
    Ok(ImportedPlan { plan_state, added, changed, tasks_not_in_file })
}

/// Adds a plan.
fn insert_plan(
    tx: &mut impl Tx,
    id: &PlanId,
    new_plan: &NewPlan,
    now: Timestamp,
    provenance: &Provenance,
) -> Result<()> {
    tx.execute(
        &INSERT_PLAN,
        args![
            id,
            new_plan.path,
            stored_optional_text(new_plan.title.as_ref()),
            stored_object(&new_plan.extra),
        ],
    )?;
    let plan = Plan {
        id: id.clone(),
        path: new_plan.path.clone(),
        title: new_plan.title.clone(),
        extra: new_plan.extra.clone(),
        revision: Revision(1),
        created_at: now,
        updated_at: now,
    };
    record_event(tx, provenance, &EventDraft::of_plan(EventKind::Added, None, &plan))
}

/// Merges what a file says of a plan that is there.
fn merge_plan(
    tx: &mut impl Tx,
    before: &Plan,
    new_plan: &NewPlan,
    provenance: &Provenance,
) -> Result<()> {
    let merged = new_plan.merge_into(before);
    if merged != *before {
        tx.execute(
            &UPDATE_PLAN,
            args![
                before.id,
                stored_optional_text(merged.title.as_ref()),
                stored_object(&merged.extra),
            ],
        )?;
        let draft = EventDraft::of_plan(EventKind::Changed, Some(before), &merged);
        record_event(tx, provenance, &draft)?;
    }
    Ok(())
}

/// Takes over the tasks of a file; returns how many were added and how many changed.
fn import_tasks(
    tx: &mut impl Tx,
    id: &PlanId,
    tasks: &[PlanTask],
    new_plan: &NewPlan,
    now: Timestamp,
    provenance: &Provenance,
) -> Result<(u64, u64)> {
    let present: BTreeMap<&PlanTaskId, &PlanTask> =
        tasks.iter().map(|task| (&task.id, task)).collect();
    let (mut added, mut changed) = (0, 0);
    for (position, task) in (1..).zip(&new_plan.tasks) {
        match present.get(&task.id) {
            None => {
                let row = task.to_new_row(id, position, now);
                plan_tasks::insert_task(tx, &row, provenance)?;
                added += 1;
            }
            Some(before) => {
                let after = merge_reimported_task(before, task, position);
                if after != **before {
                    plan_tasks::update_task(tx, before, &after, false, provenance)?;
                    changed += 1;
                }
            }
        }
    }
    Ok((added, changed))
}

pub(super) fn remove_plan(tx: &mut impl Tx, id: &PlanId, provenance: &Provenance) -> Result<()> {
    if tx.is_replay(provenance)? {
        return Ok(());
    }
    let plan = load_plan(tx, id)?;
    let plan = plan.ok_or_else(|| StoreError::Conflict(format!("plan {id} does not exist")))?;
    for step in [&ANNOUNCE_PLAN_REMOVAL, &DELETE_PLAN_TASKS, &DELETE_PLAN, &CONCLUDE_PLAN_REMOVAL] {
        tx.execute(step, args![id])?;
    }
    record_event(tx, provenance, &EventDraft::of_removed_plan(&plan))
}
