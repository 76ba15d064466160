//! Changes of a session by a command: the cache of the session is trued up before and after.

use trueup_core::diagnostic::{Code, Divergence};
use trueup_core::model::{Session, SessionId};
use trueup_core::store::Store;
use trueup_core::sync::{SessionReports, TrueUpOutcome, true_up};

use super::{CommandContext, load_registered_session};
use crate::command_error::CommandResult;

impl CommandContext {
    /// Tells whether the agent of a session runs this command, and so knows of its effect: the
    /// session is that of the environment, and the command runs in its worktree.
    pub(crate) fn is_run_by_agent_of(&self, session: &Session) -> bool {
        let is_env_session = self.named_session.is_none()
            && self.read_env_session().ok().flatten().is_some_and(|id| id == session.id);
        is_env_session && session.worktree.as_ref().is_some_and(|dir| self.cwd.starts_with(dir))
    }

    /// Pushes edits of the cache by hand before the command changes something, because the revision
    /// of the command would make them stale.
    pub(crate) fn true_up_before_change(
        &self,
        store: &mut dyn Store,
        session: Session,
    ) -> CommandResult<Session> {
        if !self.is_within_reach(&session) {
            return Ok(session);
        }
        let run_context = self.run_context_of(&session);
        let synced = true_up(store, session, &[], &run_context)?;
        self.add_lost_edit_notices(&synced);
        self.end_resolved_reports(store, &synced.session, &synced.remaining);
        let session = synced.session;
        self.agent_was_current.set(session.acknowledged >= session.revision);
        self.run.note_work_before_change(&session);
        Ok(session)
    }

    /// Loads the session that the caller changes something as, and trues up its cache.
    pub(crate) fn begin_session_change(&self, store: &mut dyn Store) -> CommandResult<Session> {
        let session = self.require_active_session(store)?;
        self.true_up_before_change(store, session)
    }

    /// Does what [`Self::begin_session_change`] does where the caller is a session, and nothing
    /// where it is a person.
    pub(crate) fn begin_change_by_anyone(
        &self,
        store: &mut dyn Store,
    ) -> CommandResult<Option<Session>> {
        match self.find_active_session(store)? {
            Some(session) => self.true_up_before_change(store, session).map(Some),
            None => Ok(None),
        }
    }

    /// Trues up the cache after a change, and marks the revision as known to the agent where the
    /// agent made the change.
    pub(crate) fn true_up_after_change(
        &self,
        store: &mut dyn Store,
        id: &SessionId,
        warnings: &mut Vec<String>,
    ) -> CommandResult<Session> {
        let session = load_registered_session(store, id)?;
        if !self.is_within_reach(&session) {
            return Ok(session);
        }
        let is_own_change = self.is_run_by_agent_of(&session);
        let run_context = self.run_context_of(&session);
        let synced = true_up(store, session, &[], &run_context)?;
        self.add_lost_edit_notices(&synced);
        self.end_resolved_reports(store, &synced.session, &synced.remaining);
        let TrueUpOutcome { session, problems, remaining, .. } = synced;
        let unreadable = remaining.iter().filter(|d| d.code == Code::CacheUnreadable);
        let problems = problems.into_iter().chain(unreadable.map(|d| d.message.clone()));
        warnings.extend(problems.map(|p| format!("the cache is out of date: {p}")));
        // If others made a change before this command, the agent still has to be told of it.
        if is_own_change && self.agent_was_current.get() && session.acknowledged != session.revision
        {
            store.acknowledge_revision(id, session.revision)?;
        }
        self.renew_replica(&session);
        Ok(session)
    }

    /// Ends what hooks reported of a session and this command does not find any more.
    pub(crate) fn end_resolved_reports(
        &self,
        store: &mut dyn Store,
        session: &Session,
        remaining: &[Divergence],
    ) {
        SessionReports::end_resolved(store, &self.run, &session.id, remaining);
    }

    /// Adds a notice for each edit of the cache that the database did not take. The hooks find the
    /// cache trued up, so nobody else tells of it.
    fn add_lost_edit_notices(&self, synced: &TrueUpOutcome) {
        let lost = synced.found.iter().filter(|found| found.code == Code::EditRejected);
        self.notices.borrow_mut().extend(lost.map(|found| found.message.clone()));
    }
}
