//! How far an exchange has come: what a passed deadline is reported with.

use std::sync::{Mutex, MutexGuard, PoisonError};

use trueup_core::settings::DatabaseAddress;

use crate::error::{Activity, Cause, FailureKind, TransportError};

/// What is under way, and with which host.
#[derive(Debug)]
pub(crate) struct Progress(Mutex<(DatabaseAddress, Activity)>);

impl Progress {
    pub(crate) fn new(address: DatabaseAddress) -> Self {
        Self(Mutex::new((address, Activity::Connecting)))
    }

    fn state(&self) -> MutexGuard<'_, (DatabaseAddress, Activity)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Turns to another host.
    pub(crate) fn turn_to(&self, address: DatabaseAddress) {
        *self.state() = (address, Activity::Connecting);
    }

    /// Notes what begins now.
    pub(crate) fn begin(&self, activity: Activity) {
        self.state().1 = activity;
    }

    pub(crate) fn activity(&self) -> Activity {
        self.state().1
    }

    /// Returns an error about the host that no library reported.
    pub(crate) fn failure(&self, kind: FailureKind) -> TransportError {
        TransportError::new(self.state().0.clone(), kind)
    }

    /// Returns an error about the host with its cause.
    pub(crate) fn failure_from(
        &self,
        kind: FailureKind,
        cause: impl Into<Cause>,
    ) -> TransportError {
        TransportError::caused_by(self.state().0.clone(), kind, cause)
    }

    /// Returns the error for a deadline that passed now.
    pub(crate) fn timed_out(&self) -> TransportError {
        self.failure(FailureKind::TimedOut(self.activity()))
    }
}
