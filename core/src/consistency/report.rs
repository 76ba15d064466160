//! What a check reports, and how it fails.

use std::io;

use super::finding::CheckFinding;
use crate::store::StoreError;

/// Which commits a check pushes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PushScope {
    /// Its own commits, where no other commit would go with them.
    #[default]
    Own,
    /// Those of the user as well.
    All,
    /// None.
    Never,
}

/// What a check found and did.
#[derive(Debug, Default)]
pub struct CheckReport {
    /// The name by which the database knows the repository.
    pub repo: String,
    /// How many workplans it has.
    pub workplan_count: usize,
    /// The findings, as they were before any fix.
    pub findings: Vec<CheckFinding>,
    /// The files of the commit.
    pub written_files: Vec<String>,
    /// Id of the commit.
    pub commit: Option<String>,
    /// Whether the remote has the commit.
    pub pushed: bool,
    /// What was not written or pushed, and why, one line each.
    pub skipped: Vec<String>,
    /// What else the user is to know, one line each.
    pub notes: Vec<String>,
}

/// Why a check failed.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The database refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The checkout cannot be read, or files of trueup cannot be written.
    #[error("{0}")]
    Io(#[from] io::Error),
}
