//! What commands show beside the views that they share with the hub.

use serde_json::{Value, json};
use trueup_core::liveness;
use trueup_core::model::{Liveness, Session, judge_session};
use trueup_core::sync::RunContext;
use trueup_remote::{ServerFacts, UserRights};

/// Assesses the liveness of a session, as seen from this machine.
pub(crate) fn assess_liveness(session: &Session, site: &RunContext) -> Liveness {
    let evidence = liveness::check_session_process(session, &site.host);
    judge_session(session, evidence, site.settings.ceiling_seconds)
}

/// Builds the view of the server of a shared database.
pub(crate) fn server_view(facts: &ServerFacts) -> Value {
    let (user, is_client, is_owner, role) = match &facts.rights {
        None => (None, None, None, None),
        Some(UserRights::Postgres { user, is_client, is_owner }) => {
            (Some(user.as_str()), *is_client, Some(*is_owner), None)
        }
        Some(UserRights::Hub { name, role }) => (Some(name.as_str()), None, None, Some(*role)),
    };
    json!({
        "software": facts.software.name(),
        "version": facts.version,
        "tls": facts.uses_tls,
        "certificate_days_left": facts.certificate_days_left,
        "round_trip_ms": facts.round_trip.as_secs_f64() * 1000.0,
        "clock_ahead_ms": i64::try_from(facts.clock_ahead.as_millis()).unwrap_or(i64::MAX),
        "user": user,
        "is_client": is_client,
        "is_owner": is_owner,
        "role": role,
    })
}
