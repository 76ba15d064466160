//! What comes next.

use super::{MemoryStore, claims, dependencies, items};
use crate::model::{
    Board, Item, ItemKey, ItemStatus, Next, ORCHESTRATOR, OfferReason, RepoScope, Seeker,
    SessionId, Siblings, next,
};
use crate::store::{LastHolder, NextRequest, NextTaken, NextWish, Result, StoreError};

impl Board for &MemoryStore {
    type Error = StoreError;

    fn item(&mut self, key: &ItemKey) -> Result<Option<Item>> {
        Ok(self.items.get(key).cloned())
    }

    fn last_held(&mut self, session: &SessionId) -> Result<Option<ItemKey>> {
        let held = |side: &serde_json::Value| side["holder"] == session.as_str();
        let last = self.events.iter().rfind(|e| {
            e.actor == session.as_str() && e.entity == "item" && (held(&e.before) || held(&e.after))
        });
        Ok(last.and_then(|e| e.key.parse().ok()))
    }

    fn has_children(&mut self, key: &ItemKey) -> Result<bool> {
        Ok(self.items.values().any(|i| i.parent.as_ref() == Some(key)))
    }

    fn first_free(&mut self, siblings: &Siblings<'_>) -> Result<Option<Item>> {
        let startable = [ItemStatus::Queued, ItemStatus::Ready, ItemStatus::Running];
        let orchestrates = |item: &Item| {
            item.kind == ORCHESTRATOR
                || self
                    .items
                    .values()
                    .any(|i| i.parent.as_ref() == Some(&item.key))
        };
        let free = self.items.values().filter(|item| {
            item.parent.as_ref() == siblings.parent
                && item.holder.is_none()
                && item.open_dependencies == 0
                && startable.contains(&item.status)
                && siblings.after.is_none_or(|after| item.place() > *after)
                && (!siblings.orchestrators || orchestrates(item))
                && siblings.scope.includes(item.repo.as_deref())
        });
        Ok(free.min_by_key(|item| item.place()).cloned())
    }

    fn unfinished(
        &mut self,
        parent: Option<&ItemKey>,
        scope: &RepoScope,
        limit: u32,
    ) -> Result<Vec<Item>> {
        let mut found: Vec<Item> = unfinished(self, parent, scope).cloned().collect();
        found.sort_by_key(Item::place);
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(found)
    }

    fn has_unheld(&mut self, parent: Option<&ItemKey>, scope: &RepoScope) -> Result<bool> {
        Ok(unfinished(self, parent, scope).any(|item| item.holder.is_none()))
    }

    fn waits_for(&mut self, key: &ItemKey, limit: u32) -> Result<Vec<(ItemKey, ItemStatus)>> {
        let item = items::existing(self, key)?;
        let mut open = dependencies::open(self, &item.depends_on);
        open.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(open)
    }
}

fn unfinished<'s>(
    store: &'s MemoryStore,
    parent: Option<&'s ItemKey>,
    scope: &'s RepoScope,
) -> impl Iterator<Item = &'s Item> {
    let children = store
        .items
        .values()
        .filter(move |i| i.parent.as_ref() == parent);
    children.filter(|item| !item.status.is_finished() && scope.includes(item.repo.as_deref()))
}

pub(super) fn next_item(store: &MemoryStore, wish: &NextWish) -> Result<Next> {
    let session = wish.session.as_ref();
    let session = session.and_then(|id| store.registered(id).ok());
    let seeker = Seeker {
        session: session.as_ref(),
        parent: wish.parent.as_ref(),
        scope: &wish.scope,
    };
    next(&mut &*store, &seeker)
}

pub(super) fn claim_next(store: &mut MemoryStore, request: &NextRequest) -> Result<NextTaken> {
    let session = store.registered(&request.session)?;
    let seeker = Seeker {
        session: Some(&session),
        parent: request.parent.as_ref(),
        scope: &request.scope,
    };
    let mut found = next(&mut &*store, &seeker)?;
    if let Some(held) = session.item.as_ref().filter(|_| !request.give_up) {
        found = found.keeping(store.items.get(held).cloned());
    }
    let Some((item, outcome, reason)) = found.to_claim() else {
        return Ok(NextTaken {
            next: found,
            released: None,
        });
    };
    let claim = request.claim_of(item, outcome, reason);
    let taken = claims::claim(store, &claim)?;
    *item = taken.item;
    let released = taken.released.map(|key| items::existing(store, &key));
    Ok(NextTaken {
        next: found,
        released: released.transpose()?,
    })
}

/// Answers a repeated request: what the first one took, read again.
pub(super) fn first_answer(store: &MemoryStore, request: &NextRequest) -> Result<NextTaken> {
    let of_this = |kind: &str| {
        let op = &request.provenance.op_id;
        let found = store
            .events
            .iter()
            .find(|e| e.op_id.as_ref() == Some(op) && e.entity == "item" && e.kind == kind);
        found.and_then(|e| Some((e.key.parse::<ItemKey>().ok()?, e.reason.clone())))
    };
    let Some((key, reason)) = of_this("claimed") else {
        // Nothing was claimed: what it found was the session's already.
        let item = store.held_by(&request.session).cloned().ok_or_else(|| {
            StoreError::Conflict(format!(
                "session {} holds nothing any more",
                request.session
            ))
        })?;
        return Ok(NextTaken {
            next: Next::Held { item, reason: None },
            released: None,
        });
    };
    let item = items::existing(store, &key)?;
    if item.holder.as_ref() != Some(&request.session) {
        return Err(claims::moved_on(&key));
    }
    let released = of_this("released").map(|(key, _)| items::existing(store, &key));
    Ok(NextTaken {
        next: Next::Offer {
            item,
            reason: reason.as_deref().and_then(OfferReason::from_word),
        },
        released: released.transpose()?,
    })
}

pub(super) fn last_holder(store: &MemoryStore, key: &ItemKey) -> Option<LastHolder> {
    let last = store.events.iter().rfind(|e| {
        e.entity == "item"
            && e.key == key.as_str()
            && e.before["holder"].is_string()
            && e.after["holder"] != e.before["holder"]
    })?;
    Some(LastHolder {
        session: last.before["holder"].as_str()?.parse().ok()?,
        until: last.at,
    })
}
