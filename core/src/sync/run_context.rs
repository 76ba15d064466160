//! The context of one run of a hook or a command.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use once_cell::unsync::OnceCell;

use crate::bounds::REFUSED_KEYS;
use crate::deadline::Deadline;
use crate::liveness;
use crate::log::{self, LogLevel};
use crate::model::{
    FieldValue, ProcessId, ProcessState, Session, SessionId, StateField, Timestamp, WorkState,
};
use crate::outbox::{Journal, KnownDatabases, Outbox};
use crate::reconcile::{BranchPattern, BranchPatternError, DEFAULT_BRANCH_PATTERN};
use crate::repos::NamingContext;
use crate::settings::{Environment, Project, RepositoryConfig, Settings};
use crate::text::one_line;
use crate::text::path_from_text;

/// Longest key shown, in characters.
const MAX_KEY_CHARS: usize = 80;

/// Settings, project, machine and deadline of one run.
#[derive(Debug, Clone)]
pub struct RunContext {
    /// The resolved settings.
    pub settings: Settings,
    /// The project whose cache is trued up.
    pub project: Project,
    /// The repository's own `.trueup.toml`.
    pub repository: RepositoryConfig,
    /// The session's working directory. `None` for a subagent, whose directory is its own.
    pub cwd: Option<PathBuf>,
    /// The name of this machine.
    pub host: String,
    /// The client's process id, if the client names it.
    pub client_pid: Option<u32>,
    /// The directory where the client keeps one record per process.
    client_records: Option<PathBuf>,
    /// The client's process, looked up on first use.
    client_process: OnceCell<Option<ProcessId>>,
    /// The label of sessions that are registered here: the agent, unless it is Claude Code.
    pub agent: Option<&'static str>,
    /// When the answer is due. Every wait is bounded by it.
    pub deadline: Deadline,
    /// Problems that were worked around; one line each.
    pub warnings: Vec<String>,
    /// A session that this run changes, with what it had before: its cache may still say so.
    work_before_change: RefCell<Option<(SessionId, WorkState)>>,
    /// What this run reported to need a person, one line each.
    raised: RefCell<Vec<String>>,
    /// The branch pattern, compiled on first use because most runs never need it.
    compiled_pattern: OnceCell<BranchPattern>,
}

impl RunContext {
    /// Builds the context and collects warnings about the repository's configuration.
    pub fn new(
        environment: &Environment,
        settings: Settings,
        project: Project,
        cwd: Option<PathBuf>,
        deadline: Deadline,
    ) -> Self {
        let mut warnings = settings.warnings.clone();
        let repository = project.read_config().unwrap_or_else(|error| {
            warnings.push(error.to_string());
            RepositoryConfig::default()
        });
        warnings.extend(describe_refused_keys(&project.dir, &repository.refused));
        warnings.extend(repository.problems.iter().cloned());
        let client_pid = environment.text("CLAUDE_PID").and_then(|pid| pid.parse().ok());
        Self {
            settings,
            project,
            repository,
            cwd,
            host: liveness::host_name(),
            client_pid,
            client_records: find_client_records(environment),
            client_process: OnceCell::new(),
            agent: None,
            deadline,
            warnings,
            work_before_change: RefCell::default(),
            raised: RefCell::default(),
            compiled_pattern: OnceCell::new(),
        }
    }

    /// Notes what a session has before this run changes it. A cache that still says so need not be
    /// looked up in the record of changes.
    pub fn note_work_before_change(&self, session: &Session) {
        let work = session.execution_state().work;
        self.work_before_change.replace(Some((session.id.clone(), work)));
    }

    /// Returns whether a session had a value before this run changed it.
    pub(super) fn had_before_change(
        &self,
        session: &SessionId,
        field: StateField,
        value: &FieldValue,
    ) -> bool {
        self.work_before_change
            .borrow()
            .as_ref()
            .is_some_and(|(changed, work)| changed == session && work.get(field) == *value)
    }

    /// Notes that something was reported to need a person, which it did not before.
    pub(super) fn note_raised(&self, line: &str) {
        self.raised.borrow_mut().push(line.to_owned());
    }

    /// Takes what was reported to need a person, one line each.
    pub fn take_raised(&self) -> Vec<String> {
        self.raised.take()
    }

    /// Returns this context for the project of another session on this machine.
    #[must_use]
    pub fn for_session(&self, environment: &Environment, session: &Session) -> Self {
        let elsewhere = session
            .worktree
            .as_ref()
            .filter(|name| **name != self.project.name())
            .filter(|_| session.host.as_ref() == Some(&self.host))
            .map(|name| path_from_text(name));
        match elsewhere {
            None => self.clone(),
            Some(dir) => {
                let project = Project::at_dir(environment, dir);
                let context =
                    Self::new(environment, self.settings.clone(), project, None, self.deadline);
                Self { work_before_change: self.work_before_change.clone(), ..context }
            }
        }
    }

    /// Identifies the client's process: the one that the client names, else the nearest ancestor
    /// that looks like it.
    pub fn client_process(&self) -> Option<ProcessId> {
        let nearest = || liveness::find_nearest_client().map(|(pid, _)| pid);
        let find = || self.client_pid.or_else(nearest);
        let client = self.client_process.get_or_init(|| find().map(liveness::identify_process));
        client.clone()
    }

    /// Returns whether the client's process has ended, so that this run reports after the fact.
    pub fn client_is_gone(&self) -> bool {
        let client = self.client_process();
        let evidence = liveness::check_process(client.as_ref(), Some(&self.host), &self.host);
        evidence == ProcessState::Gone
    }

    /// Identifies the client's process of a session. Without one among the ancestors, the client's
    /// own records are searched.
    pub fn client_process_of(&self, session: &SessionId) -> Option<ProcessId> {
        self.client_process().or_else(|| {
            let recorded =
                liveness::find_recorded_client(self.client_records.as_deref()?, session.as_str());
            recorded.map(liveness::identify_process)
        })
    }

    /// Returns what names the repository of this run.
    pub fn naming_context(&self) -> NamingContext<'_> {
        NamingContext {
            project: &self.project,
            config: &self.repository,
            paths: &self.settings.paths,
            host: &self.host,
        }
    }

    /// Returns the branch that the session works on.
    pub fn branch(&self) -> Option<String> {
        self.project.branch(self.cwd.as_deref())
    }

    /// Compiles the pattern that finds item keys in branch names.
    ///
    /// # Errors
    ///
    /// When the configured pattern is not a valid regular expression.
    pub fn branch_pattern(&self) -> Result<&BranchPattern, BranchPatternError> {
        self.compiled_pattern.get_or_try_init(|| {
            let configured = self.settings.branch_pattern(&self.repository);
            BranchPattern::new(configured.unwrap_or(DEFAULT_BRANCH_PATTERN))
        })
    }

    /// Returns the configured pattern, if any; the default needs no compiled pattern. An invalid
    /// one is reported where it is configured and matches nothing.
    pub fn configured_pattern(&self) -> Option<&BranchPattern> {
        self.settings.branch_pattern(&self.repository)?;
        self.branch_pattern().ok()
    }

    /// Returns the journal of rejected edits.
    pub fn journal(&self) -> Journal {
        Journal::new(self.settings.paths.journal())
    }

    /// Returns the outbox.
    pub fn outbox(&self) -> Outbox {
        Outbox::new(self.settings.paths.outbox())
    }

    /// Returns the record of databases and their addresses.
    pub fn databases(&self) -> KnownDatabases {
        KnownDatabases::new(self.settings.paths.databases())
    }

    /// Appends a line to the log.
    pub fn log(&self, level: LogLevel, source: &str, message: &str) {
        let path: &Path = &self.settings.paths.log();
        log::append_log_line(path, self.settings.log, level, now(), source, message);
    }
}

/// Describes the keys of a repository's file that are ignored, in one line.
fn describe_refused_keys(project: &Path, keys: &[String]) -> Option<String> {
    let named = keys.iter().take(REFUSED_KEYS.len());
    let named: Vec<String> = named.map(|key| one_line(key, MAX_KEY_CHARS)).collect();
    let more = match keys.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let file = project.join(".trueup.toml");
    (!named.is_empty()).then(|| {
        format!(
            "{}: not allowed in a repository: {}{more}; ignored",
            file.display(),
            named.join(", ")
        )
    })
}

/// Finds the directory of the client's records.
fn find_client_records(environment: &Environment) -> Option<PathBuf> {
    let config = environment.path("CLAUDE_CONFIG_DIR");
    let config = config.or_else(|| Some(environment.path("HOME")?.join(".claude")));
    config.map(|config| config.join("sessions"))
}

/// Returns the local time, for file names and the ages of caches. Leases use the database's clock
/// only.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
