//! Repositories: where they are, and the state that they share.

use super::super::engine::Engine;
use super::super::{SqlStore, repos};
use crate::model::{Repo, RepoSlug, RepoState};
use crate::store::{Provenance, RepoNameStore, RepoNaming, RepoPlacement, RepoStore, Result};

impl<E: Engine> RepoStore for SqlStore<E> {
    fn place_repo(&mut self, placement: &RepoPlacement) -> Result<Repo> {
        self.engine.write(|tx| repos::place_repo(tx, placement))
    }

    fn remove_repo_place(
        &mut self,
        slug: &RepoSlug,
        machine: &str,
        provenance: &Provenance,
    ) -> Result<Repo> {
        self.engine.write(|tx| repos::remove_repo_place(tx, slug, machine, provenance))
    }

    fn load_repo_state(&mut self, slug: &RepoSlug) -> Result<Option<RepoState>> {
        self.engine.read(|tx| repos::load_repo_state(tx, slug))
    }
}

impl<E: Engine> RepoNameStore for SqlStore<E> {
    fn find_repo_name(&mut self, identity: &str) -> Result<Option<String>> {
        self.engine.read(|tx| repos::find_repo_name(tx, identity))
    }

    fn list_repo_identities(&mut self, name: &str) -> Result<Vec<String>> {
        self.engine.read(|tx| repos::list_identities(tx, name))
    }

    fn name_repo(&mut self, naming: &RepoNaming) -> Result<String> {
        self.engine.write(|tx| repos::name_repo(tx, naming))
    }

    fn rename_repo(&mut self, identity: &str, name: &str, provenance: &Provenance) -> Result<()> {
        self.engine.write(|tx| repos::rename_repo(tx, identity, name, provenance))
    }
}
