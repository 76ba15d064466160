//! Whether the holder of something lives: evidence, and the judgement over it.
//!
//! Invariants: one witness is enough for life, death needs two (an orchestrator's own process
//! is both); "cannot tell" is an answer of its own and never means dead before the ceiling.
//! Ages are the database's.

mod client;
mod judge;
mod orchestrator;
mod place;
mod process;
mod records;
mod span;
mod stat;
mod tree;

pub use client::find_client;
pub use judge::{Alive, ProcessEvidence, Vitality, judge, judge_despite};
pub use orchestrator::judge_orchestrator;
pub use place::{PlaceTag, missing_parts, place_tag};
pub use process::{evidence, evidence_of, host_name, identify, parent_of};
pub use records::find_recorded;
pub use span::{LONGEST_SPAN_SECONDS, span_of_command};
pub use tree::{Relative, descendants};
