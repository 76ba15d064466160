//! What the codes of PostgreSQL mean.

use trueup_core::text::one_line;
use trueup_core::text::redact::redact;

use super::{Activity, FailureKind};

/// Longest message of a server that is shown, in characters.
const MAX_MESSAGE_CHARS: usize = 300;

/// The routine of the server that refuses a login for want of a rule in `pg_hba.conf`. Unlike the
/// message, it is not translated.
const ADMISSION_ROUTINE: &str = "ClientAuthentication";

/// Returns what an error of the database means.
pub(crate) fn classify_sql_state(
    code: &str,
    routine: Option<&str>,
    message: &str,
    activity: Activity,
) -> FailureKind {
    match code {
        "28P01" => FailureKind::WrongPassword,
        "28000" if routine == Some(ADMISSION_ROUTINE) => FailureKind::NotAdmitted,
        "28000" => FailureKind::NoSuchRole,
        "3D000" => FailureKind::NoSuchDatabase,
        "53300" => FailureKind::OutOfConnections,
        "57P03" => FailureKind::NotReady,
        "25006" => FailureKind::ReadOnly,
        "42883" | "42P01" | "3F000" => FailureKind::NotTrueup,
        "42501" if activity == Activity::LoggingIn => FailureKind::MayNotConnect,
        "42501" => FailureKind::PermissionDenied,
        "40001" => FailureKind::Serialization,
        "40P01" => FailureKind::Deadlock,
        "55P03" => FailureKind::LockTimeout,
        "57014" => FailureKind::Cancelled,
        // The server or a pooler ends the connection; whether before or after a commit is unknown.
        "57P01" | "57P02" | "40003" => FailureKind::closed_while(activity),
        _ if code.starts_with("08") => FailureKind::closed_while(activity),
        _ => FailureKind::Database {
            code: one_line(code, 5),
            message: redact(&one_line(message, MAX_MESSAGE_CHARS)).text.into_owned(),
        },
    }
}
