//! Whether a session lives, as the hub sees it.

use trueup_core::liveness::{check_session_process, host_name};
use trueup_core::model::{Liveness, Session, judge_session};

/// Judges sessions as commands on the hub's machine do: the process of a session counts where it
/// runs on this machine; elsewhere lease and silence decide.
#[derive(Debug, Clone)]
pub(crate) struct SessionJudge {
    host: String,
    ceiling_seconds: u64,
}

impl SessionJudge {
    /// Makes a judge with the longest silence that is accepted where the process cannot be checked.
    pub(crate) fn new(ceiling_seconds: u64) -> Self {
        Self { host: host_name(), ceiling_seconds }
    }

    /// Judges a session.
    pub(crate) fn judge(&self, session: &Session) -> Liveness {
        judge_session(session, check_session_process(session, &self.host), self.ceiling_seconds)
    }
}
