//! Errors of a command line and of the environment.

use trueup_core::text::CommandLine;

use crate::command_error::hint::{HintPart, HintPromise, HintText};
use crate::command_error::table::{ErrorCase, ErrorRow, REFUSED, USAGE, error_cases};

error_cases! {
    /// A command line or a variable of the environment that cannot be understood.
    UsageCase {
        /// The command line cannot be understood.
        Usage { help: CommandLine } => USAGE "usage" {
            runs "{help}" "shows the usage";
        }
        /// A variable of the environment has an invalid value.
        Variable { name: HintText } => USAGE "usage" {
            says "unset {name}, or correct its value";
        }
        /// The retention period is shorter than the shortest allowed.
        KeepTooShort => USAGE "usage" {
            runs "trueup db prune --keep 1d --dry-run" "shows what the shortest period would remove";
        }
        /// A time that cannot be parsed.
        BadTime => USAGE "usage" {
            says "write a time as 2026-02-02T03:00:00Z, 2026-02-02T04:00:00+01:00 or 2026-02-02, \
                  or a duration as 90s, 30m, 2h, 1h30m, 1d or 1w";
        }
        /// The operation id was used for another change.
        OperationIdUsed => REFUSED "op_id_used" {
            says "use a new operation id for every change";
        }
    }
}
