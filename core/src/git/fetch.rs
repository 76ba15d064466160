//! Asks a remote where a branch is.
//!
//! Invariants: [`Repository::query_remote`] runs nothing that the repository's configuration names,
//! whatever an unpacked archive contains, and changes nothing in the repository;
//! [`Repository::fetch_upstream`] works like the user's own `git fetch` and updates one reference.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::Worktree;
use super::address;
use super::command::TimeLimit;
use super::error::GitError;
use super::repository::{Repository, output_text, split_records};
use super::upstream::Upstream;
use crate::fs::{create_private_dir, write_private};

const WHAT: &str = "git fetch";

/// Options of every fetch.
const OPTIONS: [&str; 5] =
    ["fetch", "--quiet", "--no-tags", "--no-prune", "--no-recurse-submodules"];

/// References of a scratch repository: the local branch, the last known state of the remote, and
/// the state that the remote reports now.
const LOCAL_REF: &str = "refs/known/local";
const TRACKING_REF: &str = "refs/known/tracking";
const REMOTE_REF: &str = "refs/asked/branch";

impl Repository {
    /// Fetches the upstream's branch and nothing else; nothing is removed or packed.
    ///
    /// # Errors
    ///
    /// When the remote does not answer in time, or has no such branch.
    pub fn fetch_upstream(&self, upstream: &Upstream, limit: Duration) -> Result<(), GitError> {
        let limit = TimeLimit::starting_now(limit);
        // This call updates no reference. Hooks that watch references run in the next call, which
        // sets no variables that they could see.
        let call = self.remote_command(WHAT, limit)?.with_args(OPTIONS).with_args([
            "--refmap=",
            "--",
            &upstream.remote,
            &upstream.branch_ref,
        ]);
        run_remote_call(call, upstream)?;
        let fetched = self.read_fetched_commit(upstream)?;
        let known_commit = self.resolve_commit(&upstream.tracking_ref)?;
        if known_commit.as_deref() == Some(&fetched) {
            return Ok(());
        }
        // If another process fetched meanwhile, the reference has changed and git refuses.
        let old = known_commit.unwrap_or_else(|| "0".repeat(fetched.len()));
        self.change_command("git update-ref", limit)
            .with_args(["update-ref", "-m", "fetch: by trueup"])
            .with_args([&upstream.tracking_ref, &fetched, &old])
            .run()
            .map(drop)
    }

    /// Returns the commit that the last fetch brought for the branch.
    fn read_fetched_commit(&self, upstream: &Upstream) -> Result<String, GitError> {
        let fetch_head = super::read_git_file(&self.worktree.git_dir.join("FETCH_HEAD"));
        let fetch_head = fetch_head.map_err(|source| GitError::Io { what: WHAT, source })?;
        let name = upstream.branch_ref.trim_start_matches("refs/heads/");
        let branch = format!("'{name}'");
        let line = fetch_head.lines().find(|line| line.contains(&branch));
        let id = line.and_then(|line| line.split_whitespace().next());
        id.map(str::to_owned).ok_or_else(|| GitError::NotAsExpected {
            what: WHAT,
            found: format!("{name} differs from what was fetched"),
        })
    }

    /// Asks the remote where the upstream's branch is, without using the repository's
    /// configuration: from a scratch repository that borrows its objects. Returns the updated
    /// upstream; nothing changes on disk.
    ///
    /// # Errors
    ///
    /// When the remote's address could start a program, the remote does not answer in time, or has
    /// no such branch.
    pub fn query_remote(&self, upstream: &Upstream, limit: Duration) -> Result<Upstream, GitError> {
        let limit = TimeLimit::starting_now(limit);
        let address = self.find_query_address(&upstream.remote)?;
        let local = self.resolve_commit(&upstream.local_ref)?;
        let tracking = self.resolve_commit(&upstream.tracking_ref)?;
        let scratch = ScratchRepository::create_for(self, local.as_deref(), tracking.as_deref())
            .map_err(|source| GitError::Io { what: WHAT, source })?;
        let to = format!("+{}:{REMOTE_REF}", upstream.branch_ref);
        let call = scratch.repository.remote_command(WHAT, limit)?;
        let call = call.with_env("GIT_ALLOW_PROTOCOL", address::allowed_protocols());
        run_remote_call(
            call.with_args(OPTIONS).with_args([
                "--upload-pack=git-upload-pack",
                "--",
                &address,
                &to,
            ]),
            upstream,
        )?;
        let (ahead, behind) = match local {
            Some(_) => scratch.count_distance()?,
            None => (0, 0),
        };
        Ok(Upstream { gone: false, ahead, behind, ..upstream.clone() })
    }

    /// Returns the address to contact, if that starts no program of the repository's.
    fn find_query_address(&self, remote: &str) -> Result<String, GitError> {
        let key = format!("remote.{remote}.url");
        let call = self.read_command("git config");
        let output = call.with_args(["config", "-z", "--get-all", &key]).run_query()?;
        let first = output
            .as_deref()
            .and_then(|told| split_records(told).next().map(|url| output_text(url).into_owned()));
        // A branch may follow an address directly.
        let url = first.unwrap_or_else(|| remote.to_owned());
        address::check_address(&url, self.root())
            .map_err(|found| GitError::Untrusted { remote: remote.to_owned(), found })
    }
}

fn run_remote_call(call: super::command::GitCommand, upstream: &Upstream) -> Result<(), GitError> {
    match call.run() {
        Err(GitError::Failed { reason, .. }) if reason.contains("find remote ref") => {
            Err(GitError::NoSuchBranch {
                remote: upstream.remote.clone(),
                branch_ref: upstream.branch_ref.clone(),
            })
        }
        ended => ended.map(drop),
    }
}

/// A temporary repository with a minimal configuration, removed when dropped.
struct ScratchRepository {
    repository: Repository,
    _dir: tempfile::TempDir,
}

impl ScratchRepository {
    fn create_for(
        repository: &Repository,
        local: Option<&str>,
        tracking: Option<&str>,
    ) -> io::Result<Self> {
        let dir = tempfile::tempdir()?;
        let git_dir = dir.path().join(".git");
        for part in ["objects/info", "refs/known"] {
            create_private_dir(&git_dir.join(part))?;
        }
        write_private(&git_dir.join("HEAD"), b"ref: refs/heads/none\n")?;
        let is_sha256 = local.or(tracking).is_some_and(|id| id.len() == 64);
        write_private(&git_dir.join("config"), scratch_config(is_sha256).as_bytes())?;
        share_objects(&repository.worktree.common_dir, &git_dir)?;
        for (name, id) in [(LOCAL_REF, local), (TRACKING_REF, tracking)] {
            if let Some(id) = id {
                write_private(&git_dir.join(name), format!("{id}\n").as_bytes())?;
            }
        }
        let worktree =
            Worktree { root: dir.path().to_owned(), common_dir: git_dir.clone(), git_dir };
        let repository = Repository { worktree, ..repository.clone() };
        Ok(Self { repository, _dir: dir })
    }

    /// Counts the commits that only the local branch has, and those that only the remote has.
    fn count_distance(&self) -> Result<(u64, u64), GitError> {
        const WHAT: &str = "git rev-list";
        let sides = format!("{LOCAL_REF}...{REMOTE_REF}");
        let call = self.repository.read_command(WHAT);
        let output = call.with_args(["rev-list", "--left-right", "--count", &sides, "--"]).run()?;
        let output = output_text(&output);
        let mut counts = output.split_whitespace().map(str::parse);
        match (counts.next(), counts.next()) {
            (Some(Ok(ahead)), Some(Ok(behind))) => Ok((ahead, behind)),
            _ => Err(GitError::NotAsExpected { what: WHAT, found: output.into_owned() }),
        }
    }
}

fn scratch_config(is_sha256: bool) -> &'static str {
    if is_sha256 {
        "[core]\nrepositoryformatversion = 1\nbare = false\n[extensions]\nobjectformat = sha256\n"
    } else {
        "[core]\nrepositoryformatversion = 0\nbare = false\n"
    }
}

/// Lets the scratch repository read another's objects, and know where a shallow history ends.
fn share_objects(common_dir: &Path, git_dir: &Path) -> io::Result<()> {
    /// Largest `shallow` file that is read, in bytes.
    const MAX_SHALLOW_BYTES: u64 = 4 * 1024 * 1024;
    let objects = std::path::absolute(common_dir.join("objects"))?;
    let mut line = objects.into_os_string().into_encoded_bytes();
    if line.contains(&b'\n') {
        return Err(io::Error::other("its path contains a line feed"));
    }
    line.push(b'\n');
    write_private(&git_dir.join("objects/info/alternates"), &line)?;
    match crate::fs::read_bytes(&common_dir.join("shallow"), MAX_SHALLOW_BYTES, false) {
        Ok(ends) => write_private(&git_dir.join("shallow"), &ends).map(drop),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}
