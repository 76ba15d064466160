//! The settings of one run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::config_file::{self, ConfigError, ConfigFile};
use super::database_url::DatabaseUrl;
use super::number_setting::{
    CEILING, CHECKPOINT_EVERY, DEADLINE, LEASE, NumberSetting, RETENTION_DAYS, STUCK,
};
use super::pattern_limits;
use super::{
    ApiCredentials, CredentialSource, Environment, Paths, RepositoryConfig, Secret, TlsRoots,
};
use crate::bounds::CONFIG;
use crate::fs::{ResolvedPath, short_digest};
use crate::hook::TerminalNotice;
use crate::log::LogLevel;

/// The resolved settings.
#[derive(Clone)]
pub struct Settings {
    /// Where trueup's own files are.
    pub paths: Paths,
    /// The URL of the database.
    pub database: DatabaseUrl,
    /// The credentials for `https://`; of a database that is remote alone.
    pub api_credentials: ApiCredentials,
    /// Which authorities sign the certificate of a remote database.
    pub tls_roots: TlsRoots,
    /// The time limit of a hook, if it was configured.
    pub deadline: Option<Duration>,
    /// The lease of a session, in seconds.
    pub lease_seconds: u64,
    /// Silence, in seconds, after which a process that cannot be checked counts as gone.
    pub ceiling_seconds: u64,
    /// How long something may be in progress without a sign of life before a sweep fails it,
    /// in seconds.
    pub stuck_seconds: u64,
    /// Operations between two checkpoints.
    pub checkpoint_every: u64,
    /// Days that finished work is kept before it is pruned automatically; 0 is forever.
    pub retention_days: u64,
    /// The most detailed level that is logged.
    pub log: LogLevel,
    /// How the terminal of a session tells what needs its user; not at all if there is none.
    pub notify: Option<TerminalNotice>,
    /// Where a hub tells what needs a person; nobody is told if there is none.
    pub webhook: Option<Secret>,
    webhook_secret_file: Option<PathBuf>,
    handoff_commands: Option<Vec<String>>,
    branch_pattern: Option<String>,
    /// Values that were invalid and replaced by a default; one line each.
    pub warnings: Vec<String>,
}

impl Settings {
    /// Loads the settings of a command.
    ///
    /// # Errors
    ///
    /// When the user's file is broken or a path is invalid. An invalid number is only a warning.
    pub fn load(environment: &Environment) -> Result<Self, ConfigError> {
        let paths = Paths::find(environment).map_err(ConfigError::Value)?;
        let config: ConfigFile = config_file::read_toml(&paths.config_file(), CONFIG, true)?;
        Ok(Self::from_sources(environment, paths, config))
    }

    /// Loads the settings of a hook. A broken file is a warning, and the defaults apply, except where
    /// it seems to name a database: writing into the default one would split the work in two.
    ///
    /// # Errors
    ///
    /// When there is no directory for trueup's files at all.
    pub fn load_leniently(environment: &Environment) -> Result<Self, ConfigError> {
        let paths = Paths::find(environment).map_err(ConfigError::Value)?;
        let (config, problem) = match config_file::read_toml(&paths.config_file(), CONFIG, true) {
            Ok(config) => (config, None),
            Err(error) => (ConfigFile::default(), Some(error.to_string())),
        };
        let mut settings = Self::from_sources(environment, paths, config);
        if let Some(problem) = problem {
            let is_named = environment.os_value("TRUEUP_DATABASE_URL").is_some();
            if !is_named
                && config_file::seems_to_name_database(&settings.paths.config_file(), CONFIG)
            {
                settings.database = DatabaseUrl::Unusable(problem.clone().into());
            }
            settings.warnings.push(problem);
        }
        Ok(settings)
    }

    fn from_sources(environment: &Environment, paths: Paths, mut config: ConfigFile) -> Self {
        let mut warnings = Vec::new();
        let source = paths.config_file();
        warnings
            .extend(pattern_limits::limit_handoff_commands(&source, &mut config.handoff_commands));
        warnings.extend(pattern_limits::limit_branch_pattern(&source, &mut config.branch_pattern));
        let mut number = |setting: &NumberSetting, configured: Option<u64>| {
            let set = setting.variable.map_or(Ok(None), |name| environment.number(name));
            let set = set.unwrap_or_else(|problem| {
                warnings.push(problem);
                None
            });
            let (value, limited) = limit_number(&source, setting, (set, configured));
            warnings.extend(limited);
            value.or(setting.default)
        };
        let lease = number(&LEASE, config.lease_seconds);
        let ceiling = number(&CEILING, config.ceiling_seconds);
        let stuck = number(&STUCK, config.stuck_seconds);
        let deadline = number(&DEADLINE, config.deadline_ms);
        let checkpoint_every = number(&CHECKPOINT_EVERY, config.checkpoint_every);
        let retention_days = number(&RETENTION_DAYS, config.retention_days);
        let (log, unknown_level) = choose_log_level(&source, environment, config.log.as_deref());
        warnings.extend(unknown_level);
        let url = environment
            .os_value("TRUEUP_DATABASE_URL")
            .or(config.database_url.as_deref().map(OsStr::new));
        let database = match url {
            None => DatabaseUrl::Sqlite(paths.database()),
            // Reported where the database is used, like one that cannot be reached.
            Some(url) => DatabaseUrl::parse(url).unwrap_or_else(DatabaseUrl::Unusable),
        };
        // Hooks run hundreds of times a session, and each look-up costs a thousand instructions.
        let api_credentials = match &database {
            DatabaseUrl::Remote(_) => ApiCredentials::choose(
                environment,
                config.api_key,
                config.api_key_file,
                config.api_token_file,
            ),
            _ => ApiCredentials::default(),
        };
        Self {
            paths,
            database,
            api_credentials,
            tls_roots: config.tls_roots.unwrap_or_default(),
            deadline: deadline.map(Duration::from_millis),
            lease_seconds: lease.unwrap_or_default(),
            ceiling_seconds: ceiling.unwrap_or_default(),
            stuck_seconds: stuck.unwrap_or_default(),
            checkpoint_every: checkpoint_every.unwrap_or_default(),
            retention_days: retention_days.unwrap_or_default(),
            log,
            notify: config.notify,
            webhook: config.webhook.map(Secret::new),
            webhook_secret_file: config.webhook_secret_file,
            handoff_commands: config.handoff_commands,
            branch_pattern: config.branch_pattern,
            warnings,
        }
    }

    /// Returns the interval of lease renewals: a third of the lease, at most 120 s.
    pub fn renewal_seconds(&self) -> u64 {
        (self.lease_seconds / 3).min(120)
    }

    /// Returns where the secret comes from with which a hub signs what it sends.
    pub fn webhook_secret(&self, environment: &Environment) -> CredentialSource {
        let file = self.webhook_secret_file.clone();
        CredentialSource::choose(environment, "TRUEUP_WEBHOOK_SECRET", None, file)
    }

    /// Returns the patterns of shell commands that hand work off, the user's and the repository's
    /// together.
    pub fn handoff_commands(&self, repository: &RepositoryConfig) -> Vec<String> {
        let default = || vec!["*handoff*".to_owned()];
        let mut patterns = self.handoff_commands.clone().unwrap_or_else(default);
        patterns.extend(repository.handoff_commands.iter().flatten().cloned());
        patterns
    }

    /// Returns the configured branch pattern; the user's wins over the repository's.
    pub fn branch_pattern<'s>(&'s self, repository: &'s RepositoryConfig) -> Option<&'s str> {
        self.branch_pattern.as_deref().or(repository.branch_pattern.as_deref())
    }

    /// Returns the file of the embedded database.
    ///
    /// # Errors
    ///
    /// A line that names a database which is not embedded.
    pub fn sqlite_path(&self) -> Result<&PathBuf, String> {
        match &self.database {
            DatabaseUrl::Sqlite(path) => Ok(path),
            DatabaseUrl::Unusable(url) => Err(format!("database URL: {}", url.problem)),
            DatabaseUrl::Remote(_) => {
                Err(format!("{}: only an embedded database, sqlite:, can do this", self.database))
            }
        }
    }

    /// Returns whether the database is on a server.
    pub const fn is_remote(&self) -> bool {
        matches!(self.database, DatabaseUrl::Remote(_))
    }

    /// Returns a digest of the database's address, the same for every spelling of a path or URL. It
    /// identifies the database while that cannot be reached.
    pub fn database_address(&self) -> String {
        match &self.database {
            DatabaseUrl::Sqlite(path) => {
                let path = ResolvedPath::resolve(path);
                short_digest(path.as_path().as_os_str().as_encoded_bytes())
            }
            DatabaseUrl::Remote(url) => short_digest(url.normalize_address().as_bytes()),
            DatabaseUrl::Unusable(url) => short_digest(url.problem.as_bytes()),
        }
    }
}

/// Limits a number of the environment, or else of the file, to what is allowed; with a warning
/// where that changes it.
fn limit_number(
    file: &Path,
    setting: &NumberSetting,
    (set, configured): (Option<u64>, Option<u64>),
) -> (Option<u64>, Option<String>) {
    let range = &setting.range;
    let Some(value) = set.or(configured) else {
        return (None, None);
    };
    let used = value.clamp(*range.start(), *range.end());
    let warning = (used != value).then(|| {
        let origin = match set {
            Some(_) => format!("{}={value}", setting.variable.unwrap_or_default()),
            None => format!("{}: {} = {value}", file.display(), setting.key),
        };
        format!("{origin} is not between {} and {}; {used} is used", range.start(), range.end())
    });
    (Some(used), warning)
}

/// Chooses the level that is logged; with a warning where the configured one is unknown.
fn choose_log_level(
    file: &Path,
    environment: &Environment,
    configured: Option<&str>,
) -> (LogLevel, Option<String>) {
    let set = environment.text("TRUEUP_LOG");
    let Some(text) = set.or(configured) else {
        return (LogLevel::Warn, None);
    };
    if let Some(level) = LogLevel::parse(text) {
        return (level, None);
    }
    let setting = match set {
        Some(_) => format!("TRUEUP_LOG={text:?}"),
        None => format!("{}: log = {text:?}", file.display()),
    };
    let warning = format!("{setting} is not off, error, warn, info or debug; warn is used");
    (LogLevel::Warn, Some(warning))
}

impl std::fmt::Debug for Settings {
    /// Leaves the credential out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("paths", &self.paths)
            .field("database", &self.database)
            .field("lease_seconds", &self.lease_seconds)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MAX_LEASE_SECONDS;
    use std::ffi::OsString;

    fn environment(home: &std::path::Path, more: &[(&str, &str)]) -> Environment {
        let home = home.as_os_str().to_owned();
        Environment::from_lookup(|name| match name {
            "TRUEUP_HOME" => Some(home.clone()),
            _ => more.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v)),
        })
    }

    #[test]
    fn environment_beats_file_beats_default() {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("config.toml");
        std::fs::write(config, "lease_seconds = 60\nceiling_seconds = 70\n").unwrap();
        let env = environment(dir.path(), &[("TRUEUP_LEASE_SECONDS", "30")]);
        let settings = Settings::load(&env).unwrap();
        assert_eq!((settings.lease_seconds, settings.ceiling_seconds), (30, 70));
        assert_eq!(settings.renewal_seconds(), 10);
        assert_eq!(settings.checkpoint_every, 15);
        assert_eq!(settings.sqlite_path().unwrap(), &dir.path().join("trueup.db"));
    }

    #[test]
    fn a_bad_number_is_a_warning_and_a_broken_file_only_stops_commands() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.toml"), "[").unwrap();
        let env = environment(dir.path(), &[("TRUEUP_DEADLINE_MS", "soon")]);
        assert!(Settings::load(&env).unwrap_err().to_string().contains("config.toml:1:"));
        let settings = Settings::load_leniently(&env).unwrap();
        assert_eq!(settings.deadline, None);
        assert_eq!(settings.warnings.len(), 2, "{:?}", settings.warnings);
    }

    #[test]
    fn a_setting_out_of_range_is_a_warning_with_the_value_used() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.toml");
        std::fs::write(&config, "lease_seconds = 0\nceiling_seconds = 70\n").unwrap();
        let env = environment(
            folder.path(),
            &[("TRUEUP_LOG", "loud"), ("TRUEUP_DEADLINE_MS", "99999999999")],
        );
        let settings = Settings::load(&env).unwrap();
        assert_eq!(settings.lease_seconds, 1);
        let expected = [
            format!(
                "{}: lease_seconds = 0 is not between 1 and {MAX_LEASE_SECONDS}; 1 is used",
                config.display()
            ),
            "TRUEUP_DEADLINE_MS=99999999999 is not between 1 and 3600000; 3600000 is used"
                .to_owned(),
            "TRUEUP_LOG=\"loud\" is not off, error, warn, info or debug; warn is used".to_owned(),
        ];
        assert_eq!(settings.warnings, expected);
    }

    #[test]
    fn a_credential_is_never_shown() {
        let dir = tempfile::tempdir().unwrap();
        let url = ("TRUEUP_DATABASE_URL", "https://db.example");
        let env = environment(dir.path(), &[("TRUEUP_API_KEY", "s3cret"), url]);
        let settings = Settings::load(&env).unwrap();
        let key = settings.api_credentials.key.load().unwrap();
        assert_eq!(key.unwrap().expose(), "s3cret");
        assert!(!format!("{settings:?} {env:?}").contains("s3cret"));
    }
}
