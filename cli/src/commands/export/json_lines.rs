//! The export as JSON Lines: one object a line, each with its type. `docs/formats.md` describes it.

use std::collections::BTreeSet;
use std::io::Write;

use serde_json::{Value, json};
use trueup_core::git::Worktree;
use trueup_core::model::{Handoff, Item, ItemKey, Plan, PlanTask};
use trueup_core::plan::trackers::{EXPORT_VERSION, REPO_PATH_FIELD};
use trueup_core::store::{HandoffFilter, ItemFilter, PhaseFilter, Store};
use trueup_core::text::{path_from_text, path_to_text};
use trueup_core::views::{HandoffView, ItemView, PhaseView};

use super::counts::ExportCounts;
use super::events::{ExportedKeys, write_events};
use super::export_error::ExportResult;
use super::line_writer::{HEADER, LineWriter};
use crate::commands::work_scope::WorkScope;

/// Writes everything, each thing behind what it belongs to.
pub(super) fn write_lines(
    store: &mut dyn Store,
    scope: &WorkScope,
    out: &mut dyn Write,
) -> ExportResult<ExportCounts> {
    let mut lines = LineWriter::new(out);
    lines
        .write_line(HEADER, json!({"version": EXPORT_VERSION, "repo": scope.items.repo_name()}))?;
    let mut keys = ExportedKeys::new(scope);
    write_items(store, scope, &mut lines, &mut keys)?;
    write_plans(store, scope, &mut lines, &mut keys)?;
    for phase in store.list_phases(&PhaseFilter::default())? {
        if keys.has_item(&phase.item) {
            lines.write_line("phase", PhaseView::from(&phase))?;
        }
    }
    let mut handoffs = store.list_handoffs(HandoffFilter::default())?;
    handoffs.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    for handoff in &handoffs {
        if !keys.has_item(&handoff.item) {
            continue;
        }
        keys.add_handoff(&handoff.id);
        lines.write_line("handoff", handoff_fields(handoff)?)?;
    }
    write_events(store, &keys, &mut lines)?;
    Ok(lines.counts)
}

/// Returns the fields of a hand-off. Its own `type`, such as `PLAN-TO-EXEC`, makes room for that of
/// the line.
fn handoff_fields(handoff: &Handoff) -> ExportResult<Value> {
    let mut fields = serde_json::to_value(HandoffView::from(handoff))?;
    if let Some(fields) = fields.as_object_mut()
        && let Some(kind) = fields.shift_remove("type")
    {
        fields.insert("handoff_type".to_owned(), kind);
    }
    Ok(fields)
}

fn write_items(
    store: &mut dyn Store,
    scope: &WorkScope,
    lines: &mut LineWriter<'_>,
    keys: &mut ExportedKeys,
) -> ExportResult<()> {
    let filter = ItemFilter { scope: scope.items.clone(), ..ItemFilter::default() };
    let items = store.list_items(&filter)?;
    let known: BTreeSet<&ItemKey> = items.iter().map(|item| &item.key).collect();
    for item in parents_first(&items, &known) {
        keys.add_item(&item.key);
        lines.write_line("item", ItemView::from(item))?;
    }
    Ok(())
}

/// Orders items so that each comes behind its parent, as it has to be added.
fn parents_first<'a>(items: &'a [Item], known: &BTreeSet<&ItemKey>) -> Vec<&'a Item> {
    let is_root = |item: &&Item| item.parent.as_ref().is_none_or(|parent| !known.contains(parent));
    let (mut ordered, mut rest): (Vec<&Item>, Vec<&Item>) = items.iter().partition(is_root);
    let mut placed: BTreeSet<&ItemKey> = ordered.iter().map(|item| &item.key).collect();
    while !rest.is_empty() {
        let is_next =
            |item: &&Item| item.parent.as_ref().is_some_and(|parent| placed.contains(parent));
        let (next, later): (Vec<&Item>, Vec<&Item>) = rest.into_iter().partition(is_next);
        if next.is_empty() {
            ordered.extend(later);
            break;
        }
        placed.extend(next.iter().map(|item| &item.key));
        ordered.extend(next);
        rest = later;
    }
    ordered
}

/// Returns the fields of a plan, with its path below its repository where that is known.
fn plan_fields(plan: &Plan) -> ExportResult<Value> {
    let mut fields = serde_json::to_value(plan)?;
    let path = path_from_text(&plan.path);
    let root = path.parent().and_then(Worktree::discover).map(|git| git.root);
    let below = root.as_deref().and_then(|root| path.strip_prefix(root).ok());
    if let (Some(fields), Some(below)) = (fields.as_object_mut(), below) {
        fields.insert(REPO_PATH_FIELD.to_owned(), json!(path_to_text(below)));
    }
    Ok(fields)
}

fn write_plans(
    store: &mut dyn Store,
    scope: &WorkScope,
    lines: &mut LineWriter<'_>,
    keys: &mut ExportedKeys,
) -> ExportResult<()> {
    for listed in store.list_plans()? {
        if !scope.includes_plan(&listed.plan) {
            continue;
        }
        let Some(state) = store.load_plan(&listed.plan.id)? else { continue };
        keys.add_plan(&state.plan.id);
        lines.write_line("plan", plan_fields(&state.plan)?)?;
        for task in &state.tasks {
            let task: &PlanTask = task;
            lines.write_line("plan_task", task)?;
        }
    }
    Ok(())
}
