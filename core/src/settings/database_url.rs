//! The URL of the database.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::database_address::{DatabaseAddress, HIDDEN_PART, is_database_name, is_host};
use crate::text::path_to_text;

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite:PATH`
    Sqlite(PathBuf),
    /// `postgres://…` or `https://…`
    Remote(RemoteUrl),
    /// The URL is invalid; the reason is kept to report it where the database is used.
    Unusable(UnusableUrl),
}

/// Why a URL cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableUrl {
    /// What is wrong, without a part of the URL that may be a password.
    pub problem: String,
    /// The scheme that was probably meant.
    pub meant_scheme: Option<&'static str>,
}

impl From<String> for UnusableUrl {
    fn from(problem: String) -> Self {
        Self { problem, meant_scheme: None }
    }
}

impl From<&str> for UnusableUrl {
    fn from(problem: &str) -> Self {
        problem.to_owned().into()
    }
}

impl DatabaseUrl {
    /// Parses a URL.
    ///
    /// # Errors
    ///
    /// What is wrong, without repeating a password that it may contain.
    pub fn parse(url: &OsStr) -> Result<Self, UnusableUrl> {
        if let Some(path) = url.as_bytes().strip_prefix(b"sqlite:") {
            // Both `sqlite:/path` and `sqlite:///path` are in use.
            let path = Path::new(OsStr::from_bytes(path.strip_prefix(b"//").unwrap_or(path)));
            if path.as_os_str().is_empty() {
                return Err("sqlite: needs a file name".into());
            }
            if !path.is_absolute() {
                return Err("sqlite: needs an absolute path".into());
            }
            return Ok(Self::Sqlite(path.to_owned()));
        }
        let text = url.to_str().ok_or("not UTF-8")?;
        match text.split_once(':').map(|(scheme, _)| scheme) {
            Some("postgres" | "postgresql" | "https" | "http") => {
                Ok(Self::Remote(RemoteUrl(text.to_owned())))
            }
            scheme => Err(UnusableUrl {
                problem: match scheme {
                    // A longer word may be anything, even a credential.
                    Some(scheme)
                        if scheme.len() <= MAX_SCHEME_CHARS
                            && scheme.chars().all(|c| c.is_ascii_alphabetic()) =>
                    {
                        format!("{scheme}: is not a supported database")
                    }
                    _ => "not a URL such as sqlite:/path or postgres://USER@HOST/DATABASE".into(),
                },
                meant_scheme: scheme
                    .filter(|scheme| scheme.len() <= MAX_SCHEME_CHARS)
                    .and_then(guess_scheme),
            }),
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path_to_text(path)),
            Self::Unusable(url) => write!(f, "unusable ({})", url.problem),
            Self::Remote(url) => fmt::Display::fmt(url, f),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The URL of a remote database. It is displayed as scheme, hosts, ports and database name only;
/// every other part may be a credential.
#[derive(Clone, PartialEq, Eq)]
pub struct RemoteUrl(String);

impl RemoteUrl {
    /// Returns the whole text, which may contain credentials, for the place that connects.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns what may be shown of the first of its hosts.
    pub fn first_address(&self) -> DatabaseAddress {
        let (scheme, hosts, path) = self.parts();
        let host = hosts.split(',').next().unwrap_or_default();
        let with_port = host.rsplit_once(':').and_then(|(name, port)| {
            let port = port.parse().ok()?;
            Some((name, Some(port)))
        });
        let (host, port) = with_port.unwrap_or((host, None));
        let scheme = match scheme {
            "postgres" | "postgresql" => "postgres",
            "http" => "http",
            _ => "https",
        };
        let name = path.strip_prefix('/').filter(|name| !name.is_empty());
        DatabaseAddress {
            scheme,
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            database: name.filter(|_| scheme == "postgres").map(str::to_owned),
        }
    }

    /// Returns the address in one spelling: scheme, hosts without the default port, and database;
    /// with the options that name hosts, which are not shown.
    pub(super) fn normalize_address(&self) -> String {
        let shown = self.to_string();
        let (scheme, rest) = shown.split_once("://").unwrap_or((&shown, ""));
        let (scheme, port) = match scheme {
            "postgres" | "postgresql" => ("postgres", ":5432"),
            "http" => ("http", ":80"),
            _ => ("https", ":443"),
        };
        let (hosts, name) = rest.split_once('/').unwrap_or((rest, ""));
        let hosts = hosts.to_ascii_lowercase();
        let hosts: Vec<&str> =
            hosts.split(',').map(|host| host.strip_suffix(port).unwrap_or(host)).collect();
        let mut address = format!("{scheme}://{}/{name}", hosts.join(","));
        let options = self.0.split_once('?').map_or("", |(_, options)| options);
        for option in options.split('&') {
            if ["host=", "hostaddr=", "port="].iter().any(|name| option.starts_with(name)) {
                address.extend(["&", option]);
            }
        }
        address
    }

    /// Takes the text apart: scheme, hosts with ports, and path.
    fn parts(&self) -> (&str, &str, &str) {
        let (scheme, rest) = self.0.split_once("://").unwrap_or((&self.0, ""));
        let scheme = scheme.split(':').next().unwrap_or_default();
        let (authority, behind) = match rest.find(['/', '?', '#']) {
            Some(end) => rest.split_at(end),
            None => (rest, ""),
        };
        let (hosts, path) = match authority.rsplit_once('@') {
            Some((_, hosts)) => (hosts, behind),
            // An unescaped password may contain what normally ends the authority.
            None if behind.contains('@') => (HIDDEN_PART, ""),
            None => (authority, behind),
        };
        (scheme, hosts, path.split(['?', '#']).next().unwrap_or_default())
    }
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, hosts, path) = self.parts();
        write!(f, "{scheme}://")?;
        for (number, host) in hosts.split(',').enumerate() {
            let comma = if number > 0 { "," } else { "" };
            let host = if is_host(host) { host } else { HIDDEN_PART };
            write!(f, "{comma}{host}")?;
        }
        // The path of an https URL is not the name of a database.
        match path.strip_prefix('/') {
            Some(name) if scheme.starts_with("postgres") && is_database_name(name) => {
                write!(f, "/{name}")
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Returns the scheme that a mistyped or abbreviated one stands for.
fn guess_scheme(scheme: &str) -> Option<&'static str> {
    let scheme = scheme.to_ascii_lowercase();
    if ["pg", "pgsql", "psql"].contains(&scheme.as_str()) {
        return Some("postgres");
    }
    let known = [("postgres", 2), ("postgresql", 3), ("sqlite", 2), ("https", 1)];
    let edits = known.map(|(name, most)| (count_edits(&scheme, name), most, name));
    let close = edits.into_iter().filter(|(count, most, _)| count <= most);
    close.min().map(|(.., name)| name)
}

/// Returns how many characters have to be inserted, removed or replaced to make one word another.
fn count_edits(from: &str, to: &str) -> usize {
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (row, from) in from.bytes().enumerate() {
        let mut current = vec![row + 1];
        for (column, to) in to.bytes().enumerate() {
            let replaced = above[column] + usize::from(from != to);
            current.push(replaced.min(above[column + 1] + 1).min(current[column] + 1));
        }
        above = current;
    }
    above.last().copied().unwrap_or_default()
}

/// Longest scheme that is repeated in an error.
const MAX_SCHEME_CHARS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<DatabaseUrl, UnusableUrl> {
        DatabaseUrl::parse(OsStr::new(text))
    }

    #[test]
    fn urls_of_the_contract() {
        let sqlite = DatabaseUrl::Sqlite(PathBuf::from("/d/x.db"));
        assert_eq!(parse("sqlite:/d/x.db").unwrap(), sqlite);
        assert_eq!(parse("sqlite:///d/x.db").unwrap(), sqlite);
        for bad in ["", "x", "sqlite:", "sqlite:x.db", "mysql://h/d", "/d/x.db"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_mistyped_scheme_is_recognized() {
        for (text, meant) in [
            ("postgress://h/d", Some("postgres")),
            ("Postgres://h/d", Some("postgres")),
            ("postgre://h/d", Some("postgres")),
            ("prostgesql://h/d", Some("postgresql")),
            ("psql://h/d", Some("postgres")),
            ("sqlite3:/d/x.db", Some("sqlite")),
            ("htps://h", Some("https")),
            ("mysql://h/d", None),
            ("redis://h", None),
        ] {
            assert_eq!(parse(text).unwrap_err().meant_scheme, meant, "{text}");
        }
    }

    #[test]
    fn one_address_is_spelled_in_several_ways() {
        let address = |text: &str| match parse(text) {
            Ok(DatabaseUrl::Remote(url)) => url.normalize_address(),
            other => panic!("{other:?}"),
        };
        for (one, other) in [
            ("postgres://me@DB:5432/w", "postgresql://you:x@db/w?sslmode=require"),
            ("postgres://a:5432,b/w", "postgres://a,b:5432/w"),
            ("https://h:443/rest", "https://H?via=hub"),
        ] {
            assert_eq!(address(one), address(other));
        }
        for (one, other) in [
            ("postgres://h/w", "postgres://h/v"),
            ("postgres://h:5433/w", "postgres://h/w"),
            ("postgres:///w?host=/run/a", "postgres:///w?host=/run/b"),
        ] {
            assert_ne!(address(one), address(other));
        }
    }

    #[test]
    fn nothing_but_scheme_host_port_and_name_is_shown() {
        for (text, shown) in [
            ("postgres://me:secret@host/db", "postgres://host/db"),
            ("postgres://host:5432/db?password=secret", "postgres://host:5432/db"),
            ("postgres://host/db?sslmode=require&token=secret#secret", "postgres://host/db"),
            ("postgres://h1:1,h2:2/db", "postgres://h1:1,h2:2/db"),
            ("postgresql://me:se/cr?et@host/db", "postgresql://…"),
            ("postgres://host/db?password=a@secret", "postgres://…"),
            ("postgres://me:se@cret@host/db", "postgres://host/db"),
            ("postgres://host:secret/db", "postgres://…/db"),
            ("postgres://me:secret@[::1]:5432/db", "postgres://[::1]:5432/db"),
            ("postgres:///db?host=/run&password=secret", "postgres:///db"),
            ("https://host/secret?via=hub", "https://host"),
            ("https://secret@host:8443/a/b", "https://host:8443"),
            ("https://host?apikey=secret", "https://host"),
            ("https:secret", "https://"),
            ("postgres:secret@host", "postgres://"),
            ("postgres://secret%40x y/secret z", "postgres://…"),
        ] {
            let url = parse(text).unwrap();
            assert_eq!(format!("{url} {url:?}"), format!("{shown} {shown}"), "{text}");
        }
        for text in ["secret", "sqlite:secret", "secretsecretsecret1:x", "secret1://u:p@h"] {
            let problem = parse(text).unwrap_err().problem;
            assert!(!problem.contains("secret"), "{problem}");
        }
    }
}
