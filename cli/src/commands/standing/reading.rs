//! What is read of where the caller stands.

use trueup_core::model::{
    Handoff, HandoffNoticeReason, HandoffReader, Item, ItemStatus, NextItem, Phase, PlanTask,
    Session, find_handoff_offer,
};
use trueup_core::overview::{
    Need, NeedKind, OverviewSite, SessionRow, build_overview, read_overview,
};
use trueup_core::store::{CommandStore, HandoffFilter, NextItemQuery, PhaseFilter};

use super::handoff_command::build_accept_command;
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::commands::plan::project_tasks::list_next_tasks;
use crate::commands::short_ids::ShortIds;

/// Where the caller stands.
#[derive(Debug)]
pub(super) struct Standing {
    /// The session of the caller; a person has none.
    pub(super) session: Option<Session>,
    /// The item that it holds.
    pub(super) item: Option<Item>,
    /// The phase of that item that is running or ready.
    pub(super) phase: Option<Phase>,
    /// The item to take next.
    pub(super) next: Option<Item>,
    /// The task to work on next in the plans of this repository.
    pub(super) plan_task: Option<PlanTask>,
    /// A hand-off to this session that it has not decided on.
    pub(super) handoff: Option<Handoff>,
    /// A hand-off to anybody that this session may take.
    pub(super) offered: Option<Handoff>,
    /// Other sessions in this repository.
    pub(super) others: Vec<SessionRow>,
    /// What needs a person.
    pub(super) needs: Vec<Need>,
    /// The ids of sessions that are told apart.
    pub(super) ids: ShortIds,
    /// Whether the database has an item at all.
    pub(super) has_items: bool,
}

/// Reads where the caller stands.
pub(super) fn read_standing(
    context: &CommandContext,
    store: &mut dyn CommandStore,
) -> CommandResult<Standing> {
    let session = context.find_viewer_session(store)?;
    let item = match session.as_ref().and_then(|session| session.item.as_ref()) {
        Some(key) => store.load_item(key)?,
        None => None,
    };
    let phase = match &item {
        Some(item) => find_open_phase(store, item)?,
        None => None,
    };
    let scope = context.repo_scope(store, session.as_ref(), false)?;
    let query = NextItemQuery {
        session: session.as_ref().map(|session| session.id.clone()),
        parent: None,
        scope,
    };
    let next = match store.find_next_item(&query)? {
        NextItem::Offer { item, .. } | NextItem::KeepHeld { item, .. } => Some(item),
        NextItem::Held { .. } | NextItem::Nothing { .. } => None,
    };
    let plan_task = list_next_tasks(context, store, false)?.into_iter().next();
    let (mut handoff, mut offered) = (None, None);
    let offers = match &session {
        Some(session) => list_offers(store, session)?,
        None => Vec::new(),
    };
    for (reason, offer) in &offers {
        let place = match reason {
            HandoffNoticeReason::Addressed => &mut handoff,
            _ => &mut offered,
        };
        place.get_or_insert_with(|| offer.clone());
    }
    let site = OverviewSite {
        host: context.run.host.clone(),
        ceiling_seconds: context.run.settings.ceiling_seconds,
    };
    let overview = build_overview(&read_overview(store, &site)?);
    let repo = match &session {
        Some(session) => session.repo.clone(),
        None => trueup_core::repos::find_repo_name(store, context.run.naming_context())?,
    };
    let is_other = |row: &SessionRow| {
        row.state.is_present()
            && row.repo == repo
            && session.as_ref().is_none_or(|session| session.id != row.session_id)
    };
    Ok(Standing {
        has_items: !overview.work.is_empty() || next.is_some(),
        ids: overview.sessions.iter().map(|row| row.session_id.as_str()).collect(),
        others: overview.sessions.into_iter().filter(is_other).collect(),
        needs: overview.needs_me.into_iter().map(|need| offer_to_accept(need, &offers)).collect(),
        session,
        item,
        phase,
        next,
        plan_task,
        handoff,
        offered,
    })
}

/// Lists the open hand-offs that a session may take, and why it may.
fn list_offers(
    store: &mut dyn CommandStore,
    session: &Session,
) -> CommandResult<Vec<(HandoffNoticeReason, Handoff)>> {
    let mut offers = Vec::new();
    let open = store.list_handoffs(HandoffFilter { only_open: true })?;
    if open.is_empty() {
        return Ok(offers);
    }
    let predecessor = match &session.predecessor {
        Some(before) => store.load_session(before)?,
        None => None,
    };
    let reader =
        HandoffReader { session, predecessor: predecessor.as_ref(), at_session_start: false };
    for handoff in open {
        let item = store.load_item(&handoff.item)?;
        if let Some(reason) = find_handoff_offer(&handoff, item.as_ref(), &reader) {
            offers.push((reason, handoff));
        }
    }
    Ok(offers)
}

/// Suggests to a session that it accepts a hand-off which it may take. To reject it is for those
/// who may not.
fn offer_to_accept(need: Need, offers: &[(HandoffNoticeReason, Handoff)]) -> Need {
    let is_need = |handoff: &Handoff| {
        let kind = NeedKind::OpenHandoff;
        need.kind == kind && need.id == format!("{}:{}", kind.as_str(), handoff.id)
    };
    match offers.iter().find(|(_, handoff)| is_need(handoff)) {
        Some((_, handoff)) => {
            Need { command: Some(build_accept_command(handoff).to_string()), ..need }
        }
        None => need,
    }
}

/// Finds the phase of an item that is running, or else the one that can be started.
fn find_open_phase(store: &mut dyn CommandStore, item: &Item) -> CommandResult<Option<Phase>> {
    let filter = PhaseFilter { item: Some(item.key.clone()), ..PhaseFilter::default() };
    let phases = store.list_phases(&filter)?;
    let find = |status: ItemStatus| phases.iter().find(|phase| phase.status == status);
    Ok(find(ItemStatus::Running).or_else(|| find(ItemStatus::Ready)).cloned())
}
