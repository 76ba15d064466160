//! The ids in a database that is a file here.

use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{
    HandoffFilter, HandoffStore as _, HookStore as _, ItemFilter, ItemStore as _,
    OrchestratorStore as _, PhaseFilter, PhaseStore as _, PlanStore as _, Result as StoreResult,
    SessionFilter, SessionStore as _,
};

use super::known_id::KnownId;
use super::value_kind::ValueKind;

/// Most sessions and orchestrators read, the latest sign of life first.
const MAX_RECENT: u32 = 200;

/// Lists the ids of a kind; what begins otherwise may be among them.
pub(super) fn list_stored_ids(
    kind: ValueKind,
    begun: &str,
    store: &mut SqliteStore,
) -> StoreResult<Vec<KnownId>> {
    match kind {
        ValueKind::Handoff => list_handoffs(store),
        ValueKind::Item => list_items(store),
        ValueKind::Orchestrator => list_orchestrators(store),
        ValueKind::Phase => list_phases(store),
        ValueKind::Plan => list_plans(store),
        ValueKind::PlanTask => list_plan_tasks(begun, store),
        ValueKind::Repository => list_repositories(store),
        ValueKind::Session => list_sessions(begun, store),
        // Files of this machine hold these, or they are words.
        ValueKind::JournalEntry
        | ValueKind::OutboxWrite
        | ValueKind::ItemStatus
        | ValueKind::SessionPhase => Ok(Vec::new()),
    }
}

fn list_items(store: &mut SqliteStore) -> StoreResult<Vec<KnownId>> {
    let items = store.list_items(&ItemFilter::default())?;
    let about = |title: Option<&str>, status| match title {
        Some(title) => format!("{status}: {title}"),
        None => format!("{status}"),
    };
    let known = items.iter();
    Ok(known
        .map(|item| KnownId::new(&item.key, about(item.title.as_deref(), item.status)))
        .collect())
}

fn list_sessions(begun: &str, store: &mut SqliteStore) -> StoreResult<Vec<KnownId>> {
    let prefix = Some(begun.to_owned()).filter(|begun| !begun.is_empty());
    let filter = SessionFilter { prefix, limit: MAX_RECENT, ..SessionFilter::default() };
    let sessions = store.list_sessions(&filter)?;
    let about = sessions.iter().map(|session| {
        let item = session.item.as_ref().map(|item| format!(" on {item}")).unwrap_or_default();
        KnownId::new(&session.id, format!("{}{item}", session.status))
    });
    Ok(about.collect())
}

fn list_handoffs(store: &mut SqliteStore) -> StoreResult<Vec<KnownId>> {
    let handoffs = store.list_handoffs(HandoffFilter::default())?;
    let known = handoffs.iter();
    Ok(known
        .map(|it| KnownId::new(&it.id, format!("{} {}, {}", it.kind, it.item, it.status)))
        .collect())
}

fn list_phases(store: &mut SqliteStore) -> StoreResult<Vec<KnownId>> {
    let phases = store.list_phases(&PhaseFilter::default())?;
    let known = phases.iter();
    Ok(known.map(|it| KnownId::new(&it.id, format!("{}, {}", it.name, it.status))).collect())
}

fn list_plans(store: &mut SqliteStore) -> StoreResult<Vec<KnownId>> {
    let plans = store.list_plans()?;
    Ok(plans.iter().map(|it| KnownId::new(&it.plan.id, &it.plan.path)).collect())
}

/// Lists the tasks of the plan that is named before a slash, else those of the only plan.
fn list_plan_tasks(begun: &str, store: &mut SqliteStore) -> StoreResult<Vec<KnownId>> {
    let plans = store.list_plan_ids()?;
    let named = begun.rsplit_once('/').map(|(plan, _)| plan);
    let plan = match (named, plans.as_slice()) {
        (None, [only]) => only,
        (None, _) => {
            return Ok(plans.iter().map(|plan| KnownId::new(&format!("{plan}/"), "")).collect());
        }
        (Some(named), _) => match plans.iter().find(|plan| plan.as_str() == named) {
            Some(plan) => plan,
            None => return Ok(Vec::new()),
        },
    };
    let prefix = named.map(|named| format!("{named}/")).unwrap_or_default();
    let tasks = store.load_plan(plan)?.map(|state| state.tasks).unwrap_or_default();
    let known = tasks.iter();
    Ok(known
        .map(|it| {
            KnownId::new(&format!("{prefix}{}", it.id), format!("{}: {}", it.status, it.title))
        })
        .collect())
}

fn list_repositories(store: &mut SqliteStore) -> StoreResult<Vec<KnownId>> {
    let repos = store.list_repos()?;
    Ok(repos.iter().map(|repo| KnownId::new(&repo.slug, "")).collect())
}

fn list_orchestrators(store: &mut SqliteStore) -> StoreResult<Vec<KnownId>> {
    let found = store.list_orchestrators(MAX_RECENT)?;
    Ok(found.iter().map(|it| KnownId::new(&it.id, format!("{}, {}", it.plan, it.status))).collect())
}
