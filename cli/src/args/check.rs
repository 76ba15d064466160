//! `trueup check`

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Look for scripts here, a directory or a file, that read or write in a metadata file what
    /// the database owns
    #[arg(long, value_name = "PATH", required = true)]
    pub(crate) sources: PathBuf,
}
