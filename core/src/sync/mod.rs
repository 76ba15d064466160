//! Observe, decide, act: the core of every hook and command.
//!
//! Invariants: a fix counts only after it was read back; when the database changes meanwhile it is
//! read again, a bounded number of times; a rejected edit is in the journal before its file is
//! replaced.

mod briefing;
mod cache_replacement;
mod clock_doubt;
mod handoff_notices;
mod lifecycle;
mod local_marks;
mod observe;
mod outbox_drain;
mod push_with_retry;
mod repo_summary;
mod run_context;
mod session_reports;
mod settled_attention;
mod stuck_work;
mod true_up;

pub use briefing::{Briefing, render_database_change};
pub use clock_doubt::{CLOCK_READINGS_APART_SECONDS, ClockDoubt, estimate_clock_doubt};
pub use handoff_notices::{HandoffNotice, render_handoffs};
pub use lifecycle::{
    find_predecessor, fresh_session_id, is_known_by_id_only, is_registration_current,
    register_session, sweep_dead_sessions,
};
pub use local_marks::send_marks;
pub use observe::{Observation, observe_session, observe_without_database};
pub use outbox_drain::{DrainReport, drain_outbox, record_session_database};
pub use push_with_retry::{PushOutcome, RetriedPush, push_with_retry};
pub use repo_summary::RepoSummary;
pub use run_context::{RunContext, now};
pub use session_reports::{SessionReports, report_journal_entry};
pub use settled_attention::{RestoredEdit, resend_dead_letter, restore_journal_entry};
pub use stuck_work::{describe_stuck_work, fail_stuck_phases, fail_stuck_tasks};
pub use true_up::{HandoffReadiness, SyncError, TrueUpOutcome, observe_and_decide, true_up};
