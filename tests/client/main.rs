//! The product in the real Claude Code client: what a model reads, and what stays true when the
//! client is resumed, cleared, compacted or killed.
//!
//! Needs the binaries (`cargo build --workspace`) and npm, once, to fetch the client; without the
//! client every test says that it is skipped and passes, unless `TRUEUP_REQUIRE_CLIENT=1`.

mod compaction;
mod context;
mod durability;
mod fixture;
mod gate;
mod handoffs;
mod harness;
mod package;
mod prompts;
mod spans;
mod states;
mod tasks;
