//! Errors of filters of the log.

use crate::command_error::hint::{HintPart, HintPromise};
use crate::command_error::table::{ErrorCase, ErrorRow, REFUSED, error_cases};

error_cases! {
    /// A filter that names what the log does not know.
    LogCase {
        /// The log has no event of that kind.
        EventKindNotFound { kinds: String } => REFUSED "kind_not_found" {
            says "known kinds: {kinds}";
        }
        /// The log has no event of that kind of entity.
        EntityNotFound { entities: String } => REFUSED "entity_not_found" {
            says "known entities: {entities}";
        }
        /// The log has no event by that actor.
        ActorNotFound => REFUSED "actor_not_found" {
            runs "trueup log" "shows the latest events";
        }
    }
}
