//! The product in the real Claude Code client: what the agent reads, also after the client is
//! resumed, cleared, compacted or killed.
//!
//! Needs the binaries (`cargo build --workspace`) and, once, npm to fetch the client. Without the
//! client every test prints that it is skipped and passes, unless `TRUEUP_REQUIRE_CLIENT=1`.

mod codex;
mod compaction;
mod context;
mod durability;
mod fixture;
mod handoff_guard;
mod handoffs;
mod harness;
mod mcp;
mod outage;
mod package;
mod prompts;
mod quiet_periods;
mod states;
mod tasks;
mod two_machines;
