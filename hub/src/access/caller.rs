//! Who asks, and what they may.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use trueup_core::model::{TokenName, TokenRole};

use crate::problem::HubError;

/// Who asks, as their token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The name of the token.
    pub(crate) name: TokenName,
    /// The role of the token.
    pub(crate) role: TokenRole,
}

impl Caller {
    /// Refuses a caller whose role is lower.
    pub(crate) fn require(&self, needed: TokenRole) -> Result<(), HubError> {
        if self.role < needed {
            return Err(HubError::RoleTooLow { needed: needed.as_str(), role: self.role.as_str() });
        }
        Ok(())
    }
}

/// An administrator. A handler that takes one refuses everybody else before it looks at the body.
#[derive(Debug, Clone)]
pub(crate) struct AdminCaller(pub(crate) Caller);

impl<S: Sync> FromRequestParts<S> for AdminCaller {
    type Rejection = HubError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, HubError> {
        let caller = Caller::from_request_parts(parts, state).await?;
        caller.require(TokenRole::Admin)?;
        Ok(Self(caller))
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = HubError;

    /// Takes the caller that the check of the token left; a route without that check has none.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, HubError> {
        parts.extensions.get::<Self>().cloned().ok_or(HubError::Unauthorized)
    }
}
