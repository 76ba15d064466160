//! Writing a session's state: pushes of execution state, merges of metadata, acknowledgement.

use serde_json::{Map, Value as Json, json};

use super::super::NOW;
use super::super::engine::{Tx, args};
use super::super::statement::{Statement, joined, statements};
use super::super::stored_text::{stored_object, stored_optional_text};
use super::{METADATA_DEFAULTS, load_registered, unregistered_error};
use crate::model::{FieldValue, ItemKey, Revision, Session, SessionId, StateField};
use crate::store::{InterruptionMark, Provenance, Result, StatePush, StoreError, state_patch};

const PUSH_START: &str = joined!(
    "UPDATE claude_sessions SET
         metadata = json_insert(json_set(json_patch(metadata, ?1),
             '$.execution_state.lastUpdatedAt', ",
    NOW
);
const PUSH_END: &str = joined!("), ", METADATA_DEFAULTS, "), ", PUSH_REST);

/// PostgreSQL's schema has the merge as a function, whose last argument is what a push notes of
/// the execution state beside its time.
const PUSH_START_POSTGRES: &str =
    "UPDATE claude_sessions SET metadata = patch_metadata(metadata, ?1, ";
const PUSH_END_POSTGRES: &str = joined!("), ", PUSH_REST);
const PUSH_REST: &str = "acknowledged_revision = acknowledged_revision
             + CASE WHEN ?2 <> 0 AND acknowledged_revision = revision THEN 1 ELSE 0 END,
         last_actor = ?3, last_reason = ?4, last_op = ?5
     WHERE session_id = ?6 AND revision = ?7
       AND (?8 IS NULL OR EXISTS (SELECT 1 FROM work_items WHERE key = ?8
            AND holder = ?6 AND claim_epoch = ?9))";

const PATCHED_BY: &str = "last_actor = ?3, last_reason = ?4, last_op = ?5 WHERE session_id = ?1";

statements! {
    PUSH_STATE(json, int, text, text, text, text, int, text, int) = @repeated PUSH_START, PUSH_END
        => postgres PUSH_START_POSTGRES, "'{}'", PUSH_END_POSTGRES;
    PUSH_INTERRUPTED_STATE(json, int, text, text, text, text, int, text, int) = @repeated
        PUSH_START, ", '$.execution_state.lastInterruptedAt', ", NOW, PUSH_END
        => postgres
        PUSH_START_POSTGRES, "jsonb_build_object('lastInterruptedAt', ", NOW, ")",
        PUSH_END_POSTGRES;
    PUSH_RESUMED_STATE(json, int, text, text, text, text, int, text, int) = @repeated
        PUSH_START, ", '$.execution_state.lastResumedAt', ", NOW,
        ", '$.execution_state.resumeCount',
         coalesce(json_extract(metadata, '$.execution_state.resumeCount'), 0) + 1", PUSH_END
        => postgres
        PUSH_START_POSTGRES, "jsonb_build_object('lastResumedAt', ", NOW, ", 'resumeCount',
             coalesce(CAST(json_extract(metadata, '$.execution_state.resumeCount') AS numeric), 0)
             + 1)", PUSH_END_POSTGRES;
    PUSH_CLEARED_STATE(json, int, text, text, text, text, int, text, int) = @repeated
        PUSH_START, ", '$.execution_state.lastInterruptedAt', NULL,
         '$.execution_state.lastResumedAt', NULL, '$.execution_state.resumeCount', 0", PUSH_END
        => postgres
        PUSH_START_POSTGRES,
        "'{\"lastInterruptedAt\": null, \"lastResumedAt\": null, \"resumeCount\": 0}'",
        PUSH_END_POSTGRES;

    /// A push that changed nothing raised no revision: the next change must still be shown.
    LIMIT_ACKNOWLEDGED_REVISION(text) = @repeated
        "UPDATE claude_sessions SET acknowledged_revision = revision
         WHERE session_id = ?1 AND acknowledged_revision > revision";

    UPDATE_PHASE_OF_HELD_ITEM(text, text, text, text, text) =
        "UPDATE work_items SET phase = ?1, under_epoch = claim_epoch, last_actor = ?2,
             last_reason = ?3, last_op = ?4
         WHERE holder = ?5 AND phase IS DISTINCT FROM ?1";

    MERGE_METADATA(text, json, text, text, text) =
        "UPDATE claude_sessions SET metadata = json_patch(metadata, ?2), ", PATCHED_BY;
    MERGE_METADATA_WITH_STATE(text, json, text, text, text) =
        "UPDATE claude_sessions SET
             metadata = json_insert(json_patch(metadata, ?2), ", METADATA_DEFAULTS, "), ", PATCHED_BY
        => postgres
        "UPDATE claude_sessions SET
             metadata = with_metadata_defaults(json_patch(metadata, ?2)), ", PATCHED_BY;
    /// Another item starts with its own phase and no task.
    START_WORK_ON_ITEM(text, json, text, text, text, text) =
        "UPDATE claude_sessions SET
             metadata = json_insert(json_set(json_patch(metadata, ?2),
                 '$.execution_state.currentPhase',
                 (SELECT phase FROM work_items WHERE key = ?6),
                 '$.execution_state.lastUpdatedAt', ", NOW, "), ", METADATA_DEFAULTS, "), ", PATCHED_BY
        => postgres
        "UPDATE claude_sessions SET metadata = patch_metadata(metadata, ?2,
             jsonb_build_object('currentPhase', (SELECT phase FROM work_items WHERE key = ?6))), ",
        PATCHED_BY;
    PATCH_EXECUTION_STATE(text, json, text, text, text) =
        "UPDATE claude_sessions SET
             metadata = json_insert(json_set(json_patch(metadata, ?2),
                 '$.execution_state.lastUpdatedAt', ", NOW, "), ", METADATA_DEFAULTS, "), ", PATCHED_BY
        => postgres
        "UPDATE claude_sessions SET metadata = patch_metadata(metadata, ?2, '{}'), ", PATCHED_BY;

    ACKNOWLEDGE_REVISION(text, int) = @sign_of_life
        "UPDATE claude_sessions SET acknowledged_revision =
             max(acknowledged_revision, min(?2, revision))
         WHERE session_id = ?1";
}

pub(in crate::store::sql) fn push_state(tx: &mut impl Tx, push: &StatePush) -> Result<Session> {
    if !tx.is_replay(&push.provenance)? {
        write_push(tx, push)?;
        tx.finish();
    }
    load_registered(tx, &push.session)
}

/// Pushes, as one step of an operation that has others.
pub(in crate::store::sql) fn write_push(tx: &mut impl Tx, push: &StatePush) -> Result<()> {
    let statement = match push.mark {
        None => &PUSH_STATE,
        Some(InterruptionMark::Interrupted) => &PUSH_INTERRUPTED_STATE,
        Some(InterruptionMark::Resumed) => &PUSH_RESUMED_STATE,
        Some(InterruptionMark::HistoryCleared) => &PUSH_CLEARED_STATE,
    };
    let token = push.fencing_token.as_ref();
    let is_pushed = tx.try_change(
        statement,
        args![
            stored_object(&state_patch(&push.metadata, &push.changes, push.branch.as_deref())),
            push.acknowledge,
            push.provenance.actor,
            push.provenance.reason,
            push.provenance.op_id,
            push.session,
            push.base,
            token.map(|(item, _)| item),
            token.map(|(_, epoch)| epoch),
        ],
    )?;
    if !is_pushed {
        let session = load_registered(tx, &push.session)?;
        return Err(StoreError::Conflict(if session.revision == push.base {
            "the claim it was made under is over".to_owned()
        } else {
            format!(
                "it was made from revision {}, but the current one is {}",
                push.base, session.revision
            )
        }));
    }
    if push.acknowledge {
        tx.execute(&LIMIT_ACKNOWLEDGED_REVISION, args![push.session])?;
    }
    if let Some(FieldValue::Text(phase)) = push.changes.get(&StateField::Phase) {
        tx.execute(
            &UPDATE_PHASE_OF_HELD_ITEM,
            args![
                stored_optional_text(phase.as_ref()),
                push.provenance.actor,
                push.provenance.reason,
                push.provenance.op_id,
                push.session,
            ],
        )?;
    }
    Ok(())
}

pub(in crate::store::sql) fn merge_metadata(
    tx: &mut impl Tx,
    id: &SessionId,
    patch: &Map<String, Json>,
    provenance: &Provenance,
) -> Result<Session> {
    if !tx.is_replay(provenance)? {
        let statement = if patch.contains_key("execution_state") {
            &MERGE_METADATA_WITH_STATE
        } else {
            &MERGE_METADATA
        };
        write_patch(tx, statement, id, patch, provenance)?;
    }
    tx.finish();
    load_registered(tx, id)
}

/// Changes a session's execution state, as one step of an operation that has others.
pub(in crate::store::sql) fn patch_execution_state(
    tx: &mut impl Tx,
    id: &SessionId,
    state: Json,
    provenance: &Provenance,
) -> Result<()> {
    let patch = Map::from_iter([("execution_state".to_owned(), state)]);
    write_patch(tx, &PATCH_EXECUTION_STATE, id, &patch, provenance)
}

/// Makes an item the session's current one, with the phase that the item has and no task.
pub(in crate::store::sql) fn start_work_on_item(
    tx: &mut impl Tx,
    id: &SessionId,
    item: &ItemKey,
    provenance: &Provenance,
) -> Result<()> {
    let state = json!({
        "currentSd": item, "currentTask": null, "isActive": true, "wasInterrupted": false,
    });
    let patch = Map::from_iter([("execution_state".to_owned(), state)]);
    tx.change(
        &START_WORK_ON_ITEM,
        args![
            id,
            stored_object(&patch),
            provenance.actor,
            provenance.reason,
            provenance.op_id,
            item,
        ],
        || unregistered_error(id),
    )
}

fn write_patch(
    tx: &mut impl Tx,
    statement: &'static Statement,
    id: &SessionId,
    patch: &Map<String, Json>,
    provenance: &Provenance,
) -> Result<()> {
    tx.change(
        statement,
        args![id, stored_object(patch), provenance.actor, provenance.reason, provenance.op_id,],
        || unregistered_error(id),
    )
}

pub(in crate::store::sql) fn acknowledge_revision(
    tx: &mut impl Tx,
    id: &SessionId,
    revision: Revision,
) -> Result<()> {
    tx.change(&ACKNOWLEDGE_REVISION, args![id, revision], || unregistered_error(id))
}
