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

use super::command::Limit;
use super::error::GitError;
use super::repository::{Repository, joined, records, text};

const WHAT: &str = "git commit";

/// Most bytes of paths in one command line.
const LINE: usize = 32 * 1024;

/// Time for a change of the index, in which nothing of the user's runs. It is not part of the
/// time that a commit is given: a git that is killed in the very moment in which it makes a lock
/// file leaves it behind, so that the commit alone is ended by a limit, while a hook runs.
const INDEXING: Duration = Duration::from_secs(30);

/// A commit that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: String,
    /// Files in it that nobody named: a hook of the user's put them there.
    pub others: Vec<String>,
}

/// Which files a commit takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// The index, after the named files were put into it. A hook that puts more into the index
    /// finds it there afterwards.
    Index,
    /// The named files alone, while others stay staged. git makes an index for the commit alone,
    /// and what a hook puts there would afterwards look as if it had been taken back.
    NamedAlone,
}

/// Entries of the index by path, as git prints them: mode, object and stage.
type Entries = BTreeMap<Vec<u8>, Vec<Vec<u8>>>;

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
    ) -> Result<Commit, GitError> {
        for path in paths {
            self.check(path)?;
        }
        // Without a path, git would take all that is staged.
        if paths.is_empty() {
            return Err(unexpected("nothing to commit"));
        }
        let before = self.commit_of("HEAD")?;
        let index = self.entries(paths)?;
        let mode = self.mode(paths)?;
        let unknown: Vec<&String> = paths
            .iter()
            .filter(|path| !index.contains_key(path.as_bytes()))
            .filter(|path| self.root().join(path).symlink_metadata().is_ok())
            .collect();
        let done = self
            .announce(&unknown)
            .and_then(|()| self.record(paths, message, mode, Limit::starting_now(limit)));
        let after = self.commit_of("HEAD")?;
        if let Err(error) = done {
            // With a commit, the files belong into the index: a later hook was the failure.
            if after == before {
                self.withdraw(&unknown)?;
                if self.entries(paths)? != index {
                    return Err(unexpected(&format!("{error}; the index has changed")));
                }
            }
            return Err(error);
        }
        let (id, changed) = self.examine(before.as_deref(), after)?;
        if mode == Mode::NamedAlone {
            self.settle(&id, &changed)?;
        }
        let ours: BTreeSet<&str> = paths.iter().map(String::as_str).collect();
        let others = changed.into_iter();
        Ok(Commit {
            id,
            others: others.filter(|path| !ours.contains(&**path)).collect(),
        })
    }

    /// Looks whether other files are staged than those that are to be committed.
    fn mode(&self, paths: &[String]) -> Result<Mode, GitError> {
        let call = self.read("git diff");
        let told = call
            .args(["diff", "--cached", "--name-only", "-z", "--no-renames"])
            .args(["--no-ext-diff", "--ignore-submodules=none"])
            .run()?;
        let ours: BTreeSet<&[u8]> = paths.iter().map(String::as_bytes).collect();
        let is_other = |path: &[u8]| !ours.contains(path);
        Ok(if records(&told).any(is_other) {
            Mode::NamedAlone
        } else {
            Mode::Index
        })
    }

    /// Lets the index say of committed files what the commit says: a hook may have changed them
    /// in the index of the commit alone.
    fn settle(&self, commit: &str, changed: &[String]) -> Result<(), GitError> {
        let index = self.entries(changed)?;
        let mut lines = Vec::new();
        for part in parts(changed) {
            let call = self.read("git ls-tree");
            let told = call
                .args(["ls-tree", "-r", "-z", "--full-tree", commit, "--"])
                .args(part)
                .run()?;
            let mut committed = BTreeMap::new();
            for record in records(&told) {
                // mode, type, object, and behind a tab the path
                let tab = record.iter().position(|byte| *byte == b'\t');
                let (entry, path) = record.split_at(tab.unwrap_or(record.len()));
                let entry = text(entry);
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
        self.change("git update-index", Limit::starting_now(INDEXING))
            .args(["update-index", "-z", "--index-info"])
            .stdin(&joined(&lines))?
            .run()
            .map(drop)
    }

    /// A path must name one file below the root: that of a folder stands for all files in it.
    fn check(&self, path: &str) -> Result<(), GitError> {
        let place = Path::new(path);
        let plain = place
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        let folder = || {
            let data = self.root().join(place).symlink_metadata();
            data.is_ok_and(|data| data.is_dir())
        };
        if path.is_empty() || path.ends_with('/') || path.contains('\0') || !plain || folder() {
            return Err(unexpected(&format!("{path:?} is not a file path")));
        }
        Ok(())
    }

    /// Reads what the index has for these paths.
    fn entries(&self, paths: &[String]) -> Result<Entries, GitError> {
        let mut entries = Entries::new();
        for part in parts(paths) {
            let call = self.read("git ls-files");
            let told = call
                .args(["ls-files", "--stage", "-z", "--"])
                .args(part)
                .run()?;
            for record in records(&told) {
                let tab = record.iter().position(|byte| *byte == b'\t');
                let (entry, path) = record.split_at(tab.unwrap_or(record.len()));
                let path = path.get(1..).unwrap_or_default().to_owned();
                entries.entry(path).or_default().push(entry.to_owned());
            }
        }
        Ok(entries)
    }

    /// Makes new files known, without their content: a commit of named files takes known ones.
    fn announce(&self, unknown: &[&String]) -> Result<(), GitError> {
        if unknown.is_empty() {
            return Ok(());
        }
        self.change("git add", Limit::starting_now(INDEXING))
            .args(["add", "--intent-to-add"])
            .args(["--pathspec-from-file=-", "--pathspec-file-nul"])
            .stdin(&literal(unknown))?
            .run()
            .map(drop)
    }

    /// Takes back [`announce`](Self::announce).
    fn withdraw(&self, unknown: &[&String]) -> Result<(), GitError> {
        if unknown.is_empty() {
            return Ok(());
        }
        self.change("git update-index", Limit::starting_now(INDEXING))
            .args(["update-index", "--force-remove", "-z", "--stdin"])
            .stdin(&joined(unknown))?
            .run()
            .map(drop)
    }

    fn record(
        &self,
        paths: &[String],
        message: &str,
        mode: Mode,
        limit: Limit,
    ) -> Result<(), GitError> {
        let list = tempfile::NamedTempFile::new().and_then(|mut file| {
            file.write_all(&literal(paths))?;
            Ok(file)
        });
        let list = list.map_err(|source| GitError::Io { what: WHAT, source })?;
        let mut from = std::ffi::OsString::from("--pathspec-from-file=");
        from.push(list.path());
        let call = self.change(WHAT, limit);
        let call = match &self.lock {
            Some(lock) => call.stdin_locked(message.as_bytes(), lock)?,
            None => call.stdin(message.as_bytes())?,
        };
        let which = match mode {
            Mode::Index => "--include",
            Mode::NamedAlone => "--only",
        };
        // A line that begins with `#` is part of a message that nobody edits.
        call.args(["commit", "--quiet", which, "--cleanup=whitespace"])
            .args(["--file=-", "--pathspec-file-nul"])
            .args([from])
            .run()
            .map(drop)
    }

    /// Sees to it that there is a commit; returns it and the files it changes.
    fn examine(
        &self,
        before: Option<&str>,
        after: Option<String>,
    ) -> Result<(String, Vec<String>), GitError> {
        let after = after.filter(|after| before != Some(after));
        let Some(after) = after else {
            return Err(unexpected("it made no commit"));
        };
        if let Some(before) = before
            && !self.is_ancestor(before, &after)?
        {
            return Err(unexpected(&format!("{after} is not a child of {before}")));
        }
        let call = self.read("git diff-tree").args([
            "diff-tree",
            "--root",
            "--no-commit-id",
            "--name-only",
            "--no-renames",
            "-r",
            "-z",
        ]);
        let changed = call
            .args(before.into_iter().chain([after.as_str()]))
            .run()?;
        let changed = records(&changed).map(|path| text(path).into_owned());
        let changed = changed.collect();
        Ok((after, changed))
    }
}

/// A list of paths for git to read in which each is a name and no pattern. A setting would say
/// the same for all of them, and reach the user's hooks.
fn literal<P: AsRef<str>>(paths: &[P]) -> Vec<u8> {
    let paths = paths.iter();
    let marked = paths.map(|path| format!(":(top,literal){}", path.as_ref()));
    joined(marked)
}

fn unexpected(found: &str) -> GitError {
    GitError::NotAsExpected {
        what: WHAT,
        found: found.to_owned(),
    }
}

/// Splits paths so that each part fits into a command line.
fn parts(paths: &[String]) -> impl Iterator<Item = &[String]> {
    let mut size = 0;
    paths.chunk_by(move |path, _| {
        size += path.len() + 1;
        let fits = size < LINE;
        if !fits {
            size = 0;
        }
        fits
    })
}
