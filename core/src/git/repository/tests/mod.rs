//! Real repositories in scratch directories, with their own home and settings.

mod asking;
mod changes;
mod commit;
mod commit_hooks;
mod hanging;
mod hidden;
mod operation;
mod remote;
mod standing;

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;

use super::*;
use crate::git::{BranchStatus, Upstream};

/// Long enough for anything that ends.
const LONG: Duration = Duration::from_mins(2);

/// A home, a bare repository as remote, and a clone of it with one pushed commit.
struct Scene {
    dir: tempfile::TempDir,
    repository: Repository,
}

impl Scene {
    fn new() -> Self {
        let scene = Self::cloned(&[]);
        scene.write("a.txt", "a\n");
        scene.git(&["add", "."]);
        scene.git(&["commit", "-q", "-m", "first"]);
        scene.git(&["push", "-q"]);
        scene
    }

    /// A scene without commits.
    fn cloned(options: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = "[user]\nname = t\nemail = t@example.invalid\n[init]\ndefaultBranch = main\n\
                        [advice]\ndetachedHead = false\n[protocol \"file\"]\nallow = always\n";
        fs::write(dir.path().join(".gitconfig"), settings).unwrap();
        let git = |arguments: &[&str]| git_in(dir.path(), dir.path(), arguments);
        let init = [&["init", "-q", "--bare", "-b", "main"], options, &["remote.git"]].concat();
        git(&init);
        git(&["clone", "-q", "remote.git", "work tree"]);
        let repository = at(dir.path(), &dir.path().join("work tree"));
        Self { dir, repository }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn git(&self, arguments: &[&str]) -> String {
        git_in(self.dir.path(), self.repository.root(), arguments)
    }

    /// Runs git where a conflict is expected.
    fn git_stops(&self, arguments: &[&str]) {
        let output = git_command(self.dir.path(), self.repository.root(), arguments);
        assert!(!output.status.success(), "git {arguments:?}: {output:?}");
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.repository.root().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes a program; in the directory of hooks, that is a hook.
    fn program(&self, name: &str, script: &str) -> PathBuf {
        let path = self.repository.root().join(name);
        // Not written by this process: a test that starts a program in this moment would inherit
        // the open file, and a file open for writing cannot be run.
        let written = Command::new("sh")
            .args(["-c", r#"printf '#!/bin/sh\n%s\n' "$2" >"$1" && chmod +x "$1""#, "sh"])
            .args([path.as_os_str(), script.as_ref()])
            .status()
            .unwrap();
        assert!(written.success());
        path
    }

    fn hook(&self, name: &str, script: &str) {
        self.program(&format!(".git/hooks/{name}"), script);
    }

    /// Creates a commit in another clone and pushes it.
    fn someone_pushes(&self, name: &str, text: &str) {
        let other = self.path("other");
        if !other.exists() {
            git_in(self.dir.path(), self.dir.path(), &["clone", "-q", "remote.git", "other"]);
        }
        let git = |arguments: &[&str]| git_in(self.dir.path(), &other, arguments);
        git(&["pull", "-q", "--ff-only"]);
        fs::write(other.join(name), text).unwrap();
        git(&["add", "."]);
        git(&["commit", "-q", "-m", "theirs"]);
        git(&["push", "-q"]);
    }

    /// Creates a local commit of one new file.
    fn commits(&self, name: &str) {
        self.write(name, name);
        self.git(&["add", "--", name]);
        self.git(&["commit", "-q", "-m", "ours"]);
    }

    fn standing(&self) -> BranchStatus {
        self.repository.read_branch_status().unwrap()
    }

    fn upstream(&self) -> Upstream {
        self.standing().upstream.unwrap()
    }

    fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    /// Everything in the index, flags included, and everything that differs from it. Cached file
    /// data is left out, because git may refresh it.
    fn index(&self) -> String {
        let listing = self.git(&["ls-files", "--stage", "--debug"]);
        let entries = listing.lines().filter_map(|line| match line.split_once("flags: ") {
            Some((_, flags)) => Some(flags),
            None => Some(line).filter(|line| !line.starts_with(' ')),
        });
        let entries: Vec<&str> = entries.collect();
        entries.join("\n") + &self.git(&["status", "--porcelain"])
    }
}

/// The repository at a path, with the scene's home.
fn at(home: &Path, root: &Path) -> Repository {
    Repository::discover(root)
        .unwrap()
        .with_variable("HOME", home)
        .with_variable("XDG_CONFIG_HOME", home)
        .with_variable("GIT_CONFIG_GLOBAL", home.join(".gitconfig"))
        .with_variable("GIT_CONFIG_NOSYSTEM", "1")
}

fn git_command(home: &Path, directory: &Path, arguments: &[&str]) -> std::process::Output {
    Command::new("git")
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_EDITOR", ":")
        .output()
        .unwrap()
}

fn git_in(home: &Path, directory: &Path, arguments: &[&str]) -> String {
    let output = git_command(home, directory, arguments);
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// A pipe in a directory that processes open for writing.
pub(in crate::git) struct Gate(File);

impl Gate {
    pub(in crate::git) fn new(path: &Path) -> Self {
        let status = Command::new("mkfifo").arg(path).status().unwrap();
        assert!(status.success());
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap();
        let mut options = File::options();
        Self(options.read(true).custom_flags(flags).open(path).unwrap())
    }

    /// Waits until every process that opened it is dead; returns what was written.
    pub(in crate::git) fn wait(&mut self) -> Vec<u8> {
        let mut written = Vec::new();
        while let Err(error) = self.0.read_to_end(&mut written) {
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            let mut polled = [PollFd::new(&self.0, PollFlags::IN)];
            let longest = Timespec::try_from(LONG).unwrap();
            assert_ne!(poll(&mut polled, Some(&longest)), Ok(0), "one survived");
        }
        written
    }
}

/// The reason of a failure, which must be git's own.
fn reason<T: std::fmt::Debug>(result: Result<T, GitError>) -> String {
    match result {
        Err(GitError::Failed { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

/// What was found instead of what was expected.
fn found<T: std::fmt::Debug>(result: Result<T, GitError>) -> String {
    match result {
        Err(GitError::NotAsExpected { found, .. }) => found,
        other => panic!("{other:?}"),
    }
}
