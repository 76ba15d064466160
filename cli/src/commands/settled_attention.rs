//! Telling the database that something needs a person no more.

use trueup_core::model::AttentionId;
use trueup_core::store::{Provenance, StoreError};

use crate::command_context::{CommandContext, PERSON_ACTOR};
use crate::command_error::CommandResult;

/// Ends what needed a person, where the database can be reached. Returns a warning where it cannot:
/// then it is still listed, and ends by the same command of a hub.
pub(super) fn settle_attention(
    context: &CommandContext,
    id: &AttentionId,
    how: &str,
) -> Option<String> {
    let end = || -> CommandResult<Result<(), StoreError>> {
        let store = &mut *context.open_for_reading()?;
        Ok(store.end_attention(id, &Provenance::new(PERSON_ACTOR, how)))
    };
    match end() {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(format!("{id} is still listed as open: {error}")),
        // Without a database nothing was reported either.
        Err(error) if error.code() == "store_missing" => None,
        Err(error) => Some(format!("{id} is still listed as open: {}", error.message)),
    }
}
