//! `trueup status`: the session of the caller, or all active ones.

use trueup_core::model::SessionStatus;
use trueup_core::store::SessionFilter;

use super::session_output::{build_session_output, list_sessions};
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;

pub(super) fn cmd_status(context: &CommandContext, all: bool) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    if all {
        return list_sessions(
            context,
            store,
            &SessionFilter { statuses: SessionStatus::PRESENT, ..SessionFilter::default() },
        );
    }
    let session = context.require_session(store)?;
    build_session_output(context, store, &session)
}
