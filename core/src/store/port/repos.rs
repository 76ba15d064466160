//! Repositories and their states.

use super::Provenance;
use crate::model::{Repo, RepoPlace, RepoSlug, RepoState};
use crate::store::Result;

/// A repository that is to lie somewhere.
#[derive(Debug, Clone)]
pub struct Placement {
    /// Which.
    pub slug: RepoSlug,
    /// Whether it neither gives nor takes; absent keeps what is said, and says no at first.
    pub passive: Option<bool>,
    /// On which machine.
    pub machine: String,
    /// Where there.
    pub place: RepoPlace,
    /// Whether that is a further checkout, and the repository stays where it is.
    pub is_further: bool,
    /// Checkouts on that machine that are not there any more.
    pub gone: Vec<String>,
    /// Who says so.
    pub provenance: Provenance,
}

/// Repositories. Slugs are compared without regard to case.
#[expect(
    clippy::missing_errors_doc,
    reason = "said once at `Store`, and where one is special"
)]
pub trait RepoStore {
    /// Lists repositories with what is known of their states, by slug.
    fn repos(&mut self) -> Result<Vec<Repo>>;

    /// Adds a repository, or says where it lies on one more machine, or elsewhere on one.
    fn place_repo(&mut self, placement: &Placement) -> Result<Repo>;

    /// Takes a repository from a machine; from the last one it goes with its state. Returns
    /// what it was.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict) when it is not there.
    fn displace_repo(
        &mut self,
        slug: &RepoSlug,
        machine: &str,
        provenance: &Provenance,
    ) -> Result<Repo>;

    /// Keeps a repository's state. One that says the same stays as it is, with its time; who
    /// gives it and when is the store's to say.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict) when there is no such
    /// repository.
    fn put_repo_state(
        &mut self,
        slug: &RepoSlug,
        state: &RepoState,
        provenance: &Provenance,
    ) -> Result<Repo>;

    /// Reads a repository's state whole.
    fn repo_state(&mut self, slug: &RepoSlug) -> Result<Option<RepoState>>;
}
