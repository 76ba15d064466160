//! Registering a repository, and finding the one a directory belongs to.

use std::path::{Path, PathBuf};

use crate::files::{path_from_text, path_to_text};
use crate::git::Worktree;
use crate::model::{Repo, RepoPlace, RepoSlug};
use crate::store::{Placement, Provenance, Result, Store};

/// Longest slug, in characters.
const LONGEST: usize = 64;

/// A repository to register.
#[derive(Debug)]
pub struct Wish {
    /// Its name; absent to take that of its directory.
    pub slug: Option<RepoSlug>,
    /// Whether it neither gives nor takes, when that was said.
    pub passive: Option<bool>,
    /// Its root.
    pub path: PathBuf,
    /// This machine, by its name in the database.
    pub machine: String,
    /// This machine, for a person.
    pub host: String,
    /// Who asks.
    pub provenance: Provenance,
}

/// Why a repository is not registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The directory is another repository's.
    #[error("{path} is registered as {slug} already")]
    Taken {
        /// The directory.
        path: String,
        /// Whose it is.
        slug: RepoSlug,
    },
    /// The name is another directory's.
    #[error("{slug} lies at {path} on this machine already")]
    Elsewhere {
        /// The name.
        slug: RepoSlug,
        /// Where it lies.
        path: String,
    },
    /// Nothing of the directory's name makes a slug.
    #[error("{0} has no name that could be a slug")]
    Nameless(String),
}

/// Registers a repository; returns it as it was, if it was known, and as it is.
///
/// # Errors
///
/// When the database cannot be asked.
pub fn register(
    store: &mut dyn Store,
    wish: Wish,
) -> Result<std::result::Result<(Option<Repo>, Repo), Refusal>> {
    let path = path_to_text(&wish.path);
    let repos = store.repos()?;
    let here = repos
        .iter()
        .find(|repo| repo.path_on(&wish.machine) == Some(path.as_str()));
    // Asked again without a name, it keeps the one it has.
    let slug = wish.slug.or_else(|| here.map(|repo| repo.slug.clone()));
    let Some(slug) = slug.or_else(|| named_after(&wish.path)) else {
        return Ok(Err(Refusal::Nameless(path)));
    };
    if let Some(other) = here.filter(|repo| !repo.slug.is_same(slug.as_str())) {
        let slug = other.slug.clone();
        return Ok(Err(Refusal::Taken { path, slug }));
    }
    let known = repos.iter().find(|repo| repo.slug.is_same(slug.as_str()));
    let old = known.and_then(|repo| repo.path_on(&wish.machine));
    // A repository that was moved leaves nothing where it was.
    if let Some(old) = old.filter(|old| **old != path && path_from_text(old).is_dir()) {
        let path = old.to_owned();
        return Ok(Err(Refusal::Elsewhere { slug, path }));
    }
    let after = store.place_repo(&Placement {
        slug,
        passive: wish.passive,
        machine: wish.machine,
        place: RepoPlace {
            host: wish.host,
            path,
        },
        provenance: wish.provenance,
    })?;
    Ok(Ok((known.cloned(), after)))
}

/// Makes a slug of a directory's name: what a slug cannot hold becomes a dash.
pub fn named_after(path: &Path) -> Option<RepoSlug> {
    let name = path.file_name()?.to_string_lossy();
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let dashed: String = name
        .trim_end_matches(".git")
        .chars()
        .map(|c| if fits(c) { c } else { '-' })
        .collect();
    let mut slug = dashed
        .trim_start_matches(['.', '-'])
        .replace("..", ".")
        .replace("..", ".");
    slug.truncate(LONGEST);
    slug.parse().ok()
}

/// Finds the registered repository that a directory of this machine is of: the one that lies
/// there, or whose linked worktree it is.
pub fn owner_of<'a>(repos: &'a [Repo], machine: &str, root: &Path) -> Option<&'a Repo> {
    let lies_at = |path: &Path| {
        let path = path_to_text(path);
        let mut repos = repos.iter();
        repos.find(|repo| repo.path_on(machine) == Some(path.as_str()))
    };
    lies_at(root).or_else(|| {
        let git = Worktree::discover(root)?;
        lies_at(git.common_dir.parent()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::RepoStore as _;
    use crate::store::memory::MemoryStore;

    fn wish(slug: Option<&str>, path: &Path) -> Wish {
        Wish {
            slug: slug.map(|slug| slug.parse().unwrap()),
            passive: None,
            path: path.to_owned(),
            machine: "m".to_owned(),
            host: "h".to_owned(),
            provenance: Provenance::new("user", "test"),
        }
    }

    #[test]
    fn a_directory_gives_its_name_as_far_as_a_slug_can_hold_it() {
        for (path, slug) in [
            ("/src/KareMatch", Some("KareMatch")),
            ("/src/my app (2)", Some("my-app--2-")),
            ("/src/bare.git", Some("bare")),
            ("/src/.hidden", Some("hidden")),
            ("/src/a...b", Some("a.b")),
            ("/src/東京", None),
            ("/", None),
        ] {
            let found = named_after(Path::new(path));
            let found = found.as_ref().map(RepoSlug::as_str);
            assert_eq!(found, slug, "{path}");
        }
        assert_eq!(
            named_after(Path::new(&"x".repeat(99)))
                .unwrap()
                .as_str()
                .len(),
            64
        );
    }

    #[test]
    fn a_place_is_one_repositorys_and_a_repository_has_one_place() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::create_dir(&a).unwrap();
        std::fs::create_dir(&b).unwrap();
        let mut store = MemoryStore::new();
        let mut ask = |slug: Option<&str>, path: &Path| {
            let asked = register(&mut store, wish(slug, path)).unwrap();
            asked.map(|(was, is)| (was.is_some(), is.slug.to_string()))
        };
        assert_eq!(ask(Some("x"), &a), Ok((false, "x".to_owned())));
        assert_eq!(ask(None, &a), Ok((true, "x".to_owned())));
        let taken = ask(Some("y"), &a).unwrap_err().to_string();
        assert!(taken.ends_with("is registered as x already"), "{taken}");
        let elsewhere = ask(Some("X"), &b).unwrap_err();
        assert!(
            matches!(elsewhere, Refusal::Elsewhere { .. }),
            "{elsewhere}"
        );
        std::fs::remove_dir(&a).unwrap();
        assert_eq!(ask(Some("x"), &b), Ok((true, "x".to_owned())));
        let repos = store.repos().unwrap();
        assert_eq!(owner_of(&repos, "m", &b).unwrap().slug.as_str(), "x");
        assert!(owner_of(&repos, "m", &a).is_none());
        assert!(owner_of(&repos, "n", &b).is_none());
    }
}
