//! `trueup check`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct CheckArgs {
    /// Repositories, by directory or slug [default: the one here]
    #[arg(value_name = "PATH|SLUG", value_parser = super::path_text())]
    pub(crate) targets: Vec<String>,
    /// Mend what can be mended: the further status wins, in the database and in the file
    #[arg(long)]
    pub(crate) fix: bool,
    /// Write and commit no files
    #[arg(long)]
    pub(crate) no_writeback: bool,
    /// Commit, and leave the push to you
    #[arg(long)]
    pub(crate) no_push: bool,
    /// Push your own unpushed commits along as well
    #[arg(long, requires = "fix", conflicts_with = "no_push")]
    pub(crate) push: bool,
    /// Bring the branch up to date first, where that needs no merge
    #[arg(long)]
    pub(crate) pull: bool,
    /// Check every registered repository of this machine
    #[arg(long, conflicts_with = "targets")]
    pub(crate) all: bool,
    /// How to print what was found
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    pub(crate) format: Format,
    /// Let warnings count as findings
    #[arg(long)]
    pub(crate) strict: bool,
    /// Look for scripts here instead, a directory or a file, that read or write in a metadata
    /// file what the database owns
    #[arg(long, value_name = "PATH", conflicts_with_all = ["targets", "fix", "pull", "all", "format"])]
    pub(crate) sources: Option<PathBuf>,
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For a person
    Text,
    /// One object, as --json does
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
}
