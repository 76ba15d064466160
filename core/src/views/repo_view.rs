//! The view of a repository.

use serde::Serialize;

use crate::model::{Repo, RepoPlace, RepoSlug, StateSummary, Timestamp};

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RepoView {
    /// Its name.
    pub slug: RepoSlug,
    /// Its path on the machine that answers, if it is there.
    pub path: Option<String>,
    /// Whether it neither shares its state nor receives that of others.
    pub passive: bool,
    /// Where it is, a place for each machine.
    pub places: Vec<RepoPlaceView>,
    /// What it shared of its state.
    pub state: Option<RepoStateView>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When its properties or places last changed.
    pub updated_at: Timestamp,
}

impl RepoView {
    /// Builds the view of a repository, with its path on this machine.
    pub fn new(repo: &Repo, machine: Option<&str>) -> Self {
        Self {
            slug: repo.slug.clone(),
            path: machine.and_then(|machine| repo.path_on(machine)).map(str::to_owned),
            passive: repo.passive,
            places: repo.places.values().map(RepoPlaceView::from).collect(),
            state: repo.state.as_ref().map(RepoStateView::from),
            created_at: repo.created_at,
            updated_at: repo.updated_at,
        }
    }
}

/// The place of a repository on a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RepoPlaceView {
    /// The host name of the machine.
    pub host: String,
    /// The path.
    pub path: String,
    /// Additional clones and worktrees on that machine.
    pub checkouts: Vec<String>,
    /// The normalized name of its remote.
    pub identity: Option<String>,
}

impl From<&RepoPlace> for RepoPlaceView {
    fn from(place: &RepoPlace) -> Self {
        Self {
            host: place.host.clone(),
            path: place.path.clone(),
            checkouts: place.checkouts.clone(),
            identity: place.identity.clone(),
        }
    }
}

/// What a repository shared of its state, without the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RepoStateView {
    /// When it was shared.
    pub synced_at: Timestamp,
    /// Who shared it.
    pub synced_by: String,
    /// SHA-256 of the shared text, in hexadecimal.
    pub digest: String,
    /// A summary of one line.
    pub summary: String,
    /// How many secrets were redacted in the text.
    pub redacted: u64,
}

impl From<&StateSummary> for RepoStateView {
    fn from(state: &StateSummary) -> Self {
        Self {
            synced_at: state.synced_at,
            synced_by: state.synced_by.clone(),
            digest: state.digest.clone(),
            summary: state.summary.clone(),
            redacted: state.redacted,
        }
    }
}
