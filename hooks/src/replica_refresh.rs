//! Reading everything that a replica holds from the server.

use trueup_core::hook::HookEvent;
use trueup_core::model::{EventFilter, ItemKey, Session};
use trueup_core::reconcile::list_key_candidates;
use trueup_core::replica::{Replica, ReplicaFile};
use trueup_core::store::{HookStore, StoreError};
use trueup_core::sync::now;

use crate::HookContext;
use crate::announced_reads::find_cache_owner;
use crate::pull_error::{PullError, REPLICA_LOCK_PATIENCE};

/// Most events of an item that are kept.
const MAX_EVENTS: u32 = 64;

/// Replaces the replica by what the server has, with what waits on top.
///
/// # Errors
///
/// When the server cannot be read or the replica cannot be written.
pub(crate) fn refresh_replica(
    context: &HookContext,
    store: &mut dyn HookStore,
    session: &Session,
    news: Vec<String>,
) -> Result<(), PullError> {
    let mut replica = Replica::of_session(session.clone(), now());
    load_surroundings(context, store, &mut replica)?;
    replica.news = news;
    if matches!(context.payload.event, HookEvent::SessionStart(_)) {
        replica.marks.status = Some(session.status);
    }
    let paths = &context.run.settings.paths;
    let file = ReplicaFile::of_session(paths, &session.lineage, &session.id);
    file.replace_if_newer(replica, &context.run.outbox(), REPLICA_LOCK_PATIENCE)
        .map_err(PullError::Replica)
}

/// Loads the items, events and hand-offs that concern the session.
fn load_surroundings(
    context: &HookContext,
    store: &mut dyn HookStore,
    replica: &mut Replica,
) -> Result<(), StoreError> {
    let session = &replica.session;
    let named = session.execution_state().work.item;
    let branch = context.run.branch();
    let candidates = branch.as_ref().map_or_else(Vec::new, |branch| {
        list_key_candidates(branch, context.run.configured_pattern())
    });
    let mut keys: Vec<ItemKey> = session.item.iter().cloned().collect();
    keys.extend(named.as_deref().and_then(|key| key.parse().ok()));
    if !candidates.is_empty() {
        let known = store.find_item_keys(&candidates)?;
        keys.extend(known.iter().filter_map(|key| key.parse().ok()));
    }
    keys.sort_unstable();
    keys.dedup();
    let mut looked_up: Vec<String> = candidates.into_iter().map(str::to_owned).collect();
    looked_up.extend(keys.iter().map(ToString::to_string));
    let notices = store.list_handoff_notices(&session.id, false)?;
    let cache_owner = match find_cache_owner(context) {
        Some(owner) => {
            let found = store.load_session(&owner)?;
            Some((owner, found))
        }
        None => None,
    };
    let mut items = Vec::new();
    let mut events = Vec::new();
    for key in &keys {
        let item = store.load_item(key)?;
        let is_lost = Some(key) != session.item.as_ref() && named.as_deref() == Some(key.as_str());
        if is_lost && item.as_ref().is_some_and(|item| item.holder.is_none()) {
            events.extend(store.list_events(&EventFilter {
                item: Some(key.to_string()),
                limit: MAX_EVENTS,
                ..EventFilter::default()
            })?);
        }
        items.extend(item);
    }
    replica.cache_owner = cache_owner;
    replica.items = items;
    replica.events = events;
    replica.looked_up = looked_up;
    replica.handoffs = notices;
    Ok(())
}
