//! The closed vocabularies of status, and the one table of other spellings.
//!
//! Every status goes through that table before it is compared or written.

mod orchestrator_status;
mod session_status;
mod status_alias;
mod work_status;

pub use orchestrator_status::OrchestratorStatus;
pub use session_status::SessionStatus;
pub use work_status::{ItemStatus, PlanTaskStatus, WorkplanTaskStatus};

/// The error for a spelling that no vocabulary has. It is reported on read and refused on write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown status {found:?}; known are {allowed}")]
pub struct UnknownStatus {
    found: String,
    allowed: &'static str,
}

impl UnknownStatus {
    /// Makes the error for a vocabulary outside this module.
    pub(super) fn new(text: &str, allowed: &'static str) -> Self {
        Self { found: text.chars().take(MAX_EXCERPT_CHARS).collect(), allowed }
    }
}

/// Longest excerpt of an unknown spelling in an error, in characters.
const MAX_EXCERPT_CHARS: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stored_spelling_reads_back() {
        for status in ItemStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        for text in ["active", "idle", "ended", "lost"] {
            assert_eq!(text.parse::<SessionStatus>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn spellings_of_the_wild_are_normalised() {
        for (text, status) in [
            ("TODO", ItemStatus::Queued),
            ("In Progress", ItemStatus::Running),
            ("in-progress", ItemStatus::Running),
            ("canceled", ItemStatus::Cancelled),
            (" done ", ItemStatus::Completed),
            ("paused", ItemStatus::Blocked),
        ] {
            assert_eq!(text.parse(), Ok(status), "{text}");
        }
        let error = "almost".parse::<ItemStatus>().unwrap_err().to_string();
        assert!(error.contains("\"almost\"") && error.contains("queued, ready"), "{error}");
    }

    #[test]
    fn each_vocabulary_reads_its_own_and_the_wild_spellings() {
        for status in PlanTaskStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        for status in WorkplanTaskStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        assert_eq!("Done".parse(), Ok(PlanTaskStatus::Completed));
        assert_eq!("complete".parse(), Ok(WorkplanTaskStatus::Done));
        assert_eq!("cancel".parse(), Ok(PlanTaskStatus::Skipped));
        assert_eq!("wait".parse(), Ok(WorkplanTaskStatus::Blocked));
    }

    #[test]
    fn a_spelling_without_a_place_in_a_vocabulary_is_refused_by_name() {
        let plan = "paused".parse::<PlanTaskStatus>().unwrap_err().to_string();
        assert!(plan.contains("\"paused\"") && plan.contains("in_progress"), "{plan}");
        assert!("crashed".parse::<WorkplanTaskStatus>().is_err());
    }
}
