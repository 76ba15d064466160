//! What a command works with: settings, surroundings, database, and whom it speaks for.

use std::cell::{Cell, OnceCell, RefCell};
use std::path::{Path, PathBuf};
use std::time::Duration;

use trueup_core::deadline::Deadline;
use trueup_core::log::LogLevel;
use trueup_core::model::{Event, EventFilter, OperationId, RepoScope, Session, SessionId};
use trueup_core::orchestrators::{self, DeadOrchestrator};
use trueup_core::reconcile::{Code, Divergence};
use trueup_core::repos::find_repo_name;
use trueup_core::settings::{Environment, Project, RepositoryConfig, Settings};
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::store::{Provenance, Store as _};
use trueup_core::sync::{RunContext, TrueUpOutcome, drain_outbox, true_up};
use trueup_core::text::redact::redact;

use crate::args::GlobalArgs;
use crate::caller::Caller;
use crate::command_error::{CommandError, ErrorCase};

/// How long a command waits for the database; a person or a script would rather wait than
/// fail.
const DEFAULT_PATIENCE: Duration = Duration::from_secs(10);

fn database_patience(settings: &Settings) -> Duration {
    settings.deadline.unwrap_or(DEFAULT_PATIENCE)
}

/// The desk.
pub(crate) struct CommandContext {
    pub(crate) environment: Environment,
    pub(crate) run: RunContext,
    pub(crate) json: bool,
    /// The session named on the command line.
    pub(crate) named_session: Option<SessionId>,
    /// The flags with which an advised command speaks for whom this one speaks for.
    pub(crate) caller_flags: String,
    /// The id under which the command's main write happens once, when a script named one.
    op_id: Option<OperationId>,
    /// Whom the command speaks for, once that was asked.
    pub(crate) caller: OnceCell<Caller>,
    cwd: PathBuf,
    /// Whether the session's model knew everything before this command changed something.
    agent_was_current: Cell<bool>,
    /// What was found beside the command's own business; one line each.
    notices: RefCell<Vec<String>>,
}

impl CommandContext {
    pub(crate) fn new(common: &GlobalArgs) -> Result<Self, CommandError> {
        let environment = Environment::from_process();
        let settings = Settings::load(&environment)?;
        let context = Self::from_settings(common, environment, settings)?;
        // A repository that somebody else wrote must not stop every command in it.
        let no_repository_config = RepositoryConfig::default();
        let own = context
            .run
            .settings
            .branch_pattern(&no_repository_config)
            .is_some();
        match context.run.branch_pattern() {
            Err(error) if own => Err(CommandError::new(
                ErrorCase::Configuration,
                error.to_string(),
            )),
            _ => Ok(context),
        }
    }

    /// Makes the desk of a command that looks what is wrong: a broken configuration is one of the
    /// things to find, and the defaults hold meanwhile, as for hooks.
    pub(crate) fn new_lenient(common: &GlobalArgs) -> Result<Self, CommandError> {
        let environment = Environment::from_process();
        let settings = Settings::load_leniently(&environment)?;
        Self::from_settings(common, environment, settings)
    }

    fn from_settings(
        common: &GlobalArgs,
        environment: Environment,
        settings: Settings,
    ) -> Result<Self, CommandError> {
        let cwd = std::env::current_dir().map_err(|error| {
            CommandError::new(ErrorCase::File, format!("the working directory: {error}"))
        })?;
        let project = match &common.project {
            None => Project::find(&environment, &cwd),
            Some(dir) => {
                let dir = dir.canonicalize().map_err(|error| {
                    let message = format!("--project {}: {error}", dir.display());
                    CommandError::usage("trueup --help", message)
                })?;
                Project::at_dir(&environment, dir)
            }
        };
        let deadline = Deadline::after(database_patience(&settings));
        let mut run_context = RunContext::new(&environment, settings, project, None, deadline);
        if let Err(error) = run_context.branch_pattern() {
            run_context
                .warnings
                .push(format!("{error}; branches are not compared"));
        }
        Ok(Self {
            environment,
            run: run_context,
            json: common.json,
            named_session: common.session.clone(),
            caller_flags: common.render_caller_flags(),
            op_id: common.op_id.clone(),
            caller: OnceCell::new(),
            cwd,
            agent_was_current: Cell::new(false),
            notices: RefCell::new(Vec::new()),
        })
    }

    pub(crate) fn database_path(&self) -> Result<&Path, CommandError> {
        let path = self.run.settings.sqlite_path();
        path.map(PathBuf::as_path)
            .map_err(|problem| CommandError::new(ErrorCase::DatabaseUrl, problem))
    }

    pub(crate) const fn deadline(&self) -> Deadline {
        self.run.deadline
    }

    /// Returns how long a command waits for the database.
    pub(crate) fn patience(&self) -> Duration {
        database_patience(&self.run.settings)
    }

    /// Returns what was worked around or found so far; one line each.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let notices = self.notices.borrow();
        self.run.warnings.iter().chain(&*notices).cloned().collect()
    }

    pub(crate) fn open_store(&self) -> Result<SqliteStore, CommandError> {
        Ok(SqliteStore::open(self.database_path()?, self.run.deadline)?.until_exit())
    }

    /// Opens the database for reading. Orchestrators that died are named and stay as they are.
    pub(crate) fn open_for_reading(&self) -> Result<SqliteStore, CommandError> {
        let mut store = self.open_store()?;
        self.add_orchestrator_notices(orchestrators::find_dead_orchestrators(
            &mut store, &self.run,
        ));
        Ok(store)
    }

    /// Names orchestrators that died. Trouble with that is for the log: it must not stand in
    /// the way of the command.
    fn add_orchestrator_notices(&self, found: trueup_core::store::Result<Vec<DeadOrchestrator>>) {
        match found {
            Ok(deaths) => {
                let mut notices = self.notices.borrow_mut();
                notices.extend(deaths.iter().map(DeadOrchestrator::render_line));
            }
            Err(error) => self
                .run
                .log(LogLevel::Warn, "orchestrators", &error.to_string()),
        }
    }

    /// Says that what was given is not kept as it was given: no secret reaches the database.
    fn warn_of_secrets(&self) {
        let arguments = std::env::args_os().skip(1);
        let found: usize = arguments
            .take_while(|argument| argument != "--")
            .map(|argument| redact(&argument.to_string_lossy()).findings.len())
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
    pub(crate) fn open_for_change(&self) -> Result<SqliteStore, CommandError> {
        self.warn_of_secrets();
        let mut store = self.open_store()?;
        self.drain_outbox(&mut store);
        let actor = |store: &mut SqliteStore| self.resolve_sweep_actor(store);
        self.add_orchestrator_notices(orchestrators::clear_dead_orchestrators(
            &mut store, &self.run, actor,
        ));
        Ok(store)
    }

    /// Sends what waits in the outbox, and says what a person must know of it.
    pub(crate) fn drain_outbox(&self, store: &mut SqliteStore) {
        let drained = drain_outbox(store, &self.run);
        let drain_lines = drained.describe_problems(&self.run, self.named_session.as_ref());
        self.notices.borrow_mut().extend(drain_lines);
    }

    /// Returns the items of which repositories a command keeps to: those of the session's, else
    /// of the one here.
    pub(crate) fn repo_scope(
        &self,
        store: &mut SqliteStore,
        session: Option<&Session>,
        all: bool,
    ) -> Result<RepoScope, CommandError> {
        if all {
            return Ok(RepoScope::All);
        }
        let elsewhere = session.filter(|s| s.worktree.as_ref() != Some(&self.run.project.name()));
        Ok(RepoScope::Here(match elsewhere {
            Some(session) => session.repo.clone(),
            None => find_repo_name(store, self.run.named_place())?,
        }))
    }

    /// Returns the directory the command runs in.
    pub(crate) fn cwd(&self) -> &Path {
        &self.cwd
    }

    /// Tells whether a command that is run here without `--project` takes this directory for its
    /// project.
    pub(crate) fn is_default_project(&self, project: &Path) -> bool {
        Project::find(&self.environment, &self.cwd).dir == project
    }

    /// Advises findings for this project to a reader who stands elsewhere.
    pub(crate) fn set_fix_directories(&self, findings: &mut [Divergence]) {
        if findings.is_empty() || self.is_default_project(&self.run.project.dir) {
            return;
        }
        for finding in findings {
            finding.fix.set_directory(&self.run.project.dir);
        }
    }

    /// Tells whether the session's own model runs this command, so that it need not be told
    /// of what it did: the session is the environment's, and the command runs where the
    /// session works.
    pub(crate) fn is_run_by_agent_of(&self, session: &Session) -> bool {
        let is_env_session = self.named_session.is_none()
            && self
                .read_env_session()
                .ok()
                .flatten()
                .is_some_and(|id| id == session.id);
        is_env_session
            && session
                .worktree
                .as_ref()
                .is_some_and(|dir| self.cwd.starts_with(dir))
    }

    /// Returns the surroundings of a session, whose cache may be elsewhere on this machine.
    pub(crate) fn run_context_of(&self, session: &Session) -> RunContext {
        self.run.for_session(&self.environment, session)
    }

    /// Tells whether the session's cache can be reached from here.
    pub(crate) fn is_within_reach(&self, session: &Session) -> bool {
        session
            .host
            .as_ref()
            .is_none_or(|host| *host == self.run.host)
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
    pub(crate) fn find_replay(
        &self,
        store: &mut SqliteStore,
        entity: &str,
        key: Option<&str>,
        kinds: &[&str],
    ) -> Result<Option<Event>, CommandError> {
        let Some(op_id) = &self.op_id else {
            return Ok(None);
        };
        let events = store.list_events(&EventFilter {
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
            (None, Some(other)) => Err(CommandError::operation_id_used(format!(
                "operation id {op_id} was already used for another change: {other}"
            ))),
        }
    }

    /// Pushes what was edited by hand before a command changes something, so that the edit is
    /// not lost to the command's own revision.
    pub(crate) fn true_up_before_change(
        &self,
        store: &mut SqliteStore,
        session: Session,
    ) -> Result<Session, CommandError> {
        if !self.is_within_reach(&session) {
            return Ok(session);
        }
        let run_context = self.run_context_of(&session);
        let session = true_up(store, session, &[], &run_context)?.session;
        self.agent_was_current
            .set(session.acknowledged >= session.revision);
        Ok(session)
    }

    /// Leaves the cache in step after a change, and the model told when it was its own.
    pub(crate) fn true_up_after_change(
        &self,
        store: &mut SqliteStore,
        id: &SessionId,
        warnings: &mut Vec<String>,
    ) -> Result<Session, CommandError> {
        let session = store
            .load_session(id)?
            .ok_or_else(|| CommandError::session_not_registered(id.as_str()))?;
        if !self.is_within_reach(&session) {
            return Ok(session);
        }
        let own = self.is_run_by_agent_of(&session);
        let run_context = self.run_context_of(&session);
        let TrueUpOutcome {
            session,
            problems,
            remaining,
            ..
        } = true_up(store, session, &[], &run_context)?;
        let unreadable = remaining.iter().filter(|d| d.code == Code::S08);
        let problems = problems
            .into_iter()
            .chain(unreadable.map(|d| d.message.clone()));
        warnings.extend(problems.map(|p| format!("the cache is out of date: {p}")));
        // What others changed before this command is still to be told.
        if own && self.agent_was_current.get() && session.acknowledged != session.revision {
            store.acknowledge_revision(id, session.revision)?;
        }
        Ok(session)
    }
}
