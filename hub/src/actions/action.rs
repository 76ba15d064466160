//! What all actions have in common.

use serde::Serialize;
use trueup_core::store::{Caller as RecordedCaller, CommandStore, Provenance};

use crate::access::AdminCaller;
use crate::problem::HubError;
use crate::store_pool::StorePool;
use crate::store_work::run_on_store;

/// What an action did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct ActionOutcome {
    /// What was done, in a line.
    pub(crate) done: String,
    /// The action that takes it back, where there is one.
    pub(crate) undo: Option<UndoAction>,
}

/// An action that takes another one back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct UndoAction {
    /// The name of the action, the last part of its path.
    pub(crate) action: &'static str,
    /// Its target.
    pub(crate) target: String,
}

impl ActionOutcome {
    /// An action that cannot be taken back.
    pub(crate) const fn for_good(done: String) -> Self {
        Self { done, undo: None }
    }
}

/// Carries an action out for an administrator, in whose name it is recorded.
///
/// # Errors
///
/// That of the action.
pub(super) async fn carry_out(
    pool: &StorePool,
    AdminCaller(caller): AdminCaller,
    reason: &str,
    action: impl FnOnce(&mut dyn CommandStore, &Provenance) -> Result<ActionOutcome, HubError>
    + Send
    + 'static,
) -> Result<ActionOutcome, HubError> {
    let provenance = Provenance::new(caller.name.as_str(), reason);
    let recorded = RecordedCaller { op_id: provenance.op_id.clone(), name: caller.name };
    let work = run_on_store(pool, move |store| {
        store.record_callers(&[recorded])?;
        action(store, &provenance)
    });
    work.await
}
