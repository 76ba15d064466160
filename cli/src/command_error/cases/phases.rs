//! Errors of the phases of items.

use crate::command_error::hint::{HintPart, HintPromise, ShellWord};
use crate::command_error::table::{ErrorCase, ErrorRow, REFUSED, error_cases};

error_cases! {
    /// An operation on a phase that was refused.
    PhaseCase {
        /// The phase does not exist.
        PhaseNotFound => REFUSED "phase_not_found" {
            runs "trueup queue list" "shows the phases";
        }
        /// The item has phases already.
        PhasesExist { item: ShellWord } => REFUSED "phases_exist" {
            runs "trueup queue list --item {item}" "shows its phases";
        }
        /// A dependency names a phase that is not being added.
        PhaseToDependOnNotFound => REFUSED "phase_not_found" {
            runs "trueup queue add --help" "shows how dependencies are written";
        }
        /// Dependencies of phases form a cycle.
        PhaseCycle => REFUSED "dependency_cycle" {
            runs "trueup queue add --help" "shows how dependencies are written";
        }
        /// Another session holds the item of a phase.
        PhaseHeld => REFUSED "not_holder" {
            runs "trueup queue next" "shows a phase that is free";
        }
        /// The item of a phase was taken over.
        PhaseTakenOver => REFUSED "stale_epoch" {
            runs "trueup status" "shows what this session holds";
            says "work already done is kept";
        }
        /// The phase cannot change from its status to that one.
        IllegalStep { item: ShellWord } => REFUSED "illegal_transition" {
            runs "trueup queue list --item {item}" "shows the status of its phases";
        }
        /// The phase is finished; it can only be reopened.
        PhaseOver { phase: ShellWord } => REFUSED "illegal_transition" {
            runs "trueup queue reopen {phase} --reason again" "reopens it";
        }
        /// Another phase blocks this one.
        PhaseBlocked { by: ShellWord } => REFUSED "illegal_transition" {
            runs "trueup queue reopen {by} --reason again" "reopens the phase that blocks it";
        }
        /// A phase that would be removed is running.
        PhaseRunning { phase: ShellWord } => REFUSED "phase_running" {
            runs "trueup queue cancel {phase} --reason unneeded" "ends it";
        }
        /// Other phases depend on the one that would be removed.
        PhaseInUse { phase: ShellWord } => REFUSED "phase_in_use" {
            runs "trueup queue remove {phase} --all" "removes all phases of its item";
        }
        /// The phase was started too often within the cooldown.
        TooManyStarts { item: ShellWord } => REFUSED "retry_limit" {
            runs "trueup log --item {item}" "shows why it keeps restarting";
        }
    }
}
