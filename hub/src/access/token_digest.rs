//! What is known of a token once its text is forgotten.

use axum::http::HeaderMap;

use super::credentials::find_token;
use super::token_text::digest_token;

/// The digest of a token, by which it can be looked up again while a request is answered for long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenDigest(pub(super) String);

impl TokenDigest {
    pub(super) fn of_token(token: &str) -> Self {
        Self(digest_token(token))
    }

    /// The digest of the token that a request carries.
    pub(crate) fn of_request(headers: &HeaderMap) -> Option<Self> {
        find_token(headers).map(Self::of_token)
    }
}
