//! The directories and files of an installation on this machine.

use std::env;
use std::path::{Path, PathBuf};

use directories::{BaseDirs, ProjectDirs};

use crate::args::Args;
use crate::artifacts;
use crate::documents::DocumentDirs;
use crate::error::{Error, Result};

/// The paths that an installation reads or writes.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The user's home.
    pub(crate) home: PathBuf,
    /// trueup's data directory: database, outbox, and by default the staged plugin.
    pub(crate) data: PathBuf,
    /// Directories of logs and other disposable files; empty with `TRUEUP_HOME`.
    pub(crate) disposable_dirs: Vec<PathBuf>,
    /// The user's configuration, when it is not in the data directory.
    pub(crate) settings: Option<PathBuf>,
    /// The staged plugin directory.
    pub(crate) stage: PathBuf,
    /// Whether the user named it with `--prefix`.
    pub(crate) has_prefix: bool,
    /// Where manual pages and completions go; nowhere with `--prefix`, and with `TRUEUP_HOME`, below
    /// which everything lies.
    pub(crate) documents: Option<DocumentDirs>,
    /// The directory in which the commands are linked, if any.
    pub(crate) link_dir: Option<PathBuf>,
    /// The record of the installation.
    pub(crate) manifest: PathBuf,
    /// Claude Code's configuration directory.
    pub(crate) config: PathBuf,
    /// Claude Code's own state file.
    pub(crate) client_state: PathBuf,
    /// Codex's directory.
    pub(crate) codex: PathBuf,
}

impl Layout {
    /// Resolves the paths from arguments and environment.
    pub(crate) fn resolve(args: &Args) -> Result<Self> {
        let base = BaseDirs::new().ok_or_else(|| Error::Tool {
            what: "no home directory".to_owned(),
            detail: "neither HOME nor the user database has one".to_owned(),
            hint: "set HOME and run it again".to_owned(),
        })?;
        let home = base.home_dir().to_owned();
        let own = OwnPlugin::find_own();
        let default_dirs = find_default_dirs();
        let chosen = env_path("TRUEUP_HOME");
        let project_dirs = default_dirs.filter(|_| chosen.is_none());
        let data = match (chosen, &project_dirs) {
            (Some(dir), _) => make_absolute(&dir),
            (None, Some(own)) => own.data_dir().to_owned(),
            (None, None) => home.join(".local/share/trueup"),
        };
        // On some systems these are one directory. The one with the database is not disposable.
        let outside_data = |dir: &Path| Some(dir.to_owned()).filter(|dir| !data.starts_with(dir));
        let disposable_dirs = project_dirs
            .iter()
            .flat_map(|own| [own.state_dir(), Some(own.cache_dir())])
            .flatten()
            .filter_map(outside_data)
            .collect();
        let settings = project_dirs.as_ref().and_then(|own| outside_data(own.config_dir()));
        let prefix = args.prefix.as_deref().map(make_absolute).or_else(|| own.find_prefix());
        let stage = prefix.clone().unwrap_or_else(|| data.join("plugin"));
        let link_dir = match (&args.link_dir, &prefix) {
            (Some(dir), _) => Some(make_absolute(dir)),
            (None, Some(_)) => None,
            (None, None) => Some(home.join(".local/bin")),
        };
        let is_alone = prefix.is_some() || project_dirs.is_none();
        let documents = (!is_alone).then(|| DocumentDirs {
            data: base.data_dir().to_owned(),
            config: base.config_dir().to_owned(),
        });
        let manifest = match &prefix {
            Some(dir) => dir.join(artifacts::PREFIX_MANIFEST_FILE),
            None => data.join(artifacts::MANIFEST_FILE),
        };
        let configured = env_path("CLAUDE_CONFIG_DIR").map(|dir| make_absolute(&dir));
        let client_state = configured.as_ref().unwrap_or(&home).join(".claude.json");
        let config = configured.unwrap_or_else(|| home.join(".claude"));
        let codex = env_path("CODEX_HOME").map_or_else(|| home.join(".codex"), make_absolute);
        let layout = Self {
            home,
            data,
            disposable_dirs,
            settings,
            stage,
            has_prefix: prefix.is_some(),
            documents,
            link_dir,
            manifest,
            config,
            client_state,
            codex,
        };
        layout.check_paths_are_utf8()?;
        Ok(layout)
    }

    /// Refuses paths that are not UTF-8 before anything is staged: the installation's record and
    /// the client's files are JSON and cannot contain them.
    fn check_paths_are_utf8(&self) -> Result<()> {
        let all = [&self.home, &self.data, &self.stage, &self.manifest, &self.config, &self.codex];
        let mut all = all.into_iter().chain(&self.link_dir);
        match all.find(|path| path.to_str().is_none()) {
            None => Ok(()),
            Some(path) => Err(Error::Refused {
                path: path.clone(),
                why: "the path is not UTF-8, so it cannot be written to a JSON file".to_owned(),
                hint: "choose a directory with a UTF-8 name; nothing was changed".to_owned(),
            }),
        }
    }

    /// Returns a directory outside any project to run the client in, since a project's settings
    /// would count otherwise.
    pub(crate) fn neutral_dir(&self) -> PathBuf {
        let stage = Some(&self.stage).filter(|stage| stage.is_dir());
        stage.unwrap_or(&self.home).clone()
    }

    /// Returns the file of Codex's hooks.
    pub(crate) fn codex_hooks(&self) -> PathBuf {
        self.codex.join("hooks.json")
    }

    /// Returns the path of a staged binary.
    pub(crate) fn binary_path(&self, name: &str) -> PathBuf {
        self.stage.join("bin").join(name)
    }

    /// Renders a path with `~` for the home directory.
    pub(crate) fn shorten(&self, path: &Path) -> String {
        match path.strip_prefix(&self.home) {
            Ok(rest) if !rest.as_os_str().is_empty() => format!("~/{}", rest.display()),
            _ => path.display().to_string(),
        }
    }
}

/// Finds the directories of trueup where the system has such files.
fn find_default_dirs() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", artifacts::PLUGIN_NAME)
}

/// The staged plugin that this program is a part of, if it is.
pub(crate) struct OwnPlugin(Option<PathBuf>);

impl OwnPlugin {
    pub(crate) fn find_own() -> Self {
        let exe = env::current_exe().and_then(std::fs::canonicalize).ok();
        let plugin = exe.as_deref().and_then(|exe| exe.parent()?.parent());
        Self(plugin.filter(|dir| dir.join(".claude-plugin").is_dir()).map(Path::to_owned))
    }

    /// Returns the plugin's directory, if it was staged with `--prefix`.
    fn find_prefix(&self) -> Option<PathBuf> {
        self.0.clone().filter(|dir| dir.join(artifacts::PREFIX_MANIFEST_FILE).is_file())
    }

    /// Returns the data directory that the plugin lies in.
    pub(crate) fn find_data(&self) -> Option<PathBuf> {
        let data = self.0.as_deref()?.parent()?;
        let is_data = |name: &str| data.join(name).is_file();
        let found = is_data(artifacts::MANIFEST_FILE) || is_data(artifacts::DATABASE_FILE);
        found.then(|| data.to_owned())
    }

    /// Returns where the record of the plugin is, or should be.
    pub(crate) fn find_record(&self) -> Option<PathBuf> {
        let in_prefix = self.find_prefix().map(|dir| dir.join(artifacts::PREFIX_MANIFEST_FILE));
        in_prefix.or_else(|| Some(self.find_data()?.join(artifacts::MANIFEST_FILE)))
    }

    /// Returns whether a data directory is the one that is used when nothing else is said.
    pub(crate) fn is_default_data(data: &Path) -> bool {
        find_default_dirs().is_some_and(|dirs| dirs.data_dir() == data)
    }
}

/// Reads an environment variable with a path; an empty one counts as unset.
fn env_path(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Makes a path absolute, for a child that runs in another directory.
pub(crate) fn make_absolute(path: impl AsRef<Path>) -> PathBuf {
    std::path::absolute(&path).unwrap_or_else(|_| path.as_ref().to_owned())
}

/// Finds a program on PATH.
pub(crate) fn find_on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(name)).find(|file| {
        use std::os::unix::fs::PermissionsExt;
        file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    })
}

/// Returns whether a directory is on PATH.
pub(crate) fn is_on_path(dir: &Path) -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|entry| entry == dir))
}
