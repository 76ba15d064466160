//! Prunes old rows and files once a day, after a session start has printed its answer.

use std::time::Duration;

use trueup_core::log::LogLevel;
use trueup_core::retention::{is_prune_due, prune_if_due};
use trueup_core::store::RetentionStore;

use crate::HookContext;
use crate::embedded_database::EmbeddedDatabase;
use crate::session_database::SessionDatabase as _;

/// Time that must be left, so that a slow start is not made slower.
const MIN_TIME_LEFT: Duration = Duration::from_secs(1);

/// How long pruning may take.
const MAX_DURATION: Duration = Duration::from_millis(300);

/// Prunes an embedded database when it is due.
pub(crate) fn prune_embedded(context: &HookContext) {
    if !is_due(context) {
        return;
    }
    match EmbeddedDatabase::open(context) {
        Ok(mut store) => prune_when_due(context, &mut store),
        Err(error) => log_failure(context, &error.to_string()),
    }
}

/// Prunes when it is due. A failure is only logged, since the next day tries again.
pub fn prune_when_due(context: &HookContext, store: &mut dyn RetentionStore) {
    if !is_due(context) {
        return;
    }
    let actor = context.payload.session.as_str();
    if let Err(error) = prune_if_due(store, actor, &context.run, MAX_DURATION) {
        log_failure(context, &error.to_string());
    }
}

fn is_due(context: &HookContext) -> bool {
    is_prune_due(&context.run) && context.run.deadline.remaining() >= MIN_TIME_LEFT
}

fn log_failure(context: &HookContext, error: &str) {
    let line = format!("old records were not pruned: {error}");
    context.run.log(LogLevel::Warn, "session-start-sync", &line);
}
