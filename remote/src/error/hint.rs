//! What a person can do about a failure.

use std::borrow::Cow;
use std::time::Duration;

use trueup_core::text::quote_for_shell;

use super::{Activity, FailureKind, TlsFailure};

/// Returns the advice about a failure.
pub(super) fn hint(kind: &FailureKind) -> Cow<'static, str> {
    use FailureKind as K;
    let text = match kind {
        K::Configuration(_) => "correct TRUEUP_DATABASE_URL or config.toml",
        K::NameNotFound => "check the host in the URL, and the network",
        K::Refused => "check host and port in the URL, and that the server runs",
        K::ProxyRefused => "check HTTPS_PROXY; NO_PROXY names hosts to reach without it",
        K::Unreachable => "check the network, and the host in the URL",
        K::TimedOut(Activity::LookingUpName | Activity::Connecting) => {
            "check the network and the host; TRUEUP_DEADLINE_MS raises the limit"
        }
        K::TimedOut(_) => "the server is slow or stuck; TRUEUP_DEADLINE_MS raises the limit",
        K::PasswordMissing => "put the password into the URL, PGPASSWORD or ~/.pgpass",
        K::PasswordFileUnusable { file, .. } => {
            let file = quote_for_shell(file);
            return Cow::Owned(format!("make it a file that only you can read: chmod 600 {file}"));
        }
        K::WrongPassword => "check user and password in the URL, PGPASSWORD or ~/.pgpass",
        K::NoSuchRole => "check the user in the URL; trueup_client and its siblings do not log in",
        K::NotAdmitted => "ask for a line in pg_hba.conf; with sslmode=require it may admit you",
        K::UnsupportedLogin => "let the server use scram-sha-256",
        K::NoSuchDatabase => "check the name of the database in the URL, or create it",
        K::Tls(failure) => tls_hint(failure),
        K::OutOfConnections => "try again; use a pooler, or raise max_connections",
        K::ReadOnly | K::WrongSessionAttributes(_) => {
            "name the primary server in the URL, or all servers with \
             target_session_attrs=read-write"
        }
        K::NotTrueup => "trueup db migrate",
        K::MayNotConnect => {
            "let the owner of the database GRANT CONNECT on it TO the role of the URL"
        }
        K::PermissionDenied => "GRANT trueup_client TO the role of the URL",
        K::Unauthorized | K::Forbidden => {
            "check TRUEUP_API_KEY and TRUEUP_API_TOKEN, or the files that config.toml names; a hub \
             takes what `trueup-hub token create` printed, until it is revoked"
        }
        K::HubAnswers => {
            "run it where the hub runs, with TRUEUP_DATABASE_URL set to the hub's own database"
        }
        K::HubIsOlder(_) => "let whoever runs the hub upgrade trueup-hub",
        K::HubRefused { hint: Some(hint), .. } | K::HubForbids { hint: Some(hint), .. } => {
            return Cow::Owned(hint.clone());
        }
        K::HubRefused { hint: None, .. } | K::HubForbids { hint: None, .. } => {
            "ask whoever runs the hub"
        }
        K::HubDatabase(_) => "ask whoever runs the hub; `trueup-hub` says there what is wrong",
        K::NotFound => {
            "check the path of the URL; ?via=hub, supabase or postgrest names the server"
        }
        K::TooManyRequests { retry_after } | K::ServerFailed { retry_after, .. } => {
            return wait_hint(*retry_after);
        }
        K::Redirected(_) => "set the URL to the address that it redirects to",
        K::NotJson | K::WrongProtocol => {
            "check the URL; a proxy or a login page may answer in its place"
        }
        K::TooLarge => "ask for less at once, for example with --limit",
        K::Serialization
        | K::Deadlock
        | K::LockTimeout
        | K::Cancelled
        | K::HttpConflict
        | K::NotReady
        | K::ClosedEarly
        | K::ClosedMidway
        | K::Truncated => "try again",
        K::Database { .. } => "the log of the server may tell more",
        K::UnexpectedStatus(_) => "check the URL, and the log of the server",
        K::Local(_) => "check what this process may open: files, sockets, memory",
    };
    Cow::Borrowed(text)
}

const fn tls_hint(failure: &TlsFailure) -> &'static str {
    match failure {
        TlsFailure::Expired => "renew the server's certificate, or check this machine's clock",
        TlsFailure::NotYetValid => "check this machine's clock",
        TlsFailure::WrongHost => "use the name that the certificate is for",
        TlsFailure::UnknownAuthority => {
            "name the authority with sslrootcert=FILE in the URL, or set tls_roots = \"system\""
        }
        TlsFailure::Unsupported => "turn on TLS on the server; sslmode=disable does without",
        TlsFailure::Handshake(_) => "check that the port is the one for TLS",
    }
}

fn wait_hint(retry_after: Option<Duration>) -> Cow<'static, str> {
    match retry_after {
        Some(wait) => Cow::Owned(format!("try again in {} s", wait.as_secs().max(1))),
        None => Cow::Borrowed("try again later"),
    }
}
