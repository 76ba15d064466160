//! What a command works with: environment, settings, project, database and caller.

mod caller;
mod id_prefix;
mod replica_access;
mod session_change;
mod store_access;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use trueup_core::deadline::Deadline;
use trueup_core::diagnostic::Divergence;
use trueup_core::model::{
    Event, EventFilter, EventKind, OperationId, RepoScope, Session, SessionId,
};
use trueup_core::repos::find_repo_name;
use trueup_core::settings::{Environment, Project, RepositoryConfig, Settings};
use trueup_core::store::{CommandStore, Provenance, Store};
use trueup_core::sync::{RunContext, now};

use crate::command_error::{CommandError, CommandResult, DatabaseCase, FileCase};
use crate::global_args::GlobalArgs;
use crate::printer::shows_output;
use crate::store_location::{StoreLocation, find_sqlite_file};
use crate::time_text::TimeText;

pub(crate) use id_prefix::{find_by_prefix, is_beginning_of_key};

pub(crate) use caller::{
    PERSON_ACTOR, check_not_ended, find_session_by_prefix, load_registered_session,
};

/// How long a command waits for the database by default. People and scripts prefer waiting to
/// failing.
const DEFAULT_PATIENCE: Duration = Duration::from_secs(10);

fn database_patience(settings: &Settings) -> Duration {
    settings.deadline.unwrap_or(DEFAULT_PATIENCE)
}

/// Whom a command acts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// A registered session.
    Session(SessionId),
    /// The session of the environment, which is not registered in the database.
    Unregistered(SessionId),
    /// A person at a terminal, who cannot hold an item.
    Person,
}

/// What a command works with.
pub(crate) struct CommandContext {
    pub(crate) environment: Environment,
    /// Settings, project and host.
    pub(crate) run: RunContext,
    pub(crate) json: bool,
    /// How text has times.
    pub(crate) times: TimeText,
    /// The session named on the command line.
    pub(crate) named_session: Option<SessionId>,
    /// The flags `--session` and `--project`, which commands of hints repeat.
    pub(crate) caller_flags: String,
    /// `--op-id`: the id under which the main write of the command takes effect once.
    op_id: Option<OperationId>,
    /// Whom the command acts for, once resolved.
    caller: OnceCell<Caller>,
    cwd: PathBuf,
    /// Whether the caller is the newest of several live sessions, which a change has yet to say.
    is_one_of_several: Cell<bool>,
    /// Whether the agent had been told the current revision before this command changed something.
    agent_was_current: Cell<bool>,
    /// The database, between two uses, or why it cannot be used.
    opened: RefCell<Option<CommandResult<Box<dyn CommandStore>>>>,
    /// Notices that do not concern the command itself, one line each.
    notices: RefCell<Vec<String>>,
    /// Lists the names of all commands, such as `item edit`. Commands do not know each other.
    list_command_names: fn() -> BTreeSet<String>,
}

impl CommandContext {
    /// Tells how the names of all commands are listed.
    #[must_use]
    pub(crate) fn with_command_names(mut self, list: fn() -> BTreeSet<String>) -> Self {
        self.list_command_names = list;
        self
    }

    /// Lists the names of all commands, such as `item edit`.
    pub(crate) fn command_names(&self) -> BTreeSet<String> {
        (self.list_command_names)()
    }

    pub(crate) fn new(global: &GlobalArgs) -> CommandResult<Self> {
        let environment = Environment::from_process();
        let settings = Settings::load(&environment)?;
        let context = Self::from_settings(global, environment, settings)?;
        // A pattern in the user's own configuration is an error; one in the file of a repository,
        // which others write, must not stop every command there.
        let no_repository_config = RepositoryConfig::default();
        let is_user_pattern = context.run.settings.branch_pattern(&no_repository_config).is_some();
        match context.run.branch_pattern() {
            Err(error) if is_user_pattern => {
                Err(CommandError::new(DatabaseCase::Configuration, error.to_string()))
            }
            _ => Ok(context),
        }
    }

    /// Makes the context of `trueup doctor`: a broken configuration is one of its findings, and the
    /// defaults apply meanwhile, as for hooks.
    pub(crate) fn new_lenient(global: &GlobalArgs) -> CommandResult<Self> {
        let environment = Environment::from_process();
        let settings = Settings::load_leniently(&environment)?;
        Self::from_settings(global, environment, settings)
    }

    fn from_settings(
        global: &GlobalArgs,
        environment: Environment,
        settings: Settings,
    ) -> CommandResult<Self> {
        let cwd = std::env::current_dir().map_err(|error| {
            CommandError::new(FileCase::File, format!("the working directory: {error}"))
        })?;
        let project = match &global.project {
            None => Project::find(&environment, &cwd),
            Some(dir) => {
                let refuse = |problem: &dyn std::fmt::Display| {
                    let message = format!("--project {}: {problem}", dir.display());
                    CommandError::usage("trueup --help", message)
                };
                let dir = dir.canonicalize().map_err(|error| match error.kind() {
                    std::io::ErrorKind::NotFound => refuse(&"there is no such directory"),
                    _ => refuse(&error),
                })?;
                if !dir.is_dir() {
                    return Err(refuse(&"not a directory"));
                }
                Project::at_dir(&environment, dir)
            }
        };
        let deadline = Deadline::after(database_patience(&settings));
        let mut run_context = RunContext::new(&environment, settings, project, None, deadline);
        if let Err(error) = run_context.branch_pattern() {
            let no_repository_config = RepositoryConfig::default();
            let file = match run_context.settings.branch_pattern(&no_repository_config) {
                Some(_) => run_context.settings.paths.config_file(),
                None => run_context.project.dir.join(".trueup.toml"),
            };
            run_context
                .warnings
                .push(format!("{}: {error}; branches are not compared", file.display()));
        }
        Ok(Self {
            environment,
            run: run_context,
            json: global.json,
            times: TimeText::new(global.times, shows_output(), now()),
            named_session: global.session.clone(),
            caller_flags: global.render_caller_flags(),
            op_id: global.op_id.clone(),
            caller: OnceCell::new(),
            cwd,
            is_one_of_several: Cell::new(false),
            agent_was_current: Cell::new(false),
            opened: RefCell::new(None),
            notices: RefCell::new(Vec::new()),
            list_command_names: BTreeSet::new,
        })
    }

    /// Returns where the database is, for opening it another time.
    pub(crate) fn store_location(&self) -> CommandResult<StoreLocation<'_>> {
        StoreLocation::from_settings(&self.run.settings, &self.environment)
    }

    /// Returns the file of the database, for what only SQLite offers; see [`find_sqlite_file`].
    pub(crate) fn sqlite_file(&self) -> CommandResult<&Path> {
        find_sqlite_file(&self.run.settings)
    }

    pub(crate) const fn deadline(&self) -> Deadline {
        self.run.deadline
    }

    /// Returns how long a command waits for the database.
    pub(crate) fn patience(&self) -> Duration {
        database_patience(&self.run.settings)
    }

    /// Returns warnings and notices so far, one line each.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let notices = self.notices.borrow();
        self.run.warnings.iter().chain(&*notices).cloned().collect()
    }

    /// Returns the repositories whose items a command considers: that of the session, else the one
    /// here.
    pub(crate) fn repo_scope(
        &self,
        store: &mut dyn Store,
        session: Option<&Session>,
        all: bool,
    ) -> CommandResult<RepoScope> {
        if all {
            return Ok(RepoScope::All);
        }
        let elsewhere = session.filter(|s| s.worktree.as_ref() != Some(&self.run.project.name()));
        Ok(RepoScope::Here(match elsewhere {
            Some(session) => session.repo.clone(),
            None => find_repo_name(store, self.run.naming_context())?,
        }))
    }

    /// Returns the working directory.
    pub(crate) fn cwd(&self) -> &Path {
        &self.cwd
    }

    /// Tells whether a command that runs here without `--project` has this project.
    pub(crate) fn is_default_project(&self, project: &Path) -> bool {
        Project::find(&self.environment, &self.cwd).dir == project
    }

    /// Adds the project directory to the fixes of findings, unless the reader is in it.
    pub(crate) fn set_fix_directories(&self, findings: &mut [Divergence]) {
        if findings.is_empty() || self.is_default_project(&self.run.project.dir) {
            return;
        }
        for finding in findings {
            finding.advice.set_directory(&self.run.project.dir);
        }
    }

    /// Returns the run context of a session, whose project may be elsewhere on this machine.
    pub(crate) fn run_context_of(&self, session: &Session) -> RunContext {
        self.run.for_session(&self.environment, session)
    }

    /// Tells whether the cache of a session is on this machine.
    pub(crate) fn is_within_reach(&self, session: &Session) -> bool {
        session.host.as_ref().is_none_or(|host| *host == self.run.host)
    }

    /// Makes the provenance of the main write of the command. With `--op-id` it carries that id, so
    /// that the write takes effect once; every other write of a command uses [`Provenance::new`].
    ///
    /// The command calls [`Self::find_replay`] first, and writes only where that finds nothing.
    pub(crate) fn provenance(&self, actor: &str, reason: &str) -> Provenance {
        match &self.op_id {
            Some(op_id) => Provenance::repeatable(actor, reason, op_id),
            None => Provenance::new(actor, reason),
        }
    }

    /// Finds the event of an earlier run of this command with the same `--op-id`: one of these
    /// kinds, of this entity, and of this key if one is given.
    ///
    /// # Errors
    ///
    /// When the id was used for another change.
    pub(crate) fn find_replay(
        &self,
        store: &mut dyn Store,
        entity: &str,
        key: Option<&str>,
        kinds: &[EventKind],
    ) -> CommandResult<Option<Event>> {
        let Some(op_id) = &self.op_id else {
            return Ok(None);
        };
        let events = store.list_events(&EventFilter::of_operation(op_id.as_str()))?;
        let is_replay = |event: &&Event| {
            event.entity == entity
                && key.is_none_or(|key| event.key == key)
                && kinds.iter().any(|kind| event.is_kind(*kind))
        };
        let other = events.last().map(|e| format!("{} {} {}", e.entity, e.key, e.kind));
        match (events.into_iter().find(|event| is_replay(&event)), other) {
            (Some(event), _) => Ok(Some(event)),
            (None, None) => Ok(None),
            (None, Some(other)) => Err(CommandError::operation_id_used(format!(
                "operation id {op_id} was already used for another change: {other}"
            ))),
        }
    }
}
