//! Whom a command speaks for: the one place that answers it.

use trueup_core::cache::{self, CacheFile};
use trueup_core::liveness::LivenessState;
use trueup_core::model::{Session, SessionId, SessionStatus};
use trueup_core::reconcile::Reading;
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{SessionFilter, Store as _};

use crate::args::CliCommand;
use crate::command_context::CommandContext;
use crate::command_error::CommandError;
use crate::views;

/// The actor of what a person at a terminal changes.
pub(crate) const PERSON_ACTOR: &str = "user";

/// Most sessions named where a prefix fits several.
const MAX_SESSIONS_NAMED: u32 = 10;

/// Whom a command speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// A session that is registered.
    Session(SessionId),
    /// The session whose environment the command runs in, which the database does not know.
    Unregistered(SessionId),
    /// A person at a terminal, who holds no item.
    Person,
}

/// Finds the session of an id, or of a prefix that fits no other.
pub(crate) fn find_session_by_prefix(
    store: &mut SqliteStore,
    id: &SessionId,
) -> Result<Session, CommandError> {
    if let Some(session) = store.load_session(id)? {
        return Ok(session);
    }
    let mut candidates = store.list_sessions(&SessionFilter {
        prefix: Some(id.to_string()),
        limit: MAX_SESSIONS_NAMED + 1,
        ..SessionFilter::default()
    })?;
    match (candidates.pop(), candidates.as_slice()) {
        (None, _) => Err(CommandError::session_not_registered(id.as_str())),
        (Some(only), []) => Ok(only),
        (Some(last), others) => {
            let named = others
                .iter()
                .chain([&last])
                .take(MAX_SESSIONS_NAMED as usize);
            let named: Vec<&str> = named.map(|session| session.id.as_str()).collect();
            Err(CommandError::ambiguous_id(id.as_str(), &named))
        }
    }
}

impl CommandContext {
    /// Finds whom the command speaks for: the session that the flag names, the one whose
    /// environment it runs in, the newest live one of this worktree, else the person.
    pub(crate) fn resolve_caller(&self, store: &mut SqliteStore) -> Result<Caller, CommandError> {
        if let Some(caller) = self.caller.get() {
            return Ok(caller.clone());
        }
        let caller = self.find_caller(store)?;
        Ok(self.caller.get_or_init(|| caller).clone())
    }

    /// Refuses a session that the command line names and nobody knows, whatever the command makes
    /// of it: a filter by nobody would answer that there is nothing.
    pub(crate) fn check_named_session(&self, command: &CliCommand) -> Result<(), CommandError> {
        // The log knows sessions that were pruned; the others ask about the machine.
        let asks_itself = matches!(
            command,
            CliCommand::Log(_)
                | CliCommand::Db(_)
                | CliCommand::Doctor { .. }
                | CliCommand::Demo
                | CliCommand::Statusline
                | CliCommand::Completions { .. }
        );
        let Some(id) = self.named_session.as_ref().filter(|_| !asks_itself) else {
            return Ok(());
        };
        // A database that does not open is for the command to tell.
        self.open_store().map_or(Ok(()), |mut store| {
            find_session_by_prefix(&mut store, id).map(drop)
        })
    }

    fn find_caller(&self, store: &mut SqliteStore) -> Result<Caller, CommandError> {
        if let Some(id) = &self.named_session {
            return Ok(Caller::Session(find_session_by_prefix(store, id)?.id));
        }
        self.find_default_caller(store)
    }

    /// Finds whom a command speaks for that names no session.
    pub(crate) fn find_default_caller(
        &self,
        store: &mut SqliteStore,
    ) -> Result<Caller, CommandError> {
        if let Some(id) = self.read_env_session()? {
            return Ok(match store.load_session(&id)? {
                Some(session) => Caller::Session(session.id),
                None => Caller::Unregistered(id),
            });
        }
        let local_sessions = store.list_sessions(&SessionFilter {
            statuses: SessionStatus::PRESENT,
            worktree: Some(self.run.project.name()),
            ..SessionFilter::default()
        })?;
        let live_sessions = local_sessions.into_iter().filter(|session| {
            views::assess_liveness(session, &self.run).state != LivenessState::Dead
        });
        let newest =
            live_sessions.max_by_key(|session| (session.registered_at, session.id.clone()));
        Ok(newest.map_or(Caller::Person, |session| Caller::Session(session.id)))
    }

    /// Reads the session the command speaks for, to show something of it.
    pub(crate) fn require_session(&self, store: &mut SqliteStore) -> Result<Session, CommandError> {
        match self.resolve_caller(store)? {
            Caller::Session(id) => store
                .load_session(&id)?
                .ok_or_else(|| CommandError::session_not_registered(id.as_str())),
            Caller::Unregistered(id) => Err(CommandError::session_not_registered(id.as_str())),
            Caller::Person => Err(CommandError::no_session()),
        }
    }

    /// Reads the session the command speaks for, to change something as that session. One that
    /// has ended is not revived by a command.
    pub(crate) fn require_active_session(
        &self,
        store: &mut SqliteStore,
    ) -> Result<Session, CommandError> {
        let session = self.require_session(store)?;
        check_not_ended(&session)?;
        Ok(session)
    }

    /// Reads the session that changes something; a person needs none.
    pub(crate) fn find_active_session(
        &self,
        store: &mut SqliteStore,
    ) -> Result<Option<Session>, CommandError> {
        match self.resolve_caller(store)? {
            Caller::Person => Ok(None),
            _ => self.require_active_session(store).map(Some),
        }
    }

    /// Reads the session whose point of view something is shown from, if there is one.
    pub(crate) fn find_viewer_session(
        &self,
        store: &mut SqliteStore,
    ) -> Result<Option<Session>, CommandError> {
        match self.resolve_caller(store)? {
            Caller::Session(id) => Ok(store.load_session(&id)?),
            Caller::Unregistered(_) | Caller::Person => Ok(None),
        }
    }

    /// Names who changes something that belongs to no session.
    pub(crate) fn resolve_actor(&self, store: &mut SqliteStore) -> Result<String, CommandError> {
        match self.resolve_caller(store)? {
            Caller::Person => Ok(PERSON_ACTOR.to_owned()),
            Caller::Unregistered(id) => Ok(id.to_string()),
            Caller::Session(_) => Ok(self.require_active_session(store)?.id.to_string()),
        }
    }

    /// Names who clears away what the dead left, which no trouble with names may stop.
    pub(crate) fn resolve_sweep_actor(&self, store: &mut SqliteStore) -> String {
        self.resolve_actor(store)
            .unwrap_or_else(|_| PERSON_ACTOR.to_owned())
    }

    /// Names whom the command would speak for while the database cannot be asked.
    pub(crate) fn presume_session(&self) -> Option<SessionId> {
        let own = || self.read_env_session().ok().flatten();
        self.named_session.clone().or_else(own).or_else(|| {
            let shared = CacheFile::read(&cache::shared_cache_path(&self.run.project.dir));
            match &shared.document {
                Reading::Fresh(document) => document.session(),
                _ => None,
            }
        })
    }

    /// Returns the session that the command names or runs in, not one that is merely here.
    pub(crate) fn find_explicit_session(
        &self,
        store: &mut SqliteStore,
    ) -> Result<Option<Session>, CommandError> {
        let is_explicit = self.named_session.is_some() || self.read_env_session()?.is_some();
        if is_explicit {
            self.find_active_session(store)
        } else {
            Ok(None)
        }
    }

    /// Returns the session whose model runs this command.
    pub(crate) fn read_env_session(&self) -> Result<Option<SessionId>, CommandError> {
        for name in ["TRUEUP_SESSION_ID", "CLAUDE_CODE_SESSION_ID"] {
            let text = self.environment.strict_text(name);
            let text = text.map_err(|problem| CommandError::invalid_variable(name, &problem))?;
            if let Some(text) = text {
                let id = text.parse().map(Some);
                return id.map_err(|error| CommandError::invalid_variable(name, &error));
            }
        }
        Ok(None)
    }
}

/// Refuses a change that would bring an ended session back.
pub(crate) fn check_not_ended(session: &Session) -> Result<(), CommandError> {
    if session.status == SessionStatus::Ended {
        return Err(CommandError::session_ended(session));
    }
    Ok(())
}
