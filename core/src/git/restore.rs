//! Giving a file back the content that git has of it.

use std::time::Duration;

use super::command::Limit;
use super::error::GitError;
use super::repository::{Repository, text};

const WHAT: &str = "git checkout";

/// Time for a file, in which nothing of the user's runs but what a checkout goes through.
const RESTORING: Duration = Duration::from_secs(30);

impl Repository {
    /// Gives a file the content that the index has of it. What it held is kept as an object of
    /// the repository, whose id is returned: `git show ID` prints it.
    ///
    /// # Errors
    ///
    /// When git fails or refuses; the file is as it was where its content could not be kept.
    pub fn restore(&self, path: &str) -> Result<String, GitError> {
        let limit = Limit::starting_now(RESTORING);
        let call = self.change("git hash-object", limit);
        let kept = call
            .args(["hash-object", "-w", "--no-filters", "--", path])
            .run()?;
        // A hook of the user's speaks of checkouts by hand.
        self.change(WHAT, limit)
            .args(["-c", "core.hooksPath=/dev/null", "checkout", "--quiet"])
            .args(["--", &format!(":(top,literal){path}")])
            .run()?;
        Ok(text(&kept).trim().to_owned())
    }
}
