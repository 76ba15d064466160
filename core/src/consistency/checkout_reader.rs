//! Reads a checkout and its rows into a [`CheckoutSnapshot`].

use std::path::Path;
use std::thread;

use super::checkout_files::{CheckoutFiles, FileReader};
use super::plan_files::read_plan_files;
use super::report::CheckError;
use super::rules::foreign_rows::find_foreign_keys;
use super::snapshot::CheckoutSnapshot;
use super::workplan_file::WorkplanFile;
use super::workplan_folders::list_workplan_paths;
use crate::model::{ItemKey, RepoSlug, WorkplanRows};
use crate::repos::slug_from_path;
use crate::settings::{Project, RepositoryConfig};
use crate::store::{Store, StoreError};

/// What is known of the name of a repository before its files are read.
#[derive(Debug, Clone, Default)]
pub(super) struct RepoNames<'a> {
    /// The name by registration or configuration; nothing overrules it.
    pub(super) given: Option<String>,
    /// The name that an earlier check found, which counts if the files name none.
    pub(super) remembered: Option<String>,
    /// Names of other registered repositories, which this one cannot have.
    pub(super) others: &'a [RepoSlug],
}

impl RepoNames<'_> {
    /// Returns whether no other repository has this name.
    pub(super) fn is_free(&self, name: &str) -> bool {
        !self.others.iter().any(|other| other.is_same(name))
    }

    /// Returns this name, numbered if another repository has it.
    fn make_distinct(&self, name: String) -> String {
        if self.is_free(&name) {
            return name;
        }
        let mut numbered = (2..).map(|number| format!("{name}-{number}"));
        numbered.find(|name| self.is_free(name)).unwrap_or(name)
    }
}

/// Reads everything but git. Files are parsed once; their sources are kept if `keep_sources`,
/// which fixes need.
pub(super) fn read_checkout(
    store: &mut dyn Store,
    root: &Path,
    names: &RepoNames<'_>,
    keep_sources: bool,
) -> Result<CheckoutSnapshot, CheckError> {
    let reader = FileReader { root, keep_sources };
    let paths = list_workplan_paths(root)?;
    let paths = paths.as_deref();
    let first_path = paths.unwrap_or_default().first();
    let first = first_path.map(|path| reader.read_workplan(path));
    // The files of a fork have the name of the original repository.
    let is_free = |name: &String| names.is_free(name);
    let first_name = || first.as_ref()?.0.as_ref()?.repo_slug().filter(is_free);
    let name = names.given.clone().or_else(first_name);
    let (files, repo, rows) = if let Some(name) = name.or(names.remembered.clone()) {
        // The database is queried while files are read.
        thread::scope(|scope| {
            let files = scope.spawn(|| reader.read_workplans(paths, first));
            let rows = store.load_workplan_rows(&name);
            match files.join() {
                Ok(files) => (files, name, rows),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    } else {
        let files = reader.read_workplans(paths, first);
        let mut slugs = files.workplans.iter().filter_map(WorkplanFile::repo_slug);
        let name = match slugs.find(is_free) {
            Some(name) => name,
            None => match find_known_name(store, &files)?.filter(is_free) {
                Some(name) => name,
                None => names.make_distinct(directory_name(root)),
            },
        };
        let rows = store.load_workplan_rows(&name);
        (files, name, rows)
    };
    let mut snapshot = CheckoutSnapshot {
        repo,
        has_dir: files.has_dir,
        file_count: files.count,
        workplans: files.workplans,
        problems: files.problems,
        other_repos: names.others.to_vec(),
        ..CheckoutSnapshot::default()
    };
    snapshot.load_rest(store, root, rows?)?;
    Ok(snapshot)
}

impl CheckoutSnapshot {
    /// Reads again what fixes may have changed: rows, plans, and the workplans at these paths.
    pub(super) fn refresh(
        mut self,
        store: &mut dyn Store,
        root: &Path,
        paths: &[String],
    ) -> Result<Self, CheckError> {
        let reader = FileReader { root, keep_sources: false };
        self.problems.retain(|(path, _)| !paths.contains(path));
        self.workplans.retain_mut(|workplan| {
            if !paths.contains(&workplan.path) {
                return true;
            }
            let (read, problems) = reader.read_workplan(&workplan.path);
            let problems = problems.into_iter();
            self.problems.extend(problems.map(|problem| (workplan.path.clone(), problem)));
            read.map(|read| *workplan = read).is_some()
        });
        self.foreign_rows.clear();
        let rows = store.load_workplan_rows(&self.repo)?;
        self.load_rest(store, root, rows)?;
        Ok(self)
    }

    /// Takes in the rows of the repository, and loads what depends on rows and files.
    fn load_rest(
        &mut self,
        store: &mut dyn Store,
        root: &Path,
        rows: WorkplanRows,
    ) -> Result<(), StoreError> {
        self.rows = rows.linked;
        self.unlinked_rows = rows.unlinked;
        self.plans = read_plan_files(store, root)?;
        let (keys, links) = find_foreign_keys(self);
        if !keys.is_empty() || !links.is_empty() {
            self.foreign_rows = store.find_workplan_rows(&keys, &links)?;
        }
        Ok(())
    }
}

/// Returns the name that the repository's own configuration gives it.
pub(super) fn read_configured_name(root: &Path) -> Option<String> {
    let project = Project { dir: root.to_owned(), git: None, is_home: false };
    let config: RepositoryConfig = project.read_config().ok()?;
    config.repo
}

/// Returns the name by which the database knows these files: a clone may have any name.
fn find_known_name(
    store: &mut dyn Store,
    files: &CheckoutFiles,
) -> Result<Option<String>, StoreError> {
    let workplans = files.workplans.iter();
    let keys: Vec<ItemKey> = workplans.map(|workplan| workplan.key.clone()).collect();
    if keys.is_empty() {
        return Ok(None);
    }
    let rows = store.find_workplan_rows(&keys, &[])?;
    let mut linked = rows.into_iter().filter(|row| row.link.is_some());
    Ok(linked.find_map(|row| row.repo))
}

/// Returns the name of the directory: of a linked worktree, that of its repository.
pub(super) fn directory_name(root: &Path) -> String {
    let worktree = crate::git::Worktree::discover(root).filter(|git| git.root == *root);
    let name = worktree.and_then(|git| git.name());
    let name = name.or_else(|| Some(slug_from_path(root)?.as_str().to_owned()));
    name.unwrap_or_else(|| "repository".to_owned())
}
