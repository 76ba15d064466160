//! Judges whether a session or an orchestrator lives, from its lease, heartbeat and process.
//!
//! Invariants: one piece of evidence proves life, death needs two (an orchestrator's own process
//! counts for both); "cannot tell" is a third answer and never means dead before the ceiling. Ages
//! are measured by the database's clock.

mod client_process;
mod client_records;
mod descendants;
mod proc_stat;
mod process_place;
mod process_table;
mod quiet_period;

pub use client_process::find_nearest_client;
pub use client_records::find_recorded_client;
pub use descendants::{Descendant, list_descendants};
pub use process_place::unreadable_place_parts;
pub use process_table::{
    check_process, check_session_process, find_parent, host_name, identify_process,
};
pub use quiet_period::{MAX_QUIET_SECONDS, quiet_period_of_command};
