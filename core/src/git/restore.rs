//! Restores a file's content from the index.

use std::time::Duration;

use super::command::TimeLimit;
use super::error::GitError;
use super::repository::{Repository, output_text};

const WHAT: &str = "git checkout";

/// Time limit of a checkout, which runs no hooks.
const RESTORE_TIMEOUT: Duration = Duration::from_secs(30);

impl Repository {
    /// Restores a file from the index. Its previous content is stored as an object; the returned id
    /// can be shown with `git show ID`.
    ///
    /// # Errors
    ///
    /// When git fails or refuses. A file whose content could not be stored is unchanged.
    pub fn restore_file(&self, path: &str) -> Result<String, GitError> {
        let limit = TimeLimit::starting_now(RESTORE_TIMEOUT);
        let call = self.change_command("git hash-object", limit);
        let object_id = call.with_args(["hash-object", "-w", "--no-filters", "--", path]).run()?;
        // A user's `post-checkout` hook is meant for checkouts by hand.
        self.change_command(WHAT, limit)
            .with_args(["-c", "core.hooksPath=/dev/null", "checkout", "--quiet"])
            .with_args(["--", &format!(":(top,literal){path}")])
            .run()?;
        Ok(output_text(&object_id).trim().to_owned())
    }
}
