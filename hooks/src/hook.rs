//! The hooks: which handler answers, and within which time.

use std::time::Duration;

use crate::{HookContext, HookOutcome, handoff_guard, push, quiet_period, session_start};

/// A hook.
#[derive(Debug, Clone, Copy)]
pub struct Hook {
    /// The program that the client starts for it, which messages name.
    pub program: &'static str,
    /// The deadline, unless one is configured.
    pub(crate) timeout: Duration,
    pub(crate) handle: fn(&HookContext) -> HookOutcome,
    /// Gets input that is not a payload, and may answer it.
    pub(crate) handle_broken: fn(&[u8]) -> Option<HookOutcome>,
}

impl Hook {
    /// Pulls: registers the session, sweeps dead ones, trues up the cache and briefs the agent.
    pub const fn session_start_sync() -> Self {
        Self {
            program: "session-start-sync",
            timeout: Duration::from_secs(2),
            handle: session_start::handle_event,
            handle_broken: |_| None,
        }
    }

    /// Pushes local edits and the agent's current work, and renews the lease.
    pub const fn checkpoint_push() -> Self {
        Self {
            program: "checkpoint-push",
            timeout: Duration::from_millis(250),
            handle: push::handle_event,
            handle_broken: |_| None,
        }
    }

    /// Refuses a hand-off while copies differ.
    pub const fn pre_handoff_validate() -> Self {
        Self {
            program: "pre-handoff-validate",
            timeout: Duration::from_secs(1),
            handle: handoff_guard::handle_event,
            handle_broken: handoff_guard::handle_broken_payload,
        }
    }

    /// Announces the quiet period of a command: `pre-handoff-validate --span`.
    pub const fn announce_quiet_period() -> Self {
        Self {
            program: "pre-handoff-validate",
            timeout: Duration::from_secs(1),
            handle: quiet_period::handle_event,
            handle_broken: |_| None,
        }
    }
}
