//! Under which names the hub may be asked. A web page that makes its own name lead to this machine
//! (DNS rebinding) asks under a name that is not among them.

use std::net::{IpAddr, SocketAddr};

/// The names of the hub, in lower case and without ports.
#[derive(Debug, Clone)]
pub(crate) struct AllowedHosts {
    names: Vec<String>,
}

impl AllowedHosts {
    /// The names of this machine, the address where it listens, and more names.
    pub(crate) fn new(listen: SocketAddr, names: impl IntoIterator<Item = String>) -> Self {
        let mut allowed = vec!["localhost".to_owned()];
        if !listen.ip().is_unspecified() {
            allowed.push(listen.ip().to_string());
        }
        allowed.extend(names.into_iter().map(|name| name.trim().to_ascii_lowercase()));
        Self { names: allowed }
    }

    /// Returns whether a `Host` header names the hub. Any port does: a port may be forwarded.
    pub(crate) fn allow(&self, host: &str) -> bool {
        let Some(name) = split_port(host) else {
            return false;
        };
        let name = name.trim_matches(['[', ']']).to_ascii_lowercase();
        let is_loopback = name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        is_loopback || self.names.contains(&name)
    }
}

/// Returns the name of `name`, `name:port` or `[address]:port`; nothing where the rest is no port.
fn split_port(host: &str) -> Option<&str> {
    let end = if host.starts_with('[') {
        host.find(']')? + 1
    } else {
        host.find(':').unwrap_or(host.len())
    };
    let (name, rest) = host.split_at_checked(end)?;
    let is_port = |port: &str| port.parse::<u16>().is_ok() && !port.starts_with('+');
    (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hubs_own_names_are_allowed() {
        let listen = "192.0.2.7:7717".parse().unwrap();
        let hosts = AllowedHosts::new(listen, ["Hub.Example".to_owned()]);
        for (host, expected) in [
            ("localhost", true),
            ("localhost:7717", true),
            ("LOCALHOST:1", true),
            ("127.0.0.1:7717", true),
            ("127.9.9.9", true),
            ("[::1]:7717", true),
            ("192.0.2.7", true),
            ("hub.example:443", true),
            ("192.0.2.8", false),
            ("evil.example", false),
            ("hub.example.evil.example", false),
            ("localhost.evil.example", false),
            ("localhost:", false),
            ("localhost:7717:1", false),
            ("localhost:99999", false),
            ("localhost:+1", false),
            ("[::1", false),
            ("[::1]x", false),
            ("user@localhost", false),
            ("", false),
        ] {
            assert_eq!(hosts.allow(host), expected, "{host:?}");
        }
    }
}
