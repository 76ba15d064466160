//! Reads the database, the cache, git and the outbox for one session.

use std::collections::BTreeSet;

use super::run_context::{RunContext, now};
use crate::cache::{self, CacheDocument, CacheFile, CachePathChoice};
use crate::diagnostic::BranchTarget;
use crate::git;
use crate::liveness;
use crate::model::{
    Event, EventFilter, EventKind, FieldValue, ItemKey, LivenessState, Session, SessionId,
    StateField, judge_session,
};
use crate::reconcile::{
    self, BranchReading, CacheReading, ClaimReading, DatabaseReading, LostClaim, OutboxReading,
    PeerSession, Reading, Snapshot,
};
use crate::store::{HookStore, Result};

/// Everything that was read for a session.
#[derive(Debug)]
pub struct Observation {
    /// The readings that the decision is made from.
    pub snapshot: Snapshot,
    /// The cache file, to be written by an action.
    pub file: CacheFile,
}

/// Reads all sources for a registered session. `peers` are other sessions of its worktree, if the
/// caller looked them up.
///
/// # Errors
///
/// When the database cannot be read. Files that cannot be read become readings of their own.
pub fn observe_session(
    store: &mut dyn HookStore,
    session: &Session,
    peers: &[Session],
    context: &RunContext,
) -> Result<Observation> {
    let state = session.execution_state();
    let claim = session.item.clone().zip(session.epoch).map(|(item, epoch)| ClaimReading {
        item,
        epoch,
        since: session.claimed_at,
    });
    let lost_claim = match &claim {
        Some(_) => None,
        None => find_lost_claim(store, session, state.work.item.as_deref())?,
    };
    let branch = read_branch(store, claim.as_ref(), context)?;
    let database = DatabaseReading {
        lineage: session.lineage.clone(),
        revision: session.revision,
        claim,
        lost_claim,
        work: state.work,
        history: state.history,
        may_lack_changes: context.settings.is_remote(),
    };
    let mut owner = None;
    let file = choose_cache_file(&session.id, context, |id| -> Result<bool> {
        // Its cache is read next, and must not be newer than the row because the row was old.
        owner = store.reload_session(id)?;
        let owner = owner.as_ref();
        Ok(owner.is_some_and(|owner| is_live_here(owner, context)))
    })?;
    let peers = peers
        .iter()
        .filter(|peer| peer.id != session.id && is_live_here(peer, context))
        .map(|peer| PeerSession { session: peer.id.clone(), item: peer.item.clone() })
        .collect();
    let mut snapshot =
        build_snapshot(&session.id, Reading::Fresh(database), &file, branch, peers, context);
    if let Reading::Fresh(cache) = &mut snapshot.cache {
        cache.owner_revision = owner.as_ref().map(|owner| owner.revision);
        let owner = owner.as_ref().unwrap_or(session);
        cache.unknown_to_database = find_unknown_fields(store, cache, owner, context)?;
    }
    Ok(Observation { snapshot, file })
}

/// Finds the fields of an outdated cache whose values the database never held. Such a file was
/// restored from a backup. Flags are left out: they have too few values to tell.
fn find_unknown_fields(
    store: &mut dyn HookStore,
    cache: &CacheReading,
    session: &Session,
    context: &RunContext,
) -> Result<BTreeSet<StateField>> {
    let mut unknown = BTreeSet::new();
    let is_earlier = !context.settings.is_remote()
        && cache.is_stamped()
        && cache.lineage.as_ref() == Some(&session.lineage)
        && cache.session.as_ref() == Some(&session.id)
        && cache.revision < Some(session.revision);
    if !is_earlier {
        return Ok(unknown);
    }
    let current_work = session.execution_state().work;
    for field in [StateField::Phase, StateField::Task] {
        let Some(value @ FieldValue::Text(Some(_))) = cache.fields.get(&field) else {
            continue;
        };
        // A local edit is handled as an edit.
        if current_work.get(field) != *value
            && !cache.edited.contains(&field)
            && !context.had_before_change(&session.id, field, value)
            && !store.had_state_value(&session.id, field, value)?
        {
            unknown.insert(field);
        }
    }
    Ok(unknown)
}

/// Reads what can be read while the database is unreachable.
pub fn observe_without_database(
    session: &SessionId,
    reason: &str,
    context: &RunContext,
) -> Observation {
    // The owner of the shared file cannot be looked up. The file is only read here, so assume that
    // it may be used.
    let file = choose_cache_file(session, context, |_| Ok::<_, std::convert::Infallible>(false));
    let file = match file {
        Ok(file) => file,
        Err(never) => match never {},
    };
    let database = Reading::Unavailable(reason.to_owned());
    let snapshot = build_snapshot(session, database, &file, None, Vec::new(), context);
    Observation { snapshot, file }
}

fn build_snapshot(
    session: &SessionId,
    database: Reading<DatabaseReading>,
    file: &CacheFile,
    branch: Option<BranchReading>,
    peers: Vec<PeerSession>,
    context: &RunContext,
) -> Snapshot {
    let cache = match &file.document {
        // The `.claude` directory in the user's home belongs to the client. trueup neither compares
        // nor writes anything there.
        _ if context.project.is_home => Reading::Missing,
        Reading::Fresh(document) => Reading::Fresh(document.to_reading()),
        Reading::Missing => Reading::Missing,
        Reading::Corrupt(reason) => Reading::Corrupt(reason.clone()),
        Reading::Unavailable(reason) => Reading::Unavailable(reason.clone()),
    };
    let backlog = context.outbox().count_backlog().unwrap_or_default();
    let outbox = OutboxReading {
        waiting: backlog.waiting,
        for_other_databases: backlog.elsewhere,
        oldest_at: backlog.oldest_at,
    };
    Snapshot { session: session.clone(), database, cache, branch, peers, outbox, now: now() }
}

/// Reads the cache file that belongs to the session.
fn choose_cache_file<E>(
    session: &SessionId,
    context: &RunContext,
    owner_is_live: impl FnOnce(&SessionId) -> std::result::Result<bool, E>,
) -> std::result::Result<CacheFile, E> {
    let own = cache::session_cache_path(&context.project.dir, session);
    if own.symlink_metadata().is_ok() {
        return Ok(CacheFile::read(&own));
    }
    let shared = CacheFile::read(&cache::shared_cache_path(&context.project.dir));
    let owner = match &shared.document {
        Reading::Fresh(document) => document.session(),
        _ => None,
    };
    let other_owner = owner.as_ref().filter(|owner| *owner != session);
    let owner_is_live = other_owner.map(owner_is_live).transpose()?.unwrap_or(false);
    let candidate =
        CachePathChoice { session, has_own: false, shared_owner: owner.as_ref(), owner_is_live };
    Ok(if cache::needs_own_file(candidate) { CacheFile::read(&own) } else { shared })
}

/// Returns whether a session still works in this project. One that may be alive counts as alive.
fn is_live_here(other: &Session, context: &RunContext) -> bool {
    let is_in_project = other.worktree.as_ref().is_some_and(|name| *name == context.project.name());
    if !is_in_project || !other.status.is_present() {
        return false;
    }
    let evidence = liveness::check_session_process(other, &context.host);
    judge_session(other, evidence, context.settings.ceiling_seconds).state != LivenessState::Dead
}

/// Most events of an item that are examined, newest first.
const MAX_EVENTS: u32 = 64;

fn find_lost_claim(
    store: &mut dyn HookStore,
    session: &Session,
    item_text: Option<&str>,
) -> Result<Option<LostClaim>> {
    let Some(key) = item_text.and_then(|text| text.parse::<ItemKey>().ok()) else {
        return Ok(None);
    };
    let Some(item) = store.load_item(&key)? else {
        return Ok(None);
    };
    let is_finished = item.status.is_finished();
    if let Some(holder) = item.holder {
        return Ok(Some(LostClaim {
            item: item.key,
            holder: Some(holder),
            is_finished,
            since: item.claimed_at,
        }));
    }
    // Nobody holds the item. Its last release tells whether it was taken from this session: giving
    // an item up would have cleared it from the session's state too.
    let events = store.list_events(&EventFilter {
        item: Some(key.to_string()),
        limit: MAX_EVENTS,
        ..EventFilter::default()
    })?;
    let release = events.iter().rev().find(|event| event.is_kind(EventKind::Released));
    let was_held_by_session = |event: &&Event| {
        let before = event.before.get("holder").and_then(|holder| holder.as_str());
        before == Some(session.id.as_str())
    };
    Ok(release.filter(was_held_by_session).map(|event| LostClaim {
        item: key,
        holder: None,
        is_finished,
        since: Some(event.at),
    }))
}

fn read_branch(
    store: &mut dyn HookStore,
    claim: Option<&ClaimReading>,
    context: &RunContext,
) -> Result<Option<BranchReading>> {
    let Some(name) = context.branch() else {
        return Ok(None);
    };
    let mut reading = BranchReading {
        name,
        other_item: None,
        other_is_free: false,
        switch_target: BranchTarget::default(),
    };
    let Some(claim) =
        claim.filter(|claim| !reconcile::branch_names_item(&reading.name, claim.item.as_str()))
    else {
        return Ok(Some(reading));
    };
    let held = claim.item.as_str();
    let parts = reconcile::list_key_candidates(&reading.name, context.configured_pattern());
    let known_items = store.find_item_keys(&parts)?;
    reading.other_item = reconcile::find_other_item(&reading.name, held, &known_items);
    let Some(named) = &reading.other_item else {
        return Ok(Some(reading));
    };
    let item = match named.parse::<ItemKey>() {
        Ok(key) => store.load_item(&key)?,
        Err(_) => None,
    };
    reading.other_is_free =
        item.is_some_and(|item| item.holder.is_none() && !item.status.is_finished());
    if let Some(git) = &context.project.git {
        let elsewhere = git::branches_checked_out_elsewhere(git);
        reading.switch_target =
            reconcile::decide_switch_target(held, &git::list_branches(git), &elsewhere);
    }
    Ok(Some(reading))
}

impl Observation {
    /// Returns whether the cache was written from a later state of the same database.
    pub(super) fn cache_is_newer(&self) -> bool {
        match (&self.snapshot.cache, &self.snapshot.database) {
            (Reading::Fresh(cache), Reading::Fresh(database)) => cache.is_ahead_of(database),
            _ => false,
        }
    }

    /// Returns the document that was read, or an empty one.
    pub(super) fn document_or_empty(&self) -> CacheDocument {
        match &self.file.document {
            Reading::Fresh(document) => document.clone(),
            _ => CacheDocument::default(),
        }
    }
}
