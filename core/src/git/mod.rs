//! Reads git's own files where that is enough: starting git costs more than the rest of a hook.
//!
//! No hook starts git, because neither the repository's configuration nor another `git` in `PATH`
//! lets one predict what it does and how long it takes.
//!
//! Comparisons with a remote, and all changes, run git through [`Repository`]: with the user's
//! settings, identity, hooks and signature, and with a time limit.

mod address;
mod changes;
mod command;
mod commit;
mod error;
mod fetch;
mod hidden_files;
mod operation;
mod push;
mod refs;
mod reftable;
mod remotes;
mod repository;
mod restore;
mod subprocess;
mod upstream;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

pub use address::remote_identity;
pub use commit::CreatedCommit;
pub use error::GitError;
pub use hidden_files::HiddenFlag;
pub use operation::GitOperation;
pub use refs::{branches_checked_out_elsewhere, list_branches};
pub use repository::Repository;
pub use upstream::{BranchStatus, UnpushedCommit, Upstream};

use crate::bounds::{BRANCH, BRANCHES, GIT_FILE, PATH_PARTS};

/// Most linked worktrees that are listed.
const MOST_WORKTREES: usize = 200;

fn read_git_file(path: &Path) -> std::io::Result<String> {
    crate::fs::read_text(path, GIT_FILE.most, true)
}

/// Returns the path in a line. git writes paths as bytes.
fn path_from_line(line: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(line.trim_ascii()))
}

/// Returns whether git would accept a branch name.
fn is_branch_name(name: &str) -> bool {
    let is_refused = |c: char| c.is_ascii_control() || " ~^:?*[\\".contains(c);
    !name.is_empty()
        && name.len() <= BRANCH.len()
        && !name.contains(is_refused)
        && !name.contains("..")
        && !name.ends_with('/')
}

/// What is checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// A branch.
    Branch(String),
    /// A commit, or a reference that is not a branch.
    Detached,
    /// `HEAD` cannot be read or understood.
    Unreadable,
}

/// A git worktree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worktree {
    /// Its root directory.
    pub root: PathBuf,
    /// Its own git directory.
    pub git_dir: PathBuf,
    /// The git directory that all worktrees of the repository share.
    pub common_dir: PathBuf,
}

impl Worktree {
    /// Finds the worktree that contains a directory.
    pub fn discover(directory: &Path) -> Option<Self> {
        let mut above = directory.ancestors().take(PATH_PARTS.len());
        above.find_map(Self::at_root)
    }

    fn at_root(root: &Path) -> Option<Self> {
        let mark = root.join(".git");
        let git_dir = if mark.is_dir() {
            mark
        } else {
            // A linked worktree or a submodule has a file that names the git directory.
            let line = crate::fs::read_bytes(&mark, GIT_FILE.most, true).ok()?;
            root.join(path_from_line(line.strip_prefix(b"gitdir:")?))
        };
        if !git_dir.join("HEAD").is_file() {
            return None;
        }
        let common_dir =
            match crate::fs::read_bytes(&git_dir.join("commondir"), GIT_FILE.most, true) {
                // Canonicalize, so that all worktrees get the same path, however it was written.
                Ok(line) => {
                    let dir = git_dir.join(path_from_line(&line));
                    dir.canonicalize().unwrap_or(dir)
                }
                Err(_) => git_dir.clone(),
            };
        Some(Self { root: root.to_owned(), git_dir, common_dir })
    }

    /// Returns the branch checked out; `None` if `HEAD` is detached or unreadable.
    pub fn branch(&self) -> Option<String> {
        match self.read_head() {
            Head::Branch(branch) => Some(branch),
            Head::Detached | Head::Unreadable => None,
        }
    }

    /// Reads what is checked out.
    pub fn read_head(&self) -> Head {
        let place = self.git_dir.join("HEAD");
        let text = read_git_file(&place).unwrap_or_default();
        let text = text.trim();
        let target = match text.strip_prefix("ref: ") {
            // A repository with a reftable leaves this in HEAD for old readers.
            Some("refs/heads/.invalid") => reftable::read_head_target(&self.git_dir),
            Some(target) => Some(target.trim_start().to_owned()),
            // Old versions made HEAD a symlink, and git still reads it.
            None => std::fs::read_link(&place)
                .ok()
                .and_then(|target| target.to_str().map(str::to_owned)),
        };
        let is_commit =
            matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
        let Some(target) = target else {
            return if is_commit { Head::Detached } else { Head::Unreadable };
        };
        match target.strip_prefix("refs/heads/") {
            Some(branch) if is_branch_name(branch) => Head::Branch(branch.to_owned()),
            None if target.starts_with("refs/") => Head::Detached,
            _ => Head::Unreadable,
        }
    }

    /// Lists the roots of linked worktrees that exist.
    pub fn list_linked_worktrees(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.common_dir.join("worktrees")) else {
            return Vec::new();
        };
        // Removed worktrees leave entries too, and each costs a lookup.
        let entries = entries.flatten().take(BRANCHES.len());
        let roots = entries.filter_map(|entry| {
            let mark = read_git_file(&entry.path().join("gitdir")).ok()?;
            let root = Path::new(mark.trim()).parent()?;
            // The entry of a worktree that was moved by hand points nowhere.
            root.join(".git").is_file().then(|| root.to_owned())
        });
        let mut roots: Vec<PathBuf> = roots.take(MOST_WORKTREES).collect();
        roots.sort();
        roots
    }

    /// Returns the repository's name: that of the directory that contains the shared git directory,
    /// so that all worktrees agree.
    pub fn name(&self) -> Option<String> {
        let named_dir = if self.common_dir.file_name().is_some_and(|name| name == ".git") {
            self.common_dir.parent()?
        } else {
            &self.common_dir
        };
        Some(named_dir.file_name()?.to_string_lossy().trim_end_matches(".git").to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::process::Command;

    fn git(directory: &Path, arguments: &[&str]) {
        let status = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.invalid"])
            .args(["-c", "init.defaultBranch=main"])
            .args(arguments)
            .current_dir(directory)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", directory)
            .output()
            .unwrap();
        assert!(status.status.success(), "git {arguments:?}: {status:?}");
    }

    #[test]
    fn a_linked_worktree_shares_its_repository() {
        let temp_dir = tempfile::tempdir().unwrap();
        let main = temp_dir.path().join("project");
        fs::create_dir_all(main.join("deep/er")).unwrap();
        git(&main, &["init", "-q"]);
        git(&main, &["commit", "-q", "--allow-empty", "-m", "x"]);
        git(&main, &["worktree", "add", "-q", "-b", "feat/SD-002C-x", "../other"]);
        git(&main, &["pack-refs", "--all"]);

        let first = Worktree::discover(&main.join("deep/er")).unwrap();
        assert_eq!(first.root, main);
        assert_eq!(first.branch().as_deref(), Some("main"));
        assert_eq!(first.name().as_deref(), Some("project"));

        let second = Worktree::discover(&temp_dir.path().join("other")).unwrap();
        assert_eq!(second.branch().as_deref(), Some("feat/SD-002C-x"));
        assert_eq!(second.common_dir, first.common_dir);
        assert_eq!(second.name(), first.name());
        assert_eq!(list_branches(&first), ["feat/SD-002C-x", "main"]);

        git(&main, &["checkout", "-q", "--detach"]);
        assert_eq!(first.branch(), None);
    }

    #[test]
    fn references_in_tables_are_read_as_git_reads_them() {
        let temp_dir = tempfile::tempdir().unwrap();
        let main = temp_dir.path().join("project");
        fs::create_dir_all(&main).unwrap();
        git(&main, &["init", "-q", "--ref-format=reftable", "-b", "feat/SD-002B-x"]);
        let first = Worktree::discover(&main).unwrap();
        assert_eq!(first.branch().as_deref(), Some("feat/SD-002B-x"), "unborn");
        git(&main, &["commit", "-q", "--allow-empty", "-m", "x"]);
        for number in 0..100 {
            git(&main, &["update-ref", &format!("A{number}_HEAD"), "HEAD"]);
        }
        git(&main, &["switch", "-q", "-c", "other"]);
        assert_eq!(first.branch().as_deref(), Some("other"));
        git(&main, &["worktree", "add", "-q", "-b", "linked", "../linked"]);
        let linked = Worktree::discover(&temp_dir.path().join("linked")).unwrap();
        assert_eq!(linked.branch().as_deref(), Some("linked"));
        git(&main, &["refs", "verify"]);
        git(&main, &["switch", "-q", "--detach"]);
        assert_eq!(first.branch(), None);
        assert_eq!(linked.branch().as_deref(), Some("linked"));
    }

    #[test]
    fn outside_a_repository_there_is_none() {
        let temp_dir = tempfile::tempdir().unwrap();
        fs::create_dir(temp_dir.path().join(".git")).unwrap();
        assert_eq!(Worktree::at_root(temp_dir.path()), None);
    }
}
