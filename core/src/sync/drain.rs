//! Sending what waits in the outbox.

use std::time::Duration;

use super::act::keep_lost;
use super::site::Site;
use crate::diagnostics::Level;
use crate::model::EventFilter;
use crate::outbox::{Pending, Write};
use crate::store::{Provenance, Push, Registration, Store, StoreError, TaskNote};

/// Longest wait for another process that drains.
const PATIENCE: Duration = Duration::from_millis(200);

/// Sends what waits; returns how many were sent. What cannot be sent stays.
pub fn drain(store: &mut dyn Store, site: &Site) -> usize {
    let sent = site
        .outbox()
        .drain(PATIENCE, |pending| send(store, pending, site));
    sent.unwrap_or_else(|error| {
        site.log(
            Level::Error,
            "outbox",
            &format!("cannot be drained: {error}"),
        );
        0
    })
}

/// Tells whether the write arrived before, only its removal from the outbox did not: then
/// what is newer in the database is the write itself.
fn was_sent(store: &mut dyn Store, pending: &Pending) -> Result<bool, StoreError> {
    let events = store.events(&EventFilter {
        session: Some(pending.session.to_string()),
        since: Some(pending.at),
        ..EventFilter::default()
    })?;
    let op_id = Some(pending.op_id.as_str());
    Ok(events.iter().any(|event| event.op_id.as_deref() == op_id))
}

fn send(store: &mut dyn Store, pending: &Pending, site: &Site) -> Result<(), StoreError> {
    let provenance = Provenance {
        actor: pending.session.to_string(),
        reason: Some("outbox".to_owned()),
        op_id: pending.op_id.clone(),
    };
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
        Write::End { reason } => store.end(&pending.session, reason, &provenance).map(|_| ()),
        Write::State { changes, branch } => {
            // An observation is not pushed over what the database learned after it was made.
            let newer = session.execution_state().history.last_updated_at;
            if newer.is_some_and(|at| at > pending.at) && !was_sent(store, pending)? {
                return keep_lost(&session, &pending.session, changes, site)
                    .map(|_| ())
                    .map_err(|error| StoreError::Unavailable(error.to_string()));
            }
            let push = Push {
                session: pending.session.clone(),
                base: session.revision,
                fence: None,
                changes: changes.clone(),
                branch: branch.clone(),
                mark: None,
                acknowledge: true,
                provenance,
            };
            store.push(&push).map(|_| ())
        }
    }
}
