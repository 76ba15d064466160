//! Waiting until there may be new events.

use std::thread;
use std::time::{Duration, Instant};

use trueup_core::store::{ChangeMark, CommandStore, Result as StoreResult};
use trueup_remote::ChangeListener;

use crate::database::Database;

/// The longest wait for a change of an embedded database; a change ends it.
const EMBEDDED_PATIENCE: Duration = Duration::from_secs(1);

/// The pause between two looks at a database on a server, which ends early when the server says
/// that there is something new. A pooler between may keep that back.
const REMOTE_PAUSE: Duration = Duration::from_millis(200);

/// Events that come so soon after another are read with it.
const GATHERING_PAUSE: Duration = Duration::from_millis(10);

/// The pause after a server could not be listened to.
const LISTEN_AGAIN: Duration = Duration::from_secs(10);

/// What tells of changes.
pub(super) enum ChangeWatch {
    /// The database itself, which is looked at without a query.
    Embedded,
    /// A server that is asked again and again.
    Polled,
    /// A server that is asked again and again, and says by itself when it is worth while.
    Notified { listener: Box<ChangeListener>, silent_until: Option<Instant> },
}

impl ChangeWatch {
    /// Watches a database in the way that it allows.
    pub(super) fn open(database: &Database) -> Self {
        if database.is_embedded() {
            return Self::Embedded;
        }
        database.open_listener().map_or(Self::Polled, |listener| Self::Notified {
            listener: Box::new(listener),
            silent_until: None,
        })
    }

    /// Takes the state of the database, for [`Self::wait`].
    pub(super) fn mark(&self, store: &mut dyn CommandStore) -> StoreResult<Option<ChangeMark>> {
        match self {
            Self::Embedded => store.change_mark().map(Some),
            Self::Polled | Self::Notified { .. } => Ok(None),
        }
    }

    /// Waits until there may be something that was not there at that state.
    pub(super) fn wait(
        &mut self,
        store: &mut dyn CommandStore,
        seen: Option<ChangeMark>,
    ) -> StoreResult<()> {
        match (self, seen) {
            (Self::Embedded, Some(seen)) => {
                store.wait_for_change(seen, EMBEDDED_PATIENCE)?;
            }
            (Self::Notified { listener, silent_until }, _)
                if silent_until.is_none_or(|until| until <= Instant::now()) =>
            {
                match listener.wait(REMOTE_PAUSE) {
                    Ok(true) => thread::sleep(GATHERING_PAUSE),
                    Ok(false) => {}
                    // It is a hint alone.
                    Err(_) => *silent_until = Some(Instant::now() + LISTEN_AGAIN),
                }
            }
            _ => thread::sleep(REMOTE_PAUSE),
        }
        Ok(())
    }
}
