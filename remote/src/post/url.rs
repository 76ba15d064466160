//! `https://…`, or `http://…` of this machine.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

/// An address that something is posted to. Its path and query may be a secret, so only scheme, host
/// and port are shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PostUrl(Url);

/// Why an address cannot be posted to. It repeats nothing of the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PostUrlError {
    /// It is no URL, or has another scheme.
    #[error("expected https://HOST/PATH")]
    Malformed,
    /// It would send in the clear over a network.
    #[error("http:// is for this machine alone; use https://")]
    InsecureHttp,
}

impl PostUrl {
    /// Parses an address.
    ///
    /// # Errors
    ///
    /// When it is not `https://`, nor `http://` of this machine.
    pub fn parse(text: &str) -> Result<Self, PostUrlError> {
        let mut url = Url::parse(text.trim()).map_err(|_| PostUrlError::Malformed)?;
        url.set_fragment(None);
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if is_loopback(&url) => Ok(Self(url)),
            "http" => Err(PostUrlError::InsecureHttp),
            _ => Err(PostUrlError::Malformed),
        }
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.0.scheme() == "https"
    }

    pub(crate) fn expose(&self) -> Url {
        self.0.clone()
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for PostUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or_default())?;
        self.0.port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl fmt::Debug for PostUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scheme_host_and_port_are_shown() {
        for (text, shown) in [
            ("https://hooks.example/services/s3cret?key=s3cret#s3cret", "https://hooks.example"),
            ("https://me:s3cret@hooks.example:8443/", "https://hooks.example:8443"),
            ("http://127.0.0.1:9/s3cret", "http://127.0.0.1:9"),
            ("http://[::1]:9/", "http://[::1]:9"),
            (" http://localhost/x\n", "http://localhost"),
        ] {
            let url = PostUrl::parse(text).unwrap();
            assert_eq!(format!("{url} {url:?}"), format!("{shown} {shown}"), "{text}");
        }
    }

    #[test]
    fn nothing_goes_over_a_network_in_the_clear() {
        use PostUrlError::{InsecureHttp, Malformed};
        for (text, expected) in [
            ("", Malformed),
            ("hooks.example", Malformed),
            ("ftp://hooks.example/", Malformed),
            ("file:///etc/passwd", Malformed),
            ("http://hooks.example/", InsecureHttp),
            ("http://192.0.2.1/", InsecureHttp),
            ("http://localhost.example/", InsecureHttp),
        ] {
            assert_eq!(PostUrl::parse(text).unwrap_err(), expected, "{text}");
        }
    }
}
