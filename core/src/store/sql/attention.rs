//! What needs a person.

use std::borrow::Cow;

use serde_json::{Value as Json, json};

use super::NOW;
use super::engine::{Tx, args};
use super::events::record_event;
use super::row::Row;
use super::statement::{columns, joined, statements};
use super::stored_text::{stored_json, stored_optional_text, stored_text};
use crate::model::{Attention, AttentionId, EventKind, NewAttention};
use crate::store::event_draft::EventDraft;
use crate::store::{AttentionFilter, Provenance, Result, StoreError};
use crate::text;

columns! {
    /// The columns of what needs a person.
    enum AttentionColumn {
        Id = "id",
        Kind = "kind",
        Session = "session",
        Item = "item",
        Repo = "repo",
        Host = "host",
        Line = "line",
        Command = "command",
        Content = "content",
        RaisedAt = "raised_at",
        EndedAt = "ended_at",
        EndedBy = "ended_by",
        EndedReason = "ended_reason",
    }
}

const SELECT_ATTENTION: &str = joined!("SELECT ", AttentionColumn::SQL, " FROM attention ");
const LIST_CONDITIONS: &str = "(?1 IS NULL OR kind IN (SELECT value FROM json_each(?1))) \
     AND (?2 IS NULL OR session = ?2) ORDER BY raised_at, id LIMIT ?3";

statements! {
    LIST_ATTENTION(text, text, int) = SELECT_ATTENTION, "WHERE ", LIST_CONDITIONS;
    LIST_OPEN_ATTENTION(text, text, int) =
        SELECT_ATTENTION, "WHERE ended_at IS NULL AND ", LIST_CONDITIONS;
    LOAD_ATTENTION(text) = @repeated SELECT_ATTENTION, "WHERE id = ?1";

    /// One that is open keeps the time at which it was raised.
    PUT_ATTENTION(text, text, text, text, text, text, text, text, text) = @repeated
        "INSERT INTO attention (id, kind, session, item, repo, host, line, command, content)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (id) DO UPDATE
         SET kind = excluded.kind, session = excluded.session, item = excluded.item,
             repo = excluded.repo, host = excluded.host, line = excluded.line,
             command = excluded.command, content = excluded.content,
             raised_at = CASE WHEN attention.ended_at IS NULL THEN attention.raised_at
                              ELSE ", NOW, " END,
             ended_at = NULL, ended_by = NULL, ended_reason = NULL";
    END_ATTENTION(text, text, text) = @repeated
        "UPDATE attention SET ended_at = ", NOW, ", ended_by = ?2, ended_reason = ?3
         WHERE id = ?1 AND ended_at IS NULL";
}

pub(super) fn attention_from_row(row: &dyn Row) -> Result<Attention> {
    let content: Option<String> = row.get(AttentionColumn::Content)?;
    Ok(Attention {
        id: row.get(AttentionColumn::Id)?,
        kind: row.get(AttentionColumn::Kind)?,
        session: row.get(AttentionColumn::Session)?,
        item: row.get(AttentionColumn::Item)?,
        repo: row.get(AttentionColumn::Repo)?,
        host: row.get(AttentionColumn::Host)?,
        line: row.get(AttentionColumn::Line)?,
        command: row.get(AttentionColumn::Command)?,
        content: content
            .and_then(|content| text::lenient_json::from_str(&content).ok())
            .unwrap_or(Json::Null),
        raised_at: row.get(AttentionColumn::RaisedAt)?,
        ended_at: row.get(AttentionColumn::EndedAt)?,
        ended_by: row.get(AttentionColumn::EndedBy)?,
        ended_reason: row.get(AttentionColumn::EndedReason)?,
    })
}

pub(super) fn list_attention(tx: &mut impl Tx, filter: &AttentionFilter) -> Result<Vec<Attention>> {
    let statement = if filter.only_open { &LIST_OPEN_ATTENTION } else { &LIST_ATTENTION };
    let kinds = (!filter.kinds.is_empty()).then(|| json!(filter.kinds).to_string());
    let limit = if filter.limit == 0 { i64::MAX } else { i64::from(filter.limit) };
    tx.rows(statement, args![kinds, filter.session, limit], attention_from_row)
}

pub(super) fn load_attention(tx: &mut impl Tx, id: &AttentionId) -> Result<Option<Attention>> {
    tx.row(&LOAD_ATTENTION, args![id], attention_from_row)
}

/// What is stored of a report: without secrets, and no more than has room.
struct StoredReport<'a> {
    line: Cow<'a, str>,
    command: Option<Cow<'a, str>>,
    content: Option<String>,
}

impl<'a> StoredReport<'a> {
    fn of(new: &'a NewAttention) -> Self {
        let cut = |text: &'a str, most: usize| match text.char_indices().nth(most) {
            Some((end, _)) => &text[..end],
            None => text,
        };
        let command = new.command.as_deref().map(|it| cut(it, NewAttention::MAX_COMMAND_CHARS));
        Self {
            line: stored_text(cut(&new.line, NewAttention::MAX_LINE_CHARS)),
            command: stored_optional_text(command.as_ref()).map(|it| Cow::Owned(it.into_owned())),
            content: (!new.content.is_null())
                .then(|| stored_json(&new.content))
                .filter(|content| content.len() <= NewAttention::MAX_CONTENT_BYTES),
        }
    }

    /// Whether it says the same as what is stored.
    fn is_in(&self, found: &Attention, new: &NewAttention) -> bool {
        let content = self.content.as_deref().and_then(|it| serde_json::from_str(it).ok());
        found.kind == new.kind
            && found.session == new.session
            && found.item == new.item
            && found.repo == new.repo
            && found.host == new.host
            && found.line == self.line
            && found.command.as_deref() == self.command.as_deref()
            && found.content == content.unwrap_or(Json::Null)
    }
}

pub(super) fn raise_attention(
    tx: &mut impl Tx,
    new: &NewAttention,
    provenance: &Provenance,
) -> Result<()> {
    let report = StoredReport::of(new);
    let before = load_attention(tx, &new.id)?.filter(Attention::is_open);
    if before.as_ref().is_some_and(|found| report.is_in(found, new)) || tx.is_replay(provenance)? {
        return Ok(());
    }
    let StoredReport { line, command, content } = report;
    tx.execute(
        &PUT_ATTENTION,
        args![
            new.id,
            new.kind.as_str(),
            new.session,
            new.item,
            new.repo,
            new.host,
            line,
            command,
            content,
        ],
    )?;
    let kind = if before.is_some() { EventKind::Changed } else { EventKind::Raised };
    let stored = NewAttention {
        line: line.into_owned(),
        command: command.map(Cow::into_owned),
        content: Json::Null,
        ..new.clone()
    };
    record_event(tx, provenance, &EventDraft::of_attention(kind, before.as_ref(), &stored))
}

pub(super) fn end_attention(
    tx: &mut impl Tx,
    id: &AttentionId,
    provenance: &Provenance,
) -> Result<()> {
    let Some(before) = load_attention(tx, id)?.filter(Attention::is_open) else {
        return Ok(());
    };
    if tx.is_replay(provenance)? {
        return Ok(());
    }
    let args = args![id, provenance.actor, provenance.reason];
    tx.change(&END_ATTENTION, args, || StoreError::Conflict(format!("{id} ended meanwhile")))?;
    record_event(tx, provenance, &EventDraft::of_settled(&before))
}
