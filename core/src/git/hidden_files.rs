//! Files that git was told not to look at.

use std::collections::BTreeMap;

use std::time::Duration;

use super::command::{Purpose, TimeLimit};
use super::error::GitError;
use super::repository::{Repository, output_text, split_records};

const LIST: &str = "git ls-files";

/// Why git does not look at a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HiddenFlag {
    /// `git update-index --assume-unchanged`: the user keeps changes of it to themselves.
    AssumeUnchanged,
    /// `git update-index --skip-worktree`, or a sparse checkout: the file may be missing.
    SkipWorktree,
}

impl HiddenFlag {
    /// Returns git's name of the flag.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AssumeUnchanged => "assume-unchanged",
            Self::SkipWorktree => "skip-worktree",
        }
    }

    /// Parses the letter that git prints before a file.
    const fn from_tag(tag: u8) -> Option<Self> {
        match tag {
            b'S' | b's' => Some(Self::SkipWorktree),
            b'a'..=b'z' => Some(Self::AssumeUnchanged),
            _ => None,
        }
    }
}

impl Repository {
    /// Returns whether git ignores a file, given by its path from the root. A tracked file is not
    /// ignored, whatever the patterns say.
    ///
    /// # Errors
    ///
    /// When git fails, refuses or takes too long.
    pub fn is_ignored(&self, path: &str, limit: Duration) -> Result<bool, GitError> {
        let limit = TimeLimit::starting_now(limit);
        let call = self.build_command(Purpose::Read, "git check-ignore", limit);
        // This command takes paths literally anyway and rejects the option.
        let output = call
            .with_args(["--no-literal-pathspecs", "check-ignore", "--quiet", "--"])
            .with_args([format!("./{path}")])
            .run_query()?;
        Ok(output.is_some())
    }

    /// Lists the files below these directories that git tracks or could track; those that it
    /// ignores are not among them.
    ///
    /// # Errors
    ///
    /// When git fails or refuses.
    pub fn list_files(&self, dirs: &[String]) -> Result<Vec<String>, GitError> {
        let call = self.read_command(LIST);
        let call = call.with_args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let output = call.with_args(["--"]).with_args(dirs).run()?;
        Ok(split_records(&output).map(|path| output_text(path).into_owned()).collect())
    }

    /// Lists the files below these directories, or these files, that git does not look at.
    ///
    /// # Errors
    ///
    /// When git fails or refuses.
    pub fn list_hidden(&self, places: &[&str]) -> Result<BTreeMap<String, HiddenFlag>, GitError> {
        let call = self.read_command(LIST).with_args(["ls-files", "-v", "-z", "--"]);
        Ok(parse_hidden(&call.with_args(places).run()?))
    }

    /// Lists the files below all directories of this name that git does not look at.
    ///
    /// # Errors
    ///
    /// When git fails or refuses.
    pub fn list_hidden_in_all(
        &self,
        name: &'static str,
    ) -> Result<BTreeMap<String, HiddenFlag>, GitError> {
        let call = self.read_command(LIST).with_args(["--no-literal-pathspecs", "ls-files"]);
        let pattern = format!(":(glob)**/{name}/**");
        Ok(parse_hidden(&call.with_args(["-v", "-z", "--", &pattern]).run()?))
    }
}

fn parse_hidden(output: &[u8]) -> BTreeMap<String, HiddenFlag> {
    let hidden = split_records(output).filter_map(|record| {
        let (tag, path) = record.split_at_checked(2)?;
        Some((output_text(path).into_owned(), HiddenFlag::from_tag(*tag.first()?)?))
    });
    hidden.collect()
}
