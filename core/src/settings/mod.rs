//! Configuration, in order of precedence: flag, environment, the user's `config.toml`, default.
//!
//! Invariants: a repository's file can set names, never the database, a command or a credential; an
//! invalid number never breaks a hook; no `Debug` output contains a secret.

mod api_credentials;
mod config_file;
mod database_address;
mod database_url;
mod environment;
mod number_setting;
mod paths;
mod pattern_limits;
mod project;
#[cfg(test)]
mod reference;
mod repository_keys;
mod resolve;
mod secret;
mod tls_roots;

pub use api_credentials::{ApiCredentials, CredentialError, CredentialSource};
pub use config_file::ConfigError;
pub use database_address::DatabaseAddress;
pub use database_url::{DatabaseUrl, RemoteUrl, UnusableUrl};
pub use environment::Environment;
pub(crate) use number_setting::DEFAULT_LEASE_SECONDS;
pub use paths::{Paths, PullLocks};
pub use project::{Project, RepositoryConfig, is_within_path_bounds};
pub use repository_keys::{REPOSITORY_KEYS, RepositoryKey, render_repository_config};
pub use resolve::Settings;
pub use secret::Secret;
pub use tls_roots::TlsRoots;
