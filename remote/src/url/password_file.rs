//! Passwords that are not in the URL: `PGPASSWORD`, and the password file of libpq.

use std::io;
use std::path::PathBuf;

use tokio_postgres::Config;
use trueup_core::fs::read_private_text;
use trueup_core::settings::{Environment, Secret};
use trueup_core::text::path_to_text;

use super::PostgresHost;

/// Largest password file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// What a line of the password file says instead of a socket's directory.
const SOCKET_HOST: &str = "localhost";

/// A password file that is there and is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnusedFile {
    pub(crate) path: String,
    pub(crate) problem: String,
}

/// Where passwords come from if the URL has none.
#[derive(Debug, Clone, Default)]
pub struct PasswordSources {
    /// `PGPASSWORD`
    pub password: Option<Secret>,
    /// `PGPASSFILE`, or `~/.pgpass`. One that others can read is not used.
    pub file: Option<PathBuf>,
}

impl PasswordSources {
    /// Finds the sources in the environment.
    pub fn from_environment(environment: &Environment) -> Self {
        let home = || environment.path("HOME").map(|home| home.join(".pgpass"));
        Self {
            password: environment.text("PGPASSWORD").map(Secret::new),
            file: environment.path("PGPASSFILE").or_else(home),
        }
    }

    /// Returns the password for a configuration that has none.
    ///
    /// # Errors
    ///
    /// When the password file cannot be read, or others can read it.
    pub(super) fn find(
        &self,
        config: &Config,
        hosts: &[(PostgresHost, u16)],
    ) -> Result<Option<Secret>, UnusedFile> {
        if config.get_password().is_some() {
            return Ok(None);
        }
        if let Some(password) = &self.password {
            return Ok(Some(password.clone()));
        }
        let Some(path) = &self.file else {
            return Ok(None);
        };
        match read_private_text(path, MAX_FILE_BYTES) {
            Ok(text) => Ok(find_line(&text, config, hosts)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(UnusedFile { path: path_to_text(path), problem: error.to_string() }),
        }
    }
}

/// Returns the password of the first line that matches a host.
fn find_line(text: &str, config: &Config, hosts: &[(PostgresHost, u16)]) -> Option<Secret> {
    let user = config.get_user()?;
    let database = config.get_dbname().unwrap_or(user);
    hosts.iter().find_map(|(host, port)| {
        let host = match host {
            PostgresHost::Tcp(name) => name.clone(),
            PostgresHost::Socket(_) => SOCKET_HOST.to_owned(),
        };
        let wanted = [host.as_str(), &port.to_string(), database, user];
        text.lines().find_map(|line| match_line(line, wanted))
    })
}

/// Returns the password of a line `host:port:database:user:password` if its fields are those that
/// are wanted or `*`.
fn match_line(line: &str, wanted: [&str; 4]) -> Option<Secret> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = split_fields(line).into_iter();
    for wanted in wanted {
        let field = fields.next()?;
        if field != "*" && field != wanted {
            return None;
        }
    }
    fields.next().filter(|password| !password.is_empty()).map(Secret::new)
}

/// Splits a line at its colons; `\` keeps the next character from being special.
fn split_fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        let kept = match c {
            ':' => {
                fields.push(String::new());
                None
            }
            '\\' => chars.next(),
            _ => Some(c),
        };
        if let (Some(c), Some(field)) = (kept, fields.last_mut()) {
            field.push(c);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    fn find(sources: &PasswordSources, url: &str) -> Option<String> {
        let config: Config = url.parse().unwrap();
        let hosts = [(PostgresHost::Tcp("db".to_owned()), 5432)];
        let found = sources.find(&config, &hosts).unwrap();
        found.map(|password| password.expose().to_owned())
    }

    #[test]
    fn the_first_matching_line_of_the_file_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pgpass");
        let text = "# db:*:*:*:comment\nother:*:*:*:no\ndb:5432:w:m\\:e:a\\:b\\\\c\n*:*:*:*:any\n";
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let sources = PasswordSources { password: None, file: Some(path.clone()) };
        assert_eq!(find(&sources, "postgres://m%3Ae@db/w").as_deref(), Some("a:b\\c"));
        assert_eq!(find(&sources, "postgres://x@db/w").as_deref(), Some("any"));
        assert_eq!(find(&sources, "postgres://x:own@db/w"), None);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let config = "postgres://x@db/w".parse().unwrap();
        let unused = sources.find(&config, &[]).unwrap_err();
        assert_eq!(unused.problem, "others can read it (mode 644); make it 600");
        let absent = PasswordSources { password: None, file: Some(folder.path().join("absent")) };
        assert_eq!(find(&absent, "postgres://x@db/w"), None);
        let sources = PasswordSources { password: Some(Secret::new("env")), file: Some(path) };
        assert_eq!(find(&sources, "postgres://x@db/w").as_deref(), Some("env"));
    }
}
