//! Errors of exports and imports of whole databases.

use crate::command_error::hint::HintPart;
use crate::command_error::table::{ErrorCase, ErrorRow, REFUSED, UNABLE, error_cases};

error_cases! {
    /// An export or import that did not happen.
    TransferCase {
        /// The file is no export, or a damaged one.
        ExportUnusable => UNABLE "export_unusable" {
            says "nothing was imported; use a file that `trueup db export FILE` wrote to its end";
        }
        /// The export was made from another schema.
        ExportOfOtherSchema => UNABLE "export_unusable" {
            says "nothing was imported; upgrade the other database or this trueup, and export again";
        }
        /// The database already has rows of its own.
        DatabaseOccupied => REFUSED "database_occupied" {
            says "nothing was changed; set TRUEUP_DATABASE_URL to a database that is new";
        }
        /// The database changed while it was read by pages.
        ExportOutrun => REFUSED "conflict" {
            says "try again while nobody changes it, or with the postgres:// URL of a user who \
                  belongs to trueup_owner";
        }
        /// What was read back after an import differs.
        ImportNotVerified => UNABLE "not_verified" {
            says "nothing was imported; this is a bug in trueup; please report it";
        }
        /// The user of the URL may not import.
        ImportNotPermitted => UNABLE "store_unavailable" {
            says "nothing was changed; use the postgres:// URL of a user who belongs to trueup_owner";
        }
        /// An import needs a direct connection.
        ImportNeedsDirectConnection => UNABLE "store_unavailable" {
            says "set TRUEUP_DATABASE_URL to the postgres:// URL of its owner";
        }
    }
}
