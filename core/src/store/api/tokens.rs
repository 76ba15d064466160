//! Tokens by which others call a hub, and who called by which.

use super::Provenance;
use crate::model::{AccessToken, TokenName, TokenRole};
use crate::store::Result;

/// A token to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// Whose it is.
    pub name: TokenName,
    /// What its bearer may do.
    pub role: TokenRole,
    /// The SHA-256 of its text, as 64 lower-case hexadecimal digits.
    pub digest: String,
}

/// By which token an operation was called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The operation.
    pub op_id: String,
    /// The token.
    pub name: TokenName,
}

/// The operations on tokens. A shared database carries them out for hubs and its owner alone.
#[expect(clippy::missing_errors_doc, reason = "said once at `Store`, and where one is special")]
pub trait TokenStore {
    /// Adds a token. The name of a revoked one may be used again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Denied`](crate::store::StoreError::Denied) when a token has this name and is
    /// not revoked, or when the digest is taken;
    /// [`StoreError::Invalid`](crate::store::StoreError::Invalid) when the digest is none.
    fn create_token(&mut self, new: &NewToken, provenance: &Provenance) -> Result<AccessToken>;

    /// Lists all tokens, the revoked ones as well, by name.
    fn list_tokens(&mut self) -> Result<Vec<AccessToken>>;

    /// Revokes a token. One that was revoked before stays as it is.
    ///
    /// # Errors
    ///
    /// [`StoreError::Invalid`](crate::store::StoreError::Invalid) when no token has this name.
    fn revoke_token(&mut self, name: &TokenName, provenance: &Provenance) -> Result<AccessToken>;

    /// Finds the token with a digest, unless it was revoked.
    fn find_token(&mut self, digest: &str) -> Result<Option<AccessToken>>;

    /// Records who called operations; the events of an operation then name the caller. Of two
    /// callers of one operation the first stays.
    fn record_callers(&mut self, callers: &[Caller]) -> Result<()>;
}
