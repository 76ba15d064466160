//! Repositories and their states.

use serde_json::Value as Json;

use super::events::record;
use super::{MemoryStore, changes};
use crate::model::{Repo, RepoSlug, RepoState, StateHead};
use crate::store::news::News;
use crate::store::{Placement, Provenance, RepoNaming, RepoStore, Result, StoreError};

impl RepoStore for MemoryStore {
    fn repos(&mut self) -> Result<Vec<Repo>> {
        Ok(self.repos.values().map(|(repo, _)| repo.clone()).collect())
    }

    fn place_repo(&mut self, placement: &Placement) -> Result<Repo> {
        let again = |store: &Self| existing(store, &placement.slug);
        let work = |store: &mut Self| Ok(place(store, placement));
        self.write("place_repo", &placement.provenance, work, again)
    }

    fn displace_repo(
        &mut self,
        slug: &RepoSlug,
        machine: &str,
        provenance: &Provenance,
    ) -> Result<Repo> {
        let again = |store: &Self| existing(store, slug);
        let work = |store: &mut Self| displace(store, slug, machine, provenance);
        self.write("displace_repo", provenance, work, again)
    }

    fn put_repo_state(
        &mut self,
        slug: &RepoSlug,
        state: &RepoState,
        provenance: &Provenance,
    ) -> Result<Repo> {
        let again = |store: &Self| existing(store, slug);
        let work = |store: &mut Self| put_state(store, slug, state, provenance);
        self.write("put_repo_state", provenance, work, again)
    }

    fn repo_name(&mut self, identity: &str) -> Result<Option<String>> {
        Ok(self.repo_names.get(identity).cloned())
    }

    fn repo_identities(&mut self, name: &str) -> Result<Vec<String>> {
        let names = self.repo_names.iter();
        let found = names.filter(|(_, known)| known.eq_ignore_ascii_case(name));
        Ok(found.map(|(identity, _)| identity.clone()).collect())
    }

    fn name_repo(&mut self, naming: &RepoNaming<'_>) -> Result<String> {
        let known = self.repo_names.get(naming.identity);
        if let Some(name) = known.filter(|_| !naming.anew) {
            return Ok(name.clone());
        }
        let holders = self.repo_identities(naming.name)?;
        if !holders.is_empty() && !holders.iter().any(|it| naming.beside == Some(it)) {
            return Err(StoreError::Conflict(format!(
                "another repository is kept under the name {}",
                naming.name
            )));
        }
        let name = naming.name.to_owned();
        self.repo_names
            .insert(naming.identity.to_owned(), name.clone());
        Ok(name)
    }

    fn rename_repo(&mut self, identity: &str, name: &str, provenance: &Provenance) -> Result<()> {
        let work = |store: &mut Self| rename(store, identity, name, provenance);
        self.write("rename_repo", provenance, work, |_| Ok(()))
    }

    fn repo_state(&mut self, slug: &RepoSlug) -> Result<Option<RepoState>> {
        let found = self.repos.get(&name(slug));
        Ok(found.and_then(|(_, state)| state.clone()))
    }
}

/// The name under which a repository is kept, whatever its case.
fn name(slug: &RepoSlug) -> String {
    slug.as_str().to_ascii_lowercase()
}

fn existing(store: &MemoryStore, slug: &RepoSlug) -> Result<Repo> {
    let found = store.repos.get(&name(slug)).map(|(repo, _)| repo.clone());
    found.ok_or_else(|| StoreError::Conflict(format!("there is no repository {slug}")))
}

fn place(store: &mut MemoryStore, placement: &Placement) -> Repo {
    let before = existing(store, &placement.slug).ok();
    let mut after = before.clone().unwrap_or_else(|| Repo {
        slug: placement.slug.clone(),
        passive: false,
        places: std::collections::BTreeMap::new(),
        state: None,
        created_at: store.now,
        updated_at: store.now,
    });
    let old = after.places.get(&placement.machine);
    let new = placement.place.clone();
    let new = new.after(old, placement.is_further, &placement.gone);
    after.places.insert(placement.machine.clone(), new);
    after.passive = placement.passive.unwrap_or(after.passive);
    if before.as_ref() == Some(&after) {
        return after;
    }
    after.updated_at = store.now;
    let kind = if before.is_some() { "changed" } else { "added" };
    let old = before.map_or(Json::Null, |repo| repo.facts());
    let news = News::of_repo(&after.slug, kind, old, after.facts());
    record(store, &placement.provenance, news);
    let kept = store.repos.entry(name(&after.slug));
    kept.or_insert_with(|| (after.clone(), None)).0 = after.clone();
    after
}

fn displace(
    store: &mut MemoryStore,
    slug: &RepoSlug,
    machine: &str,
    by: &Provenance,
) -> Result<Repo> {
    let before = existing(store, slug)?;
    let mut left = before.clone();
    if left.places.remove(machine).is_none() {
        return Err(StoreError::Conflict(format!(
            "{slug} does not lie on this machine"
        )));
    }
    if left.places.is_empty() {
        store.repos.remove(&name(slug));
        let news = News::of_repo(&before.slug, "removed", before.facts(), Json::Null);
        record(store, by, news);
        return Ok(before);
    }
    left.updated_at = store.now;
    let news = News::of_repo(&before.slug, "changed", before.facts(), left.facts());
    record(store, by, news);
    if let Some((repo, _)) = store.repos.get_mut(&name(slug)) {
        *repo = left;
    }
    Ok(before)
}

fn rename(store: &mut MemoryStore, identity: &str, name: &str, by: &Provenance) -> Result<()> {
    let old = store.repo_names.get(identity).cloned();
    let Some(old) = old.filter(|old| old != name) else {
        return Ok(());
    };
    let names = store.repo_names.values_mut();
    for known in names.filter(|known| known.eq_ignore_ascii_case(&old)) {
        name.clone_into(known);
    }
    let items = store.items.values();
    let of_it = items.filter(|item| item.repo.as_ref() == Some(&old));
    let keys: Vec<_> = of_it.map(|item| item.key.clone()).collect();
    for key in keys {
        changes::item(store, &key, by, |row| row.repo = Some(name.to_owned()))?;
    }
    let rename = |repo: &mut Option<String>| {
        if repo.as_ref() == Some(&old) {
            *repo = Some(name.to_owned());
        }
    };
    let sessions = store.sessions.values_mut();
    sessions.for_each(|session| rename(&mut session.repo));
    let handoffs = store.handoffs.values_mut();
    handoffs.for_each(|handoff| rename(&mut handoff.repo));
    Ok(())
}

fn put_state(
    store: &mut MemoryStore,
    slug: &RepoSlug,
    state: &RepoState,
    by: &Provenance,
) -> Result<Repo> {
    let before = existing(store, slug)?;
    let same = before.state.as_ref().is_some_and(|old| {
        (&old.source_digest, &old.digest) == (&state.head.source_digest, &state.head.digest)
    });
    if same {
        return Ok(before);
    }
    let head = StateHead {
        synced_at: store.now,
        synced_by: by.actor.clone(),
        ..state.head.clone()
    };
    let old = before.state.as_ref().map_or(Json::Null, StateHead::facts);
    let news = News::of_repo(&before.slug, "state", old, head.facts());
    record(store, by, news);
    let after = Repo {
        state: Some(head.clone()),
        ..before.clone()
    };
    let state = RepoState {
        head,
        ..state.clone()
    };
    store.repos.insert(name(slug), (after.clone(), Some(state)));
    Ok(after)
}
