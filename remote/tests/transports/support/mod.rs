//! What the tests have in common.

pub(crate) mod postgres_server;

use std::ffi::OsStr;
use std::time::Duration;

use trueup_core::deadline::Deadline;
use trueup_core::settings::{ApiCredentials, DatabaseUrl, TlsRoots};
use trueup_remote::url::PasswordSources;
use trueup_remote::{RemoteDatabase, RemoteTransport, Transport as _, TransportError};

/// What is sent where the content does not matter.
pub(crate) const REQUEST: &str = r#"{"é":"ü"}"#;

/// Describes the database of a URL, without credentials.
pub(crate) fn database(url: &str) -> RemoteDatabase {
    let DatabaseUrl::Remote(url) = DatabaseUrl::parse(OsStr::new(url)).unwrap() else {
        panic!("{url} is not remote");
    };
    RemoteDatabase {
        url,
        credentials: ApiCredentials::default(),
        passwords: PasswordSources::default(),
        roots: TlsRoots::Webpki,
        flavour_memory: None,
    }
}

pub(crate) fn open(url: &str) -> RemoteTransport {
    database(url).open_transport().unwrap()
}

/// A deadline that no test reaches.
pub(crate) fn late() -> Deadline {
    Deadline::after(Duration::from_secs(30))
}

/// A deadline that tests reach.
pub(crate) fn soon() -> Deadline {
    Deadline::after(Duration::from_millis(400))
}

/// Makes one exchange over a new transport, and returns why it fails.
pub(crate) fn failure_of(url: &str, deadline: Deadline) -> TransportError {
    open(url).exchange(REQUEST, deadline).unwrap_err()
}

/// Checks the whole line of an error, and that nothing of it contains the password of the tests.
pub(crate) fn assert_line(error: &TransportError, line: &str) {
    assert_eq!(error.to_string(), line);
    let everything = format!("{error} {error:?} {:?}", error.hint());
    assert!(!everything.contains("s3cret"), "{everything}");
}
