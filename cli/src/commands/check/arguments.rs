//! The arguments of `trueup check`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::path_argument::path_text;

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct CheckArgs {
    /// Repositories, by directory or slug [default: the current one]
    #[arg(value_name = "PATH|SLUG", value_parser = path_text())]
    pub(crate) targets: Vec<String>,
    /// Fix what can be fixed: the more advanced status wins, in the database and in the file
    #[arg(long)]
    pub(crate) fix: bool,
    /// Do not write or commit files
    #[arg(long)]
    pub(crate) no_writeback: bool,
    /// Commit without pushing
    #[arg(long)]
    pub(crate) no_push: bool,
    /// Push your own unpushed commits too
    #[arg(long, requires = "fix", conflicts_with = "no_push")]
    pub(crate) push: bool,
    /// Fast-forward the branch first, if possible
    #[arg(long)]
    pub(crate) pull: bool,
    /// Check every repository registered on this machine
    #[arg(long, conflicts_with = "targets")]
    pub(crate) all: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    pub(crate) format: Format,
    /// Treat warnings as findings
    #[arg(long)]
    pub(crate) strict: bool,
    /// Instead, search this directory or file for scripts that read or write database-owned
    /// fields in a metadata file
    #[arg(long, value_name = "PATH", conflicts_with_all = ["targets", "fix", "pull", "all", "format"])]
    pub(crate) sources: Option<PathBuf>,
}

/// Output format of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Human-readable text
    Text,
    /// One JSON object, like --json
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// GitHub Actions annotations
    Github,
}
