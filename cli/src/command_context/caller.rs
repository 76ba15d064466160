//! Resolution of the caller: the session, or the person, that a command acts for. It is resolved
//! only here.

use std::fmt::Display;
use std::str::FromStr;

use trueup_core::cache::{self, CacheFile};
use trueup_core::hook::{CLIENTS, Client};
use trueup_core::liveness;
use trueup_core::model::{
    LivenessState, OrchestratorId, ProcessState, Session, SessionId, SessionStatus,
};
use trueup_core::reconcile::Reading;
use trueup_core::store::{HeartbeatRequest, SessionFilter, Store};
use trueup_core::text::CommandLine;

use super::{Caller, CommandContext};
use crate::command_error::{CommandError, CommandResult};
use crate::views;

/// The actor of changes by a person at a terminal.
pub(crate) const PERSON_ACTOR: &str = "user";

/// Most sessions named where a prefix matches several.
const MAX_SESSIONS_NAMED: u32 = 10;

/// Loads a session that must be registered.
pub(crate) fn load_registered_session(
    store: &mut dyn Store,
    id: &SessionId,
) -> CommandResult<Session> {
    let session = store.load_session(id)?;
    session.ok_or_else(|| CommandError::session_not_registered(id.as_str()))
}

/// Finds the session with this id, or the only one whose id begins with it.
pub(crate) fn find_session_by_prefix(
    store: &mut dyn Store,
    id: &SessionId,
) -> CommandResult<Session> {
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
            let named = others.iter().chain([&last]).take(MAX_SESSIONS_NAMED as usize);
            let named: Vec<&str> = named.map(|session| session.id.as_str()).collect();
            let shows_all = CommandLine::new("trueup sessions list");
            Err(CommandError::ambiguous_id(id.as_str(), &named, shows_all))
        }
    }
}

impl CommandContext {
    /// Resolves the caller: the session of `--session`, that of the environment, the newest live
    /// one of this worktree, or else a person. The result is kept for the rest of the command.
    pub(crate) fn resolve_caller(&self, store: &mut dyn Store) -> CommandResult<Caller> {
        if let Some(caller) = self.caller.get() {
            return Ok(caller.clone());
        }
        let caller = self.find_caller(store)?;
        Ok(self.caller.get_or_init(|| caller).clone())
    }

    fn find_caller(&self, store: &mut dyn Store) -> CommandResult<Caller> {
        if let Some(id) = &self.named_session {
            return Ok(Caller::Session(find_session_by_prefix(store, id)?.id));
        }
        self.find_default_caller(store)
    }

    /// Finds the caller of a command without `--session`.
    pub(crate) fn find_default_caller(&self, store: &mut dyn Store) -> CommandResult<Caller> {
        if let Some(id) = self.read_env_session()? {
            return Ok(match store.load_session(&id)? {
                Some(session) => Caller::Session(session.id),
                None => Caller::Unregistered(id),
            });
        }
        let local_sessions = store.list_sessions(&SessionFilter {
            statuses: SessionStatus::PRESENT.to_vec(),
            worktree: Some(self.run.project.name()),
            ..SessionFilter::default()
        })?;
        let live_sessions = local_sessions.into_iter().filter(|session| {
            views::assess_liveness(session, &self.run).state != LivenessState::Dead
        });
        let mut live_sessions: Vec<Session> = live_sessions.collect();
        live_sessions.sort_by_key(|session| (session.registered_at, session.id.clone()));
        self.is_one_of_several.set(live_sessions.len() > 1);
        let newest = live_sessions.pop();
        Ok(newest.map_or(Caller::Person, |session| Caller::Session(session.id)))
    }

    /// Loads the session of the caller, for showing it.
    pub(crate) fn require_session(&self, store: &mut dyn Store) -> CommandResult<Session> {
        match self.resolve_caller(store)? {
            Caller::Session(id) => load_registered_session(store, &id),
            Caller::Unregistered(id) => Err(CommandError::session_not_registered(id.as_str())),
            Caller::Person => Err(CommandError::no_session()),
        }
    }

    /// Loads the session of the caller, for changing something as that session. A session that has
    /// ended or died is refused: commands do not revive it.
    pub(crate) fn require_active_session(&self, store: &mut dyn Store) -> CommandResult<Session> {
        let session = self.require_session(store)?;
        check_not_ended(&session)?;
        self.check_not_dead(&session)?;
        let session = self.renew_own_lease(store, session)?;
        if self.is_one_of_several.take() {
            self.notices.borrow_mut().push(format!(
                "several sessions are live in this worktree; this acts for the newest, {}; \
                 choose another with --session",
                session.id
            ));
        }
        Ok(session)
    }

    /// Refuses a change as a session that is dead. One that runs this command itself lives, as does
    /// one whose process runs or whose lease does, even if somebody took its item and it counts as
    /// lost.
    fn check_not_dead(&self, session: &Session) -> CommandResult<()> {
        if self.read_env_session()?.as_ref() == Some(&session.id) {
            return Ok(());
        }
        let liveness = views::assess_liveness(session, &self.run);
        let may_live = liveness.process == ProcessState::Running || !session.is_lease_expired();
        if liveness.state == LivenessState::Dead && !may_live {
            return Err(CommandError::session_died(session, &liveness.evidence));
        }
        Ok(())
    }

    /// Renews the lease of a session that runs this command itself, when that is due: who changes
    /// something lives, even if a sweep took the session for lost.
    fn renew_own_lease(&self, store: &mut dyn Store, session: Session) -> CommandResult<Session> {
        let settings = &self.run.settings;
        let is_due = session.is_renewal_due(settings.renewal_seconds());
        let is_own = self.read_env_session()?.as_ref() == Some(&session.id);
        if !is_own || (!is_due && session.status.is_present()) || self.run.client_is_gone() {
            return Ok(session);
        }
        store.record_heartbeat(&HeartbeatRequest {
            session: session.id.clone(),
            lease_seconds: Some(settings.lease_seconds),
            status: Some(SessionStatus::Active).filter(|_| !session.status.is_present()),
            quiet_seconds: None,
        })?;
        load_registered_session(store, &session.id)
    }

    /// Loads the session that changes something; absent where the caller is a person.
    pub(crate) fn find_active_session(
        &self,
        store: &mut dyn Store,
    ) -> CommandResult<Option<Session>> {
        match self.resolve_caller(store)? {
            Caller::Person => Ok(None),
            _ => self.require_active_session(store).map(Some),
        }
    }

    /// Loads the session from whose point of view something is shown, if there is one.
    pub(crate) fn find_viewer_session(
        &self,
        store: &mut dyn Store,
    ) -> CommandResult<Option<Session>> {
        match self.resolve_caller(store)? {
            Caller::Session(id) => Ok(store.load_session(&id)?),
            Caller::Unregistered(_) | Caller::Person => Ok(None),
        }
    }

    /// Returns the actor of a change that belongs to no session.
    pub(crate) fn resolve_actor(&self, store: &mut dyn Store) -> CommandResult<String> {
        match self.resolve_caller(store)? {
            Caller::Person => Ok(PERSON_ACTOR.to_owned()),
            Caller::Unregistered(id) => Ok(id.to_string()),
            Caller::Session(_) => Ok(self.require_active_session(store)?.id.to_string()),
        }
    }

    /// Returns the actor of a sweep. A sweep must not fail because the caller cannot be resolved.
    pub(crate) fn resolve_sweep_actor(&self, store: &mut dyn Store) -> String {
        self.resolve_actor(store).unwrap_or_else(|_| PERSON_ACTOR.to_owned())
    }

    /// Guesses the session of the caller while the database cannot be read.
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

    /// Loads the session of `--session` or of the environment, but not one merely live here.
    pub(crate) fn find_explicit_session(
        &self,
        store: &mut dyn Store,
    ) -> CommandResult<Option<Session>> {
        if self.names_session()? { self.find_active_session(store) } else { Ok(None) }
    }

    /// Tells whether `--session` or the environment names the caller.
    pub(crate) fn names_session(&self) -> CommandResult<bool> {
        Ok(self.named_session.is_some() || self.read_env_session()?.is_some())
    }

    /// Reads the session of the environment, whose agent runs this command.
    pub(crate) fn read_env_session(&self) -> CommandResult<Option<SessionId>> {
        // An agent that was started by another one inherits the variables of its session.
        let inner = self.find_inner_client();
        if let Some(id) = self.read_client_session(inner)? {
            return Ok(Some(id));
        }
        match self.read_env_id("TRUEUP_SESSION_ID")? {
            Some(id) => Ok(Some(id)),
            None => self.read_client_session(CLIENTS.into_iter().rev()),
        }
    }

    /// Returns the client that runs this command, where the variables of several are set.
    fn find_inner_client(&self) -> Option<&'static Client> {
        let is_set = |client: &&Client| {
            client.session_variables.iter().any(|name| self.environment.os_value(name).is_some())
        };
        let has_several = CLIENTS.into_iter().filter(is_set).count() > 1;
        let (_, client) = liveness::find_nearest_client().filter(|_| has_several)?;
        // Claude Code's commands have their session in `TRUEUP_SESSION_ID`.
        client.label().map(|_| client)
    }

    /// Reads the session that one of these clients has told this command.
    fn read_client_session(
        &self,
        clients: impl IntoIterator<Item = &'static Client>,
    ) -> CommandResult<Option<SessionId>> {
        let names = clients.into_iter().flat_map(|client| client.session_variables);
        for name in names {
            if let Some(id) = self.read_env_id(name)? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Reads the orchestrator of the environment, which runs this command.
    pub(crate) fn read_env_orchestrator(&self) -> CommandResult<Option<OrchestratorId>> {
        self.read_env_id("TRUEUP_ORCHESTRATOR_ID")
    }

    fn read_env_id<T: FromStr<Err: Display>>(&self, name: &str) -> CommandResult<Option<T>> {
        let text = self.environment.strict_text(name);
        let text = text.map_err(|problem| CommandError::invalid_variable(name, &problem))?;
        let id = text.map(str::parse).transpose();
        id.map_err(|error| CommandError::invalid_variable(name, &error))
    }
}

/// Refuses a change as a session that has ended.
pub(crate) fn check_not_ended(session: &Session) -> CommandResult<()> {
    if session.status == SessionStatus::Ended {
        return Err(CommandError::session_ended(session));
    }
    Ok(())
}
