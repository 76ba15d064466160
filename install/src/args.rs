//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Install trueup for Claude Code and Codex, and check that it works
///
/// Without options: takes the programs beside it, stages the plugin in the data directory, links
/// `trueup`, `validate-session-state` and `trueup-hub` into ~/.local/bin, installs manual pages and
/// completions, registers the plugin with Claude Code if `claude` is on PATH, creates the database,
/// then runs the demo and the doctor. With --source it compiles the programs of a checkout first.
/// Running it again upgrades what has changed.
#[derive(Debug, Parser)]
#[command(
    name = "trueup-install",
    version,
    max_term_width = 100,
    after_help = "Example:\n  trueup-install --dry-run     show what would be done, change nothing\n\n\
                  Exit codes: 0 installed, 1 a check failed, 2 usage, 3 the installation failed."
)]
#[expect(clippy::struct_excessive_bools, reason = "each is one flag of the command line")]
pub(crate) struct Args {
    /// Show what would be done, change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Stage the plugin in DIR instead of the data directory, and create no links
    #[arg(long, value_name = "DIR")]
    pub(crate) prefix: Option<PathBuf>,

    /// Directory for links to the commands [default: ~/.local/bin; none with --prefix]
    #[arg(long, value_name = "DIR")]
    pub(crate) link_dir: Option<PathBuf>,

    /// Do not change Claude Code's configuration; with --prefix, only stage
    #[arg(long)]
    pub(crate) no_claude: bool,

    /// Register the hooks with Codex too, in `hooks.json` of its directory
    #[arg(long)]
    pub(crate) codex: bool,

    /// Install an older version than the one that is there
    #[arg(long)]
    pub(crate) force: bool,

    /// With --source, use the programs beside trueup-install all the same
    #[arg(long)]
    pub(crate) no_build: bool,

    /// Use the programs in DIR
    #[arg(long, value_name = "DIR", conflicts_with = "no_build")]
    pub(crate) bin_dir: Option<PathBuf>,

    /// Compile the programs of the checkout in DIR
    #[arg(long, value_name = "DIR")]
    pub(crate) source: Option<PathBuf>,

    /// With --source, compile as a release is: programs a tenth faster, a quarter of an hour
    #[arg(long, requires = "source")]
    pub(crate) release: bool,

    /// Remove everything and restore every changed file byte for byte; the database is kept
    #[arg(long)]
    pub(crate) uninstall: bool,

    /// With --uninstall, also remove the database, the data directory and config.toml
    #[arg(long, requires = "uninstall")]
    pub(crate) purge: bool,

    /// With --uninstall, also remove what trueup left in repositories: caches, lines in git's
    /// exclude files, a status line
    #[arg(long, requires = "uninstall")]
    pub(crate) repositories: bool,
}
