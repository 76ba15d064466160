//! Sessions over a database on a server, in a world that a seed decides: three machines, their
//! clocks, a network that loses requests and answers, and processes that die at any of them.
//!
//! What runs is the product: its hooks, its pulls, its outbox and replicas in files, its operations
//! over SQLite in the place of the server. Simulated are the network, in which requests are lost
//! (`network`), the clocks (`clock`), and who does what when (`schedule`). A model of plain lists
//! says what must be true (`agent`, `checks`, `final_checks`):
//!
//! - A hook never fails, and what it took is, once everything works again, in the database once and
//!   in its order, or in the journal, or among the refused writes, and somebody was told.
//! - Two sessions never hold one claim.
//! - A replica shows what the server has with what waits on top, and nothing else.
//! - What others changed is told once; so is an outage.
//! - In the end replica, database and cache are equal, and nothing waits.
//!
//! `TRUEUP_SIMULATION_SEED` plays one seed, `TRUEUP_SIMULATION_STEPS` so many steps,
//! `TRUEUP_SIMULATION_TRACE=1` prints each.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a world that cannot be built fails its test; a seed that fails is shown"
)]

mod agent;
mod checks;
mod clock;
mod commands;
mod faults;
mod final_checks;
mod guard;
mod hooks;
mod machine;
mod network;
mod network_tx;
mod payloads;
mod pulls;
mod run;
mod schedule;
mod server;
mod trace;
mod worker;
mod world;
