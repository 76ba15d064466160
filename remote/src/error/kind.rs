//! What can go wrong between a request and its answer.

use std::time::Duration;

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FailureKind {
    /// The URL, or something that it names, cannot be used.
    #[error("{0}")]
    Configuration(String),
    /// The name of the host is unknown.
    #[error("the name of the host cannot be found")]
    NameNotFound,
    /// Nothing listens there.
    #[error("the connection was refused")]
    Refused,
    /// There is no way to the host.
    #[error("the host cannot be reached")]
    Unreachable,
    /// The proxy of the environment does not let the connection through.
    #[error("the proxy refused to connect")]
    ProxyRefused,
    /// The deadline passed.
    #[error("timed out while {0}")]
    TimedOut(Activity),
    /// The connection ended before the request was sent.
    #[error("the connection was closed before the request was sent")]
    ClosedEarly,
    /// The connection ended after the request was sent.
    #[error("the connection was closed before the answer came; the write may have been made")]
    ClosedMidway,
    /// The server asks for a password, and there is none.
    #[error("the server asks for a password, and none is configured")]
    PasswordMissing,
    /// The server asks for a password, and the file with passwords is not used.
    #[error("the server asks for a password, and {file} is not used: {problem}")]
    PasswordFileUnusable {
        /// The file.
        file: String,
        /// Why.
        problem: String,
    },
    /// The password is wrong, or the role does not exist: servers do not tell which.
    #[error("the server refused the password")]
    WrongPassword,
    /// The role does not exist or may not log in.
    #[error("the role does not exist or may not log in")]
    NoSuchRole,
    /// The server's rules do not admit this host, role and database.
    #[error("the server admits no such connection")]
    NotAdmitted,
    /// The server asks for a proof of identity that this program cannot give.
    #[error("the server asks for a way to log in that trueup does not support")]
    UnsupportedLogin,
    /// The database does not exist.
    #[error("the database does not exist")]
    NoSuchDatabase,
    /// TLS was not agreed on.
    #[error("{0}")]
    Tls(#[from] TlsFailure),
    /// The server or a pooler has no connection left.
    #[error("the server has no connection left")]
    OutOfConnections,
    /// The server is starting or shutting down.
    #[error("the server is starting or shutting down")]
    NotReady,
    /// The server takes no writes.
    #[error("the server is read-only")]
    ReadOnly,
    /// The server is not of the kind that `target_session_attrs` asks for.
    #[error("the server is not {0}, as target_session_attrs asks")]
    WrongSessionAttributes(&'static str),
    /// The function `trueup.exchange` does not exist.
    #[error("this is not a trueup database")]
    NotTrueup,
    /// The role lacks the right to connect to the database.
    #[error("the role may not connect to the database")]
    MayNotConnect,
    /// The role may not do it.
    #[error("permission denied")]
    PermissionDenied,
    /// Another transaction came first.
    #[error("another transaction came first")]
    Serialization,
    /// Another transaction waited for this one.
    #[error("a deadlock with another transaction was broken up")]
    Deadlock,
    /// Another transaction held a lock for too long.
    #[error("another transaction held a lock for too long")]
    LockTimeout,
    /// The server cancelled the statement.
    #[error("the server cancelled the statement")]
    Cancelled,
    /// Another error of the database.
    #[error("the database answered with error {code}: {message}")]
    Database {
        /// Its SQLSTATE.
        code: String,
        /// The server's words, cleaned.
        message: String,
    },
    /// HTTP 401.
    #[error("the server does not accept the credentials (HTTP 401)")]
    Unauthorized,
    /// HTTP 403.
    #[error("the server forbids the request (HTTP 403)")]
    Forbidden,
    /// HTTP 404 that does not come from a trueup, PostgREST or Supabase.
    #[error("there is no trueup database at this address (HTTP 404)")]
    NotFound,
    /// A hub answers where a database was expected.
    #[error("this needs the database itself, and a hub answers at this address")]
    HubAnswers,
    /// The hub has no operation of this name.
    #[error("the hub is older than this trueup: it has no operation {0}")]
    HubIsOlder(String),
    /// The hub does not carry the request out, and says why.
    #[error("the hub refuses: {message}")]
    HubRefused {
        /// Its words.
        message: String,
        /// What it advises.
        hint: Option<String>,
    },
    /// The role of the token does not allow it.
    #[error("the hub refuses: {message}")]
    HubForbids {
        /// The hub's words, with the role that it takes.
        message: String,
        /// What it advises.
        hint: Option<String>,
    },
    /// The hub cannot use its own database.
    #[error("the hub cannot use its database: {0}")]
    HubDatabase(String),
    /// HTTP 409.
    #[error("the request conflicts with another (HTTP 409)")]
    HttpConflict,
    /// HTTP 429.
    #[error("the server received too many requests (HTTP 429)")]
    TooManyRequests {
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// HTTP 5xx.
    #[error("the server failed (HTTP {status})")]
    ServerFailed {
        /// The status.
        status: u16,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// HTTP 3xx. Credentials go to no other address than the one that was configured.
    #[error("the server redirects to another address (HTTP {0})")]
    Redirected(u16),
    /// Any other status.
    #[error("the server answered with HTTP {0}")]
    UnexpectedStatus(u16),
    /// The answer is not what the function returns.
    #[error("the answer is not JSON of trueup")]
    NotJson,
    /// What was spoken is not the protocol.
    #[error("the server does not speak the protocol of the URL")]
    WrongProtocol,
    /// The answer ended too early.
    #[error("the answer was cut off; the write may have been made")]
    Truncated,
    /// The answer is larger than the bound.
    #[error("the answer is larger than 64 MiB")]
    TooLarge,
    /// The program's own part failed.
    #[error("the network cannot be used: {0}")]
    Local(String),
}

/// Why TLS was not agreed on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsFailure {
    /// The certificate is no longer valid.
    #[error("the server's certificate has expired")]
    Expired,
    /// The certificate is not valid yet.
    #[error("the server's certificate is not valid yet")]
    NotYetValid,
    /// The certificate is for another host.
    #[error("the server's certificate is for another host")]
    WrongHost,
    /// No trusted authority signed the certificate.
    #[error("the server's certificate is signed by an unknown authority")]
    UnknownAuthority,
    /// The server has no TLS.
    #[error("the server does not support TLS")]
    Unsupported,
    /// Anything else.
    #[error("TLS failed: {0}")]
    Handshake(String),
}

/// What is under way when a deadline passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Looking up the name of the host.
    LookingUpName,
    /// Connecting to the host.
    Connecting,
    /// Agreeing on TLS and logging in.
    LoggingIn,
    /// The request is sent.
    WaitingForAnswer,
    /// A part of the answer is there.
    ReadingAnswer,
}

impl std::fmt::Display for Activity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::LookingUpName => "looking up the name of the host",
            Self::Connecting => "connecting",
            Self::LoggingIn => "logging in",
            Self::WaitingForAnswer => "waiting for the answer; the write may have been made",
            Self::ReadingAnswer => "reading the answer; the write may have been made",
        })
    }
}

impl Activity {
    /// Returns whether the request was sent.
    pub const fn is_after_request(self) -> bool {
        matches!(self, Self::WaitingForAnswer | Self::ReadingAnswer)
    }
}

impl FailureKind {
    /// Returns what an end of the connection means, depending on what was under way.
    pub(crate) const fn closed_while(activity: Activity) -> Self {
        if activity.is_after_request() { Self::ClosedMidway } else { Self::ClosedEarly }
    }

    /// Returns whether the server's words may name the role.
    pub(crate) const fn is_about_login(&self) -> bool {
        matches!(self, Self::WrongPassword | Self::NoSuchRole | Self::NotAdmitted)
    }

    /// Returns whether the server answers and lets this user do less than was asked for.
    pub const fn is_about_rights(&self) -> bool {
        matches!(
            self,
            Self::MayNotConnect
                | Self::PermissionDenied
                | Self::Forbidden
                | Self::HubForbids { .. }
        )
    }

    /// Returns whether the next host of the URL may do better.
    pub(crate) const fn is_about_host(&self) -> bool {
        matches!(
            self,
            Self::NameNotFound
                | Self::Refused
                | Self::Unreachable
                | Self::TimedOut(_)
                | Self::ClosedEarly
                | Self::NotReady
                | Self::OutOfConnections
                | Self::WrongSessionAttributes(_)
        )
    }

    /// Returns whether the same request may succeed a moment later.
    pub(crate) const fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::ClosedEarly
                | Self::ClosedMidway
                | Self::OutOfConnections
                | Self::NotReady
                | Self::Serialization
                | Self::Deadlock
                | Self::LockTimeout
                | Self::HttpConflict
                | Self::TooManyRequests { .. }
                | Self::ServerFailed { status: 502..=504, .. }
                | Self::Truncated
        )
    }

    /// Returns whether there is no server at the moment that takes the request: it does not run, is
    /// starting, full, or a standby.
    pub(crate) const fn is_outage(&self) -> bool {
        matches!(
            self,
            Self::Refused
                | Self::NotReady
                | Self::OutOfConnections
                | Self::ReadOnly
                | Self::WrongSessionAttributes(_)
        )
    }

    /// Returns whether the server ended the session, or failed in a way that its operators end.
    pub(crate) const fn is_cut_off(&self) -> bool {
        matches!(
            self,
            Self::Cancelled | Self::ServerFailed { .. } | Self::ReadOnly | Self::HubDatabase(_)
        )
    }

    /// Returns whether the database may have carried out the request.
    pub(crate) const fn may_have_committed(&self) -> bool {
        match self {
            Self::TimedOut(activity) => activity.is_after_request(),
            Self::ClosedMidway
            | Self::ServerFailed { .. }
            | Self::NotJson
            | Self::Truncated
            | Self::TooLarge => true,
            _ => false,
        }
    }
}
