//! Finds, reads and changes the metadata files of a project.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::phase_contract::PathsOnDisk;
use super::{AdwState, JsonDocument, JsonDocumentError};
use crate::fs::{
    ChangeError, LockedChange, WriteOutcome, create_shared_dir, is_symlink, read_bytes,
    replace_if_unchanged, retry_under_lock,
};
use crate::model::AdwId;

/// The largest file that is read, in bytes. Real files have some kilobytes, with test results some
/// hundred.
pub const MAX_METADATA_BYTES: u64 = 8 * 1024 * 1024;

/// Why a file was not read or written. The file is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// A symlink is in its place, or in the place of a directory on the way.
    #[error("{path} is a symlink; it is not followed")]
    Symlink {
        /// The symlink.
        path: PathBuf,
    },
    /// The file is no JSON object.
    #[error("{path}:{}:{}: {}", .error.line, .error.column, .error.reason)]
    Unparsable {
        /// The file.
        path: PathBuf,
        /// Where, and why.
        error: JsonDocumentError,
    },
    /// The file system refused, or the path is no regular file, or the file is too large.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Other processes held the lock until the deadline.
    #[error("{path}: another process was writing it until the deadline: {source}")]
    Busy {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A program that takes no lock saved the file again and again.
    #[error("{path}: another program keeps changing it")]
    Restless {
        /// The file.
        path: PathBuf,
    },
}

impl MetadataError {
    /// Describes what is wrong, without the path.
    pub fn reason(&self) -> String {
        match self {
            Self::Symlink { .. } => "a symlink, which is not followed".to_owned(),
            Self::Unparsable { error, .. } => error.reason.clone(),
            Self::Io { source, .. } => source.to_string(),
            Self::Busy { source, .. } => {
                format!("another process was writing it until the deadline: {source}")
            }
            Self::Restless { .. } => "another program keeps changing it".to_owned(),
        }
    }
}

impl From<ChangeError> for MetadataError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Io { path, source } => Self::Io { path, source },
            ChangeError::Busy { path, source } => Self::Busy { path, source },
            ChangeError::KeepsChanging { path } => Self::Restless { path },
        }
    }
}

/// The metadata file of one workflow.
#[derive(Debug, Clone)]
pub struct MetadataFile {
    project: PathBuf,
    id: AdwId,
    path: PathBuf,
}

/// The directory of all workflows, in the project.
const WORKFLOWS_DIR: &str = "agents";

/// The name of the file in the directory of a workflow.
const FILE_NAME: &str = "adw_state.json";

/// Returns the path of a workflow's file, relative to the project.
pub fn metadata_path(id: &AdwId) -> PathBuf {
    Path::new(WORKFLOWS_DIR).join(id.as_str()).join(FILE_NAME)
}

/// The workflows of a project that have a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetadataListing {
    /// Their ids, sorted.
    pub ids: Vec<AdwId>,
    /// Names of directories that have such a file and are no valid id, sorted.
    pub invalid_names: Vec<String>,
}

/// Lists the workflows of a project that have a file.
///
/// # Errors
///
/// When the directory of workflows exists and cannot be read.
pub fn list_metadata_files(project: &Path) -> Result<MetadataListing, MetadataError> {
    let dir = project.join(WORKFLOWS_DIR);
    if is_symlink(&dir) {
        return Err(MetadataError::Symlink { path: dir });
    }
    let mut listing = MetadataListing::default();
    let entries = match fs::read_dir(&dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(listing),
        other => other.map_err(|source| io_error(&dir, source))?,
    };
    for entry in entries {
        let entry = entry.map_err(|source| io_error(&dir, source))?;
        if fs::symlink_metadata(entry.path().join(FILE_NAME)).is_err() {
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        match name.parse() {
            Ok(id) => listing.ids.push(id),
            Err(_) => listing.invalid_names.push(name),
        }
    }
    listing.ids.sort();
    listing.invalid_names.sort();
    Ok(listing)
}

fn io_error(path: &Path, source: io::Error) -> MetadataError {
    MetadataError::Io { path: path.to_owned(), source }
}

impl MetadataFile {
    /// Refers to the file of a workflow. The path of the project must have no symlink in it.
    pub fn new(project: &Path, id: &AdwId) -> Self {
        Self { project: project.to_owned(), id: id.clone(), path: project.join(metadata_path(id)) }
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the id of the workflow.
    pub const fn id(&self) -> &AdwId {
        &self.id
    }

    /// Reads the file; `None` if there is none.
    ///
    /// # Errors
    ///
    /// When the file exists and cannot be read.
    pub fn read(&self) -> Result<Option<JsonDocument>, MetadataError> {
        self.read_bytes()?.map(|bytes| self.parse_document(&bytes)).transpose()
    }

    /// Returns the user id of the file's owner.
    #[cfg(unix)]
    pub fn owner_uid(&self) -> Option<u32> {
        use std::os::unix::fs::MetadataExt as _;
        let data = fs::symlink_metadata(&self.path).ok()?;
        Some(data.uid())
    }

    /// Returns `None`: this system has no user ids.
    #[cfg(not(unix))]
    pub fn owner_uid(&self) -> Option<u32> {
        None
    }

    /// Checks the paths that a metadata file names. The plan may be relative to the project or to
    /// the worktree.
    pub fn check_paths(&self, state: &AdwState) -> PathsOnDisk {
        let worktree = state.worktree_path.as_ref().map(|p| self.project.join(p));
        let plan_in = |dir: &Path| {
            let plan = dir.join(state.plan_file.as_ref()?);
            let data = fs::metadata(plan).ok().filter(fs::Metadata::is_file)?;
            Some(data.len())
        };
        PathsOnDisk {
            plan_bytes: plan_in(&self.project).or_else(|| plan_in(worktree.as_deref()?)),
            has_worktree: worktree.is_some_and(|path| path.is_dir()),
        }
    }

    /// Changes the file under its lock. `decide` gets the current content and returns the new one,
    /// or `None` to keep the file, with a result for the caller. It is called again when a program
    /// that takes no lock saved the file in the meantime.
    ///
    /// # Errors
    ///
    /// Those of `decide`, and when the file cannot be read or written; the file is unchanged then.
    pub fn update<T, E: From<MetadataError>>(
        &self,
        options: LockedChange<'_>,
        mut decide: impl FnMut(Option<JsonDocument>) -> Result<(Option<JsonDocument>, T), E>,
    ) -> Result<T, E> {
        let failed = |error| E::from(MetadataError::from(error));
        retry_under_lock(&self.path, options, failed, || {
            let bytes = self.read_bytes()?;
            let document = bytes.as_deref().map(|b| self.parse_document(b)).transpose()?;
            let (new, outcome) = decide(document)?;
            let Some(new) = new else {
                return Ok(Some(outcome));
            };
            let written = self.write_unless_changed(&new.render(), bytes.as_deref())?;
            Ok((written != WriteOutcome::ChangedMeanwhile).then_some(outcome))
        })
    }

    /// Returns the directories from the project down to the file, and the file.
    fn path_steps(&self) -> [PathBuf; 3] {
        let workflows_dir = self.project.join(WORKFLOWS_DIR);
        [workflows_dir.clone(), workflows_dir.join(self.id.as_str()), self.path.clone()]
    }

    fn read_bytes(&self) -> Result<Option<Vec<u8>>, MetadataError> {
        // A symlink in a repository would lead writes out of it.
        if let Some(path) = self.path_steps().into_iter().find(|path| is_symlink(path)) {
            return Err(MetadataError::Symlink { path });
        }
        match read_bytes(&self.path, MAX_METADATA_BYTES, false) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(io_error(&self.path, source)),
        }
    }

    fn parse_document(&self, bytes: &[u8]) -> Result<JsonDocument, MetadataError> {
        JsonDocument::parse(bytes)
            .map_err(|error| MetadataError::Unparsable { path: self.path.clone(), error })
    }

    fn write_unless_changed(
        &self,
        content: &[u8],
        expected: Option<&[u8]>,
    ) -> Result<WriteOutcome, MetadataError> {
        if expected == Some(content) {
            return Ok(WriteOutcome::Unchanged);
        }
        let [all_workflows, own_dir, _] = self.path_steps();
        for dir in [all_workflows, own_dir] {
            create_shared_dir(&dir).map_err(|source| io_error(&dir, source))?;
            if is_symlink(&dir) {
                return Err(MetadataError::Symlink { path: dir });
            }
        }
        Ok(replace_if_unchanged(&self.path, content, expected, MAX_METADATA_BYTES)?)
    }
}

#[cfg(test)]
mod tests;
