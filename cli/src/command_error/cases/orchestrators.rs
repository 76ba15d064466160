//! Errors of orchestrators and the commands they run.

use crate::command_error::hint::{HintPart, HintPromise, ShellWord};
use crate::command_error::table::{
    ErrorCase, ErrorRow, NOT_EXECUTABLE, NOT_FOUND, REFUSED, UNABLE, error_cases,
};

error_cases! {
    /// A run of a plan that was refused or could not be started.
    OrchestratorCase {
        /// Another orchestrator runs the plan.
        PlanRunning { run: ShellWord } => REFUSED "plan_already_running" {
            ends "trueup orchestrator stop {run}" "stops it";
        }
        /// The orchestrator does not exist.
        OrchestratorNotFound => REFUSED "orchestrator_not_found" {
            runs "trueup orchestrator list" "shows the runs";
        }
        /// The run has ended.
        OrchestratorEnded { plan: ShellWord } => REFUSED "orchestrator_ended" {
            runs "trueup orchestrator register {plan}" "starts a new run";
        }
        /// The run has ended, and its plan is run by another or was removed.
        OrchestratorReplaced => REFUSED "orchestrator_ended" {
            runs "trueup orchestrator list" "shows the current runs";
        }
        /// The process that started the run is gone.
        Orphaned => UNABLE "orphaned" {
            says "nothing was run; start again with `trueup orchestrator start PLAN -- CMD`";
        }
        /// The command of a previous run is still running.
        CommandStillRuns => UNABLE "command_still_runs" {
            says "stop that command and start again";
        }
        /// The command of the run does not exist.
        CommandNotFound => NOT_FOUND "command_not_found" {
            says "use a program on PATH, or give its full path";
        }
        /// The command of the run cannot be executed.
        CommandNotExecutable => NOT_EXECUTABLE "command_not_executable" {
            says "use an executable file";
        }
    }
}
