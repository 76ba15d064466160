//! How far a run of an operation has come, and how it ends.

use trueup_core::store::{Result, StoreError};

use super::steps::Recording;

/// Whether an operation may go on before the usual outcome of a step is certain. The commit checks
/// what was assumed, so that the usual case needs no request of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// A conditional write changes its row, the operation was not carried out before, and no rule
    /// of the schema refuses a part that may fail by itself.
    Assume,
    /// Every step is asked for.
    Ask,
}

/// How far a transaction has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    Open,
    /// Only reads follow: the first of them commits.
    Finishing,
    Committed,
}

/// Whether a search chose what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SearchState {
    None,
    /// What is read now is verified by the writes behind it.
    Running,
    Done,
}

/// Why an operation has to run again.
#[derive(Debug)]
pub(super) struct Rerun {
    /// What to return when there is no time left.
    pub(super) error: StoreError,
    /// What the next run may assume.
    pub(super) trust: Trust,
    /// Whether waiting a moment may help.
    pub(super) should_wait: bool,
    /// Whether the writes may have been made.
    pub(super) is_doubtful: bool,
}

impl Rerun {
    /// Others came first; what they left may be chosen from again.
    pub(super) fn after_lost_race(trust: Trust) -> Self {
        let message = "others kept changing what the operation reads".to_owned();
        let error = StoreError::Contended { message, source: None };
        Self { error, trust, should_wait: true, is_doubtful: false }
    }

    /// A run that assumes nothing.
    pub(super) fn without_assumptions() -> Self {
        let message = "the outcome of a step is not certain".to_owned();
        Self {
            error: StoreError::Contended { message, source: None },
            trust: Trust::Ask,
            should_wait: false,
            is_doubtful: false,
        }
    }
}

/// How a run of an operation ended.
#[derive(Debug)]
pub(super) enum Ending<T> {
    /// With its result.
    Done(Result<T>),
    /// Committed, but the result was made from rows as they were before: their times differ.
    Replay(T, Recording),
    /// Without effect.
    Again(Rerun),
}
