//! Whether workplan files, the database and git agree (seed 3), and making them agree.
//!
//! Observe: `files` and `plans` read the workplans and plans of a checkout, the store its rows,
//! `gate` what git says. Decide: [`assess()`] is pure and returns findings and deeds. Act: `rows`
//! and `writeback` carry the deeds out, then everything is read again; what is left is reported.
//! What a run that was killed left in files is put back by the next one (`unfinished`).
//!
//! Invariants: a status never goes back, in the database or in a file; nothing is written while
//! the files may be older than what others published, nor where a commit could not be
//! published; a file changes by the values concerned alone, and by nothing but a commit of its
//! own; what is not understood is a finding with its place, never a guess.

mod assess;
mod check;
mod drafts;
mod entry;
mod files;
mod finding;
mod gate;
mod ids;
mod plans;
mod rows;
mod rules;
mod sheet;
#[cfg(test)]
mod tests;
mod turn;
mod unfinished;
mod writeback;

pub use assess::{Assessment, Deeds, Reading, Spot, assess};
pub use check::{CheckError, Checked, Checkout, Push, Request, check};
pub use entry::Entry;
pub use finding::Finding;
pub use gate::SUBJECT;
pub use plans::PlanSheet;
pub use rows::Mover;
pub use sheet::{Sheet, Stand, Trouble};
