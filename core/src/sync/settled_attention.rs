//! Ending what needs a person from any machine, by the copy that the database has of it.

use std::time::Duration;

use serde_json::Map;

use super::push_with_retry::{PushOutcome, RetriedPush, push_with_retry};
use crate::deadline::Deadline;
use crate::model::{Attention, AttentionKind, Session, SessionStatus, StateField};
use crate::outbox::{JournalEntry, RefusedWrite};
use crate::settings::DEFAULT_LEASE_SECONDS;
use crate::store::{DeliveryOutcome, DeliverySource, Provenance, Result, Store, StoreError};

/// How long one write may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a restored edit did.
#[derive(Debug)]
pub struct RestoredEdit {
    /// The entry of the journal.
    pub entry: JournalEntry,
    /// The session before, where the edit changed it.
    pub before: Option<Session>,
    /// The session now.
    pub session: Session,
}

/// Applies a rejected edit to the present state of its session, and ends what tells of it. The item
/// that a session holds changes only by a claim, so that is left out.
///
/// # Errors
///
/// [`StoreError::Invalid`] when it is no entry of a journal, or its session is not there;
/// [`StoreError::Denied`] when that has ended; [`StoreError::Conflict`] when it lost its item
/// meanwhile; otherwise what the store says.
pub fn restore_journal_entry(
    store: &mut dyn Store,
    attention: &Attention,
    provenance: &Provenance,
) -> Result<RestoredEdit> {
    let entry: JournalEntry = read_content(attention, AttentionKind::JournalEntry)?;
    let id = &entry.lost.session;
    let session = store.load_session(id)?;
    let session = session.ok_or_else(|| StoreError::invalid(format!("no session {id}")))?;
    if session.status == SessionStatus::Ended {
        return Err(StoreError::denied(format!("session {id} has ended")));
    }
    let mut changes = entry.lost.fields.clone();
    changes.remove(&StateField::Item);
    let request = RetriedPush {
        changes,
        metadata: Map::new(),
        branch: None,
        mark: None,
        acknowledge: false,
        provenance: provenance.clone(),
    };
    let (before, session) = match push_with_retry(store, session, &request)? {
        PushOutcome::Done { before, after } => (Some(*before), *after),
        PushOutcome::InPlace(session) => (None, *session),
        PushOutcome::ClaimLost(session) => {
            return Err(StoreError::Conflict(format!("session {} lost its item", session.id)));
        }
    };
    end_as(store, attention, provenance, "restored")?;
    Ok(RestoredEdit { entry, before, session })
}

/// Sends a write that was refused once more, and ends what tells of it. One that comes too late by
/// now is told of as an entry of the journal.
///
/// # Errors
///
/// [`StoreError::Invalid`] when it is no refused write; [`StoreError::Denied`] when the database
/// refuses it again; otherwise what the store says.
pub fn resend_dead_letter(
    store: &mut dyn Store,
    attention: &Attention,
    provenance: &Provenance,
) -> Result<DeliveryOutcome> {
    let refused: RefusedWrite = read_content(attention, AttentionKind::DeadLetter)?;
    let source = DeliverySource {
        outbox: None,
        host: attention.host.clone(),
        lease_seconds: DEFAULT_LEASE_SECONDS,
    };
    let outcomes = store.deliver_pending(&[&refused.record], &source, Deadline::after(PATIENCE))?;
    match outcomes.into_iter().next() {
        Some(DeliveryOutcome::Refused(reason)) => Err(StoreError::denied(reason)),
        Some(outcome) => {
            end_as(store, attention, provenance, "sent again")?;
            Ok(outcome)
        }
        None => Err(StoreError::unavailable("the write was not sent in time")),
    }
}

fn read_content<T: serde::de::DeserializeOwned>(
    attention: &Attention,
    kind: AttentionKind,
) -> Result<T> {
    let id = &attention.id;
    if attention.kind != kind {
        return Err(StoreError::invalid(format!("{id} is no {kind}")));
    }
    serde_json::from_value(attention.content.clone()).map_err(|error| {
        let problem = format!("{id} can only be ended on its machine: {error}");
        StoreError::invalid(problem)
    })
}

fn end_as(
    store: &mut dyn Store,
    attention: &Attention,
    provenance: &Provenance,
    how: &str,
) -> Result<()> {
    store.end_attention(&attention.id, &provenance.with_new_operation().because(how))
}
