//! What workplan files say of items.

use serde_json::{Value as Json, json};

use super::events::record;
use super::{MemoryStore, items};
use crate::model::{
    Item, ItemKey, NewWorkplanRow, Revision, WORKPLAN, WorkplanChange, WorkplanLink, WorkplanRow,
    WorkplanRows,
};
use crate::store::news::News;
use crate::store::{Provenance, Result, StoreError, WorkplanStore};

impl WorkplanStore for MemoryStore {
    fn workplan_rows(&mut self, repo: &str) -> Result<WorkplanRows> {
        let tied = rows(self, |item, linked| {
            let own = item.repo.as_deref();
            linked && own.is_some_and(|own| own.eq_ignore_ascii_case(repo))
        });
        let ghosts = rows(self, |item, linked| {
            !linked && item.kind == WORKPLAN && !item.status.is_finished()
        });
        Ok(WorkplanRows { tied, ghosts })
    }

    fn find_workplan_rows(
        &mut self,
        keys: &[ItemKey],
        links: &[WorkplanLink],
    ) -> Result<Vec<WorkplanRow>> {
        let carries = |key: &ItemKey| self.links.get(key).is_some_and(|(l, _)| links.contains(l));
        Ok(rows(self, |item, _| {
            keys.contains(&item.key) || carries(&item.key)
        }))
    }

    fn link_workplans(
        &mut self,
        rows: &[NewWorkplanRow],
        provenance: &Provenance,
    ) -> Result<Vec<WorkplanLink>> {
        let again = |store: &Self| {
            let link = |row: &NewWorkplanRow| Ok(tie(store, &row.item.key)?.0);
            rows.iter().map(link).collect()
        };
        let work = |store: &mut Self| {
            let mut rows = rows.iter();
            rows.by_ref()
                .map(|row| link(store, row, provenance))
                .collect()
        };
        self.write("link_workplans", provenance, work, again)
    }

    fn describe_workplans(
        &mut self,
        changes: &[WorkplanChange],
        provenance: &Provenance,
    ) -> Result<()> {
        let work = |store: &mut Self| {
            let mut changes = changes.iter();
            changes.try_for_each(|change| describe(store, change, provenance))
        };
        self.write("describe_workplans", provenance, work, |_| Ok(()))
    }
}

fn rows(store: &MemoryStore, wanted: impl Fn(&Item, bool) -> bool) -> Vec<WorkplanRow> {
    let row = |item: &Item| {
        let tie = store.links.get(&item.key);
        wanted(item, tie.is_some()).then(|| WorkplanRow {
            key: item.key.clone(),
            link: tie.map(|(link, _)| link.clone()),
            kind: item.kind.clone(),
            parent: item.parent.clone(),
            position: item.position,
            title: item.title.clone(),
            repo: item.repo.clone(),
            status: item.status,
            is_reopened: reopened(store, &item.key),
            holder: item.holder.clone(),
            facts: tie.map(|(_, facts)| facts.clone()),
            depends_on: item.depends_on.clone(),
        })
    };
    store.items.values().filter_map(row).collect()
}

fn reopened(store: &MemoryStore, key: &ItemKey) -> bool {
    let mut events = store.events.iter();
    events.any(|e| e.entity == "item" && e.kind == "reopened" && e.key == key.as_str())
}

fn tie(store: &MemoryStore, key: &ItemKey) -> Result<(WorkplanLink, crate::model::FileFacts)> {
    let tie = store.links.get(key).cloned();
    tie.ok_or_else(|| StoreError::Conflict(format!("item {key} has no file")))
}

fn link(store: &mut MemoryStore, new: &NewWorkplanRow, by: &Provenance) -> Result<WorkplanLink> {
    let key = &new.item.key;
    if let Ok((link, _)) = tie(store, key) {
        return Ok(link);
    }
    if store.links.values().any(|(link, _)| *link == new.link) {
        return Err(StoreError::Denied(format!("{} is another's", new.link)));
    }
    if store.items.contains_key(key) {
        let change = WorkplanChange {
            key: key.clone(),
            title: new.item.title.clone(),
            position: None,
            repo: new.item.repo.clone(),
            facts: None,
        };
        rewrite(store, &change, by, true);
    } else {
        items::add(store, &new.item, by)?;
    }
    let mut after = new.facts.shown();
    if let Some(after) = after.as_object_mut() {
        after.insert("link".to_owned(), json!(new.link.as_str()));
    }
    let news = News::of_workplan(key.as_str(), "linked", Json::Null, after);
    record(store, by, news);
    let tie = (new.link.clone(), new.facts.clone());
    store.links.insert(key.clone(), tie);
    Ok(new.link.clone())
}

/// Changes an item's own fields; with `only_absent` those alone that say nothing yet.
fn rewrite(store: &mut MemoryStore, change: &WorkplanChange, by: &Provenance, only_absent: bool) {
    let Some(item) = store.items.get_mut(&change.key) else {
        return;
    };
    let before = item.clone();
    let put = |field: &mut Option<String>, new: &Option<String>| {
        if new.is_some() && !(only_absent && field.is_some()) {
            field.clone_from(new);
        }
    };
    put(&mut item.title, &change.title);
    put(&mut item.repo, &change.repo);
    item.position = change.position.or(item.position);
    if *item == before {
        return;
    }
    item.revision = Revision(item.revision.0 + 1);
    item.updated_at = store.now;
    let after = item.clone();
    if before.title != after.title
        && let Some(session) = after
            .holder
            .as_ref()
            .and_then(|id| store.sessions.get_mut(id))
    {
        session.revision = Revision(session.revision.0 + 1);
    }
    let news = News {
        entity: "item",
        key: after.key.as_str(),
        kind: "changed",
        before: before.facts(),
        after: after.facts(),
        epoch: Some(after.epoch),
    };
    record(store, by, news);
}

fn describe(store: &mut MemoryStore, change: &WorkplanChange, by: &Provenance) -> Result<()> {
    let (link, before) = tie(store, &change.key)?;
    rewrite(store, change, by, false);
    if let Some((facts, _)) = change.facts.as_ref().filter(|(facts, _)| *facts != before) {
        let (old, new) = (before.shown(), facts.shown());
        let news = News::of_workplan(change.key.as_str(), "described", old, new);
        record(store, by, news);
        let tie = (link, facts.clone());
        store.links.insert(change.key.clone(), tie);
    }
    Ok(())
}
