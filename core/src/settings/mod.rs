//! Configuration: flag, environment, the user's `config.toml`, default, in this order.
//!
//! Invariants: a repository's file can set names, never the database, a command or a
//! credential; a bad number never breaks a hook; secrets appear in no `Debug`.

mod database;
mod environment;
mod file;
mod paths;
mod patterns;
mod project;
mod resolve;

pub use database::DatabaseUrl;
pub use environment::Environment;
pub use file::ConfigError;
pub use paths::Paths;

pub use crate::files::private_dir;
pub use project::{Project, RepositoryConfig, is_bounded};
pub use resolve::Settings;
