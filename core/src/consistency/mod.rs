//! Checks whether workplan files, the database and git agree, and makes them agree.
//!
//! A check observes, decides and acts. `snapshot` reads the files of a checkout and the rows of
//! its repository, `git_preflight` asks git. [`assess_checkout`] is pure: it returns findings, each
//! with the [`Fix`] that ends it. `row_updates` and `writeback` apply the fixes; then whatever
//! they touched is read again, and what still differs is reported. `undo_log` restores what an
//! interrupted run left in files.
//!
//! Three types carry it: a [`WorkplanFile`] is what one file says, a `Node` is a workplan or one of
//! its tasks together with its row, and a [`Fix`] is one change of a file or a row.
//!
//! Invariants:
//! - A status never goes back, neither in the database nor in a file.
//! - Nothing is written while the files may be older than what others published, or where a
//!   commit could not be published.
//! - A file changes only in the values concerned, and only together with a commit of its own.
//! - What cannot be understood becomes a finding with its position; nothing is guessed.

mod assessment;
mod check;
mod check_lock;
mod checkout_files;
mod checkout_reader;
mod file_edits;
mod finding;
mod fix;
mod git_preflight;
mod ids;
mod parse_problem;
mod plan_files;
mod protected_files;
mod report;
mod row_updates;
mod rules;
mod snapshot;
mod task_entry;
#[cfg(test)]
mod tests;
mod undo_log;
mod workplan_file;
mod workplan_folders;
mod writeback;

pub use assessment::{Assessment, assess_checkout};
pub use check::{CheckRequest, Checkout, check_checkout};
pub use finding::CheckFinding;
pub use fix::{Fix, FixPlan, NodeId};
pub use git_preflight::COMMIT_SUBJECT;
pub use parse_problem::ParseProblem;
pub use plan_files::PlanCheckboxes;
pub use report::{CheckError, CheckReport, PushScope};
pub use row_updates::FixActor;
pub use snapshot::CheckoutSnapshot;
pub use task_entry::TaskEntry;
pub use workplan_file::{DeclaredStatus, WorkplanFile};
