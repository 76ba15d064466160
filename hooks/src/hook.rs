//! The hooks: which handler answers, and within which time.

use std::time::Duration;

use crate::hook_database::HookDatabase;
use crate::{HookContext, HookOutcome, handoff_guard, pull, push, quiet_period};

/// A hook.
#[derive(Debug, Clone, Copy)]
pub struct Hook {
    /// The name by which `trueup hook` knows it.
    pub name: &'static str,
    /// The program that the client starts for it, which messages name.
    pub(crate) program: &'static str,
    /// The deadline, unless one is configured.
    pub(crate) timeout: Duration,
    pub(crate) handle: fn(&HookContext) -> HookOutcome,
    /// Gets input that is not a payload, and may answer it.
    pub(crate) handle_broken: fn(&[u8]) -> Option<HookOutcome>,
}

impl Hook {
    /// Pulls: registers the session, sweeps dead ones, trues up the cache and briefs the agent.
    pub const fn session_start_sync<D: HookDatabase>() -> Self {
        Self {
            name: "session-start-sync",
            program: "session-start-sync",
            timeout: Duration::from_secs(2),
            handle: pull::handle_event::<D>,
            handle_broken: |_| None,
        }
    }

    /// Pushes local edits and the agent's current work, and renews the lease.
    pub const fn checkpoint_push<D: HookDatabase>() -> Self {
        Self {
            name: "checkpoint-push",
            program: "checkpoint-push",
            timeout: Duration::from_millis(250),
            handle: push::handle_event::<D>,
            handle_broken: |_| None,
        }
    }

    /// Refuses a hand-off while copies differ.
    pub const fn pre_handoff_validate<D: HookDatabase>() -> Self {
        Self {
            name: "pre-handoff-validate",
            program: "pre-handoff-validate",
            timeout: Duration::from_secs(1),
            handle: handoff_guard::handle_event::<D>,
            handle_broken: handoff_guard::handle_broken_payload,
        }
    }

    /// Announces the quiet period of a command: `pre-handoff-validate --span`.
    pub const fn announce_quiet_period<D: HookDatabase>() -> Self {
        Self {
            name: "announce-quiet-period",
            program: "pre-handoff-validate",
            timeout: Duration::from_secs(1),
            handle: quiet_period::handle_event::<D>,
            handle_broken: |_| None,
        }
    }
}
