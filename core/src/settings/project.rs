//! The project that a session works in, and the configuration of its repository.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::Environment;
use super::config_file::{self, ConfigError};
use super::pattern_limits;
use crate::bounds::{PATH, PATH_PARTS, REPOSITORY_CONFIG};
use crate::git::{Head, Worktree};
use crate::model::RepoSlug;
use crate::text::path_to_text;

/// The project that a session works in.
#[derive(Debug, Clone)]
pub struct Project {
    /// The directory whose `.claude` contains the cache.
    pub dir: PathBuf,
    /// The git worktree that contains it.
    pub git: Option<Worktree>,
    /// Whether this is the user's home directory, whose `.claude` belongs to the client.
    pub is_home: bool,
}

impl Project {
    /// Finds the project: `CLAUDE_PROJECT_DIR`, else the worktree that contains `cwd`, else `cwd`.
    pub fn find(environment: &Environment, cwd: &Path) -> Self {
        let named = environment.path("CLAUDE_PROJECT_DIR");
        match named.filter(|dir| is_within_path_bounds(dir)) {
            Some(dir) => Self::at_dir(environment, dir),
            None => match Worktree::discover(cwd) {
                Some(git) => Self::at_dir(environment, git.root),
                None => Self::at_dir(environment, cwd.to_owned()),
            },
        }
    }

    /// Uses a directory as the project.
    pub fn at_dir(environment: &Environment, dir: PathBuf) -> Self {
        // Resolve links, so that a directory has one name: sessions are compared by it.
        let dir = dir.canonicalize().unwrap_or(dir);
        let git = Worktree::discover(&dir);
        let is_home = environment.path("HOME").is_some_and(|home| is_same_dir(&home, &dir));
        Self { dir, git, is_home }
    }

    /// Returns the directory's name in the database.
    pub fn name(&self) -> String {
        path_to_text(&self.dir)
    }

    /// Returns the branch of `cwd` if that belongs to the same repository, else the project's.
    pub fn branch(&self, cwd: Option<&Path>) -> Option<String> {
        let git = self.git.as_ref()?;
        Self::worktree_of(git, cwd).branch()
    }

    /// Returns whether there is a repository whose branch cannot be read, which differs from having
    /// no branch.
    pub fn has_unreadable_branch(&self, cwd: Option<&Path>) -> bool {
        match &self.git {
            Some(git) => Self::worktree_of(git, cwd).read_head() == Head::Unreadable,
            // Even git does not take it for a repository.
            None => self.dir.join(".git").symlink_metadata().is_ok(),
        }
    }

    fn worktree_of<'g>(git: &'g Worktree, cwd: Option<&Path>) -> Cow<'g, Worktree> {
        let elsewhere = cwd
            .filter(|cwd| **cwd != *git.root)
            .and_then(|cwd| Worktree::discover(&cwd.canonicalize().ok()?))
            .filter(|other| other.common_dir == git.common_dir);
        elsewhere.map_or(Cow::Borrowed(git), Cow::Owned)
    }

    /// Reads the repository's `.trueup.toml`.
    ///
    /// # Errors
    ///
    /// When it is not TOML or a value has the wrong type.
    pub fn read_config(&self) -> Result<RepositoryConfig, ConfigError> {
        let config_path = self.dir.join(".trueup.toml");
        let table: toml::Table = config_file::read_toml(&config_path, REPOSITORY_CONFIG, false)?;
        let mut config = RepositoryConfig::default();
        for (key, value) in table {
            match (key.as_str(), value) {
                ("repo", toml::Value::String(name)) => match name.trim().parse::<RepoSlug>() {
                    Ok(_) => config.repo = Some(name),
                    Err(error) => config.problems.push(format!(
                        "{}: repo = {name:?} is ignored: {error}",
                        path_to_text(&config_path)
                    )),
                },
                ("branch_pattern", toml::Value::String(text)) => config.branch_pattern = Some(text),
                ("handoff_commands", toml::Value::Array(list)) => {
                    let texts = list.iter().filter_map(toml::Value::as_str);
                    config.handoff_commands = Some(texts.map(str::to_owned).collect());
                }
                ("passive", toml::Value::Boolean(passive)) => config.passive = Some(passive),
                ("state_file", toml::Value::String(path)) => config.state_file = Some(path),
                ("plans", _) => {}
                // A key that a repository may not set is ignored and reported.
                (other, _) => config.refused.push(other.to_owned()),
            }
        }
        let problems = [
            pattern_limits::limit_handoff_commands(&config_path, &mut config.handoff_commands),
            pattern_limits::limit_branch_pattern(&config_path, &mut config.branch_pattern),
        ];
        config.problems.extend(problems.into_iter().flatten());
        Ok(config)
    }
}

/// Returns whether a path that others supply is short and shallow enough to examine: every lookup
/// walks over all its parts, and each part gets one.
pub fn is_within_path_bounds(path: &Path) -> bool {
    let parts = path.components().take(PATH_PARTS.len() + 1).count();
    path.as_os_str().len() <= PATH.len() && parts <= PATH_PARTS.len()
}

/// Returns whether two paths lead to the same directory, such as a home directory behind a symlink.
fn is_same_dir(one: &Path, other: &Path) -> bool {
    #[cfg(unix)]
    let identity = |path: &Path| {
        use std::os::unix::fs::MetadataExt as _;
        std::fs::metadata(path).ok().map(|data| (data.dev(), data.ino()))
    };
    #[cfg(not(unix))]
    let identity = |path: &Path| path.canonicalize().ok();
    one == other || identity(one).is_some_and(|found| identity(other) == Some(found))
}

/// The configuration that a repository sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepositoryConfig {
    /// The repository's name.
    pub repo: Option<String>,
    /// Whether the repository neither publishes its state nor takes in that of others.
    pub passive: Option<bool>,
    /// The path of the state file from the root.
    pub state_file: Option<String>,
    /// The pattern that finds item keys in branch names.
    pub branch_pattern: Option<String>,
    /// Patterns of shell commands that hand work off.
    pub handoff_commands: Option<Vec<String>>,
    /// Keys that a repository may not set, or with a value of the wrong type.
    pub refused: Vec<String>,
    /// Other values that are ignored; one line each.
    pub problems: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_cannot_name_the_database() {
        let temp_dir = tempfile::tempdir().unwrap();
        std::fs::write(
            temp_dir.path().join(".trueup.toml"),
            "repo = \"app\"\ndatabase_url = \"sqlite:/evil\"\nhandoff_commands = [\"make ship*\"]\n",
        )
        .unwrap();
        let project = Project::at_dir(&Environment::default(), temp_dir.path().to_owned());
        let config = project.read_config().unwrap();
        assert_eq!(config.repo.as_deref(), Some("app"));
        assert_eq!(config.handoff_commands.unwrap(), ["make ship*"]);
        assert_eq!(config.refused, ["database_url"]);
    }

    #[test]
    fn a_name_that_no_repository_can_have_is_ignored_and_reported() {
        let temp_dir = tempfile::tempdir().unwrap();
        for name in ["", "a b", "../x", "ünï"] {
            let text = format!("repo = \"{name}\"\n");
            std::fs::write(temp_dir.path().join(".trueup.toml"), text).unwrap();
            let project = Project::at_dir(&Environment::default(), temp_dir.path().to_owned());
            let config = project.read_config().unwrap();
            assert_eq!(config.repo, None, "{name:?}");
            let [problem] = config.problems.as_slice() else {
                panic!("{name:?}: {:?}", config.problems);
            };
            assert!(problem.contains("repo = ") && problem.contains(name), "{problem}");
        }
    }
}
