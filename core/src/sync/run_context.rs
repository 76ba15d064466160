//! Where a hook or a command runs, and for whom.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use once_cell::unsync::OnceCell;

use crate::bounds::REFUSED_KEYS;
use crate::deadline::Deadline;
use crate::liveness::{self, ProcessState};
use crate::log::{self, LogLevel};
use crate::model::{ProcessId, Session, SessionId, Timestamp};
use crate::outbox::{Journal, KnownDatabases, Outbox};
use crate::reconcile::{BranchPattern, BranchPatternError, DEFAULT_BRANCH_PATTERN};
use crate::repos::NamingContext;
use crate::settings::{Environment, Project, RepositoryConfig, Settings};
use crate::text::one_line;
use crate::text::path_from_text;

/// Longest key shown, in characters.
const MAX_KEY_CHARS: usize = 80;

/// The surroundings of one run.
#[derive(Debug, Clone)]
pub struct RunContext {
    /// What was configured.
    pub settings: Settings,
    /// The project whose cache is meant.
    pub project: Project,
    /// What its repository set.
    pub repository: RepositoryConfig,
    /// Where the session stands; a subagent's directory is its own and left out.
    pub cwd: Option<PathBuf>,
    /// This machine.
    pub host: String,
    /// The number of the client's process, where the client names it.
    pub client_pid: Option<u32>,
    /// The folder in which the client keeps a record of each of its processes.
    client_records: Option<PathBuf>,
    /// The client's process, once somebody asked.
    client_process: OnceCell<Option<ProcessId>>,
    /// When the answer is due; every wait is bounded by it.
    pub deadline: Deadline,
    /// What was wrong and worked around; one line each.
    pub warnings: Vec<String>,
    /// Compiled when a branch is first looked at: most calls never look.
    compiled_pattern: OnceCell<BranchPattern>,
}

impl RunContext {
    /// Takes stock of the surroundings.
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
        let client_pid = environment
            .text("CLAUDE_PID")
            .and_then(|pid| pid.parse().ok());
        Self {
            settings,
            project,
            repository,
            cwd,
            host: liveness::host_name(),
            client_pid,
            client_records: find_client_records(environment),
            client_process: OnceCell::new(),
            deadline,
            warnings,
            compiled_pattern: OnceCell::new(),
        }
    }

    /// Returns the same surroundings for the project of another session.
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
                Self::new(
                    environment,
                    self.settings.clone(),
                    project,
                    None,
                    self.deadline,
                )
            }
        }
    }

    /// Identifies the client's process: the one that it named, else the nearest above this
    /// one that looks like it.
    pub fn client_process(&self) -> Option<ProcessId> {
        let find = || self.client_pid.or_else(liveness::find_client_pid);
        let client = self
            .client_process
            .get_or_init(|| find().map(liveness::identify_process));
        client.clone()
    }

    /// Tells whether the process that the client named is there no more: what speaks for it
    /// speaks late.
    pub fn client_is_gone(&self) -> bool {
        let client = self.client_process();
        let evidence = liveness::check_process(client.as_ref(), Some(&self.host), &self.host);
        evidence == ProcessState::Gone
    }

    /// Identifies the client's process of a session: where nothing above this process is the
    /// client, what the client has written down of it.
    pub fn client_process_of(&self, session: &SessionId) -> Option<ProcessId> {
        self.client_process().or_else(|| {
            let recorded =
                liveness::find_recorded_client(self.client_records.as_deref()?, session.as_str());
            recorded.map(liveness::identify_process)
        })
    }

    /// Returns the directory whose repository is named.
    pub fn named_place(&self) -> NamingContext<'_> {
        NamingContext {
            project: &self.project,
            config: &self.repository,
            paths: &self.settings.paths,
            host: &self.host,
        }
    }

    /// Returns the branch the session works on.
    pub fn branch(&self) -> Option<String> {
        self.project.branch(self.cwd.as_deref())
    }

    /// Compiles the pattern that finds items in branches.
    ///
    /// # Errors
    ///
    /// When the configured one is no regular expression.
    pub fn branch_pattern(&self) -> Result<&BranchPattern, BranchPatternError> {
        self.compiled_pattern.get_or_try_init(|| {
            let configured = self.settings.branch_pattern(&self.repository);
            BranchPattern::new(configured.unwrap_or(DEFAULT_BRANCH_PATTERN))
        })
    }

    /// Returns the pattern that somebody configured: what the default finds is looked for without
    /// compiling it. One that does not compile is reported where it is set, and finds nothing.
    pub(super) fn configured_pattern(&self) -> Option<&BranchPattern> {
        self.settings.branch_pattern(&self.repository)?;
        self.branch_pattern().ok()
    }

    /// Returns the journal of edits that lost.
    pub fn journal(&self) -> Journal {
        Journal::new(self.settings.paths.journal())
    }

    /// Returns the outbox.
    pub fn outbox(&self) -> Outbox {
        Outbox::new(self.settings.paths.outbox())
    }

    /// Returns what is known of databases and their addresses.
    pub fn databases(&self) -> KnownDatabases {
        KnownDatabases::new(self.settings.paths.databases())
    }

    /// Writes to the log.
    pub fn log(&self, level: LogLevel, source: &str, message: &str) {
        let path: &Path = &self.settings.paths.log();
        log::append_log_line(path, self.settings.log, level, now(), source, message);
    }
}

/// Says which keys of a repository's file are ignored: all in one line, however many there are.
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

/// Names the folder of the client's records, where the client is configured.
fn find_client_records(environment: &Environment) -> Option<PathBuf> {
    let config = environment.path("CLAUDE_CONFIG_DIR");
    let config = config.or_else(|| Some(environment.path("HOME")?.join(".claude")));
    config.map(|config| config.join("sessions"))
}

/// Returns the local clock: for names of files and ages of caches, never for a lease.
pub fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
