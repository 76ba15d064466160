//! Repositories and their states.

use super::{HookStore, Provenance};
use crate::model::{Repo, RepoPlace, RepoSlug, RepoState};
use crate::store::Result;
use serde::{Deserialize, Serialize};

/// A request to record where a repository is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RepoPlacement {
    /// The repository.
    pub slug: RepoSlug,
    /// Whether its state is neither shared nor shown; absent keeps the present value, which is
    /// `false` at first.
    pub passive: Option<bool>,
    /// The machine.
    pub machine: String,
    /// The place on that machine.
    pub place: RepoPlace,
    /// Whether the place is an additional checkout; the repository itself stays where it is.
    pub is_additional: bool,
    /// Checkouts on that machine that no longer exist.
    pub missing_checkouts: Vec<String>,
    /// Who records it.
    pub provenance: Provenance,
}

/// A request to name an unregistered repository, for the rows that belong to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RepoNaming {
    /// Its identity: its remote, or else the path of its directory.
    pub identity: String,
    /// Its name.
    pub name: String,
    /// An identity that may share the name: another one of the same repository, or of one that no
    /// longer exists.
    pub shared_with: Option<String>,
    /// Whether the identity loses the name that it has, because another repository is in its
    /// place now.
    pub replaces_name: bool,
}

/// The operations on repositories. Slugs are compared without regard to case.
#[expect(clippy::missing_errors_doc, reason = "said once at `Store`, and where one is special")]
pub trait RepoStore {
    /// Registers a repository, or records its path on a machine.
    fn place_repo(&mut self, placement: &RepoPlacement) -> Result<Repo>;

    /// Removes the place of a repository on a machine; with its last place it is removed with its
    /// state. Returns what it was.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict) when it has no place there.
    fn remove_repo_place(
        &mut self,
        slug: &RepoSlug,
        machine: &str,
        provenance: &Provenance,
    ) -> Result<Repo>;

    /// Reads a repository's state with its content.
    fn load_repo_state(&mut self, slug: &RepoSlug) -> Result<Option<RepoState>>;
}

/// The operations on the names under which rows of repositories are kept, registered or not.
#[expect(clippy::missing_errors_doc, reason = "said once at `Store`, and where one is special")]
pub trait RepoNameStore: HookStore {
    /// Returns the name under which rows of a repository that nobody registered are kept.
    fn find_repo_name(&mut self, identity: &str) -> Result<Option<String>>;

    /// Returns the identities of the repository that has a name, in any case.
    fn list_repo_identities(&mut self, name: &str) -> Result<Vec<String>>;

    /// Gives a repository a name, unless it has one; returns the name that it has.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict) when another repository has
    /// the name.
    fn name_repo(&mut self, naming: &RepoNaming) -> Result<String>;

    /// Renames a repository, with all its identities, sessions, items and hand-offs.
    fn rename_repo(&mut self, identity: &str, name: &str, provenance: &Provenance) -> Result<()>;
}
