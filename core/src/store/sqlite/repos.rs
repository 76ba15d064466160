//! Repositories and their states.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde_json::Value as Json;

use super::errors::from_sqlite;
use super::events::record;
use super::{NOW, SqliteStore, rows, was_done};
use crate::model::{Repo, RepoSlug, RepoState, StateHead, places_json, places_of};
use crate::store::news::News;
use crate::store::{Placement, Provenance, RepoNaming, RepoStore, Result, StoreError};

impl RepoStore for SqliteStore {
    fn repos(&mut self) -> Result<Vec<Repo>> {
        list(&self.connection)
    }

    fn place_repo(&mut self, placement: &Placement) -> Result<Repo> {
        self.write(|tx| place(tx, placement))
    }

    fn displace_repo(
        &mut self,
        slug: &RepoSlug,
        machine: &str,
        provenance: &Provenance,
    ) -> Result<Repo> {
        self.write(|tx| displace(tx, slug, machine, provenance))
    }

    fn put_repo_state(
        &mut self,
        slug: &RepoSlug,
        state: &RepoState,
        provenance: &Provenance,
    ) -> Result<Repo> {
        self.write(|tx| put_state(tx, slug, state, provenance))
    }

    fn repo_name(&mut self, identity: &str) -> Result<Option<String>> {
        name_of(&self.connection, identity)
    }

    fn repo_identities(&mut self, name: &str) -> Result<Vec<String>> {
        identities_of(&self.connection, name)
    }

    fn name_repo(&mut self, naming: &RepoNaming<'_>) -> Result<String> {
        self.write(|tx| give_name(tx, naming))
    }

    fn rename_repo(&mut self, identity: &str, name: &str, provenance: &Provenance) -> Result<()> {
        self.write(|tx| rename(tx, identity, name, provenance))
    }

    fn repo_state(&mut self, slug: &RepoSlug) -> Result<Option<RepoState>> {
        state(&self.connection, slug)
    }
}

/// The columns [`head`] reads, from the first on.
const HEAD: &str = "synced_at, synced_by, source_digest, digest, redacted, summary";

/// The columns [`repo`] reads.
const REPO: &str = "slug, passive, places, created_at, updated_at";

fn head(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<StateHead>> {
    let Some(synced_at) = rows::optional(row, first)? else {
        return Ok(None);
    };
    Ok(Some(StateHead {
        synced_at,
        synced_by: row.get(first + 1)?,
        source_digest: row.get(first + 2)?,
        digest: row.get(first + 3)?,
        redacted: rows::count(row, first + 4)?,
        summary: row.get(first + 5)?,
    }))
}

fn repo(row: &Row<'_>) -> rusqlite::Result<Repo> {
    let places: Json = rows::json(row, 2)?;
    Ok(Repo {
        slug: rows::parsed(row, 0)?,
        passive: row.get(1)?,
        places: places_of(&places),
        created_at: rows::time(row, 3)?,
        updated_at: rows::time(row, 4)?,
        state: head(row, 5)?,
    })
}

fn list(connection: &Connection) -> Result<Vec<Repo>> {
    let sql = format!("SELECT {REPO}, {HEAD} FROM repos ORDER BY slug");
    let mut statement = connection.prepare(&sql).map_err(from_sqlite)?;
    statement
        .query_map([], repo)
        .and_then(Iterator::collect)
        .map_err(from_sqlite)
}

fn load(tx: &Transaction<'_>, slug: &RepoSlug) -> Result<Option<Repo>> {
    let sql = format!("SELECT {REPO}, {HEAD} FROM repos WHERE slug = ?1");
    tx.query_row(&sql, [slug.as_str()], repo)
        .optional()
        .map_err(from_sqlite)
}

fn existing(tx: &Transaction<'_>, slug: &RepoSlug) -> Result<Repo> {
    load(tx, slug)?.ok_or_else(|| StoreError::Conflict(format!("no repository {slug}")))
}

fn place(tx: &Transaction<'_>, placement: &Placement) -> Result<Repo> {
    let (slug, by) = (&placement.slug, &placement.provenance);
    let before = load(tx, slug)?;
    if let Some(present) = &before
        && was_done(tx, by)?
    {
        return Ok(present.clone());
    }
    let mut places = before.as_ref().map(|repo| repo.places.clone());
    let places = places.get_or_insert_default();
    let old = places.get(&placement.machine);
    let new = placement.place.clone();
    let new = new.after(old, placement.is_further, &placement.gone);
    places.insert(placement.machine.clone(), new);
    let was = before.as_ref().is_some_and(|repo| repo.passive);
    let passive = placement.passive.unwrap_or(was);
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
        params![slug.as_str(), passive, places_json(places).to_string()],
    )
    .map_err(from_sqlite)?;
    let after = existing(tx, slug)?;
    let kind = if before.is_some() { "changed" } else { "added" };
    let old = before.map_or(Json::Null, |repo| repo.facts());
    record(
        tx,
        by,
        &News::of_repo(&after.slug, kind, old, after.facts()),
    )?;
    Ok(after)
}

fn displace(tx: &Transaction<'_>, slug: &RepoSlug, machine: &str, by: &Provenance) -> Result<Repo> {
    let before = existing(tx, slug)?;
    if was_done(tx, by)? {
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
            params![slug.as_str(), places_json(&left.places).to_string()],
        )
        .map_err(from_sqlite)?;
        ("changed", left.facts())
    };
    record(
        tx,
        by,
        &News::of_repo(&before.slug, kind, before.facts(), after),
    )?;
    Ok(before)
}

fn name_of(connection: &Connection, identity: &str) -> Result<Option<String>> {
    let sql = "SELECT name FROM repo_names WHERE identity = ?1";
    let found = connection.query_row(sql, [identity], |row| row.get(0));
    found.optional().map_err(from_sqlite)
}

fn give_name(tx: &Transaction<'_>, naming: &RepoNaming<'_>) -> Result<String> {
    let RepoNaming { identity, name, .. } = naming;
    if let Some(name) = name_of(tx, identity)?.filter(|_| !naming.anew) {
        return Ok(name);
    }
    let holders = identities_of(tx, name)?;
    if !holders.is_empty() && !holders.iter().any(|it| naming.beside == Some(it)) {
        return Err(StoreError::Conflict(format!(
            "another repository already has the name {name}"
        )));
    }
    let sql = "INSERT INTO repo_names (identity, name) VALUES (?1, ?2)
         ON CONFLICT (identity) DO UPDATE SET name = excluded.name";
    tx.execute(sql, [identity, name]).map_err(from_sqlite)?;
    Ok((*name).to_owned())
}

fn identities_of(connection: &Connection, name: &str) -> Result<Vec<String>> {
    let sql = "SELECT identity FROM repo_names WHERE name = ?1 ORDER BY identity";
    let mut statement = connection.prepare_cached(sql).map_err(from_sqlite)?;
    let found = statement.query_map([name], |row| row.get(0));
    let found = found.and_then(Iterator::collect);
    found.map_err(from_sqlite)
}

fn rename(tx: &Transaction<'_>, identity: &str, name: &str, by: &Provenance) -> Result<()> {
    let Some(old) = name_of(tx, identity)?.filter(|old| old != name) else {
        return Ok(());
    };
    let sql = "UPDATE repo_names SET name = ?2 WHERE name = ?1";
    tx.execute(sql, [&*old, name]).map_err(from_sqlite)?;
    let sql = "UPDATE work_items SET repo = ?2, last_actor = ?3, last_reason = ?4, last_op = ?5
         WHERE repo = ?1";
    tx.execute(sql, params![old, name, by.actor, by.reason, by.op_id])
        .map_err(from_sqlite)?;
    for table in ["claude_sessions", "handoffs"] {
        let sql = format!("UPDATE {table} SET repo = ?2 WHERE repo = ?1");
        tx.execute(&sql, [&*old, name]).map_err(from_sqlite)?;
    }
    Ok(())
}

fn put_state(
    tx: &Transaction<'_>,
    slug: &RepoSlug,
    state: &RepoState,
    by: &Provenance,
) -> Result<Repo> {
    let before = existing(tx, slug)?;
    let head = &state.head;
    let same = before.state.as_ref().is_some_and(|old| {
        (&old.source_digest, &old.digest) == (&head.source_digest, &head.digest)
    });
    if same || was_done(tx, by)? {
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
            by.actor,
            head.source_digest,
            head.digest,
            i64::try_from(head.redacted).unwrap_or(i64::MAX),
            head.summary,
            state.content,
        ],
    )
    .map_err(from_sqlite)?;
    let after = existing(tx, slug)?;
    let facts = |repo: &Repo| repo.state.as_ref().map_or(Json::Null, StateHead::facts);
    let news = News::of_repo(&after.slug, "state", facts(&before), facts(&after));
    record(tx, by, &news)?;
    Ok(after)
}

fn state(connection: &Connection, slug: &RepoSlug) -> Result<Option<RepoState>> {
    let sql = format!("SELECT {HEAD}, content FROM repos WHERE slug = ?1");
    let found = connection.query_row(&sql, [slug.as_str()], |row| {
        let Some(head) = head(row, 0)? else {
            return Ok(None);
        };
        let content = row.get(6)?;
        Ok(Some(RepoState { head, content }))
    });
    found.optional().map(Option::flatten).map_err(from_sqlite)
}
