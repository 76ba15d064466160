//! Tokens by which others call a hub, and who called by which.

use serde_json::Value as Json;

use super::NOW;
use super::engine::{Tx, args};
use super::events::record_event;
use super::row::Row;
use super::statement::{columns, joined, statements};
use crate::model::{AccessToken, EventKind, TokenName};
use crate::store::event_draft::EventDraft;
use crate::store::{Caller, NewToken, Provenance, Result, StoreError};

/// The hexadecimal digits of a SHA-256.
const DIGEST_DIGITS: usize = 64;

columns! {
    /// The columns of a token; the digest is never read back.
    enum TokenColumn {
        Name = "name",
        Role = "role",
        CreatedAt = "created_at",
        CreatedBy = "created_by",
        RevokedAt = "revoked_at",
        RevokedBy = "revoked_by",
    }
}

const SELECT_TOKEN: &str = joined!("SELECT ", TokenColumn::SQL, " FROM access_tokens ");

statements! {
    LIST_TOKENS() = @for_hub SELECT_TOKEN, "ORDER BY name";
    LOAD_TOKEN(text) = @for_hub SELECT_TOKEN, "WHERE name = ?1";
    FIND_TOKEN(text) = @for_hub SELECT_TOKEN, "WHERE digest = ?1 AND revoked_at IS NULL";
    INSERT_TOKEN(text, text, text, text) = @for_hub
        "INSERT INTO access_tokens (name, role, digest, created_by)
         SELECT ?1, ?2, ?3, ?4
         WHERE NOT EXISTS (SELECT 1 FROM access_tokens WHERE digest = ?3)
         ON CONFLICT (name) DO NOTHING";
    REVOKE_TOKEN(text, text) = @for_hub
        "UPDATE access_tokens SET revoked_at = ", NOW, ", revoked_by = ?2
         WHERE name = ?1 AND revoked_at IS NULL";
    INSERT_CALLER(text, text) = @for_hub
        "INSERT INTO callers (op_id, name) VALUES (?1, ?2) ON CONFLICT (op_id) DO NOTHING";
}

fn token_from_row(row: &dyn Row) -> Result<AccessToken> {
    Ok(AccessToken {
        name: row.get(TokenColumn::Name)?,
        role: row.get(TokenColumn::Role)?,
        created_at: row.get(TokenColumn::CreatedAt)?,
        created_by: row.get(TokenColumn::CreatedBy)?,
        revoked_at: row.get(TokenColumn::RevokedAt)?,
        revoked_by: row.get(TokenColumn::RevokedBy)?,
    })
}

pub(super) fn list_tokens(tx: &mut impl Tx) -> Result<Vec<AccessToken>> {
    tx.rows(&LIST_TOKENS, args![], token_from_row)
}

pub(super) fn find_token(tx: &mut impl Tx, digest: &str) -> Result<Option<AccessToken>> {
    tx.row(&FIND_TOKEN, args![digest], token_from_row)
}

fn load_existing_token(tx: &mut impl Tx, name: &TokenName) -> Result<AccessToken> {
    let token = tx.row(&LOAD_TOKEN, args![name], token_from_row)?;
    token.ok_or_else(|| StoreError::invalid(format!("no token has the name {name}")))
}

pub(super) fn create_token(
    tx: &mut impl Tx,
    new: &NewToken,
    provenance: &Provenance,
) -> Result<AccessToken> {
    check_digest(&new.digest)?;
    if tx.is_replay(provenance)? {
        return load_existing_token(tx, &new.name);
    }
    tx.change(
        &INSERT_TOKEN,
        args![new.name, new.role.as_str(), new.digest, provenance.actor],
        // A revoked one keeps its name, which the log tells who did something by.
        || StoreError::denied(format!("a token has or had the name {}, or is the same", new.name)),
    )?;
    let token = load_existing_token(tx, &new.name)?;
    let facts = token.event_facts();
    let draft = EventDraft::of_token(&token, EventKind::Created, Json::Null, facts);
    record_event(tx, provenance, &draft)?;
    Ok(token)
}

/// What is no digest would be found by whoever sends the same text as a token.
fn check_digest(digest: &str) -> Result<()> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if digest.len() == DIGEST_DIGITS && digest.bytes().all(is_digit) {
        return Ok(());
    }
    Err(StoreError::invalid("the digest of a token is 64 hexadecimal digits"))
}

pub(super) fn revoke_token(
    tx: &mut impl Tx,
    name: &TokenName,
    provenance: &Provenance,
) -> Result<AccessToken> {
    let before = load_existing_token(tx, name)?;
    if before.revoked_at.is_some() || tx.is_replay(provenance)? {
        return Ok(before);
    }
    tx.change(&REVOKE_TOKEN, args![name, provenance.actor], || {
        StoreError::Conflict(format!("the token {name} was revoked meanwhile"))
    })?;
    let token = load_existing_token(tx, name)?;
    let (before, after) = (before.event_facts(), token.event_facts());
    record_event(tx, provenance, &EventDraft::of_token(&token, EventKind::Revoked, before, after))?;
    Ok(token)
}

pub(super) fn record_callers(tx: &mut impl Tx, callers: &[Caller]) -> Result<()> {
    for caller in callers {
        tx.execute(&INSERT_CALLER, args![caller.op_id, caller.name])?;
    }
    Ok(())
}
