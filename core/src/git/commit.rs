//! Commits named files, whatever else is going on in the worktree.
//!
//! Invariants: the commit contains the named files and no other changes of the worktree (files that
//! a user's hook adds are reported); other staged files stay staged; a failed commit leaves the
//! index unchanged, and a successful one leaves it as a manual commit would.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Component, Path};
use std::time::Duration;

use super::command::TimeLimit;
use super::error::GitError;
use super::repository::{Repository, join_records, output_text, split_records};

const WHAT: &str = "git commit";

/// Most bytes of paths on one command line.
const MAX_ARGUMENT_BYTES: usize = 32 * 1024;

/// Time limit of index updates, which run no user code. It is separate from the limit of the
/// commit: a git that is killed while it creates a lock file leaves that file behind, so only the
/// commit itself is ever killed, while one of its hooks runs.
const INDEX_TIMEOUT: Duration = Duration::from_secs(30);

/// A commit that was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedCommit {
    /// Its id.
    pub id: String,
    /// Files in it that were not named; a user's hook added them.
    pub extra_files: Vec<String>,
}

/// Which files a commit takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CommitMode {
    /// The index, after adding the named files. What a hook adds to the index is still there
    /// afterwards.
    Index,
    /// The named files only, while others stay staged. git then uses a temporary index; what a hook
    /// adds there would look reverted afterwards.
    NamedAlone,
}

/// Index entries by path, as git prints them: mode, object and stage.
type IndexEntries = BTreeMap<Vec<u8>, Vec<Vec<u8>>>;

impl Repository {
    /// Commits the current content of these files, or their removal, with the user's identity,
    /// hooks and signature, all within `limit`.
    ///
    /// # Errors
    ///
    /// When git, a hook or the signing program refuses or takes too long; the index is unchanged
    /// then.
    pub fn commit(
        &self,
        paths: &[String],
        message: &str,
        limit: Duration,
    ) -> Result<CreatedCommit, GitError> {
        for path in paths {
            self.check_file_path(path)?;
        }
        // Without paths, git would commit everything that is staged.
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
            // If a commit exists, a hook after it failed, and the files belong in the index.
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

    /// Chooses the mode by whether other files are staged.
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

    /// Copies the committed state of these files to the index: a hook may have changed them in the
    /// commit's temporary index only.
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
                // mode, type, object; then a tab and the path
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

    /// Checks that a path names one file below the root. A directory would stand for all files in
    /// it.
    fn check_file_path(&self, path: &str) -> Result<(), GitError> {
        let place = Path::new(path);
        let plain = place.components().all(|part| matches!(part, Component::Normal(_)));
        let dir = || {
            let data = self.root().join(place).symlink_metadata();
            data.is_ok_and(|data| data.is_dir())
        };
        if path.is_empty() || path.ends_with('/') || path.contains('\0') || !plain || dir() {
            return Err(unexpected_state(&format!("{path:?} is not a file path")));
        }
        Ok(())
    }

    /// Reads the index entries of these paths.
    fn read_index_entries(&self, paths: &[String]) -> Result<IndexEntries, GitError> {
        let mut entries = IndexEntries::new();
        for part in split_for_arguments(paths) {
            let call = self.read_command("git ls-files");
            let output =
                call.with_args(["ls-files", "--stage", "-z", "--"]).with_args(part).run()?;
            for record in split_records(&output) {
                let tab = record.iter().position(|byte| *byte == b'\t');
                let (entry, path) = record.split_at(tab.unwrap_or(record.len()));
                let path = path.get(1..).unwrap_or_default().to_owned();
                entries.entry(path).or_default().push(entry.to_owned());
            }
        }
        Ok(entries)
    }

    /// Marks new files with `--intent-to-add`: a commit of named files takes only files that git
    /// knows.
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

    /// Undoes [`mark_intent_to_add`](Self::mark_intent_to_add).
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
        // Keep lines that begin with `#`: nobody edits this message, so they are not comments.
        call.with_args(["commit", "--quiet", which, "--cleanup=whitespace"])
            .with_args(["--file=-", "--pathspec-file-nul"])
            .with_args([from])
            .run()
            .map(drop)
    }

    /// Checks that there is a new commit; returns its id and the files it changes.
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
            return Err(unexpected_state(&format!("{after} is not a child of {before}")));
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
        let changed = call.with_args(before.into_iter().chain([after.as_str()])).run()?;
        let changed = split_records(&changed).map(|path| output_text(path).into_owned());
        let changed = changed.collect();
        Ok((after, changed))
    }
}

/// A list of paths that git takes literally. A setting could do the same for all of them, but the
/// user's hooks would inherit it.
fn literal_pathspecs<P: AsRef<str>>(paths: &[P]) -> Vec<u8> {
    let paths = paths.iter();
    let marked = paths.map(|path| format!(":(top,literal){}", path.as_ref()));
    join_records(marked)
}

fn unexpected_state(found: &str) -> GitError {
    GitError::NotAsExpected { what: WHAT, found: found.to_owned() }
}

/// Splits paths into chunks that fit on a command line.
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
