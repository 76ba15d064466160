//! Prunes old rows and files once a day, after a session start has printed its answer.

use std::time::Duration;

use trueup_core::log::LogLevel;
use trueup_core::retention::{is_prune_due, prune_if_due};

use crate::{HookContext, HookDatabase};

/// Time that must be left, so that a slow start is not made slower.
const MIN_TIME_LEFT: Duration = Duration::from_secs(1);

/// How long pruning may take.
const MAX_DURATION: Duration = Duration::from_millis(300);

/// Prunes when it is due. A failure is only logged, since the next day tries again.
pub(crate) fn prune_when_due<D: HookDatabase>(context: &HookContext) {
    if !is_prune_due(&context.run) || context.run.deadline.remaining() < MIN_TIME_LEFT {
        return;
    }
    let failure = match D::open(context) {
        Ok(mut store) => {
            let actor = context.payload.session.as_str();
            prune_if_due(&mut store, actor, &context.run, MAX_DURATION)
                .err()
                .map(|error| error.to_string())
        }
        Err(error) => Some(error.to_string()),
    };
    if let Some(error) = failure {
        let line = format!("old records were not pruned: {error}");
        context.run.log(LogLevel::Warn, "session-start-sync", &line);
    }
}
