//! Whom a command speaks for: the one place that answers it.

use trueup_core::cache::{self, CacheFile};
use trueup_core::liveness::Alive;
use trueup_core::model::{Session, SessionId, SessionStatus};
use trueup_core::reconcile::Reading;
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{SessionFilter, Store as _};

use crate::args::Command;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::json;

/// The actor of what a person at a terminal changes.
pub(crate) const PERSON: &str = "user";

/// Most sessions named where a prefix fits several.
const MOST_NAMED: u32 = 10;

/// Whom a command speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Speaker {
    /// A session that is registered.
    Session(SessionId),
    /// The session whose environment the command runs in, which the database does not know.
    Unregistered(SessionId),
    /// A person at a terminal, who holds no item.
    Person,
}

/// Finds the session of an id, or of a prefix that fits no other.
pub(crate) fn find_session(store: &mut SqliteStore, id: &SessionId) -> Result<Session, Failure> {
    if let Some(session) = store.session(id)? {
        return Ok(session);
    }
    let mut found = store.sessions(&SessionFilter {
        prefix: Some(id.to_string()),
        limit: MOST_NAMED + 1,
        ..SessionFilter::default()
    })?;
    match (found.pop(), found.as_slice()) {
        (None, _) => Err(Failure::phantom(id.as_str())),
        (Some(only), []) => Ok(only),
        (Some(last), others) => {
            let named = others.iter().chain([&last]).take(MOST_NAMED as usize);
            let named: Vec<&str> = named.map(|session| session.id.as_str()).collect();
            Err(Failure::ambiguous(id.as_str(), &named))
        }
    }
}

impl Desk {
    /// Finds whom the command speaks for: the session that the flag names, the one whose
    /// environment it runs in, the newest live one of this worktree, else the person.
    pub(crate) fn speaker(&self, store: &mut SqliteStore) -> Result<Speaker, Failure> {
        if let Some(speaker) = self.speaker.get() {
            return Ok(speaker.clone());
        }
        let speaker = self.find_speaker(store)?;
        Ok(self.speaker.get_or_init(|| speaker).clone())
    }

    /// Refuses a session that the command line names and nobody knows, whatever the command makes
    /// of it: a filter by nobody would answer that there is nothing.
    pub(crate) fn refuse_unknown_session(&self, command: &Command) -> Result<(), Failure> {
        // The log knows sessions that were pruned; the others ask about the machine.
        let asks_itself = matches!(
            command,
            Command::Log(_)
                | Command::Db(_)
                | Command::Doctor { .. }
                | Command::Demo
                | Command::Statusline
                | Command::Completions { .. }
        );
        let Some(id) = self.named.as_ref().filter(|_| !asks_itself) else {
            return Ok(());
        };
        // A database that does not open is for the command to tell.
        self.opened()
            .map_or(Ok(()), |mut store| find_session(&mut store, id).map(drop))
    }

    fn find_speaker(&self, store: &mut SqliteStore) -> Result<Speaker, Failure> {
        if let Some(id) = &self.named {
            return Ok(Speaker::Session(find_session(store, id)?.id));
        }
        self.default_speaker(store)
    }

    /// Finds whom a command speaks for that names no session.
    pub(crate) fn default_speaker(&self, store: &mut SqliteStore) -> Result<Speaker, Failure> {
        if let Some(id) = self.own_session()? {
            return Ok(match store.session(&id)? {
                Some(session) => Speaker::Session(session.id),
                None => Speaker::Unregistered(id),
            });
        }
        let here = store.sessions(&SessionFilter {
            statuses: SessionStatus::PRESENT,
            worktree: Some(self.site.project.name()),
            ..SessionFilter::default()
        })?;
        let living = here
            .into_iter()
            .filter(|session| json::vitality(session, &self.site).alive != Alive::Dead);
        let newest = living.max_by_key(|session| (session.registered_at, session.id.clone()));
        Ok(newest.map_or(Speaker::Person, |session| Speaker::Session(session.id)))
    }

    /// Reads the session the command speaks for, to show something of it.
    pub(crate) fn session(&self, store: &mut SqliteStore) -> Result<Session, Failure> {
        match self.speaker(store)? {
            Speaker::Session(id) => store
                .session(&id)?
                .ok_or_else(|| Failure::phantom(id.as_str())),
            Speaker::Unregistered(id) => Err(Failure::phantom(id.as_str())),
            Speaker::Person => Err(Failure::no_session()),
        }
    }

    /// Reads the session the command speaks for, to change something as that session. One that
    /// has ended is not revived by a command.
    pub(crate) fn acting_session(&self, store: &mut SqliteStore) -> Result<Session, Failure> {
        let session = self.session(store)?;
        refuse_ended(&session)?;
        Ok(session)
    }

    /// Reads the session that changes something; a person needs none.
    pub(crate) fn mover(&self, store: &mut SqliteStore) -> Result<Option<Session>, Failure> {
        match self.speaker(store)? {
            Speaker::Person => Ok(None),
            _ => self.acting_session(store).map(Some),
        }
    }

    /// Reads the session whose point of view something is shown from, if there is one.
    pub(crate) fn reader(&self, store: &mut SqliteStore) -> Result<Option<Session>, Failure> {
        match self.speaker(store)? {
            Speaker::Session(id) => Ok(store.session(&id)?),
            Speaker::Unregistered(_) | Speaker::Person => Ok(None),
        }
    }

    /// Names who changes something that belongs to no session.
    pub(crate) fn actor(&self, store: &mut SqliteStore) -> Result<String, Failure> {
        match self.speaker(store)? {
            Speaker::Person => Ok(PERSON.to_owned()),
            Speaker::Unregistered(id) => Ok(id.to_string()),
            Speaker::Session(_) => Ok(self.acting_session(store)?.id.to_string()),
        }
    }

    /// Names who clears away what the dead left, which no trouble with names may stop.
    pub(crate) fn sweeping_actor(&self, store: &mut SqliteStore) -> String {
        self.actor(store).unwrap_or_else(|_| PERSON.to_owned())
    }

    /// Names whom the command would speak for while the database cannot be asked.
    pub(crate) fn presumed_session(&self) -> Option<SessionId> {
        let own = || self.own_session().ok().flatten();
        self.named.clone().or_else(own).or_else(|| {
            let shared = CacheFile::read(&cache::shared_path(&self.site.project.dir));
            match &shared.document {
                Reading::Fresh(document) => document.session(),
                _ => None,
            }
        })
    }

    /// Returns the session that the command names or runs in, not one that is merely here.
    pub(crate) fn explicit_session(
        &self,
        store: &mut SqliteStore,
    ) -> Result<Option<Session>, Failure> {
        let is_explicit = self.named.is_some() || self.own_session()?.is_some();
        if is_explicit {
            self.mover(store)
        } else {
            Ok(None)
        }
    }

    /// Returns the session whose model runs this command.
    pub(crate) fn own_session(&self) -> Result<Option<SessionId>, Failure> {
        for name in ["TRUEUP_SESSION_ID", "CLAUDE_CODE_SESSION_ID"] {
            let text = self.environment.demand_text(name);
            let text = text.map_err(|problem| Failure::variable(name, &problem))?;
            if let Some(text) = text {
                let id = text.parse().map(Some);
                return id.map_err(|error| Failure::variable(name, &error));
            }
        }
        Ok(None)
    }
}

/// Refuses a change that would bring an ended session back.
pub(crate) fn refuse_ended(session: &Session) -> Result<(), Failure> {
    if session.status == SessionStatus::Ended {
        return Err(Failure::session_ended(session));
    }
    Ok(())
}
