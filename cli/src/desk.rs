//! What a command works with: settings, surroundings, database, and whom it speaks for.

use std::cell::{Cell, OnceCell, RefCell};
use std::path::{Path, PathBuf};
use std::time::Duration;

use trueup_core::deadline::Deadline;
use trueup_core::diagnostics::Level;
use trueup_core::model::{Event, EventFilter, OperationId, RepoScope, Session, SessionId};
use trueup_core::orchestrators::{self, Death};
use trueup_core::reconcile::{Code, Divergence};
use trueup_core::repos::find_repo_name;
use trueup_core::settings::{Environment, Project, RepositoryConfig, Settings};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{Provenance, Store as _};
use trueup_core::sync::{Site, TrueUp, drain, true_up};
use trueup_core::text::redact::redact;

use crate::args::Common;
use crate::failure::{ErrorCase, Failure};
use crate::speaker::Speaker;

/// How long a command waits for the database; a person or a script would rather wait than
/// fail.
const PATIENCE: Duration = Duration::from_secs(10);

fn patience_of(settings: &Settings) -> Duration {
    settings.deadline.unwrap_or(PATIENCE)
}

/// The desk.
pub(crate) struct Desk {
    pub(crate) environment: Environment,
    pub(crate) site: Site,
    pub(crate) json: bool,
    /// The session named on the command line.
    pub(crate) named: Option<SessionId>,
    /// The flags with which an advised command speaks for whom this one speaks for.
    pub(crate) speaks: String,
    /// The id under which the command's main write happens once, when a script named one.
    op_id: Option<OperationId>,
    /// Whom the command speaks for, once that was asked.
    pub(crate) speaker: OnceCell<Speaker>,
    cwd: PathBuf,
    /// Whether the session's model knew everything before this command changed something.
    was_told: Cell<bool>,
    /// What was found beside the command's own business; one line each.
    notices: RefCell<Vec<String>>,
}

impl Desk {
    pub(crate) fn new(common: &Common) -> Result<Self, Failure> {
        let environment = Environment::of_process();
        let settings = Settings::load(&environment)?;
        let desk = Self::with(common, environment, settings)?;
        // A repository that somebody else wrote must not stop every command in it.
        let nothing = RepositoryConfig::default();
        let own = desk.site.settings.branch_pattern(&nothing).is_some();
        match desk.site.branch_pattern() {
            Err(error) if own => Err(Failure::new(ErrorCase::Configuration, error.to_string())),
            _ => Ok(desk),
        }
    }

    /// Makes the desk of a command that looks what is wrong: a broken configuration is one of the
    /// things to find, and the defaults hold meanwhile, as for hooks.
    pub(crate) fn of_doctor(common: &Common) -> Result<Self, Failure> {
        let environment = Environment::of_process();
        let settings = Settings::load_leniently(&environment)?;
        Self::with(common, environment, settings)
    }

    fn with(
        common: &Common,
        environment: Environment,
        settings: Settings,
    ) -> Result<Self, Failure> {
        let cwd = std::env::current_dir().map_err(|error| {
            Failure::new(ErrorCase::File, format!("the working directory: {error}"))
        })?;
        let project = match &common.project {
            None => Project::find(&environment, &cwd),
            Some(dir) => {
                let dir = dir.canonicalize().map_err(|error| {
                    let message = format!("--project {}: {error}", dir.display());
                    Failure::usage("trueup --help", message)
                })?;
                Project::at(&environment, dir)
            }
        };
        let deadline = Deadline::after(patience_of(&settings));
        let mut site = Site::new(&environment, settings, project, None, deadline);
        if let Err(error) = site.branch_pattern() {
            site.warnings
                .push(format!("{error}; branches are not compared"));
        }
        Ok(Self {
            environment,
            site,
            json: common.json,
            named: common.session.clone(),
            speaks: common.repeated(),
            op_id: common.op_id.clone(),
            speaker: OnceCell::new(),
            cwd,
            was_told: Cell::new(false),
            notices: RefCell::new(Vec::new()),
        })
    }

    pub(crate) fn database(&self) -> Result<&Path, Failure> {
        let path = self.site.settings.sqlite_path();
        path.map(PathBuf::as_path)
            .map_err(|problem| Failure::new(ErrorCase::DatabaseUrl, problem))
    }

    pub(crate) const fn deadline(&self) -> Deadline {
        self.site.deadline
    }

    /// Returns how long a command waits for the database.
    pub(crate) fn patience(&self) -> Duration {
        patience_of(&self.site.settings)
    }

    /// Returns what was worked around or found so far; one line each.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let notices = self.notices.borrow();
        self.site
            .warnings
            .iter()
            .chain(&*notices)
            .cloned()
            .collect()
    }

    pub(crate) fn opened(&self) -> Result<SqliteStore, Failure> {
        Ok(SqliteStore::open(self.database()?, self.site.deadline)?.until_exit())
    }

    /// Opens the database for reading. Orchestrators that died are named and stay as they are.
    pub(crate) fn open(&self) -> Result<SqliteStore, Failure> {
        let mut store = self.opened()?;
        self.notice(orchestrators::dead(&mut store, &self.site));
        Ok(store)
    }

    /// Names orchestrators that died. Trouble with that is for the log: it must not stand in
    /// the way of the command.
    fn notice(&self, found: trueup_core::store::Result<Vec<Death>>) {
        match found {
            Ok(deaths) => {
                let mut notices = self.notices.borrow_mut();
                notices.extend(deaths.iter().map(Death::line));
            }
            Err(error) => self
                .site
                .log(Level::Warn, "orchestrators", &error.to_string()),
        }
    }

    /// Says that what was given is not kept as it was given: no secret reaches the database.
    fn notice_secrets(&self) {
        let arguments = std::env::args_os().skip(1);
        let found: usize = arguments
            .take_while(|argument| argument != "--")
            .map(|argument| redact(&argument.to_string_lossy()).found.len())
            .sum();
        if found > 0 {
            let text = format!("secrets in the arguments were redacted: {found}");
            self.notices.borrow_mut().push(text);
        }
    }

    /// Opens the database for a change; what waits is sent first.
    ///
    /// A missing one is not made: where a database was moved away, an empty one in its place
    /// would make every cache foreign. `trueup db migrate` and a session's start make one.
    pub(crate) fn open_for_change(&self) -> Result<SqliteStore, Failure> {
        self.notice_secrets();
        let mut store = self.opened()?;
        self.send_waiting(&mut store);
        let actor = |store: &mut SqliteStore| self.sweeping_actor(store);
        self.notice(orchestrators::clear(&mut store, &self.site, actor));
        Ok(store)
    }

    /// Sends what waits in the outbox, and says what a person must know of it.
    pub(crate) fn send_waiting(&self, store: &mut SqliteStore) {
        let sent = drain(store, &self.site);
        let told = sent.lines(&self.site, self.named.as_ref());
        self.notices.borrow_mut().extend(told);
    }

    /// Returns the items of which repositories a command keeps to: those of the session's, else
    /// of the one here.
    pub(crate) fn repo_scope(
        &self,
        store: &mut SqliteStore,
        session: Option<&Session>,
        all: bool,
    ) -> Result<RepoScope, Failure> {
        if all {
            return Ok(RepoScope::All);
        }
        let elsewhere = session.filter(|s| s.worktree.as_ref() != Some(&self.site.project.name()));
        Ok(RepoScope::Here(match elsewhere {
            Some(session) => session.repo.clone(),
            None => find_repo_name(store, self.site.named_place())?,
        }))
    }

    /// Returns the directory the command runs in.
    pub(crate) fn cwd(&self) -> &Path {
        &self.cwd
    }

    /// Tells whether a command that is run here without `--project` takes this directory for its
    /// project.
    pub(crate) fn stands_in(&self, project: &Path) -> bool {
        Project::find(&self.environment, &self.cwd).dir == project
    }

    /// Advises findings for this project to a reader who stands elsewhere.
    pub(crate) fn advise(&self, findings: &mut [Divergence]) {
        if findings.is_empty() || self.stands_in(&self.site.project.dir) {
            return;
        }
        for finding in findings {
            finding.fix.set_directory(&self.site.project.dir);
        }
    }

    /// Tells whether the session's own model runs this command, so that it need not be told
    /// of what it did: the session is the environment's, and the command runs where the
    /// session works.
    pub(crate) fn is_own_voice(&self, session: &Session) -> bool {
        let own = self.named.is_none()
            && self
                .own_session()
                .ok()
                .flatten()
                .is_some_and(|id| id == session.id);
        own && session
            .worktree
            .as_ref()
            .is_some_and(|dir| self.cwd.starts_with(dir))
    }

    /// Returns the surroundings of a session, whose cache may be elsewhere on this machine.
    pub(crate) fn site_of(&self, session: &Session) -> Site {
        self.site.for_session(&self.environment, session)
    }

    /// Tells whether the session's cache can be reached from here.
    pub(crate) fn is_within_reach(&self, session: &Session) -> bool {
        session
            .host
            .as_ref()
            .is_none_or(|host| *host == self.site.host)
    }

    /// Makes the provenance of the command's main write, the one whose effect the user asked
    /// for. With `--op-id` it carries that id, so that the store carries it out once; every
    /// other write of a command takes [`Provenance::new`].
    ///
    /// A command that takes part asks [`Self::carried_out`] first, answers from what that
    /// returns, and else writes with this.
    pub(crate) fn provenance(&self, actor: &str, reason: &str) -> Provenance {
        match &self.op_id {
            Some(op_id) => Provenance::repeatable(actor, reason, op_id),
            None => Provenance::new(actor, reason),
        }
    }

    /// Finds the event that shows this command carried out before under its `--op-id`: one of
    /// these kinds, of this kind of thing, and of the thing named, if one is.
    ///
    /// An id that was used for something else is refused: to answer as if this had been done
    /// would be a lie.
    pub(crate) fn carried_out(
        &self,
        store: &mut SqliteStore,
        entity: &str,
        key: Option<&str>,
        kinds: &[&str],
    ) -> Result<Option<Event>, Failure> {
        let Some(op_id) = &self.op_id else {
            return Ok(None);
        };
        let events = store.events(&EventFilter {
            op_id: Some(op_id.to_string()),
            ..EventFilter::default()
        })?;
        let is_this = |event: &&Event| {
            event.entity == entity
                && key.is_none_or(|key| event.key == key)
                && kinds.contains(&event.kind.as_str())
        };
        let other = events
            .last()
            .map(|e| format!("{} {} {}", e.entity, e.key, e.kind));
        match (events.into_iter().find(|event| is_this(&event)), other) {
            (Some(event), _) => Ok(Some(event)),
            (None, None) => Ok(None),
            (None, Some(other)) => Err(Failure::op_id_used(format!(
                "operation id {op_id} was already used for another change: {other}"
            ))),
        }
    }

    /// Pushes what was edited by hand before a command changes something, so that the edit is
    /// not lost to the command's own revision.
    pub(crate) fn before_change(
        &self,
        store: &mut SqliteStore,
        session: Session,
    ) -> Result<Session, Failure> {
        if !self.is_within_reach(&session) {
            return Ok(session);
        }
        let site = self.site_of(&session);
        let session = true_up(store, session, &[], &site)?.session;
        self.was_told.set(session.acknowledged >= session.revision);
        Ok(session)
    }

    /// Leaves the cache in step after a change, and the model told when it was its own.
    pub(crate) fn after_change(
        &self,
        store: &mut SqliteStore,
        id: &SessionId,
        warnings: &mut Vec<String>,
    ) -> Result<Session, Failure> {
        let session = store
            .session(id)?
            .ok_or_else(|| Failure::phantom(id.as_str()))?;
        if !self.is_within_reach(&session) {
            return Ok(session);
        }
        let own = self.is_own_voice(&session);
        let site = self.site_of(&session);
        let TrueUp {
            session,
            problems,
            remaining,
            ..
        } = true_up(store, session, &[], &site)?;
        let unreadable = remaining.iter().filter(|d| d.code == Code::S08);
        let problems = problems
            .into_iter()
            .chain(unreadable.map(|d| d.message.clone()));
        warnings.extend(problems.map(|p| format!("the cache is out of date: {p}")));
        // What others changed before this command is still to be told.
        if own && self.was_told.get() && session.acknowledged != session.revision {
            store.acknowledge(id, session.revision)?;
        }
        Ok(session)
    }
}
