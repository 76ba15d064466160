//! URLs of remote databases, parsed.

mod https;
mod password_file;
mod postgres;
mod query;
mod root_option;

pub use https::{Flavour, HttpsUrl};
pub use password_file::PasswordSources;
pub(crate) use password_file::UnusedFile;
pub use postgres::{PostgresHost, PostgresUrl, SessionAttributes, SslMode};
pub(crate) use root_option::RootOption;

/// Why a URL cannot be used. No text of the URL is shown but the names of options.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It does not follow the syntax.
    #[error("the URL of the database is malformed: {0}")]
    Malformed(&'static str),
    /// An option has a name that is unknown.
    #[error("the URL of the database has an unsupported option: {0}")]
    UnknownOption(String),
    /// An option has a value that it cannot have.
    #[error("the URL of the database has an invalid {option}; allowed: {allowed}")]
    InvalidOption {
        /// The option.
        option: &'static str,
        /// What it may be.
        allowed: &'static str,
    },
    /// `http://` was used beyond this machine, where others could read the credentials.
    #[error("http:// is for this machine only; use https://")]
    InsecureHttp,
}
