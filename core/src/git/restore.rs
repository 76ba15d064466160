//! Giving a file back the content that git has of it.

use std::time::Duration;

use super::command::TimeLimit;
use super::error::GitError;
use super::repository::{Repository, output_text};

const WHAT: &str = "git checkout";

/// Time for a file, in which nothing of the user's runs but what a checkout goes through.
const RESTORE_TIMEOUT: Duration = Duration::from_secs(30);

impl Repository {
    /// Gives a file the content that the index has of it. What it held is kept as an object of
    /// the repository, whose id is returned: `git show ID` prints it.
    ///
    /// # Errors
    ///
    /// When git fails or refuses; the file is as it was where its content could not be kept.
    pub fn restore_file(&self, path: &str) -> Result<String, GitError> {
        let limit = TimeLimit::starting_now(RESTORE_TIMEOUT);
        let call = self.change_command("git hash-object", limit);
        let object_id = call
            .with_args(["hash-object", "-w", "--no-filters", "--", path])
            .run()?;
        // A hook of the user's speaks of checkouts by hand.
        self.change_command(WHAT, limit)
            .with_args(["-c", "core.hooksPath=/dev/null", "checkout", "--quiet"])
            .with_args(["--", &format!(":(top,literal){path}")])
            .run()?;
        Ok(output_text(&object_id).trim().to_owned())
    }
}
