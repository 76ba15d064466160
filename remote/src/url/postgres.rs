//! `postgres://` as libpq understands it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::Host;
use trueup_core::settings::{DatabaseAddress, RemoteUrl};

use super::query::{percent_decode, split_options, unknown_option};
use super::{PasswordSources, RootOption, UnusedFile, UrlError};

/// The port of a server unless the URL says otherwise.
const DEFAULT_PORT: u16 = 5432;

/// What a server sees as the name of this program unless the URL says otherwise.
const APPLICATION_NAME: &str = "trueup";

/// Options that are handed on to `tokio_postgres` as they are.
const PASSED_OPTIONS: [&str; 9] = [
    "user",
    "password",
    "dbname",
    "hostaddr",
    "port",
    "connect_timeout",
    "application_name",
    "options",
    "channel_binding",
];

/// How much of TLS is asked for; as in libpq.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SslMode {
    /// No TLS.
    Disable,
    /// TLS if the server has it and accepts it, without looking at the certificate.
    #[default]
    Prefer,
    /// TLS. The certificate is looked at only if `sslrootcert` is given, as with `VerifyCa`.
    Require,
    /// TLS, and the certificate is signed by a trusted authority.
    VerifyCa,
    /// As `VerifyCa`, and the certificate is for the host.
    VerifyFull,
}

/// What a server must be to be used; as in libpq.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SessionAttributes {
    /// Anything.
    #[default]
    Any,
    /// One that takes writes.
    ReadWrite,
    /// One that takes no writes.
    ReadOnly,
    /// One that is not replaying another's log.
    Primary,
    /// One that is replaying another's log.
    Standby,
}

/// A server that a URL names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostgresHost {
    /// A name or an IP address.
    Tcp(String),
    /// The directory of a socket.
    Socket(PathBuf),
}

/// A `postgres://` URL.
#[derive(Clone)]
pub struct PostgresUrl {
    /// User, password, database, options: what does not differ between the hosts.
    pub(crate) config: Config,
    /// The hosts, in the order in which they are tried, with their ports.
    pub(crate) hosts: Vec<(PostgresHost, u16)>,
    /// An address for each host, where the name is not to be looked up.
    pub(crate) addresses: Vec<std::net::IpAddr>,
    /// How much of TLS is asked for.
    pub ssl_mode: SslMode,
    pub(crate) root: Option<RootOption>,
    /// What a server must be to be used.
    pub session_attributes: SessionAttributes,
    /// The password file, if there is no password because it cannot be used.
    pub(crate) unused_file: Option<UnusedFile>,
}

impl PostgresUrl {
    /// Parses a URL, and looks up the password where the URL has none.
    ///
    /// # Errors
    ///
    /// When an option is unknown or invalid, or the URL is malformed.
    pub fn parse(url: &RemoteUrl, passwords: &PasswordSources) -> Result<Self, UrlError> {
        let (base, options) = split_options(url.expose());
        let mut ssl_mode = SslMode::default();
        let mut root = None;
        let mut session_attributes = SessionAttributes::default();
        // `tokio_postgres` takes several hosts before the path alone.
        let mut option_hosts = None;
        let mut passed = Vec::new();
        for (name, value) in options {
            match name {
                "sslmode" => ssl_mode = parse_ssl_mode(value)?,
                "sslrootcert" => root = Some(RootOption::parse(value)?),
                "target_session_attrs" => session_attributes = parse_session_attributes(value)?,
                "hostaddr" | "connect_timeout" | "port" | "channel_binding" => {
                    check_option(name, value)?;
                    passed.push((name, value));
                }
                "host" => option_hosts = percent_decode(value),
                _ if PASSED_OPTIONS.contains(&name) => passed.push((name, value)),
                _ => return Err(unknown_option(name)),
            }
        }
        let mut text = base.to_owned();
        for (number, (name, value)) in passed.into_iter().enumerate() {
            text.push(if number == 0 { '?' } else { '&' });
            text.extend([name, "=", value]);
        }
        let mut config: Config = text.parse().map_err(|_| {
            UrlError::Malformed("expected postgres://USER:PASSWORD@HOST:PORT/DATABASE")
        })?;
        if config.get_application_name().is_none() {
            config.application_name(APPLICATION_NAME);
        }
        if option_hosts.is_some() && !config.get_hosts().is_empty() {
            return Err(UrlError::Malformed("it names hosts twice"));
        }
        for host in option_hosts.iter().flat_map(|hosts| hosts.split(',')) {
            config.host(host);
        }
        let hosts = pair_hosts(&config)?;
        let mut unused_file = None;
        match passwords.find(&config, &hosts) {
            Ok(Some(password)) => {
                config.password(password.expose());
            }
            Ok(None) => {}
            Err(unused) => unused_file = Some(unused),
        }
        let addresses = config.get_hostaddrs().to_vec();
        Ok(Self { config, hosts, addresses, ssl_mode, root, session_attributes, unused_file })
    }

    /// Returns what one of its hosts is called in messages.
    pub(crate) fn address_of(&self, host: &PostgresHost, port: u16) -> DatabaseAddress {
        DatabaseAddress {
            scheme: "postgres",
            host: match host {
                PostgresHost::Tcp(name) => name.clone(),
                PostgresHost::Socket(path) => path.to_string_lossy().into_owned(),
            },
            port: Some(port),
            database: self.config.get_dbname().map(str::to_owned),
        }
    }

    /// Returns what it is called where no host can be named.
    pub(crate) fn address_without_host(&self) -> DatabaseAddress {
        self.address_of(&PostgresHost::Tcp(String::new()), DEFAULT_PORT)
    }

    /// Returns how long connecting to one host may take, if the URL says so.
    pub(crate) fn connect_timeout(&self) -> Option<Duration> {
        self.config.get_connect_timeout().copied()
    }
}

impl fmt::Debug for PostgresUrl {
    /// Shows the hosts alone; user and password are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresUrl").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

fn parse_ssl_mode(value: &str) -> Result<SslMode, UrlError> {
    Ok(match value {
        "disable" => SslMode::Disable,
        // libpq would try without TLS first, which nobody who writes this down gains from.
        "allow" | "prefer" => SslMode::Prefer,
        "require" => SslMode::Require,
        "verify-ca" => SslMode::VerifyCa,
        "verify-full" => SslMode::VerifyFull,
        _ => {
            return Err(UrlError::InvalidOption {
                option: "sslmode",
                allowed: "disable, prefer, require, verify-ca, verify-full",
            });
        }
    })
}

fn parse_session_attributes(value: &str) -> Result<SessionAttributes, UrlError> {
    Ok(match value {
        "any" => SessionAttributes::Any,
        "read-write" => SessionAttributes::ReadWrite,
        "read-only" => SessionAttributes::ReadOnly,
        "primary" => SessionAttributes::Primary,
        "standby" => SessionAttributes::Standby,
        _ => {
            return Err(UrlError::InvalidOption {
                option: "target_session_attrs",
                allowed: "any, read-write, read-only, primary, standby",
            });
        }
    })
}

/// Checks the options whose values `tokio_postgres` would refuse without naming the option.
fn check_option(name: &str, value: &str) -> Result<(), UrlError> {
    let each = |is_valid: fn(&str) -> bool| {
        percent_decode(value).is_some_and(|value| value.split(',').all(is_valid))
    };
    let (is_valid, option, allowed) = match name {
        "hostaddr" => (
            each(|address| address.parse::<std::net::IpAddr>().is_ok()),
            "hostaddr",
            "IP addresses",
        ),
        "connect_timeout" => (each(|n| n.parse::<u32>().is_ok()), "connect_timeout", "seconds"),
        "channel_binding" => (
            matches!(value, "disable" | "prefer" | "require"),
            "channel_binding",
            "disable, prefer, require",
        ),
        _ => (each(|n| n.is_empty() || n.parse::<u16>().is_ok()), "port", "numbers up to 65535"),
    };
    if is_valid { Ok(()) } else { Err(UrlError::InvalidOption { option, allowed }) }
}

/// Pairs hosts with ports: one port is for all hosts, none is the default.
fn pair_hosts(config: &Config) -> Result<Vec<(PostgresHost, u16)>, UrlError> {
    let ports = config.get_ports();
    let mut hosts: Vec<PostgresHost> = config
        .get_hosts()
        .iter()
        .map(|host| match host {
            Host::Tcp(name) => PostgresHost::Tcp(name.clone()),
            Host::Unix(path) => PostgresHost::Socket(path.clone()),
        })
        .collect();
    if hosts.is_empty() {
        hosts = config.get_hostaddrs().iter().map(|ip| PostgresHost::Tcp(ip.to_string())).collect();
    }
    if hosts.is_empty() {
        return Err(UrlError::Malformed("it names no host"));
    }
    if !matches!(config.get_hostaddrs().len(), 0) && config.get_hostaddrs().len() != hosts.len() {
        return Err(UrlError::Malformed("as many hostaddr as hosts are needed"));
    }
    if ports.len() > 1 && ports.len() != hosts.len() {
        return Err(UrlError::Malformed("one port, or as many ports as hosts are needed"));
    }
    let port_of = |number: usize| *ports.get(number).or(ports.first()).unwrap_or(&DEFAULT_PORT);
    Ok(hosts.into_iter().enumerate().map(|(number, host)| (host, port_of(number))).collect())
}

#[cfg(test)]
mod tests;
