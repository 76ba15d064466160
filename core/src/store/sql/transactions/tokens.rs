//! Tokens by which others call a hub, and who called by which.

use super::super::engine::Engine;
use super::super::{SqlStore, tokens};
use crate::model::{AccessToken, TokenName};
use crate::store::{Caller, NewToken, Provenance, Result, TokenStore};

impl<E: Engine> TokenStore for SqlStore<E> {
    fn create_token(&mut self, new: &NewToken, provenance: &Provenance) -> Result<AccessToken> {
        self.engine.write(|tx| tokens::create_token(tx, new, provenance))
    }

    fn list_tokens(&mut self) -> Result<Vec<AccessToken>> {
        self.engine.read(|tx| tokens::list_tokens(tx))
    }

    fn revoke_token(&mut self, name: &TokenName, provenance: &Provenance) -> Result<AccessToken> {
        self.engine.write(|tx| tokens::revoke_token(tx, name, provenance))
    }

    fn find_token(&mut self, digest: &str) -> Result<Option<AccessToken>> {
        self.engine.read(|tx| tokens::find_token(tx, digest))
    }

    fn record_callers(&mut self, callers: &[Caller]) -> Result<()> {
        if callers.is_empty() {
            return Ok(());
        }
        self.engine.write(|tx| tokens::record_callers(tx, callers))
    }
}
