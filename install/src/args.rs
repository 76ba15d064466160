//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Build trueup, put it in place for Claude Code, and prove that it works.
///
/// Without options: builds the hooks and commands, stages the plugin in the data directory, links
/// `trueup` and `validate-session-state` into ~/.local/bin, registers the plugin with Claude Code
/// when `claude` is on PATH, initialises the database, then runs the demo and the doctor.
/// Running it again upgrades what changed and leaves the rest alone.
#[derive(Debug, Parser)]
#[command(
    name = "trueup-install",
    version,
    max_term_width = 100,
    after_help = "Example:\n  trueup-install --dry-run     say what would be done, touch nothing\n\n\
                  Exit codes: 0 all in place, 1 something is not, 2 usage, 3 could not be done."
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one flag of the command line"
)]
pub(crate) struct Args {
    /// Say what would be done and touch nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Stage the plugin directly beneath DIR instead of the data directory, and make no links
    #[arg(long, value_name = "DIR")]
    pub(crate) prefix: Option<PathBuf>,

    /// Link the commands into DIR [default: ~/.local/bin; none with --prefix]
    #[arg(long, value_name = "DIR")]
    pub(crate) link_dir: Option<PathBuf>,

    /// Leave Claude Code alone; with --prefix this stages and does nothing else
    #[arg(long)]
    pub(crate) no_claude: bool,

    /// Take the binaries that lie beside trueup-install instead of building them
    #[arg(long)]
    pub(crate) no_build: bool,

    /// Take the binaries from DIR instead of building them
    #[arg(long, value_name = "DIR", conflicts_with = "no_build")]
    pub(crate) bin_dir: Option<PathBuf>,

    /// The repository to install from [default: the one this was compiled in]
    #[arg(long, value_name = "DIR")]
    pub(crate) source: Option<PathBuf>,

    /// Remove everything again and restore every touched file byte for byte; the database stays
    #[arg(long)]
    pub(crate) uninstall: bool,

    /// With --uninstall: remove the database, the data directory and config.toml too
    #[arg(long, requires = "uninstall")]
    pub(crate) purge: bool,
}
