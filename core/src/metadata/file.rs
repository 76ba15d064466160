//! Finding, reading and changing the files of a project.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::contract::Found;
use super::{Document, State, Unparsable};
use crate::files::{self, Change, ChangeError, Written, is_symlink};
use crate::model::AdwId;

/// Largest file read, in bytes. Real ones have some kilobytes, with test results some hundred.
pub const LARGEST: u64 = 8 * 1024 * 1024;

/// Why a file was not read or written; it is as it was.
#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    /// Something else stands in its place.
    #[error("{path} is a symlink; it is not followed")]
    Symlink {
        /// The place.
        path: PathBuf,
    },
    /// It is no JSON object.
    #[error("{path}:{}:{}: {}", .error.line, .error.column, .error.reason)]
    Unparsable {
        /// The file.
        path: PathBuf,
        /// Where and why.
        error: Unparsable,
    },
    /// The system refused, or it is no plain file, or too large.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others held its lock for too long.
    #[error("{path}: another process was writing it until the deadline: {source}")]
    Busy {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something that takes no lock saved it again and again.
    #[error("{path}: another program keeps changing it")]
    Restless {
        /// The file.
        path: PathBuf,
    },
}

impl MetadataError {
    /// Says what is wrong, without the place.
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
            ChangeError::Restless { path } => Self::Restless { path },
        }
    }
}

/// A metadata file of a project.
#[derive(Debug, Clone)]
pub struct MetadataFile {
    project: PathBuf,
    id: AdwId,
    path: PathBuf,
}

/// The folder of all workflows.
const FOLDER: &str = "agents";

/// The name of the file in a workflow's folder.
const NAME: &str = "adw_state.json";

/// Returns where a workflow's file is, from the project's directory.
pub fn place(id: &AdwId) -> PathBuf {
    Path::new(FOLDER).join(id.as_str()).join(NAME)
}

/// The workflows of a project that have a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// Their ids, in order.
    pub ids: Vec<AdwId>,
    /// Folders with such a file whose name is no id.
    pub strange: Vec<String>,
}

/// Lists the workflows of a project that have a file.
///
/// # Errors
///
/// When the folder is there and cannot be read.
pub fn listed(project: &Path) -> Result<Listed, MetadataError> {
    let folder = project.join(FOLDER);
    if is_symlink(&folder) {
        return Err(MetadataError::Symlink { path: folder });
    }
    let mut listed = Listed::default();
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(listed),
        other => other.map_err(|source| io(&folder, source))?,
    };
    for entry in entries {
        let entry = entry.map_err(|source| io(&folder, source))?;
        if fs::symlink_metadata(entry.path().join(NAME)).is_err() {
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        match name.parse() {
            Ok(id) => listed.ids.push(id),
            Err(_) => listed.strange.push(name),
        }
    }
    listed.ids.sort();
    listed.strange.sort();
    Ok(listed)
}

fn io(path: &Path, source: io::Error) -> MetadataError {
    MetadataError::Io {
        path: path.to_owned(),
        source,
    }
}

impl MetadataFile {
    /// Names the file of a workflow in a project, whose path has no symlink in it.
    pub fn new(project: &Path, id: &AdwId) -> Self {
        Self {
            project: project.to_owned(),
            id: id.clone(),
            path: project.join(place(id)),
        }
    }

    /// Returns where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whose it is.
    pub const fn id(&self) -> &AdwId {
        &self.id
    }

    /// Reads it; `None` when there is none.
    ///
    /// # Errors
    ///
    /// When it is there and cannot be read.
    pub fn read(&self) -> Result<Option<Document>, MetadataError> {
        self.bytes()?.map(|bytes| self.parse(&bytes)).transpose()
    }

    /// Returns the number of the user the file belongs to.
    #[cfg(unix)]
    pub fn owner(&self) -> Option<u32> {
        use std::os::unix::fs::MetadataExt as _;
        let data = fs::symlink_metadata(&self.path).ok()?;
        Some(data.uid())
    }

    /// Returns the number of the user the file belongs to, which this system does not say.
    #[cfg(not(unix))]
    pub fn owner(&self) -> Option<u32> {
        None
    }

    /// Looks at what a state names. The plan of an isolated workflow may be named from its
    /// worktree.
    pub fn look(&self, state: &State) -> Found {
        let worktree = state.worktree_path.as_ref().map(|p| self.project.join(p));
        let plan_in = |folder: &Path| {
            let plan = folder.join(state.plan_file.as_ref()?);
            let data = fs::metadata(plan).ok().filter(fs::Metadata::is_file)?;
            Some(data.len())
        };
        Found {
            plan_bytes: plan_in(&self.project).or_else(|| plan_in(worktree.as_deref()?)),
            worktree: worktree.is_some_and(|path| path.is_dir()),
        }
    }

    /// Changes it: locked, read, decided, replaced whole. `decide` returns what to write, or
    /// `None` to leave the file alone, and an answer; it is asked again when something that
    /// takes no lock saved the file meanwhile.
    ///
    /// # Errors
    ///
    /// Those of `decide`, and when the file cannot be read or written; then it is as it was.
    pub fn change<T, E: From<MetadataError>>(
        &self,
        change: Change<'_>,
        mut decide: impl FnMut(Option<Document>) -> Result<(Option<Document>, T), E>,
    ) -> Result<T, E> {
        let failed = |error| E::from(MetadataError::from(error));
        files::locked(&self.path, change, failed, || {
            let bytes = self.bytes()?;
            let document = bytes.as_deref().map(|b| self.parse(b)).transpose()?;
            let (new, answer) = decide(document)?;
            let Some(new) = new else {
                return Ok(Some(answer));
            };
            let written = self.replace(&new.render(), bytes.as_deref())?;
            Ok((written != Written::ChangedMeanwhile).then_some(answer))
        })
    }

    /// The folders from the project's directory to the file, and the file.
    fn steps(&self) -> [PathBuf; 3] {
        let all = self.project.join(FOLDER);
        [all.clone(), all.join(self.id.as_str()), self.path.clone()]
    }

    fn bytes(&self) -> Result<Option<Vec<u8>>, MetadataError> {
        // A link in a repository's files would lead writes out of it.
        if let Some(path) = self.steps().into_iter().find(|path| is_symlink(path)) {
            return Err(MetadataError::Symlink { path });
        }
        match files::read_bytes(&self.path, LARGEST, false) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(io(&self.path, source)),
        }
    }

    fn parse(&self, bytes: &[u8]) -> Result<Document, MetadataError> {
        Document::parse(bytes).map_err(|error| MetadataError::Unparsable {
            path: self.path.clone(),
            error,
        })
    }

    fn replace(&self, content: &[u8], old: Option<&[u8]>) -> Result<Written, MetadataError> {
        if old == Some(content) {
            return Ok(Written::Same);
        }
        let [all, own, _] = self.steps();
        for folder in [all, own] {
            files::shared_dir(&folder).map_err(|source| io(&folder, source))?;
            if is_symlink(&folder) {
                return Err(MetadataError::Symlink { path: folder });
            }
        }
        Ok(files::replace(&self.path, content, old, LARGEST)?)
    }
}

#[cfg(test)]
mod tests;
