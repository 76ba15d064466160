//! Repositories and their states.

use serde_json::Value as Json;

use super::NOW;
use super::engine::{Tx, args};
use super::events::record_event;
use super::row::Row;
use super::statement::{Column, columns, joined, statements};
use crate::model::EventKind;
use crate::model::{Repo, RepoSlug, RepoState, StateSummary, parse_places, places_to_json};
use crate::store::event_draft::EventDraft;
use crate::store::{Provenance, RepoNaming, RepoPlacement, Result, StoreError};

columns! {
    /// The columns of a repository; those of its state's head follow.
    enum RepoColumn {
        Slug = "slug",
        Passive = "passive",
        Places = "places",
        CreatedAt = "created_at",
        UpdatedAt = "updated_at",
        SyncedAt = "synced_at",
        _SyncedBy = "synced_by",
        _SourceDigest = "source_digest",
        _Digest = "digest",
        _Redacted = "redacted",
        _Summary = "summary",
    }
}

columns! {
    /// The columns of a repository's state.
    enum StateColumn {
        SyncedAt = "synced_at",
        SyncedBy = "synced_by",
        SourceDigest = "source_digest",
        Digest = "digest",
        Redacted = "redacted",
        Summary = "summary",
        Content = "content",
    }
}

const SELECT_REPO: &str = joined!("SELECT ", RepoColumn::SQL, " FROM repos ");
const SET_PLACES: &str = joined!("UPDATE repos SET places = ?2, updated_at = ", NOW, " ");
const SET_STATE: &str = joined!(
    "UPDATE repos SET synced_at = ",
    NOW,
    ", synced_by = ?2, source_digest = ?3, digest = ?4, redacted = ?5, summary = ?6, content = ?7 "
);

/// SQLite's column itself ignores the case of a name; PostgreSQL compares what its index holds.
const IS_SLUG: &str = "WHERE nocase(slug) = nocase(?1)";

statements! {
    LIST_REPOS() = SELECT_REPO, "ORDER BY slug" => postgres SELECT_REPO, "ORDER BY nocase(slug)";
    LOAD_REPO(text) = @repeated SELECT_REPO, "WHERE slug = ?1" => postgres SELECT_REPO, IS_SLUG;
    LOAD_REPO_STATE(text) = "SELECT ", StateColumn::SQL, " FROM repos WHERE slug = ?1"
        => postgres "SELECT ", StateColumn::SQL, " FROM repos ", IS_SLUG;

    UPSERT_REPO(text, int, text) =
        "INSERT INTO repos (slug, passive, places) VALUES (?1, ?2, ?3)
         ON CONFLICT (slug) DO UPDATE
         SET passive = excluded.passive, places = excluded.places, updated_at = ", NOW
        => postgres
        "INSERT INTO repos (slug, passive, places) VALUES (?1, ?2, ?3)
         ON CONFLICT (nocase(slug)) DO UPDATE
         SET passive = excluded.passive, places = excluded.places, updated_at = ", NOW;
    DELETE_REPO(text) =
        "DELETE FROM repos WHERE slug = ?1" => postgres "DELETE FROM repos ", IS_SLUG;
    UPDATE_REPO_PLACES(text, text) =
        SET_PLACES, "WHERE slug = ?1" => postgres SET_PLACES, IS_SLUG;
    UPDATE_REPO_STATE(text, text, text, text, int, text, text) =
        SET_STATE, "WHERE slug = ?1" => postgres SET_STATE, IS_SLUG;

    FIND_REPO_NAME(text) = "SELECT name FROM repo_names WHERE identity = ?1";
    LIST_REPO_IDENTITIES(text) = @repeated
        "SELECT identity FROM repo_names WHERE name = ?1 ORDER BY identity"
        => postgres
        "SELECT identity FROM repo_names WHERE nocase(name) = nocase(?1) ORDER BY identity";
    UPSERT_REPO_NAME(text, text) =
        "INSERT INTO repo_names (identity, name) VALUES (?1, ?2)
         ON CONFLICT (identity) DO UPDATE SET name = excluded.name";
    RENAME_REPO(text, text) = "UPDATE repo_names SET name = ?2 WHERE name = ?1"
        => postgres "UPDATE repo_names SET name = ?2 WHERE nocase(name) = nocase(?1)";
    RENAME_REPO_OF_ITEMS(text, text, text, text, text) =
        "UPDATE work_items SET repo = ?2, last_actor = ?3, last_reason = ?4, last_op = ?5
         WHERE repo = ?1";
    RENAME_REPO_OF_SESSIONS(text, text) = "UPDATE claude_sessions SET repo = ?2 WHERE repo = ?1";
    RENAME_REPO_OF_HANDOFFS(text, text) = "UPDATE handoffs SET repo = ?2 WHERE repo = ?1";
}

/// Reads the head of a state, from the column of its time on.
fn state_head_from_row(row: &dyn Row, first: impl Column) -> Result<Option<StateSummary>> {
    let first = first.place();
    let Some(synced_at) = row.get(first)? else {
        return Ok(None);
    };
    let column = |column: StateColumn| first + column as usize;
    Ok(Some(StateSummary {
        synced_at,
        synced_by: row.get(column(StateColumn::SyncedBy))?,
        source_digest: row.get(column(StateColumn::SourceDigest))?,
        digest: row.get(column(StateColumn::Digest))?,
        redacted: row.get(column(StateColumn::Redacted))?,
        summary: row.get(column(StateColumn::Summary))?,
    }))
}

fn repo_from_row(row: &dyn Row) -> Result<Repo> {
    let places: Json = row.json(RepoColumn::Places)?;
    Ok(Repo {
        slug: row.get(RepoColumn::Slug)?,
        passive: row.get(RepoColumn::Passive)?,
        places: parse_places(&places),
        created_at: row.get(RepoColumn::CreatedAt)?,
        updated_at: row.get(RepoColumn::UpdatedAt)?,
        state: state_head_from_row(row, RepoColumn::SyncedAt)?,
    })
}

pub(super) fn list_repos(tx: &mut impl Tx) -> Result<Vec<Repo>> {
    tx.rows(&LIST_REPOS, args![], repo_from_row)
}

/// Says that the repositories will be listed.
pub(super) fn prefetch_repos(tx: &mut impl Tx) {
    tx.prefetch(&LIST_REPOS, args![]);
}

fn load_repo(tx: &mut impl Tx, slug: &RepoSlug) -> Result<Option<Repo>> {
    tx.row(&LOAD_REPO, args![slug], repo_from_row)
}

fn load_existing_repo(tx: &mut impl Tx, slug: &RepoSlug) -> Result<Repo> {
    let repo = load_repo(tx, slug)?;
    repo.ok_or_else(|| StoreError::Conflict(format!("repository {slug} does not exist")))
}

pub(super) fn place_repo(tx: &mut impl Tx, placement: &RepoPlacement) -> Result<Repo> {
    let (slug, provenance) = (&placement.slug, &placement.provenance);
    let before = load_repo(tx, slug)?;
    if let Some(present) = &before
        && tx.is_replay(provenance)?
    {
        return Ok(present.clone());
    }
    let mut places = before.as_ref().map(|repo| repo.places.clone()).unwrap_or_default();
    let old = places.get(&placement.machine);
    let new = placement.place.clone();
    let new = new.merge_with(old, placement.is_additional, &placement.missing_checkouts);
    places.insert(placement.machine.clone(), new);
    let was_passive = before.as_ref().is_some_and(|repo| repo.passive);
    let passive = placement.passive.unwrap_or(was_passive);
    if let Some(present) = &before
        && present.places == places
        && present.passive == passive
    {
        return Ok(present.clone());
    }
    let json = places_to_json(&places).to_string();
    tx.execute(&UPSERT_REPO, args![slug, passive, json])?;
    let after = load_existing_repo(tx, slug)?;
    let kind = if before.is_some() { EventKind::Changed } else { EventKind::Added };
    let old = before.map_or(Json::Null, |repo| repo.event_facts());
    let draft = EventDraft::of_repo(&after.slug, kind, old, after.event_facts());
    record_event(tx, provenance, &draft)?;
    Ok(after)
}

pub(super) fn remove_repo_place(
    tx: &mut impl Tx,
    slug: &RepoSlug,
    machine: &str,
    provenance: &Provenance,
) -> Result<Repo> {
    let before = load_existing_repo(tx, slug)?;
    if tx.is_replay(provenance)? {
        return Ok(before);
    }
    let mut left = before.clone();
    if left.places.remove(machine).is_none() {
        return Err(StoreError::Conflict(format!("{slug} is not on this machine")));
    }
    let (kind, after) = if left.places.is_empty() {
        tx.execute(&DELETE_REPO, args![slug])?;
        (EventKind::Removed, Json::Null)
    } else {
        let json = places_to_json(&left.places).to_string();
        tx.execute(&UPDATE_REPO_PLACES, args![slug, json])?;
        (EventKind::Changed, left.event_facts())
    };
    let draft = EventDraft::of_repo(&before.slug, kind, before.event_facts(), after);
    record_event(tx, provenance, &draft)?;
    Ok(before)
}

pub(super) fn find_repo_name(tx: &mut impl Tx, identity: &str) -> Result<Option<String>> {
    tx.row(&FIND_REPO_NAME, args![identity], |row| row.get(0))
}

/// Says that the name of an identity will be looked up.
pub(super) fn prefetch_repo_name(tx: &mut impl Tx, identity: &str) {
    tx.prefetch(&FIND_REPO_NAME, args![identity]);
}

/// Says that the identities of a name will be listed.
pub(super) fn prefetch_identities(tx: &mut impl Tx, name: &str) {
    tx.prefetch(&LIST_REPO_IDENTITIES, args![name]);
}

pub(super) fn name_repo(tx: &mut impl Tx, naming: &RepoNaming) -> Result<String> {
    let RepoNaming { identity, name, .. } = naming;
    tx.prefetch(&LIST_REPO_IDENTITIES, args![name]);
    if let Some(name) = find_repo_name(tx, identity)?.filter(|_| !naming.replaces_name) {
        return Ok(name);
    }
    let holders = list_identities(tx, name)?;
    let is_shared = |holder: &String| naming.shared_with.as_ref() == Some(holder);
    if !holders.is_empty() && !holders.iter().any(is_shared) {
        return Err(StoreError::Conflict(format!(
            "another repository already has the name {name}"
        )));
    }
    tx.execute(&UPSERT_REPO_NAME, args![identity, name])?;
    Ok(name.clone())
}

pub(super) fn list_identities(tx: &mut impl Tx, name: &str) -> Result<Vec<String>> {
    tx.rows(&LIST_REPO_IDENTITIES, args![name], |row| row.get(0))
}

pub(super) fn rename_repo(
    tx: &mut impl Tx,
    identity: &str,
    name: &str,
    provenance: &Provenance,
) -> Result<()> {
    let Some(old) = find_repo_name(tx, identity)?.filter(|old| old != name) else {
        return Ok(());
    };
    tx.execute(&RENAME_REPO, args![old, name])?;
    tx.execute(
        &RENAME_REPO_OF_ITEMS,
        args![old, name, provenance.actor, provenance.reason, provenance.op_id,],
    )?;
    tx.execute(&RENAME_REPO_OF_SESSIONS, args![old, name])?;
    tx.execute(&RENAME_REPO_OF_HANDOFFS, args![old, name])?;
    Ok(())
}

pub(super) fn update_repo_state(
    tx: &mut impl Tx,
    slug: &RepoSlug,
    state: &RepoState,
    provenance: &Provenance,
) -> Result<Repo> {
    let before = load_existing_repo(tx, slug)?;
    let head = &state.head;
    let is_unchanged = before.state.as_ref().is_some_and(|old| {
        (&old.source_digest, &old.digest) == (&head.source_digest, &head.digest)
    });
    if is_unchanged || tx.is_replay(provenance)? {
        return Ok(before);
    }
    tx.execute(
        &UPDATE_REPO_STATE,
        args![
            slug,
            provenance.actor,
            head.source_digest,
            head.digest,
            i64::try_from(head.redacted).unwrap_or(i64::MAX),
            head.summary,
            state.content,
        ],
    )?;
    let after = load_existing_repo(tx, slug)?;
    let facts = |repo: &Repo| repo.state.as_ref().map_or(Json::Null, StateSummary::event_facts);
    let draft = EventDraft::of_repo(&after.slug, EventKind::State, facts(&before), facts(&after));
    record_event(tx, provenance, &draft)?;
    Ok(after)
}

pub(super) fn load_repo_state(tx: &mut impl Tx, slug: &RepoSlug) -> Result<Option<RepoState>> {
    let state = tx.row(&LOAD_REPO_STATE, args![slug], |row| {
        let Some(head) = state_head_from_row(row, StateColumn::SyncedAt)? else {
            return Ok(None);
        };
        let content = row.get(StateColumn::Content)?;
        Ok(Some(RepoState { head, content }))
    })?;
    Ok(state.flatten())
}
