//! Whether the holder of something lives: evidence, and the judgement over it.
//!
//! Invariants: one witness is enough for life, death needs two (an orchestrator's own process
//! is both); "cannot tell" is an answer of its own and never means dead before the ceiling.
//! Ages are the database's.

mod client_process;
mod client_records;
mod descendants;
mod orchestrator_liveness;
mod proc_stat;
mod process_place;
mod process_table;
mod quiet_period;
mod session_liveness;

pub use client_process::find_client_pid;
pub use client_records::find_recorded_client;
pub use descendants::{Descendant, list_descendants};
pub use orchestrator_liveness::judge_orchestrator;
pub use process_place::unreadable_place_parts;
pub use process_table::{
    check_process, check_session_process, find_parent, host_name, identify_process,
};
pub use quiet_period::{MAX_QUIET_SECONDS, quiet_period_of_command};
pub use session_liveness::{
    Liveness, LivenessState, ProcessState, judge_session, judge_session_with_doubt,
};
