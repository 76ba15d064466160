//! A commit of some files, whatever else is going on in the worktree.
//!
//! Invariants: of what is here the commit takes the files that were named and no others (what a
//! hook of the user's adds is the user's, and told); what else is staged stays staged; a commit
//! that does not come about leaves the index as it was, and one that does leaves it as a commit
//! by hand would.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Component, Path};
use std::time::Duration;

use super::command::TimeLimit;
use super::error::GitError;
use super::repository::{Repository, join_records, output_text, split_records};

const WHAT: &str = "git commit";

/// Most bytes of paths in one command line.
const MAX_ARGUMENT_BYTES: usize = 32 * 1024;

/// Time for a change of the index, in which nothing of the user's runs. It is not part of the
/// time that a commit is given: a git that is killed in the very moment in which it makes a lock
/// file leaves it behind, so that the commit alone is ended by a limit, while a hook runs.
const INDEX_TIMEOUT: Duration = Duration::from_secs(30);

/// A commit that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedCommit {
    /// Its id.
    pub id: String,
    /// Files in it that nobody named: a hook of the user's put them there.
    pub extra_files: Vec<String>,
}

/// Which files a commit takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CommitMode {
    /// The index, after the named files were put into it. A hook that puts more into the index
    /// finds it there afterwards.
    Index,
    /// The named files alone, while others stay staged. git makes an index for the commit alone,
    /// and what a hook puts there would afterwards look as if it had been taken back.
    NamedAlone,
}

/// Entries of the index by path, as git prints them: mode, object and stage.
type IndexEntries = BTreeMap<Vec<u8>, Vec<Vec<u8>>>;

impl Repository {
    /// Commits the content that these files have now (or that they are gone), with the user's
    /// identity, hooks and signature, which all have to end in time.
    ///
    /// # Errors
    ///
    /// When git, a hook or the signing program refuses or does not end in time; the index is as
    /// it was then.
    pub fn commit(
        &self,
        paths: &[String],
        message: &str,
        limit: Duration,
    ) -> Result<CreatedCommit, GitError> {
        for path in paths {
            self.check_file_path(path)?;
        }
        // Without a path, git would take all that is staged.
        if paths.is_empty() {
            return Err(unexpected_state("nothing to commit"));
        }
        let before = self.resolve_commit("HEAD")?;
        let index = self.read_index_entries(paths)?;
        let mode = self.choose_commit_mode(paths)?;
        let unknown: Vec<&String> = paths
            .iter()
            .filter(|path| !index.contains_key(path.as_bytes()))
            .filter(|path| self.root().join(path).symlink_metadata().is_ok())
            .collect();
        let result = self
            .mark_intent_to_add(&unknown)
            .and_then(|()| self.run_commit(paths, message, mode, TimeLimit::starting_now(limit)));
        let after = self.resolve_commit("HEAD")?;
        if let Err(error) = result {
            // With a commit, the files belong into the index: a later hook was the failure.
            if after == before {
                self.unmark_intent_to_add(&unknown)?;
                if self.read_index_entries(paths)? != index {
                    return Err(unexpected_state(&format!("{error}; the index has changed")));
                }
            }
            return Err(error);
        }
        let (id, changed) = self.verify_commit(before.as_deref(), after)?;
        if mode == CommitMode::NamedAlone {
            self.align_index(&id, &changed)?;
        }
        let named: BTreeSet<&str> = paths.iter().map(String::as_str).collect();
        let others = changed.into_iter();
        Ok(CreatedCommit {
            id,
            extra_files: others.filter(|path| !named.contains(&**path)).collect(),
        })
    }

    /// Looks whether other files are staged than those that are to be committed.
    fn choose_commit_mode(&self, paths: &[String]) -> Result<CommitMode, GitError> {
        let call = self.read_command("git diff");
        let output = call
            .with_args(["diff", "--cached", "--name-only", "-z", "--no-renames"])
            .with_args(["--no-ext-diff", "--ignore-submodules=none"])
            .run()?;
        let named: BTreeSet<&[u8]> = paths.iter().map(String::as_bytes).collect();
        let is_other = |path: &[u8]| !named.contains(path);
        Ok(if split_records(&output).any(is_other) {
            CommitMode::NamedAlone
        } else {
            CommitMode::Index
        })
    }

    /// Lets the index say of committed files what the commit says: a hook may have changed them
    /// in the index of the commit alone.
    fn align_index(&self, commit: &str, changed: &[String]) -> Result<(), GitError> {
        let index = self.read_index_entries(changed)?;
        let mut lines = Vec::new();
        for part in split_for_arguments(changed) {
            let call = self.read_command("git ls-tree");
            let output = call
                .with_args(["ls-tree", "-r", "-z", "--full-tree", commit, "--"])
                .with_args(part)
                .run()?;
            let mut committed = BTreeMap::new();
            for record in split_records(&output) {
                // mode, type, object, and behind a tab the path
                let tab = record.iter().position(|byte| *byte == b'\t');
                let (entry, path) = record.split_at(tab.unwrap_or(record.len()));
                let entry = output_text(entry);
                let mut entry = entry.split(' ');
                if let (Some(mode), Some(object)) = (entry.next(), entry.nth(1)) {
                    let path = path.get(1..).unwrap_or_default();
                    committed.insert(path.to_owned(), format!("{mode} {object} 0"));
                }
            }
            for path in part {
                let is = index.get(path.as_bytes()).map(Vec::as_slice);
                let line = match (committed.get(path.as_bytes()), is) {
                    (Some(entry), Some([only])) if entry.as_bytes() == &**only => continue,
                    (None, None) => continue,
                    (Some(entry), _) => format!("{entry}\t{path}"),
                    (None, Some(_)) => format!("0 {} 0\t{path}", "0".repeat(commit.len())),
                };
                lines.push(line);
            }
        }
        if lines.is_empty() {
            return Ok(());
        }
        self.change_command("git update-index", TimeLimit::starting_now(INDEX_TIMEOUT))
            .with_args(["update-index", "-z", "--index-info"])
            .with_stdin(&join_records(&lines))?
            .run()
            .map(drop)
    }

    /// A path must name one file below the root: that of a folder stands for all files in it.
    fn check_file_path(&self, path: &str) -> Result<(), GitError> {
        let place = Path::new(path);
        let plain = place
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        let folder = || {
            let data = self.root().join(place).symlink_metadata();
            data.is_ok_and(|data| data.is_dir())
        };
        if path.is_empty() || path.ends_with('/') || path.contains('\0') || !plain || folder() {
            return Err(unexpected_state(&format!("{path:?} is not a file path")));
        }
        Ok(())
    }

    /// Reads what the index has for these paths.
    fn read_index_entries(&self, paths: &[String]) -> Result<IndexEntries, GitError> {
        let mut entries = IndexEntries::new();
        for part in split_for_arguments(paths) {
            let call = self.read_command("git ls-files");
            let output = call
                .with_args(["ls-files", "--stage", "-z", "--"])
                .with_args(part)
                .run()?;
            for record in split_records(&output) {
                let tab = record.iter().position(|byte| *byte == b'\t');
                let (entry, path) = record.split_at(tab.unwrap_or(record.len()));
                let path = path.get(1..).unwrap_or_default().to_owned();
                entries.entry(path).or_default().push(entry.to_owned());
            }
        }
        Ok(entries)
    }

    /// Makes new files known, without their content: a commit of named files takes known ones.
    fn mark_intent_to_add(&self, unknown: &[&String]) -> Result<(), GitError> {
        if unknown.is_empty() {
            return Ok(());
        }
        self.change_command("git add", TimeLimit::starting_now(INDEX_TIMEOUT))
            .with_args(["add", "--intent-to-add"])
            .with_args(["--pathspec-from-file=-", "--pathspec-file-nul"])
            .with_stdin(&literal_pathspecs(unknown))?
            .run()
            .map(drop)
    }

    /// Takes back [`announce`](Self::announce).
    fn unmark_intent_to_add(&self, unknown: &[&String]) -> Result<(), GitError> {
        if unknown.is_empty() {
            return Ok(());
        }
        self.change_command("git update-index", TimeLimit::starting_now(INDEX_TIMEOUT))
            .with_args(["update-index", "--force-remove", "-z", "--stdin"])
            .with_stdin(&join_records(unknown))?
            .run()
            .map(drop)
    }

    fn run_commit(
        &self,
        paths: &[String],
        message: &str,
        mode: CommitMode,
        limit: TimeLimit,
    ) -> Result<(), GitError> {
        let list = tempfile::NamedTempFile::new().and_then(|mut file| {
            file.write_all(&literal_pathspecs(paths))?;
            Ok(file)
        });
        let list = list.map_err(|source| GitError::Io { what: WHAT, source })?;
        let mut from = std::ffi::OsString::from("--pathspec-from-file=");
        from.push(list.path());
        let call = self.change_command(WHAT, limit);
        let call = match &self.lock {
            Some(lock) => call.with_locked_stdin(message.as_bytes(), lock)?,
            None => call.with_stdin(message.as_bytes())?,
        };
        let which = match mode {
            CommitMode::Index => "--include",
            CommitMode::NamedAlone => "--only",
        };
        // A line that begins with `#` is part of a message that nobody edits.
        call.with_args(["commit", "--quiet", which, "--cleanup=whitespace"])
            .with_args(["--file=-", "--pathspec-file-nul"])
            .with_args([from])
            .run()
            .map(drop)
    }

    /// Sees to it that there is a commit; returns it and the files it changes.
    fn verify_commit(
        &self,
        before: Option<&str>,
        after: Option<String>,
    ) -> Result<(String, Vec<String>), GitError> {
        let after = after.filter(|after| before != Some(after));
        let Some(after) = after else {
            return Err(unexpected_state("it made no commit"));
        };
        if let Some(before) = before
            && !self.is_ancestor(before, &after)?
        {
            return Err(unexpected_state(&format!(
                "{after} is not a child of {before}"
            )));
        }
        let call = self.read_command("git diff-tree").with_args([
            "diff-tree",
            "--root",
            "--no-commit-id",
            "--name-only",
            "--no-renames",
            "-r",
            "-z",
        ]);
        let changed = call
            .with_args(before.into_iter().chain([after.as_str()]))
            .run()?;
        let changed = split_records(&changed).map(|path| output_text(path).into_owned());
        let changed = changed.collect();
        Ok((after, changed))
    }
}

/// A list of paths for git to read in which each is a name and no pattern. A setting would say
/// the same for all of them, and reach the user's hooks.
fn literal_pathspecs<P: AsRef<str>>(paths: &[P]) -> Vec<u8> {
    let paths = paths.iter();
    let marked = paths.map(|path| format!(":(top,literal){}", path.as_ref()));
    join_records(marked)
}

fn unexpected_state(found: &str) -> GitError {
    GitError::NotAsExpected {
        what: WHAT,
        found: found.to_owned(),
    }
}

/// Splits paths so that each part fits into a command line.
fn split_for_arguments(paths: &[String]) -> impl Iterator<Item = &[String]> {
    let mut size = 0;
    paths.chunk_by(move |path, _| {
        size += path.len() + 1;
        let fits = size < MAX_ARGUMENT_BYTES;
        if !fits {
            size = 0;
        }
        fits
    })
}
