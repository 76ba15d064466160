//! `trueup set`, `interrupt`, `resume` and `clear`: changes of a session's own state.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use trueup_core::model::{Field, Session, Value};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{Mark, Provenance, Store as _};
use trueup_core::sync::{Insisted, Insistence, insist};
use trueup_core::text::one_line;

use super::plain;
use crate::args::{Set, Switch};
use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure};
use crate::json;
use crate::report::Answer;

/// Longest value shown, in characters.
const LONGEST: usize = 200;

pub(super) fn set(desk: &Desk, arguments: &Set) -> Result<Answer, Failure> {
    let text = |text: &String| Value::Text(Some(text.clone()).filter(|t| !t.is_empty()));
    let flag = |switch: Switch| Value::Flag(matches!(switch, Switch::On));
    let mut changes = BTreeMap::new();
    changes.extend(
        arguments
            .phase
            .as_ref()
            .map(|phase| (Field::Phase, text(phase))),
    );
    changes.extend(
        arguments
            .task
            .as_ref()
            .map(|task| (Field::Task, text(task))),
    );
    changes.extend(
        arguments
            .auto_proceed
            .map(|on| (Field::AutoProceed, flag(on))),
    );
    changes.extend(
        arguments
            .chain_orchestrators
            .map(|on| (Field::ChainOrchestrators, flag(on))),
    );
    let metadata = metadata(&arguments.metadata)?;
    let mut store = desk.open_for_change()?;
    let session = desk.acting_session(&mut store)?;
    let mut session = desk.before_change(&mut store, session)?;
    let before = session.clone();
    if !changes.is_empty() {
        session = push(&mut store, session, &changes, None, "set")?;
    }
    if !metadata.is_empty() {
        let provenance = Provenance::new(session.id.as_str(), "set");
        session = store.merge_metadata(&session.id, &metadata, &provenance)?;
    }
    finish(desk, &mut store, &before, &session)
}

/// Reads `KEY=VALUE`: a JSON value is what it is, everything else is text. The keys that have
/// options of their own are refused, so that one fact has one way in.
fn metadata(pairs: &[String]) -> Result<Map<String, Json>, Failure> {
    let mut patch = Map::new();
    for pair in pairs {
        let Some((key, value)) = pair.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            let message = format!("--metadata {pair:?} is not KEY=VALUE");
            return Err(Failure::usage("trueup set --help", message));
        };
        if matches!(
            key,
            "execution_state" | "auto_proceed" | "chain_orchestrators" | "branch"
        ) {
            let message = format!("--metadata {key}: this key is managed by trueup");
            return Err(Failure::usage("trueup set --help", message));
        }
        let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
        patch.insert(key.to_owned(), value);
    }
    Ok(patch)
}

pub(super) fn interrupt(desk: &Desk) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    let session = desk.acting_session(&mut store)?;
    let session = desk.before_change(&mut store, session)?;
    if session.item.is_none() {
        let message = format!("session {} holds no item", session.id);
        return Err(Failure::new(ErrorCase::NoItem, message));
    }
    let before = session.clone();
    let changes = BTreeMap::from([(Field::WasInterrupted, Value::Flag(true))]);
    let session = push(
        &mut store,
        session,
        &changes,
        Some(Mark::Interrupted),
        "interrupt",
    )?;
    finish(desk, &mut store, &before, &session)
}

pub(super) fn resume(desk: &Desk) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    let session = desk.acting_session(&mut store)?;
    let session = desk.before_change(&mut store, session)?;
    let before = session.clone();
    let work = session.execution_state().work;
    if !work.was_interrupted {
        let mut answer = finish(desk, &mut store, &before, &session)?;
        answer.text = vec!["nothing was interrupted".to_owned()];
        return Ok(answer);
    }
    let changes = BTreeMap::from([
        (Field::WasInterrupted, Value::Flag(false)),
        (Field::IsActive, Value::Flag(true)),
    ]);
    let session = push(&mut store, session, &changes, Some(Mark::Resumed), "resume")?;
    finish(desk, &mut store, &before, &session)
}

pub(super) fn clear(desk: &Desk, no_history: bool) -> Result<Answer, Failure> {
    let mut store = desk.open_for_change()?;
    let session = desk.acting_session(&mut store)?;
    let session = desk.before_change(&mut store, session)?;
    let before = session.clone();
    let mut changes = BTreeMap::from([
        (Field::Task, Value::Text(None)),
        (Field::IsActive, Value::Flag(false)),
        (Field::WasInterrupted, Value::Flag(false)),
    ]);
    // Without a claim the item is but a memory, perhaps of one that another session took.
    if session.item.is_none() {
        changes.insert(Field::Item, Value::Text(None));
        changes.insert(Field::Phase, Value::Text(None));
    }
    let mark = no_history.then_some(Mark::HistoryCleared);
    let session = push(&mut store, session, &changes, mark, "clear")?;
    finish(desk, &mut store, &before, &session)
}

/// Pushes a change that a person or model asked for by name.
pub(super) fn push(
    store: &mut SqliteStore,
    session: Session,
    changes: &BTreeMap<Field, Value>,
    mark: Option<Mark>,
    reason: &str,
) -> Result<Session, Failure> {
    let insistence = Insistence {
        changes: changes.clone(),
        branch: None,
        mark,
        // Who is told is decided by the voice that speaks, once the cache is in step.
        acknowledge: false,
        provenance: Provenance::new(session.id.as_str(), reason),
    };
    match insist(store, session, &insistence)? {
        Insisted::Done(session) => Ok(*session),
        Insisted::ClaimLost(_) => Err(Failure::new(
            ErrorCase::OwnClaimLost,
            "the claim for this change now belongs to another session",
        )),
    }
}

/// Leaves the cache in step and says what changed, from what, to what.
fn finish(
    desk: &Desk,
    store: &mut SqliteStore,
    before: &Session,
    after: &Session,
) -> Result<Answer, Failure> {
    let mut warnings = Vec::new();
    let session = desk.after_change(store, &after.id, &mut warnings)?;
    let changed = changed(before, &session);
    let text = lines(&changed);
    let vitality = json::vitality(&session, &desk.site);
    let data = json!({"session": json::session(&session, &vitality), "changed": changed});
    Ok(Answer {
        warnings,
        ..Answer::new(text, data)
    })
}

/// Says for a person what changed, from what, to what.
pub(super) fn lines(changed: &Map<String, Json>) -> Vec<String> {
    if changed.is_empty() {
        return vec!["nothing changed".to_owned()];
    }
    let shown = |value: &Json| one_line(&plain(value), LONGEST);
    let line = |(key, change): (&String, &Json)| {
        format!(
            "{key}: {} -> {}",
            shown(&change["from"]),
            shown(&change["to"])
        )
    };
    changed.iter().map(line).collect()
}

pub(super) fn changed(before: &Session, after: &Session) -> Map<String, Json> {
    let (old, new) = (before.execution_state(), after.execution_state());
    let mut changed = Map::new();
    for field in Field::ALL {
        let (from, to) = (old.work.get(field), new.work.get(field));
        if from != to {
            changed.insert(field.key().to_owned(), json!({"from": from, "to": to}));
        }
    }
    let count = |history: &trueup_core::model::History| history.resume_count.unwrap_or(0);
    if count(&old.history) != count(&new.history) {
        let change = json!({"from": count(&old.history), "to": count(&new.history)});
        changed.insert("resumeCount".to_owned(), change);
    }
    let keys = before.metadata.keys().chain(after.metadata.keys());
    for key in keys.filter(|k| {
        !matches!(
            k.as_str(),
            "execution_state" | "auto_proceed" | "chain_orchestrators"
        )
    }) {
        let (from, to) = (before.metadata.get(key), after.metadata.get(key));
        if from != to {
            changed.insert(key.clone(), json!({"from": from, "to": to}));
        }
    }
    changed
}
