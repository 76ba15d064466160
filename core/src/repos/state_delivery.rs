//! Shares the state of a repository: from its own file, without secrets, into the database and into
//! the caches of the other repositories on this machine.
//!
//! A repository's own file is read and never written. Nothing that looks like a secret leaves it. A
//! copy that is already equal is not written again and keeps its time.

use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::fs::{
    ChangeError, LockedChange, WriteOutcome, create_shared_dir, is_symlink, read_bytes,
    replace_if_unchanged, retry_under_lock,
};
use crate::git::{Repository, Worktree};
use crate::model::{Repo, RepoSlug, RepoState, StateSummary, Timestamp};
use crate::repo_state::{
    MAX_BODY_BYTES, MAX_FILE_BYTES, StatusBody, summarize_status, write_section,
};
use crate::settings::{Paths, RepositoryConfig};
use crate::store::{HookStore, Provenance, StoreError};
use crate::text::redact::{SecretFinding, redact};
use crate::text::to_hex;

/// The default path of the state file.
const DEFAULT_STATE_FILE: &str = "STATE.md";

/// The directory of the cache, and its name there.
const CACHE_DIR: &str = ".aibrain";
const CACHE_NAME: &str = "global-state-cache.md";

/// Why a state was not shared.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file does not exist.
    #[error("{0}: no such file")]
    Missing(PathBuf),
    /// The file is outside the repository, or cannot be a state.
    #[error("{path}: {problem}")]
    Unfit {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// It contains what looks like secrets, and redacting was not allowed.
    #[error("{path}: contains secrets: {}, in {}", .found.len(), describe_lines(.found))]
    Secrets {
        /// The file.
        path: PathBuf,
        /// The findings.
        found: Vec<SecretFinding>,
    },
    /// The database cannot be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Describes the lines of secrets: `line 3`, or `lines 3, 5`.
pub fn describe_lines(found: &[SecretFinding]) -> String {
    let mut lines: Vec<usize> = found.iter().map(|finding| finding.line).collect();
    lines.dedup();
    let word = if lines.len() == 1 { "line" } else { "lines" };
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    format!("{word} {}", lines.join(", "))
}

/// The state file of a repository.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    text: Arc<str>,
    /// SHA-256 of the file, in hexadecimal.
    pub digest: String,
    redacted: OnceLock<RedactedState>,
}

/// A state without its secrets.
#[derive(Debug, Clone)]
struct RedactedState {
    content: String,
    found: Vec<SecretFinding>,
}

impl RedactedState {
    fn from_text(text: &str) -> Self {
        let redaction = redact(text);
        Self { content: redaction.text.into_owned(), found: redaction.findings }
    }
}

impl StateFile {
    /// Returns the path of a repository's state file.
    ///
    /// # Errors
    ///
    /// When the configuration leads out of the repository.
    pub fn locate(root: &Path, config: &RepositoryConfig) -> Result<PathBuf, StateError> {
        let path = root.join(config.state_file.as_deref().unwrap_or(DEFAULT_STATE_FILE));
        let own = path.strip_prefix(root).map_err(|_| OUTSIDE);
        match own.and_then(check_state_path) {
            Ok(()) => Ok(path),
            Err(problem) => Err(unfit_error(&path, problem)),
        }
    }

    /// Checks that git tracks the file or would track it. An ignored file is not meant for others.
    ///
    /// # Errors
    ///
    /// When git ignores it, or cannot say so in time.
    pub fn check_trackable(&self, root: &Path, limit: Duration) -> Result<(), StateError> {
        let root = root.canonicalize().map_err(|error| unfit_error(root, error))?;
        let Some(repository) = Repository::discover(&root) else {
            return Ok(());
        };
        let own = self.path.strip_prefix(repository.root());
        let own = own.map_err(|_| unfit_error(&self.path, OUTSIDE))?;
        let ignored = repository.is_ignored(&own.to_string_lossy(), limit);
        if ignored.map_err(|error| unfit_error(&self.path, error))? {
            return Err(unfit_error(&self.path, "ignored by git, so it is not shared"));
        }
        Ok(())
    }

    /// Reads the state of a repository.
    ///
    /// # Errors
    ///
    /// When it is missing, outside the repository, too large or not text.
    pub fn read(root: &Path, config: &RepositoryConfig) -> Result<Self, StateError> {
        Self::read_at_most(root, config, MAX_BODY_BYTES)
    }

    /// Reads a repository's state of at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// Those of [`Self::read`].
    pub fn read_at_most(
        root: &Path,
        config: &RepositoryConfig,
        limit: u64,
    ) -> Result<Self, StateError> {
        let named = Self::locate(root, config)?;
        // A link within the repository is allowed.
        let path = match named.canonicalize() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(StateError::Missing(named));
            }
            other => other.map_err(|error| unfit_error(&named, error))?,
        };
        let root = root.canonicalize().map_err(|error| unfit_error(root, error))?;
        let own = path.strip_prefix(&root).map_err(|_| OUTSIDE);
        own.and_then(check_state_path).map_err(|problem| unfit_error(&named, problem))?;
        let bytes = read_bytes(&path, limit, false).map_err(|error| match error.kind() {
            ErrorKind::FileTooLarge if limit < MAX_BODY_BYTES => {
                unfit_error(&path, format!("{error}; run: trueup state sync"))
            }
            _ => unfit_error(&path, error),
        })?;
        let digest = to_hex(&Sha256::digest(&bytes));
        let text =
            String::from_utf8(bytes).map_err(|error| unfit_error(&path, error.utf8_error()))?;
        Ok(Self { path, text: text.into(), digest, redacted: OnceLock::new() })
    }

    /// Returns the length of the text in bytes.
    pub fn size(&self) -> usize {
        self.text.len()
    }

    /// Looks for secrets for at most `time`, and tells whether that was enough. The search is
    /// linear, but a crafted text takes many times longer than prose.
    pub fn redact_within(&self, time: Duration) -> bool {
        let (sender, receiver) = mpsc::channel();
        let text = Arc::clone(&self.text);
        // After the time limit the thread continues until the process ends.
        thread::spawn(move || sender.send(RedactedState::from_text(&text)));
        let redacted = receiver.recv_timeout(time);
        redacted.is_ok_and(|redacted| self.redacted.set(redacted).is_ok())
    }
}

const OUTSIDE: &str = "outside its repository";

/// Checks that a path within a repository can be that of a state. Settings and keys of tools are in
/// hidden files, or do not have the extension of a text for people.
fn check_state_path(own: &Path) -> Result<(), &'static str> {
    for part in own.components() {
        match part {
            Component::Normal(name) if name.as_encoded_bytes().starts_with(b".") => {
                return Err("a state file must not be in a hidden file or directory");
            }
            Component::CurDir | Component::Normal(_) => {}
            _ => return Err(OUTSIDE),
        }
    }
    let extension = own.extension().unwrap_or_default();
    let is_markdown = ["md", "markdown"].iter().any(|known| extension.eq_ignore_ascii_case(known));
    if is_markdown { Ok(()) } else { Err("a state file must be a Markdown file, *.md") }
}

fn unfit_error(path: &Path, problem: impl std::fmt::Display) -> StateError {
    StateError::Unfit { path: path.to_owned(), problem: format!("{problem}") }
}

/// A shared state.
#[derive(Debug)]
pub struct PublishedState {
    /// The repository as the database knows it now.
    pub repo: Repo,
    /// The state without its secrets.
    pub content: String,
    /// The secrets that were redacted.
    pub found: Vec<SecretFinding>,
}

/// Writes a state into the database without its secrets. With `deny_secrets` a state that has any
/// is refused.
///
/// # Errors
///
/// When it has secrets and `deny_secrets` is set, or the database cannot be read.
pub fn publish_state(
    store: &mut dyn HookStore,
    slug: &RepoSlug,
    file: &StateFile,
    deny_secrets: bool,
    provenance: &Provenance,
) -> Result<PublishedState, StateError> {
    let redacted = file.redacted.get_or_init(|| RedactedState::from_text(&file.text));
    let RedactedState { content, found } = redacted.clone();
    if deny_secrets && !found.is_empty() {
        return Err(StateError::Secrets { path: file.path.clone(), found });
    }
    let state = RepoState {
        head: StateSummary {
            // The store sets both.
            synced_at: Timestamp::from_millis(0),
            synced_by: provenance.actor.clone(),
            source_digest: file.digest.clone(),
            digest: to_hex(&Sha256::digest(content.as_bytes())),
            redacted: u64::try_from(found.len()).unwrap_or(u64::MAX),
            summary: summarize_status(&content),
        },
        content,
    };
    let repo = store.update_repo_state(slug, &state, provenance)?;
    Ok(PublishedState { repo, content: state.content, found })
}

/// The delivery of a state to one checkout.
#[derive(Debug)]
pub struct CacheDelivery {
    /// The repository whose state it is.
    pub repo: RepoSlug,
    /// The repository that receives it.
    pub target: RepoSlug,
    /// The root of that checkout.
    pub root: PathBuf,
    /// The result.
    pub outcome: Result<CacheOutcome, ChangeError>,
}

/// What a delivery did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheOutcome {
    /// The cache has the state; the flag tells whether it was changed.
    Changed(bool),
    /// The directory does not exist any more.
    Gone,
}

/// Returns the path of the cache in a checkout.
pub fn cache_path(root: &Path) -> PathBuf {
    root.join(CACHE_DIR).join(CACHE_NAME)
}

/// Writes a state into the caches of all other repositories on this machine that receive states, in
/// each checkout. A checkout that does not exist any more is reported.
pub fn deliver_to_all(
    repos: &[Repo],
    machine: &str,
    published: &PublishedState,
    paths: &Paths,
    patience: Duration,
) -> Vec<CacheDelivery> {
    let Some(head) = &published.repo.state else {
        return Vec::new();
    };
    let body = StatusBody::new(published.content.as_bytes());
    let others = repos
        .iter()
        .filter(|other| !other.passive && !other.slug.is_same(published.repo.slug.as_str()));
    let places = others.flat_map(|other| {
        let roots = super::list_checkouts(other, machine).into_iter();
        roots.map(move |root| (other, root))
    });
    let (slug, at) = (&published.repo.slug, head.synced_at);
    places
        .map(|(target, root)| CacheDelivery {
            repo: slug.clone(),
            target: target.slug.clone(),
            outcome: if root.is_dir() {
                deliver_state(&root, slug, at, &body, paths, patience).map(CacheOutcome::Changed)
            } else {
                Ok(CacheOutcome::Gone)
            },
            root,
        })
        .collect()
}

/// Writes a state into the cache of a checkout, and tells whether that changed it.
///
/// # Errors
///
/// When the cache cannot be read or written; it then stays as it was.
pub fn deliver_state(
    root: &Path,
    slug: &RepoSlug,
    synced_at: Timestamp,
    body: &StatusBody<'_>,
    paths: &Paths,
    patience: Duration,
) -> Result<bool, ChangeError> {
    let cache = cache_path(root);
    let failed = |source| ChangeError::Io { path: cache.clone(), source };
    let lock = paths.lock_of(&cache);
    let change = LockedChange { lock: &lock, patience };
    retry_under_lock(
        &cache,
        change,
        |error| error,
        || {
            // A link in the files of a repository could lead writes out of it.
            if [cache.parent(), Some(&cache)].into_iter().flatten().any(is_symlink) {
                return Err(failed(io::Error::other("a symlink, which is not followed")));
            }
            // The states of others are not content of this repository. If git cannot be told to
            // ignore them, they are written all the same.
            if let Some(git) = Worktree::discover(root) {
                let _ = crate::cache::exclude_from_git(&git.common_dir);
            }
            let old = match read_bytes(&cache, MAX_FILE_BYTES, false) {
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                other => Some(other.map_err(failed)?),
            };
            let Some(new) =
                write_section(old.as_deref().unwrap_or_default(), slug, synced_at, body)
            else {
                return Ok(Some(false));
            };
            if let Some(dir) = cache.parent() {
                create_shared_dir(dir).map_err(failed)?;
            }
            let written = replace_if_unchanged(&cache, &new, old.as_deref(), MAX_FILE_BYTES)?;
            Ok((written != WriteOutcome::ChangedMeanwhile).then_some(true))
        },
    )
}
