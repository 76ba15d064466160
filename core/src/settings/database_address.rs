//! The part of a database's URL that may be shown.

use std::fmt;

/// Scheme, host, port and database name: what messages call a remote database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseAddress {
    /// Such as `postgres`.
    pub scheme: &'static str,
    /// A name, an IP address, or the directory of a socket.
    pub host: String,
    /// The port, unless the scheme implies it.
    pub port: Option<u16>,
    /// The name of the database, where the scheme has one.
    pub database: Option<String>,
}

impl fmt::Display for DatabaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme)?;
        let host = &self.host;
        if host.starts_with('/') {
            // The spelling that a URL has for it.
            f.write_str(&host.replace('/', "%2F"))?;
        } else if host.contains(':') && !host.starts_with('[') {
            write!(f, "[{host}]")?;
        } else {
            f.write_str(if is_host(host) { host } else { HIDDEN_PART })?;
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        match &self.database {
            Some(name) if is_database_name(name) => write!(f, "/{name}"),
            Some(_) => write!(f, "/{HIDDEN_PART}"),
            None => Ok(()),
        }
    }
}

/// Stands for a part that is not shown.
pub(super) const HIDDEN_PART: &str = "…";

/// Returns whether a text is a host, with or without a port.
pub(super) fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (text, ""),
    };
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    let is_bracketed = host.starts_with('[') || !host.contains(':');
    let is_port = port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    host.len() <= 255 && host.bytes().all(is_allowed) && is_bracketed && is_port
}

/// Returns whether a text is the name of a database.
pub(super) fn is_database_name(text: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    !text.is_empty() && text.len() <= 64 && text.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_a_host_and_a_name_is_shown() {
        let show = |host: &str, port, database: Option<&str>| {
            let database = database.map(str::to_owned);
            DatabaseAddress { scheme: "postgres", host: host.to_owned(), port, database }
                .to_string()
        };
        assert_eq!(show("db.local", Some(5432), Some("work")), "postgres://db.local:5432/work");
        assert_eq!(show("::1", Some(1), None), "postgres://[::1]:1");
        assert_eq!(show("/run/pg", Some(1), Some("d")), "postgres://%2Frun%2Fpg:1/d");
        assert_eq!(show("se cret", None, Some("se cret")), "postgres://…/…");
    }
}
