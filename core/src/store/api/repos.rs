//! Repositories and their states.

use super::Provenance;
use crate::model::{Repo, RepoPlace, RepoSlug, RepoState};
use crate::store::Result;

/// A repository that is to lie somewhere.
#[derive(Debug, Clone)]
pub struct RepoPlacement {
    /// Which.
    pub slug: RepoSlug,
    /// Whether it neither gives nor takes; absent keeps what is said, and says no at first.
    pub passive: Option<bool>,
    /// On which machine.
    pub machine: String,
    /// Where there.
    pub place: RepoPlace,
    /// Whether that is a further checkout, and the repository stays where it is.
    pub is_additional: bool,
    /// Checkouts on that machine that are not there any more.
    pub missing_checkouts: Vec<String>,
    /// Who says so.
    pub provenance: Provenance,
}

/// A repository that nobody registered, and the name under which its rows are kept.
#[derive(Debug, Clone, Copy)]
pub struct RepoNaming<'a> {
    /// What makes it the one it is: its remote, else where it lies.
    pub identity: &'a str,
    /// Its name.
    pub name: &'a str,
    /// An identity that has the name and shares it: another one of the same repository, or of one
    /// that is there no more.
    pub shared_with: Option<&'a str>,
    /// Whether the identity gives up the name that it has: another repository lies in its place.
    pub replaces_name: bool,
}

/// Repositories. Slugs are compared without regard to case.
#[expect(
    clippy::missing_errors_doc,
    reason = "said once at `Store`, and where one is special"
)]
pub trait RepoStore {
    /// Lists repositories with what is known of their states, by slug.
    fn list_repos(&mut self) -> Result<Vec<Repo>>;

    /// Adds a repository, or says where it lies on one more machine, or elsewhere on one.
    fn place_repo(&mut self, placement: &RepoPlacement) -> Result<Repo>;

    /// Takes a repository from a machine; from the last one it goes with its state. Returns
    /// what it was.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict) when it is not there.
    fn remove_repo_place(
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
    fn update_repo_state(
        &mut self,
        slug: &RepoSlug,
        state: &RepoState,
        provenance: &Provenance,
    ) -> Result<Repo>;

    /// Returns the name under which rows of a repository that nobody registered are kept.
    fn find_repo_name(&mut self, identity: &str) -> Result<Option<String>>;

    /// Returns the identities of the repository whose rows are kept under a name, whatever its
    /// case.
    fn list_repo_identities(&mut self, name: &str) -> Result<Vec<String>>;

    /// Gives a repository its name and returns the one it has: that of an earlier call stays.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`](crate::store::StoreError::Conflict) when another repository has
    /// the name.
    fn name_repo(&mut self, naming: &RepoNaming<'_>) -> Result<String>;

    /// Gives a repository that has a name another one, with all its identities, sessions, items
    /// and hand-offs.
    fn rename_repo(&mut self, identity: &str, name: &str, provenance: &Provenance) -> Result<()>;

    /// Reads a repository's state whole.
    fn load_repo_state(&mut self, slug: &RepoSlug) -> Result<Option<RepoState>>;
}
