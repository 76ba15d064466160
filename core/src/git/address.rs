//! Addresses of remotes: which of them may be contacted, and one canonical name for all spellings
//! of a remote.

use std::path::Path;

/// Protocols that may be used. None of them starts a program that the address names.
const PROTOCOLS: [&str; 5] = ["file", "git", "http", "https", "ssh"];

/// Aliases of these protocols.
const ALIASES: [(&str, &str); 2] = [("git+ssh", "ssh"), ("ssh+git", "ssh")];

/// Returns the allowed protocols in git's format; the user's own list can only remove some.
pub(super) fn allowed_protocols() -> String {
    let user_allows = std::env::var("GIT_ALLOW_PROTOCOL").ok();
    let is_allowed = |name: &&str| {
        let own = user_allows.as_deref();
        own.is_none_or(|own| own.split(':').any(|allowed| allowed == *name))
    };
    let allowed: Vec<&str> = PROTOCOLS.into_iter().filter(is_allowed).collect();
    allowed.join(":")
}

/// A parsed address.
#[derive(Debug, PartialEq, Eq)]
enum RemoteAddress<'a> {
    /// `scheme://rest`
    Url { scheme: &'a str, rest: &'a str },
    /// `user@host:path`
    Shell { host: &'a str, path: &'a str },
    /// A directory.
    Path(&'a str),
    /// `helper::rest`, or something that looks like an option: git would start a program.
    Program(&'a str),
}

fn parse_address(address: &str) -> RemoteAddress<'_> {
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let end = address.find(|c| !is_scheme(c)).unwrap_or(address.len());
    let (scheme, rest) = address.split_at(end);
    if address.starts_with('-') || rest.starts_with("::") {
        return RemoteAddress::Program(scheme);
    }
    if let Some(rest) = rest.strip_prefix("://") {
        return RemoteAddress::Url { scheme, rest };
    }
    // Brackets contain a port or an IPv6 address.
    let has_brackets = address.starts_with('[') || address.contains("@[");
    let host_ends = address.find("]:").filter(|_| has_brackets);
    let colon = host_ends.map(|at| at + 1).or_else(|| address.find(':'));
    match colon.and_then(|at| Some((address.get(..at)?, address.get(at + 1..)?))) {
        Some((host, path)) if !host.contains('/') => RemoteAddress::Shell { host, path },
        _ => RemoteAddress::Path(address),
    }
}

/// Returns an address that works from any directory.
///
/// # Errors
///
/// When contacting it could start a program or its protocol is unknown. The message leaves the
/// address out, which may contain a password.
pub(super) fn check_address(address: &str, root: &Path) -> Result<String, String> {
    let refused = |scheme: &str| {
        let name: String = scheme.chars().take(20).collect();
        let allowed = PROTOCOLS.join(", ");
        Err(format!("{name:?} is not an allowed protocol: {allowed}"))
    };
    match parse_address(address) {
        RemoteAddress::Program(helper) => refused(&format!("{helper}::")),
        RemoteAddress::Url { scheme, rest } => {
            let scheme = scheme.to_ascii_lowercase();
            let alias = ALIASES.iter().find(|(alias, _)| *alias == scheme);
            let scheme_name = alias.map_or(&*scheme, |(_, name)| name);
            // ssh would take a host that begins with a dash for an option.
            if !PROTOCOLS.contains(&scheme_name) || rest.starts_with('-') {
                return refused(&scheme);
            }
            Ok(address.to_owned())
        }
        RemoteAddress::Shell { host, .. } if host.is_empty() || host.contains("@-") => {
            refused(host)
        }
        RemoteAddress::Shell { .. } => Ok(address.to_owned()),
        RemoteAddress::Path(path) => Ok(root.join(path).to_string_lossy().into_owned()),
    }
}

/// Returns the canonical name of a remote, however its address is spelled: host and path without
/// scheme, user, password, port and `.git`; for a directory, its path.
pub fn remote_identity(address: &str, root: &Path) -> Option<String> {
    let address = address.trim();
    if address.is_empty() {
        return None;
    }
    match parse_address(address) {
        RemoteAddress::Program(_) => None,
        RemoteAddress::Url { scheme, rest } if scheme.eq_ignore_ascii_case("file") => {
            let (_host, path) = rest.split_at(rest.find('/')?);
            directory_identity(path, root)
        }
        RemoteAddress::Url { rest, .. } => {
            let rest = rest.split(['?', '#']).next().unwrap_or(rest);
            let (host, path) = rest.split_once('/')?;
            host_identity(host, path)
        }
        RemoteAddress::Shell { host, path } => host_identity(host, path),
        RemoteAddress::Path(path) => directory_identity(path, root),
    }
}

fn host_identity(host: &str, path: &str) -> Option<String> {
    // `user@[::1]:22`
    let host = host.rfind("@[").map_or(host, |at| host.get(at + 1..).unwrap_or(host));
    let host = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        // `[::1]:22`, and git's own `[host:port]`.
        Some((inner, _)) => inner,
        None => host,
    };
    // A password may contain any character but a slash.
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host =
        if host.matches(':').count() > 1 { host } else { host.split(':').next().unwrap_or(host) };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let path = normalize_path(path);
    (!host.is_empty() && !path.is_empty()).then(|| format!("{host}/{path}"))
}

/// Removes the optional parts of a path: slashes around it and `.git` at the end. `%20` in a URL is
/// a space.
fn normalize_path(path: &str) -> String {
    let path = decode_percent(path);
    let parts = path.split('/').filter(|part| !["", "."].contains(part));
    let parts: Vec<&str> = parts.collect();
    let path = parts.join("/");
    path.strip_suffix(".git")
        .map(|path| path.trim_end_matches('/'))
        .map_or_else(|| path.clone(), str::to_owned)
}

fn decode_percent(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%');
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// Returns the name of a local directory, with symlinks resolved.
fn directory_identity(path: &str, root: &Path) -> Option<String> {
    let path = root.join(path);
    let path = path.canonicalize().unwrap_or(path);
    let name = normalize_path(&path.to_string_lossy());
    (!name.is_empty()).then(|| format!("/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_that_starts_a_program_is_asked() {
        let root = Path::new("/src/app");
        for refused in [
            "ext::sh -c 'touch /tmp/x'",
            "fd::17",
            "testgit::x",
            "--upload-pack=touch",
            "-oProxyCommand=touch",
            "ssh://-oProxyCommand=touch/x",
            "git@-oProxyCommand=x:y",
            "ftp://host/x",
            "EXT::x",
            "rsync://host/x",
            ":x",
            "gcrypt::git@host:x",
            "transport+ext://x",
        ] {
            let text = check_address(refused, root).unwrap_err();
            assert!(text.contains("not an allowed protocol"), "{refused}: {text}");
            assert!(!text.contains("touch"), "{text}");
        }
        for (asked, expected) in [
            ("https://host/a.git", "https://host/a.git"),
            ("HTTPS://host/a.git", "HTTPS://host/a.git"),
            ("git@host:a/b.git", "git@host:a/b.git"),
            ("ssh://git@host:22/a", "ssh://git@host:22/a"),
            ("git+ssh://host/a", "git+ssh://host/a"),
            ("file:///srv/a", "file:///srv/a"),
            ("/srv/a", "/srv/a"),
            ("../a", "/src/app/../a"),
            ("./a:b", "/src/app/./a:b"),
        ] {
            assert_eq!(check_address(asked, root).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn all_spellings_of_a_remote_are_one() {
        let root = Path::new("/src/app");
        for spelling in [
            "https://github.com/acme/shop.git",
            "https://github.com/acme/shop",
            "https://github.com/acme/shop/",
            "https://github.com:443/acme/shop.git",
            "https://ana:p@ss@GitHub.com/acme/shop.git",
            "http://github.com//acme/./shop.git/",
            "git://github.com/acme/shop.git",
            "ssh://git@github.com/acme/shop.git",
            "ssh://git@github.com:22/acme/shop",
            "git+ssh://git@github.com/acme/shop.git",
            "git@github.com:acme/shop.git",
            "git@github.com:/acme/shop.git",
            "github.com:acme/shop",
            "[git@github.com:22]:acme/shop.git",
            "https://github.com/acme/%73hop.git?token=x",
            " https://github.com/acme/shop.git\n",
        ] {
            let found = remote_identity(spelling, root);
            assert_eq!(found.as_deref(), Some("github.com/acme/shop"), "{spelling}");
        }
        for (other, expected) in [
            ("https://github.com/ana/shop", Some("github.com/ana/shop")),
            ("https://github.com/acme/Shop", Some("github.com/acme/Shop")),
            ("https://[::1]:8080/shop", Some("::1/shop")),
            ("ssh://git@[::1]:8080/shop", Some("::1/shop")),
            ("git@[::1]:shop", Some("::1/shop")),
            ("/srv/shop.git/", Some("/srv/shop")),
            ("file:///srv/shop.git", Some("/srv/shop")),
            ("file://localhost/srv/shop", Some("/srv/shop")),
            ("ext::sh -c x", None),
            ("https://github.com", None),
            ("", None),
        ] {
            assert_eq!(remote_identity(other, root).as_deref(), expected, "{other}");
        }
    }
}
