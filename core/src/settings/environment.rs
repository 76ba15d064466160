//! Every environment variable that trueup reads.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::OnceLock;

/// The environment, as a value, so that tests need not change the process's own.
///
/// Variables are looked up on first use: a hook reads half of them, and looking up all would cost a
/// fifth of a short command.
#[derive(Clone)]
pub struct Environment {
    /// Whether variables come from the process; if not, unknown ones are unset.
    reads_process: bool,
    values: [OnceLock<Option<OsString>>; VARIABLES.len()],
}

pub(super) const VARIABLES: &[&str] = &[
    // trueup's own.
    "TRUEUP_DATABASE_URL",
    "TRUEUP_HOME",
    "TRUEUP_SESSION_ID",
    "TRUEUP_API_KEY",
    "TRUEUP_API_TOKEN",
    "TRUEUP_DEADLINE_MS",
    "TRUEUP_LEASE_SECONDS",
    "TRUEUP_CEILING_SECONDS",
    "TRUEUP_STUCK_SECONDS",
    "TRUEUP_LOG",
    "TRUEUP_PLAN",
    "TRUEUP_RELEASES_URL",
    "TRUEUP_WEBHOOK_SECRET",
    // Set by trueup for what an orchestrator runs.
    "TRUEUP_ORCHESTRATOR_ID",
    // Set by the client for hooks and for commands that the agent runs.
    "CLAUDE_PROJECT_DIR",
    "CLAUDE_PLUGIN_ROOT",
    "CLAUDE_ENV_FILE",
    "CLAUDE_PID",
    "CLAUDE_CODE_SESSION_ID",
    "CLAUDE_CODE_SESSION_ATTENDED",
    "CLAUDE_CONFIG_DIR",
    "CODEX_SESSION_ID",
    "CODEX_THREAD_ID",
    "CODEX_HOME",
    "BASH_DEFAULT_TIMEOUT_MS",
    // PostgreSQL's. What proxies and the system's TLS roots need is read by their libraries.
    "PGPASSWORD",
    "PGPASSFILE",
    // The system's.
    "HOME",
    "USER",
    "PATH",
    "NO_COLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
];

impl Default for Environment {
    /// An environment in which no variable is set.
    fn default() -> Self {
        Self { reads_process: false, values: std::array::from_fn(|_| OnceLock::new()) }
    }
}

impl Environment {
    /// Uses the process's environment; empty variables count as unset.
    pub fn from_process() -> Self {
        Self { reads_process: true, ..Self::default() }
    }

    /// Builds an environment from any lookup function.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        let found =
            |at: usize| OnceLock::from(VARIABLES.get(at).and_then(|name| non_empty(lookup(name))));
        Self { reads_process: false, values: std::array::from_fn(found) }
    }

    /// Makes variables count as unset.
    pub fn hide(&mut self, names: impl Iterator<Item = &'static str>) {
        for name in names {
            let known = VARIABLES.iter().position(|known| *known == name);
            if let Some(value) = known.and_then(|at| self.values.get_mut(at)) {
                *value = OnceLock::from(None);
            }
        }
    }

    fn lookup(&self, name: &str) -> Option<&OsString> {
        let at = VARIABLES.iter().position(|known| *known == name)?;
        let value = self.values.get(at)?.get_or_init(|| {
            let own = self.reads_process.then(|| std::env::var_os(name));
            non_empty(own.flatten())
        });
        value.as_ref()
    }

    /// Returns a variable as text; one that is not Unicode counts as unset.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.lookup(name).and_then(|value| value.to_str())
    }

    /// Returns a variable that must not be ignored if it cannot be read.
    ///
    /// # Errors
    ///
    /// What is wrong, if it is not Unicode.
    pub fn strict_text(&self, name: &str) -> Result<Option<&str>, String> {
        match self.lookup(name).map(|value| value.to_str()) {
            None => Ok(None),
            Some(Some(text)) => Ok(Some(text)),
            Some(None) => Err("not valid UTF-8".to_owned()),
        }
    }

    /// Returns a variable as it is.
    pub fn os_value(&self, name: &str) -> Option<&OsStr> {
        self.lookup(name).map(OsString::as_os_str)
    }

    /// Returns a variable as a path.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.lookup(name).map(PathBuf::from)
    }

    /// Returns a variable as a whole number.
    ///
    /// # Errors
    ///
    /// A line that names the variable and its value.
    pub fn number(&self, name: &str) -> Result<Option<u64>, String> {
        self.strict_text(name)
            .map_err(|problem| format!("{name}: {problem}; the default is used"))?
            .map(|text| {
                text.trim().parse().map_err(|_| {
                    format!("{name}={text:?} is not a whole number; the default is used")
                })
            })
            .transpose()
    }
}

impl std::fmt::Debug for Environment {
    /// Shows names only, because values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let set = VARIABLES.iter().filter(|name| self.lookup(name).is_some());
        f.debug_set().entries(set).finish()
    }
}

fn non_empty(value: Option<OsString>) -> Option<OsString> {
    value.filter(|value| !value.is_empty())
}
