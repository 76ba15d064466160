//! `trueup ready`: what can be begun, why, and what would let the rest begin.

use clap::Args;
use serde_json::json;
use trueup_core::model::{
    ItemKey, ItemStatus, PlanTask, PlanTaskStatus, ReadyReason, RepoScope, Unblocking,
};
use trueup_core::store::{MAX_WAITING_ITEMS, ReadyItems, ReadyQuery, Store, UnblockingItem};
use trueup_core::text::{one_line, pluralize};
use trueup_core::views::{BlockerView, PlanTaskView, ReadyItemView};

use super::gone_holders::describe_gone_holders;
use super::item::render::{MAX_TITLE_CHARS, join_keys, priority_cell};
use super::plan::project_tasks::list_next_tasks;
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::number_argument::parse_whole_number;
use crate::output::Output;
use crate::page::{Cell, Column, Table};

/// Most items named that would let the rest begin.
const MAX_BLOCKERS: u32 = 5;

/// Most keys named of what waits for an item.
const MAX_KEYS: usize = 3;

#[derive(Debug, Args)]
pub(crate) struct ReadyArgs {
    /// Maximum number of items; 0 for all
    #[arg(long, value_name = "N", default_value_t = 10, allow_negative_numbers = true, value_parser = parse_whole_number::<u32>)]
    pub(crate) limit: u32,
    /// Look in all repositories, not just this one
    #[arg(long)]
    pub(crate) all_repos: bool,
}

pub(super) fn cmd_ready(context: &CommandContext, arguments: &ReadyArgs) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    let session = context.find_viewer_session(store)?;
    let scope = context.repo_scope(store, session.as_ref(), arguments.all_repos)?;
    let limit = if arguments.limit == 0 { u32::MAX } else { arguments.limit };
    let query = ReadyQuery { scope, limit, blocker_limit: MAX_BLOCKERS };
    let ready = store.list_ready_items(&query)?;
    let mut tasks = list_next_tasks(context, store, arguments.all_repos)?;
    tasks.retain(|task| task.status == PlanTaskStatus::Pending);
    let has_more_tasks = tasks.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    tasks.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let if_empty = match ready.items.as_slice() {
        [] if !tasks.is_empty() => "no item is ready".to_owned(),
        [] => describe_nothing_ready(store, &query.scope)?,
        _ => String::new(),
    };
    let items: Vec<_> = ready.items.iter().map(ReadyItemView::from).collect();
    let blockers: Vec<_> = ready.blockers.iter().map(BlockerView::from).collect();
    let mut output = Output::table(
        ready_table(&ready.items),
        &if_empty,
        json!({
            "items": items, "has_more": ready.has_more, "blockers": blockers,
            "partial": ready.is_partial,
            "tasks": tasks.iter().map(PlanTaskView::from).collect::<Vec<_>>(),
            "has_more_tasks": has_more_tasks,
        }),
    );
    if ready.has_more {
        output.text.push("more are ready; `trueup ready --limit 0` shows all".to_owned());
    }
    output.text.extend(render_blockers(&ready));
    if ready.items.is_empty() {
        output.text.extend(describe_gone_holders(store)?);
    }
    output.text.extend(render_tasks(&tasks, has_more_tasks));
    Ok(output)
}

/// Explains an empty list: another repository may have ready items.
fn describe_nothing_ready(store: &mut dyn Store, scope: &RepoScope) -> CommandResult<String> {
    let everywhere = ReadyQuery { scope: RepoScope::All, limit: 1, blocker_limit: 0 };
    let is_elsewhere =
        *scope != RepoScope::All && !store.list_ready_items(&everywhere)?.items.is_empty();
    Ok(if is_elsewhere {
        "nothing is ready here; use --all-repos to see other repositories".to_owned()
    } else {
        "nothing is ready; `trueup item list --unfinished` shows what is left".to_owned()
    })
}

fn ready_table(items: &[UnblockingItem]) -> Table<4> {
    let columns = [
        Column::key("KEY"),
        Column::word("PRIORITY").optional(),
        Column::text("TITLE"),
        Column::text("WHY"),
    ];
    Table::new(columns, items.iter().map(ready_row))
}

fn ready_row(ready: &UnblockingItem) -> [Cell; 4] {
    let item = &ready.item;
    let why = match ReadyReason::of(item) {
        // What waits for nothing stays queued until it is begun.
        ReadyReason::Free if item.status == ItemStatus::Queued => {
            "queued, and nothing blocks it".to_owned()
        }
        ReadyReason::Free => "nothing blocks it".to_owned(),
        ReadyReason::Begun => "begun, and nobody holds it".to_owned(),
        ReadyReason::DependenciesCompleted => {
            format!("completed: {}", name_some(&item.depends_on, item.depends_on.len()))
        }
    };
    let unblocks = match ready.unblocking.total {
        0 => String::new(),
        total => format!("; unblocks {}", name_some(&ready.unblocking.direct, total)),
    };
    [
        item.key.as_str().into(),
        priority_cell(item),
        Cell::optional(item.title.as_deref().map(|title| one_line(title, MAX_TITLE_CHARS))),
        Cell::faint(format!("{why}{unblocks}")),
    ]
}

fn render_blockers(ready: &ReadyItems) -> Vec<String> {
    if ready.blockers.is_empty() {
        return Vec::new();
    }
    let mut text = vec!["what unblocks the rest:".to_owned()];
    text.extend(ready.blockers.iter().map(|UnblockingItem { item, unblocking }| {
        let holder = item.holder.as_ref();
        let holder = holder.map_or(String::new(), |holder| format!(", held by {holder}"));
        format!("  {} ({}{holder}): {}", item.key, item.status, describe_waiting(unblocking))
    }));
    if ready.is_partial {
        text.push(format!(
            "  counted among the {MAX_WAITING_ITEMS} most urgent items that wait; more do"
        ));
    }
    text
}

/// Renders the tasks of plans that can be begun, and how to begin one.
fn render_tasks(tasks: &[PlanTask], has_more: bool) -> Vec<String> {
    if tasks.is_empty() {
        return Vec::new();
    }
    let mut text = vec!["ready in plans (`trueup plan start PLAN/TASK` begins one):".to_owned()];
    let line =
        |task: &PlanTask| format!("  {}  {}", task.key(), one_line(&task.title, MAX_TITLE_CHARS));
    text.extend(tasks.iter().map(line));
    if has_more {
        text.push("  more are ready; `trueup ready --limit 0` shows all".to_owned());
    }
    text
}

fn describe_waiting(unblocking: &Unblocking) -> String {
    let wait = if unblocking.total == 1 { "waits" } else { "wait" };
    let count = pluralize(unblocking.total, "item", "items");
    format!("{count} {wait} for it: {}", name_some(&unblocking.direct, unblocking.total))
}

/// Names the first keys, and how many of all are not named.
fn name_some(keys: &[ItemKey], total: usize) -> String {
    let named = &keys[..keys.len().min(MAX_KEYS)];
    match total.saturating_sub(named.len()) {
        0 => join_keys(named),
        more => format!("{} and {more} more", join_keys(named)),
    }
}
