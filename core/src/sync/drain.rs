//! Sending what waits in the outbox.

use std::collections::BTreeMap;
use std::time::Duration;

use super::act::keep_lost;
use super::site::Site;
use crate::diagnostics::Level;
use crate::model::{EventFilter, Field, Session, Value};
use crate::outbox::{Pending, Write};
use crate::store::{Mark, Provenance, Push, Registration, Store, StoreError, TaskNote};

/// Longest wait for another process that drains.
const PATIENCE: Duration = Duration::from_millis(200);

/// Sends what waits; returns how many were sent. What cannot be sent stays.
pub fn drain(store: &mut dyn Store, site: &Site) -> usize {
    let sent = site
        .outbox()
        .drain(PATIENCE.min(site.deadline.left()), |pending| {
            send(store, pending, site)
        });
    sent.unwrap_or_else(|error| {
        site.log(
            Level::Error,
            "outbox",
            &format!("cannot be drained: {error}"),
        );
        0
    })
}

/// What the database learned of the session's state since the write was made.
struct Since {
    /// This write itself: it arrived, only its removal from the outbox did not.
    this: bool,
    /// Something else.
    other: bool,
}

fn since(store: &mut dyn Store, pending: &Pending) -> Result<Since, StoreError> {
    let events = store.events(&EventFilter {
        session: Some(pending.session.to_string()),
        since: Some(pending.at),
        ..EventFilter::default()
    })?;
    let (mut this, mut other) = (false, false);
    for event in events.iter().filter(|event| event.kind == "state") {
        let own = event.op_id.as_deref() == Some(pending.op_id.as_str());
        this |= own;
        other |= !own;
    }
    Ok(Since { this, other })
}

fn send(store: &mut dyn Store, pending: &Pending, site: &Site) -> Result<(), StoreError> {
    let session = match store.session(&pending.session)? {
        Some(session) => session,
        // Written while the database could not even take the registration.
        None => store.register(&Registration {
            session: pending.session.clone(),
            repo: None,
            worktree: None,
            branch: None,
            host: Some(site.host.clone()),
            process: None,
            predecessor: None,
            lease_seconds: site.settings.lease_seconds,
            provenance: Provenance::new(pending.session.as_str(), "outbox"),
        })?,
    };
    match &pending.write {
        Write::Task { task, subject } => {
            let note = TaskNote {
                task: task.clone(),
                subject: subject.clone(),
            };
            store.note_task(&pending.session, &note)
        }
        Write::End { reason } => {
            // The session went on meanwhile: a goodbye of before is none.
            if session.status.is_present() && session.heartbeat_at > pending.at {
                return Ok(());
            }
            let broken_off = BTreeMap::from([(Field::WasInterrupted, Value::Flag(true))]);
            if session.item.is_some() {
                let mark = Some(Mark::Interrupted);
                observed(store, &session, pending, &broken_off, None, mark, site)?;
            }
            let provenance = Provenance::new(pending.session.as_str(), reason);
            store.end(&pending.session, reason, &provenance).map(|_| ())
        }
        Write::TaskStarted { task } => match store.task(&pending.session, task)? {
            Some(note) => {
                let started = BTreeMap::from([(Field::Task, Value::Text(Some(note.subject)))]);
                observed(store, &session, pending, &started, None, None, site)
            }
            None => Ok(()),
        },
        Write::TaskFinished { task } => {
            let current = session.execution_state().work.task;
            let finished = store.task(&pending.session, task)?.map(|note| note.subject);
            if finished.is_none() || finished != current {
                return Ok(());
            }
            let none = BTreeMap::from([(Field::Task, Value::Text(None))]);
            observed(store, &session, pending, &none, None, None, site)
        }
        Write::State { changes, branch } => observed(
            store,
            &session,
            pending,
            changes,
            branch.clone(),
            None,
            site,
        ),
    }
}

/// Pushes an observation, but not over what the database learned after it was made.
fn observed(
    store: &mut dyn Store,
    session: &Session,
    pending: &Pending,
    changes: &BTreeMap<Field, Value>,
    branch: Option<String>,
    mark: Option<Mark>,
    site: &Site,
) -> Result<(), StoreError> {
    let since = since(store, pending)?;
    if since.this {
        return Ok(());
    }
    if since.other {
        return keep_lost(session, &pending.session, changes, site)
            .map(|_| ())
            .map_err(|error| StoreError::Unavailable(error.to_string()));
    }
    let push = Push {
        session: session.id.clone(),
        base: session.revision,
        fence: None,
        changes: changes.clone(),
        branch,
        mark,
        acknowledge: true,
        provenance: Provenance {
            actor: pending.session.to_string(),
            reason: Some("outbox".into()),
            op_id: pending.op_id.clone(),
        },
    };
    store.push(&push).map(|_| ())
}
