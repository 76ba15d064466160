//! Where the database is.

use std::fmt;
use std::path::{Path, PathBuf};

/// A database URL of the contract.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite:PATH`
    Sqlite(PathBuf),
    /// A rung this build does not speak; kept to say so.
    Other(String),
    /// What was set makes no sense; why is kept to say so where it is used.
    Unusable(String),
}

impl DatabaseUrl {
    /// Reads a URL.
    ///
    /// # Errors
    ///
    /// What is wrong with it, without repeating a password it may hold.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            // Both sqlite:/path and sqlite:///path are in use.
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err("sqlite: names no file".to_owned());
            }
            if !Path::new(path).is_absolute() {
                return Err(format!(
                    "sqlite:{path} is relative; name the file from the root"
                ));
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        match text.split_once(':').map(|(scheme, _)| scheme) {
            Some("postgres" | "postgresql" | "https" | "http") => Ok(Self::Other(text.to_owned())),
            Some(scheme) if scheme.chars().all(|c| c.is_ascii_alphanumeric()) => {
                Err(format!("{scheme}: is no database trueup speaks"))
            }
            _ => Err("it is no URL such as sqlite:/path/to/file".to_owned()),
        }
    }
}

impl fmt::Display for DatabaseUrl {
    /// Writes the URL without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Unusable(problem) => write!(f, "unusable ({problem})"),
            Self::Other(url) => {
                let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
                let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
                write!(f, "{scheme}://{host}")
            }
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_the_contract() {
        let sqlite = DatabaseUrl::Sqlite(PathBuf::from("/d/x.db"));
        assert_eq!(DatabaseUrl::parse("sqlite:/d/x.db").unwrap(), sqlite);
        assert_eq!(DatabaseUrl::parse("sqlite:///d/x.db").unwrap(), sqlite);
        for bad in ["", "x", "sqlite:", "sqlite:x.db", "mysql://h/d", "/d/x.db"] {
            assert!(DatabaseUrl::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let url = DatabaseUrl::parse("postgres://me:secret@host/db").unwrap();
        assert_eq!(
            format!("{url} {url:?}"),
            "postgres://host/db postgres://host/db"
        );
    }
}
