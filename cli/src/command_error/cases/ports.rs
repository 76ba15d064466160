//! Errors of port reservations.

use crate::command_error::hint::{HintPart, HintPromise, ShellWord};
use crate::command_error::table::{ErrorCase, ErrorRow, REFUSED, error_cases};

error_cases! {
    /// A reservation that was refused.
    PortCase {
        /// Every pair of ports is reserved or in use.
        PoolFull { oldest: ShellWord } => REFUSED "pool_full" {
            ends "trueup ports release {oldest}" "releases the oldest pair, if it is no longer needed";
        }
        /// Every pair of ports is in use without a reservation.
        PoolOccupied => REFUSED "pool_full" {
            says "stop the programs that listen on these ports";
        }
        /// The id has no reservation.
        NotReserved => REFUSED "not_reserved" {
            runs "trueup ports list" "shows the reserved ports";
        }
    }
}
