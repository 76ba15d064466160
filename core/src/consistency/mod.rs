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

mod assessment;
mod check;
mod check_lock;
mod checkout_files;
mod file_edits;
mod finding;
mod git_preflight;
mod ids;
mod plan_files;
mod row_updates;
mod rules;
mod task_entry;
#[cfg(test)]
mod tests;
mod undo_log;
mod workplan_file;
mod writeback;

pub use assessment::{Assessment, CheckoutSnapshot, FixPlan, NodeId, assess_checkout};
pub use check::{CheckError, CheckReport, CheckRequest, Checkout, PushScope, check_checkout};
pub use finding::CheckFinding;
pub use git_preflight::COMMIT_SUBJECT;
pub use plan_files::PlanCheckboxes;
pub use row_updates::FixActor;
pub use task_entry::TaskEntry;
pub use workplan_file::{DeclaredStatus, ParseProblem, WorkplanFile};
