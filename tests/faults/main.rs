//! Faults around trueup: races, kills, full disks, damaged files.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test names what it skips and its seed, and fails at the line that failed"
)]

mod busy;
mod cache_files;
mod checks;
mod database_files;
mod durability;
mod full_disk;
mod kill_loop;
mod kills;
mod metadata;
mod mount;
mod next_races;
mod outbox;
mod outbox_kills;
mod permission;
mod plan_regressions;
mod plan_summaries;
mod queue;
mod races;
mod read_only;
mod repo_states;
mod restores;
mod shared;
mod stdin;
mod traced;
