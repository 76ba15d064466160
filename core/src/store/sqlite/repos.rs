//! Repositories and their states.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde_json::Value as Json;

use super::errors::from_sqlite;
use super::events::record_event;
use super::{NOW, SqliteStore, is_replay, rows};
use crate::model::{Repo, RepoSlug, RepoState, StateHead, parse_places, places_to_json};
use crate::store::event_draft::EventDraft;
use crate::store::{Provenance, RepoNaming, RepoPlacement, RepoStore, Result, StoreError};

impl RepoStore for SqliteStore {
    fn list_repos(&mut self) -> Result<Vec<Repo>> {
        list_repos(&self.connection)
    }

    fn place_repo(&mut self, placement: &RepoPlacement) -> Result<Repo> {
        self.run_write(|tx| place_repo(tx, placement))
    }

    fn remove_repo_place(
        &mut self,
        slug: &RepoSlug,
        machine: &str,
        provenance: &Provenance,
    ) -> Result<Repo> {
        self.run_write(|tx| remove_repo_place(tx, slug, machine, provenance))
    }

    fn update_repo_state(
        &mut self,
        slug: &RepoSlug,
        state: &RepoState,
        provenance: &Provenance,
    ) -> Result<Repo> {
        self.run_write(|tx| update_repo_state(tx, slug, state, provenance))
    }

    fn find_repo_name(&mut self, identity: &str) -> Result<Option<String>> {
        find_repo_name(&self.connection, identity)
    }

    fn list_repo_identities(&mut self, name: &str) -> Result<Vec<String>> {
        list_identities(&self.connection, name)
    }

    fn name_repo(&mut self, naming: &RepoNaming<'_>) -> Result<String> {
        self.run_write(|tx| name_repo(tx, naming))
    }

    fn rename_repo(&mut self, identity: &str, name: &str, provenance: &Provenance) -> Result<()> {
        self.run_write(|tx| rename_repo(tx, identity, name, provenance))
    }

    fn load_repo_state(&mut self, slug: &RepoSlug) -> Result<Option<RepoState>> {
        load_repo_state(&self.connection, slug)
    }
}

/// The columns [`head`] reads, from the first on.
const STATE_HEAD_COLUMNS: &str = "synced_at, synced_by, source_digest, digest, redacted, summary";

/// The columns [`repo`] reads.
const REPO_COLUMNS: &str = "slug, passive, places, created_at, updated_at";

fn state_head_from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<StateHead>> {
    let Some(synced_at) = rows::parse_optional_column(row, first)? else {
        return Ok(None);
    };
    Ok(Some(StateHead {
        synced_at,
        synced_by: row.get(first + 1)?,
        source_digest: row.get(first + 2)?,
        digest: row.get(first + 3)?,
        redacted: rows::parse_count(row, first + 4)?,
        summary: row.get(first + 5)?,
    }))
}

fn repo_from_row(row: &Row<'_>) -> rusqlite::Result<Repo> {
    let places: Json = rows::parse_json(row, 2)?;
    Ok(Repo {
        slug: rows::parse_column(row, 0)?,
        passive: row.get(1)?,
        places: parse_places(&places),
        created_at: rows::parse_time(row, 3)?,
        updated_at: rows::parse_time(row, 4)?,
        state: state_head_from_row(row, 5)?,
    })
}

fn list_repos(connection: &Connection) -> Result<Vec<Repo>> {
    let sql = format!("SELECT {REPO_COLUMNS}, {STATE_HEAD_COLUMNS} FROM repos ORDER BY slug");
    let mut statement = connection.prepare(&sql).map_err(from_sqlite)?;
    statement
        .query_map([], repo_from_row)
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

fn load_repo(tx: &Transaction<'_>, slug: &RepoSlug) -> Result<Option<Repo>> {
    let sql = format!("SELECT {REPO_COLUMNS}, {STATE_HEAD_COLUMNS} FROM repos WHERE slug = ?1");
    tx.query_row(&sql, [slug.as_str()], repo_from_row)
        .optional()
        .map_err(from_sqlite)
}

fn load_existing_repo(tx: &Transaction<'_>, slug: &RepoSlug) -> Result<Repo> {
    load_repo(tx, slug)?
        .ok_or_else(|| StoreError::Conflict(format!("repository {slug} does not exist")))
}

fn place_repo(tx: &Transaction<'_>, placement: &RepoPlacement) -> Result<Repo> {
    let (slug, provenance) = (&placement.slug, &placement.provenance);
    let before = load_repo(tx, slug)?;
    if let Some(present) = &before
        && is_replay(tx, provenance)?
    {
        return Ok(present.clone());
    }
    let mut places = before.as_ref().map(|repo| repo.places.clone());
    let places = places.get_or_insert_default();
    let old = places.get(&placement.machine);
    let new = placement.place.clone();
    let new = new.merge_with(old, placement.is_additional, &placement.missing_checkouts);
    places.insert(placement.machine.clone(), new);
    let was_passive = before.as_ref().is_some_and(|repo| repo.passive);
    let passive = placement.passive.unwrap_or(was_passive);
    if let Some(present) = &before
        && (&present.places, present.passive) == (&*places, passive)
    {
        return Ok(present.clone());
    }
    tx.execute(
        &format!(
            "INSERT INTO repos (slug, passive, places) VALUES (?1, ?2, ?3)
             ON CONFLICT (slug) DO UPDATE
             SET passive = excluded.passive, places = excluded.places, updated_at = {NOW}"
        ),
        params![slug.as_str(), passive, places_to_json(places).to_string()],
    )
    .map_err(from_sqlite)?;
    let after = load_existing_repo(tx, slug)?;
    let kind = if before.is_some() { "changed" } else { "added" };
    let old = before.map_or(Json::Null, |repo| repo.event_facts());
    record_event(
        tx,
        provenance,
        &EventDraft::of_repo(&after.slug, kind, old, after.event_facts()),
    )?;
    Ok(after)
}

fn remove_repo_place(
    tx: &Transaction<'_>,
    slug: &RepoSlug,
    machine: &str,
    provenance: &Provenance,
) -> Result<Repo> {
    let before = load_existing_repo(tx, slug)?;
    if is_replay(tx, provenance)? {
        return Ok(before);
    }
    let mut left = before.clone();
    if left.places.remove(machine).is_none() {
        return Err(StoreError::Conflict(format!(
            "{slug} is not on this machine"
        )));
    }
    let (kind, after) = if left.places.is_empty() {
        tx.execute("DELETE FROM repos WHERE slug = ?1", [slug.as_str()])
            .map_err(from_sqlite)?;
        ("removed", Json::Null)
    } else {
        tx.execute(
            &format!("UPDATE repos SET places = ?2, updated_at = {NOW} WHERE slug = ?1"),
            params![slug.as_str(), places_to_json(&left.places).to_string()],
        )
        .map_err(from_sqlite)?;
        ("changed", left.event_facts())
    };
    record_event(
        tx,
        provenance,
        &EventDraft::of_repo(&before.slug, kind, before.event_facts(), after),
    )?;
    Ok(before)
}

fn find_repo_name(connection: &Connection, identity: &str) -> Result<Option<String>> {
    let sql = "SELECT name FROM repo_names WHERE identity = ?1";
    let found = connection.query_row(sql, [identity], |row| row.get(0));
    found.optional().map_err(from_sqlite)
}

fn name_repo(tx: &Transaction<'_>, naming: &RepoNaming<'_>) -> Result<String> {
    let RepoNaming { identity, name, .. } = naming;
    if let Some(name) = find_repo_name(tx, identity)?.filter(|_| !naming.replaces_name) {
        return Ok(name);
    }
    let holders = list_identities(tx, name)?;
    if !holders.is_empty() && !holders.iter().any(|it| naming.shared_with == Some(it)) {
        return Err(StoreError::Conflict(format!(
            "another repository already has the name {name}"
        )));
    }
    let sql = "INSERT INTO repo_names (identity, name) VALUES (?1, ?2)
         ON CONFLICT (identity) DO UPDATE SET name = excluded.name";
    tx.execute(sql, [identity, name]).map_err(from_sqlite)?;
    Ok((*name).to_owned())
}

fn list_identities(connection: &Connection, name: &str) -> Result<Vec<String>> {
    let sql = "SELECT identity FROM repo_names WHERE name = ?1 ORDER BY identity";
    let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
    let found = statement.query_map([name], |row| row.get(0));
    let found = found.and_then(Iterator::collect);
    found.map_err(from_sqlite)
}

fn rename_repo(
    tx: &Transaction<'_>,
    identity: &str,
    name: &str,
    provenance: &Provenance,
) -> Result<()> {
    let Some(old) = find_repo_name(tx, identity)?.filter(|old| old != name) else {
        return Ok(());
    };
    let sql = "UPDATE repo_names SET name = ?2 WHERE name = ?1";
    tx.execute(sql, [&*old, name]).map_err(from_sqlite)?;
    let sql = "UPDATE work_items SET repo = ?2, last_actor = ?3, last_reason = ?4, last_op = ?5
         WHERE repo = ?1";
    tx.execute(
        sql,
        params![
            old,
            name,
            provenance.actor,
            provenance.reason,
            provenance.op_id
        ],
    )
    .map_err(from_sqlite)?;
    for table in ["claude_sessions", "handoffs"] {
        let sql = format!("UPDATE {table} SET repo = ?2 WHERE repo = ?1");
        tx.execute(&sql, [&*old, name]).map_err(from_sqlite)?;
    }
    Ok(())
}

fn update_repo_state(
    tx: &Transaction<'_>,
    slug: &RepoSlug,
    state: &RepoState,
    provenance: &Provenance,
) -> Result<Repo> {
    let before = load_existing_repo(tx, slug)?;
    let head = &state.head;
    let is_unchanged = before.state.as_ref().is_some_and(|old| {
        (&old.source_digest, &old.digest) == (&head.source_digest, &head.digest)
    });
    if is_unchanged || is_replay(tx, provenance)? {
        return Ok(before);
    }
    tx.execute(
        &format!(
            "UPDATE repos SET synced_at = {NOW}, synced_by = ?2, source_digest = ?3, digest = ?4,
                 redacted = ?5, summary = ?6, content = ?7
             WHERE slug = ?1"
        ),
        params![
            slug.as_str(),
            provenance.actor,
            head.source_digest,
            head.digest,
            i64::try_from(head.redacted).unwrap_or(i64::MAX),
            head.summary,
            state.content,
        ],
    )
    .map_err(from_sqlite)?;
    let after = load_existing_repo(tx, slug)?;
    let facts = |repo: &Repo| {
        repo.state
            .as_ref()
            .map_or(Json::Null, StateHead::event_facts)
    };
    let draft = EventDraft::of_repo(&after.slug, "state", facts(&before), facts(&after));
    record_event(tx, provenance, &draft)?;
    Ok(after)
}

fn load_repo_state(connection: &Connection, slug: &RepoSlug) -> Result<Option<RepoState>> {
    let sql = format!("SELECT {STATE_HEAD_COLUMNS}, content FROM repos WHERE slug = ?1");
    let found = connection.query_row(&sql, [slug.as_str()], |row| {
        let Some(head) = state_head_from_row(row, 0)? else {
            return Ok(None);
        };
        let content = row.get(6)?;
        Ok(Some(RepoState { head, content }))
    });
    found.optional().map(Option::flatten).map_err(from_sqlite)
}
