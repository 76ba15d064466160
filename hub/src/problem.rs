//! Every error that a client can get, as a status and one JSON object.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use trueup_core::store::StoreError;
use trueup_core::store::operations::WireError;
use trueup_core::text::redact::redact;

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HubError {
    /// No token, or one that is not valid.
    #[error("a valid token is needed")]
    Unauthorized,
    /// The token's role does not allow it.
    #[error("this needs the role {needed}; the token is of a {role}")]
    RoleTooLow {
        /// The least role that may.
        needed: &'static str,
        /// The role of the token.
        role: &'static str,
    },
    /// A web page of another origin asks.
    #[error("requests of other web pages are refused")]
    ForeignOrigin,
    /// The hub is not known under the name that was asked for.
    #[error("this hub is not known under that name")]
    WrongHost,
    /// The body is not declared as JSON.
    #[error("the body must be JSON, with content-type: application/json")]
    NotJson,
    /// The body is longer than allowed.
    #[error("the body is longer than {limit} bytes")]
    TooLarge {
        /// The longest body, in bytes.
        limit: usize,
    },
    /// The body did not come in time.
    #[error("the body did not come in time")]
    SlowBody,
    /// The request makes no sense.
    #[error("{message}")]
    BadRequest {
        /// The stable code.
        code: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// There is no such thing.
    #[error("{message}")]
    NotFound {
        /// The stable code.
        code: &'static str,
        /// What there is not.
        message: String,
    },
    /// The path is asked for in another way.
    #[error("this path takes another method")]
    MethodNotAllowed,
    /// The rules refuse it; nothing was changed.
    #[error("{message}")]
    Refused {
        /// The stable code.
        code: &'static str,
        /// The rule.
        message: String,
    },
    /// The caller asks too often.
    #[error("too many requests")]
    TooManyRequests,
    /// Too much waits for the database.
    #[error("the hub is busy")]
    Busy,
    /// The hub is being stopped.
    #[error("the hub is shutting down")]
    ShuttingDown,
    /// The store's own error.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Seconds after which a request that was put off may be made again.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("1");

impl HubError {
    /// A request with a parameter that makes no sense.
    pub(crate) fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::BadRequest { code, message: message.into() }
    }

    /// Returns the status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::RoleTooLow { .. } | Self::ForeignOrigin => StatusCode::FORBIDDEN,
            Self::WrongHost => StatusCode::MISDIRECTED_REQUEST,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::BadRequest { .. } => StatusCode::BAD_REQUEST,
            Self::NotFound { .. } => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Refused { .. } => StatusCode::CONFLICT,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy | Self::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(error) => store_status(error),
        }
    }

    /// Returns the stable code for programs.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::RoleTooLow { .. } => "role_too_low",
            Self::ForeignOrigin => "foreign_origin",
            Self::WrongHost => "wrong_host",
            Self::NotJson => "not_json",
            Self::TooLarge { .. } => "too_large",
            Self::SlowBody => "slow_body",
            Self::BadRequest { code, .. }
            | Self::NotFound { code, .. }
            | Self::Refused { code, .. } => code,
            Self::MethodNotAllowed => "method_not_allowed",
            Self::TooManyRequests => "too_many_requests",
            Self::Busy => "busy",
            Self::ShuttingDown => "shutting_down",
            Self::Store(error) => error.code(),
        }
    }

    /// Returns what the caller can do about it.
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unauthorized => Some(
                "send Authorization: Bearer with a token of `trueup-hub token create NAME --role ROLE`",
            ),
            Self::RoleTooLow { needed: "admin", .. } => {
                Some("use a token of `trueup-hub token create NAME --role admin`")
            }
            Self::RoleTooLow { .. } => {
                Some("use a token of `trueup-hub token create NAME --role agent`")
            }
            Self::WrongHost => Some("start the hub with --host NAME"),
            Self::TooManyRequests | Self::Busy => Some("try again in a second"),
            _ => None,
        }
    }
}

/// The status of an error of the store: what the caller can mend is 4xx.
const fn store_status(error: &StoreError) -> StatusCode {
    match error {
        StoreError::Conflict(_) => StatusCode::CONFLICT,
        StoreError::Denied { .. } | StoreError::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        StoreError::Missing(_)
        | StoreError::NotCreated(_)
        | StoreError::Unavailable { .. }
        | StoreError::Contended { .. }
        | StoreError::SchemaTooNew { .. }
        | StoreError::SchemaTooOld { .. }
        | StoreError::InUse(_) => StatusCode::SERVICE_UNAVAILABLE,
        StoreError::CopyUnwritable(_)
        | StoreError::CopyUnusable(_)
        | StoreError::Corrupt { .. }
        | StoreError::Unreadable { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Adds from what a client of the store makes the error again.
fn describe_store_error(shown: &mut Value, error: &StoreError) {
    let WireError { kind, detail, found, expected, .. } = WireError::from(error);
    shown["kind"] = kind.into();
    if let Some(detail) = detail {
        shown["detail"] = redact(&detail).text.into();
    }
    for (name, schema) in [("found", found), ("expected", expected)] {
        if let Some(schema) = schema {
            shown[name] = schema.into();
        }
    }
}

impl IntoResponse for HubError {
    fn into_response(self) -> Response {
        let mut error = json!({
            "code": self.code(),
            "message": redact(&self.to_string()).text,
            "hint": self.hint(),
        });
        if let Self::Store(cause) = &self {
            describe_store_error(&mut error, cause);
        }
        let status = self.status();
        let mut response = (status, Json(json!({ "error": error }))).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            headers.insert(header::RETRY_AFTER, RETRY_SECONDS);
        }
        response
    }
}
