//! `https://HOST[/PATH][?via=hub|supabase|postgrest&sslrootcert=FILE]`.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;
use trueup_core::settings::{DatabaseAddress, RemoteUrl};

use super::query::{split_options, unknown_option};
use super::{RootOption, UrlError};

/// What answers at an `https://` URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// trueup's own hub.
    Hub,
    /// The gateway of Supabase.
    Supabase,
    /// PostgREST by itself.
    Postgrest,
}

impl Flavour {
    /// Returns its name, as `?via=` takes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hub => "hub",
            Self::Supabase => "supabase",
            Self::Postgrest => "postgrest",
        }
    }

    /// Returns the flavour with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Hub, Self::Supabase, Self::Postgrest].into_iter().find(|each| each.name() == name)
    }

    /// Parses the value of `via`.
    fn parse(value: &str) -> Result<Self, UrlError> {
        let allowed = "hub, supabase, postgrest";
        Self::from_name(value).ok_or(UrlError::InvalidOption { option: "via", allowed })
    }

    /// Returns the path of the function that takes exchanges, below the path of the URL; a hub has
    /// none.
    pub(crate) const fn function_path(self) -> Option<&'static str> {
        match self {
            Self::Hub => None,
            Self::Supabase => Some("/rest/v1/rpc/trueup_exchange"),
            Self::Postgrest => Some("/rpc/trueup_exchange"),
        }
    }
}

/// An `https://` URL, or an `http://` one of this machine.
#[derive(Clone)]
pub struct HttpsUrl {
    base: Url,
    /// What `?via=` says.
    pub flavour: Option<Flavour>,
    pub(crate) root: Option<RootOption>,
}

impl HttpsUrl {
    /// Parses a URL.
    ///
    /// # Errors
    ///
    /// When an option is unknown or invalid, when the URL has a user or password, or when it is
    /// `http://` beyond this machine.
    pub fn parse(url: &RemoteUrl) -> Result<Self, UrlError> {
        let (base, options) = split_options(url.expose());
        let mut flavour = None;
        let mut root = None;
        for (name, value) in options {
            match name {
                "via" => flavour = Some(Flavour::parse(value)?),
                "sslrootcert" => root = Some(RootOption::parse(value)?),
                _ => return Err(unknown_option(name)),
            }
        }
        let mut base =
            Url::parse(base).map_err(|_| UrlError::Malformed("expected https://HOST/PATH"))?;
        base.set_fragment(None);
        if !base.username().is_empty() || base.password().is_some() {
            return Err(UrlError::Malformed("credentials go into TRUEUP_API_KEY"));
        }
        let url = Self { base, flavour, root };
        if !url.is_secure() && !url.is_loopback() {
            return Err(UrlError::InsecureHttp);
        }
        Ok(url)
    }

    /// Returns the URL of a path below the path of this one.
    pub(crate) fn join(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let below = format!("{}{path}", self.base.path().trim_end_matches('/'));
        url.set_path(&below);
        url
    }

    /// Returns whether TLS is used.
    pub(crate) fn is_secure(&self) -> bool {
        self.base.scheme() == "https"
    }

    fn is_loopback(&self) -> bool {
        let host = self.base.host_str().unwrap_or_default();
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    /// Returns what the database is called in messages.
    pub(crate) fn address(&self) -> DatabaseAddress {
        DatabaseAddress {
            scheme: if self.is_secure() { "https" } else { "http" },
            host: self.base.host_str().unwrap_or_default().to_owned(),
            port: self.base.port(),
            database: None,
        }
    }
}

impl fmt::Debug for HttpsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpsUrl({})", self.address())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use trueup_core::settings::DatabaseUrl;

    fn parse(text: &str) -> Result<HttpsUrl, UrlError> {
        match DatabaseUrl::parse(OsStr::new(text)).unwrap() {
            DatabaseUrl::Remote(url) => HttpsUrl::parse(&url),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn the_function_is_below_the_path_of_the_url() {
        let url = parse("https://db.local/team/?via=supabase").unwrap();
        assert_eq!(url.flavour, Some(Flavour::Supabase));
        let function = url.join(Flavour::Supabase.function_path().unwrap());
        assert_eq!(function.as_str(), "https://db.local/team/rest/v1/rpc/trueup_exchange");
        let url = parse("https://[::1]:8443").unwrap();
        let function = url.join(Flavour::Postgrest.function_path().unwrap());
        assert_eq!(function.as_str(), "https://[::1]:8443/rpc/trueup_exchange");
        assert_eq!(format!("{url:?}"), "HttpsUrl(https://[::1]:8443)");
    }

    #[test]
    fn what_would_show_a_credential_to_others_is_refused() {
        for (text, problem) in [
            ("http://db.local/", "http:// is for this machine only; use https://"),
            ("http://localhost.evil/", "http:// is for this machine only; use https://"),
            (
                "https://me:s3cret@db.local/",
                "the URL of the database is malformed: credentials go into TRUEUP_API_KEY",
            ),
            (
                "https://db.local/?apikey=s3cret",
                "the URL of the database has an unsupported option: apikey",
            ),
            (
                "https://db.local/?sslrootcert=s3cret",
                "the URL of the database has an invalid sslrootcert; allowed: an absolute path, \
                 system",
            ),
            (
                "https://db.local/?via=s3cret",
                "the URL of the database has an invalid via; allowed: hub, supabase, postgrest",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), problem);
        }
        let url = parse("https://db.local/?sslrootcert=/c%20a.pem&via=hub").unwrap();
        assert_eq!(url.root, Some(RootOption::File("/c a.pem".into())));
        for text in ["http://localhost:1", "http://127.0.0.2", "http://[::1]:3/x"] {
            assert!(parse(text).is_ok(), "{text}");
        }
    }
}
