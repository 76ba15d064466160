//! `trueup status`: the session of the caller, or all active ones.

use serde_json::json;
use trueup_core::model::SessionStatus;
use trueup_core::store::SessionFilter;
use trueup_core::sync::now;
use trueup_core::text::one_line;

use super::session_output::{build_session_output, list_sessions};
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, UNABLE};

/// Longest reason shown, in characters.
const MAX_REASON_CHARS: usize = 300;

pub(super) fn cmd_status(context: &CommandContext, all: bool) -> CommandResult {
    match show_status(context, all) {
        Err(error) if !all && error.exit_code() == UNABLE => show_replica(context, error),
        other => other,
    }
}

fn show_status(context: &CommandContext, all: bool) -> CommandResult {
    let store = &mut *context.open_for_reading()?;
    if all {
        return list_sessions(
            context,
            store,
            &SessionFilter {
                statuses: SessionStatus::PRESENT.to_vec(),
                ..SessionFilter::default()
            },
        );
    }
    let session = context.require_session(store)?;
    build_session_output(context, store, &session)
}

/// Shows what was read last of the session while its server cannot be reached.
fn show_replica(context: &CommandContext, error: CommandError) -> CommandResult {
    let Some(mut store) = context.open_own_replica() else {
        return Err(error);
    };
    let session = store.replica().session.clone();
    let age = store.replica().age_seconds(now());
    let Ok(mut output) = build_session_output(context, &mut store, &session) else {
        return Err(error);
    };
    output.data["replica"] = json!({"read_at": session.read_at, "age_seconds": age});
    let age = age.map_or("at a time that is not known".to_owned(), |age| format!("{age} s ago"));
    let reason = one_line(&error.message, MAX_REASON_CHARS);
    let warning = format!(
        "this was read {age}, at {}, because the server cannot be reached: {reason}",
        session.read_at
    );
    Ok(output.with_warnings(vec![warning]))
}
