//! Runs Claude Code's commands for plugins and marketplaces.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::artifacts;
use crate::client_events::ClientVersion;
use crate::error::{Error, IoResultExt, Result};
use crate::files;
use crate::layout::Layout;
use crate::process::{self, CommandOutput};

const COMMAND_TIMEOUT: Duration = Duration::from_mins(2);

/// How long to wait for another installer: as long as its commands, at most five, may take.
const LOCK_TIMEOUT: Duration = COMMAND_TIMEOUT.saturating_mul(5);

/// An installed client.
#[derive(Debug)]
pub(crate) struct Client {
    program: PathBuf,
    /// A neutral directory: in a project the client would mix in that project's settings.
    cwd: PathBuf,
    /// The client's configuration directory, which these commands change.
    config: PathBuf,
    /// The user's home.
    home: PathBuf,
}

/// What registering changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Registration {
    /// What was done, a phrase each; empty when everything was in place.
    pub(crate) actions: Vec<String>,
    /// Whether the user has disabled the plugin.
    pub(crate) is_disabled: bool,
}

impl Client {
    pub(crate) fn new(program: &Path, layout: &Layout) -> Self {
        Self {
            program: program.to_owned(),
            cwd: layout.neutral_dir(),
            config: layout.config.clone(),
            home: layout.home.clone(),
        }
    }

    /// Reads the client's version, if it prints one.
    pub(crate) fn read_version(&self) -> Option<ClientVersion> {
        self.ask_version().ok().flatten()
    }

    /// Asks the client for its version. An error means that it does not run.
    pub(crate) fn ask_version(&self) -> Result<Option<ClientVersion>> {
        Ok(ClientVersion::parse(&self.run_checked(&["--version"])?.stdout))
    }

    /// Locks the client's configuration directory against other installers until the result is
    /// dropped: clients up to 2.1.329 lose plugins when two of their commands run at the same time.
    /// The directory itself is locked, so no lock file is left behind. If it cannot be locked in
    /// time, the installer goes on without.
    fn lock_config(&self) -> Option<File> {
        let folder = self.config.ancestors().find(|folder| folder.is_dir())?;
        // The installation holds the home directory already, and would wait for itself.
        let folder = Some(folder).filter(|folder| *folder != self.home)?;
        files::lock_file(files::open_dir(folder).ok()?, LOCK_TIMEOUT).ok()
    }

    /// Makes the staged directory a marketplace and installs the plugin from it.
    pub(crate) fn register_plugin(&self, stage: &Path, version: &str) -> Result<Registration> {
        let _lock = self.lock_config();
        let mut registration = Registration::default();
        match self.find_marketplace()? {
            Some(from) if Path::new(&from) == stage => {}
            other => {
                let path = stage.display().to_string();
                self.run_checked(&["plugin", "marketplace", "add", &path])?;
                registration.actions.push(match other {
                    Some(from) => format!("marketplace moved here from {from}"),
                    None => "marketplace added".to_owned(),
                });
            }
        }
        match self.find_plugin()? {
            None => {
                self.run_checked(&["plugin", "install", artifacts::PLUGIN_ID, "--scope", "user"])?;
                registration.actions.push("plugin installed".to_owned());
            }
            Some(found) if str_field(&found, "version") != Some(version) => {
                self.run_checked(&["plugin", "update", artifacts::PLUGIN_ID])?;
                registration.actions.push("plugin updated".to_owned());
            }
            Some(_) => {}
        }
        let plugin = self.find_plugin()?.ok_or_else(|| Error::Tool {
            what: format!("{} plugin list", self.program.display()),
            detail: format!("does not list {} after installing it", artifacts::PLUGIN_ID),
            hint: format!("run claude plugin install {} to see its error", artifacts::PLUGIN_ID),
        })?;
        registration.is_disabled = plugin.get("enabled").and_then(Value::as_bool) == Some(false);
        Ok(registration)
    }

    /// Lets the client validate the staged directory.
    pub(crate) fn validate_plugin(&self, stage: &Path) -> Result<()> {
        let path = stage.display().to_string();
        self.run_checked(&["plugin", "validate", "--strict", &path]).map(drop)
    }

    /// Removes the plugin and the marketplace from the client, if they are the staged ones.
    pub(crate) fn unregister_plugin(&self, stage: &Path) -> Result<Vec<String>> {
        let _lock = self.lock_config();
        let mut actions = Vec::new();
        let marketplace = self.find_marketplace()?;
        if let Some(from) = marketplace.as_ref().filter(|from| Path::new(from) != stage) {
            return Err(Error::Refused {
                path: PathBuf::from(from),
                why: "the marketplace trueup now comes from there; kept".to_owned(),
                hint: "to remove it too: claude plugin marketplace remove trueup".to_owned(),
            });
        }
        if self.find_plugin()?.is_some() {
            self.run_checked(&["plugin", "uninstall", artifacts::PLUGIN_ID, "--scope", "user"])?;
            actions.push("plugin removed".to_owned());
        }
        if marketplace.is_some() {
            self.run_checked(&["plugin", "marketplace", "remove", artifacts::PLUGIN_NAME])?;
            actions.push("marketplace removed".to_owned());
        }
        Ok(actions)
    }

    /// Finds the source of the marketplace named `trueup`.
    fn find_marketplace(&self) -> Result<Option<String>> {
        let list = self.list_json(&["plugin", "marketplace", "list", "--json"])?;
        Ok(list.iter().find(|item| str_field(item, "name") == Some(artifacts::PLUGIN_NAME)).map(
            |item| {
                ["path", "repo", "url", "installLocation"]
                    .iter()
                    .find_map(|key| str_field(item, key))
                    .unwrap_or("elsewhere")
                    .to_owned()
            },
        ))
    }

    /// Finds the plugin in the client's list, in user scope.
    fn find_plugin(&self) -> Result<Option<Value>> {
        let list = self.list_json(&["plugin", "list", "--json"])?;
        Ok(list.into_iter().find(|item| {
            str_field(item, "id") == Some(artifacts::PLUGIN_ID)
                && str_field(item, "scope").is_none_or(|scope| scope == "user")
        }))
    }

    fn list_json(&self, args: &[&str]) -> Result<Vec<Value>> {
        let output = self.run_checked(args)?.stdout;
        // A client may print a notice before its answer.
        let json = output.find('[').map_or("", |start| &output[start..]);
        serde_json::from_str(json).map_err(|error| Error::Tool {
            what: format!("{} {}", self.program.display(), args.join(" ")),
            detail: format!("did not print a list: {error}"),
            hint: "this client may be too old: run claude update, then run this again".to_owned(),
        })
    }

    /// Runs a command of the client; an exit code other than 0 is an error.
    fn run_checked(&self, args: &[&str]) -> Result<CommandOutput> {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.cwd).args(args);
        command
            .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
            .env("DISABLE_AUTOUPDATER", "1");
        let output = process::run_bounded(&mut command, b"", COMMAND_TIMEOUT)
            .with_action("run", &self.program)?;
        if output.status.success() {
            return Ok(output);
        }
        Err(Error::Tool {
            what: format!("{} {}", self.program.display(), args.join(" ")),
            detail: output.first_error_line(),
            hint: "run that command to see its full output".to_owned(),
        })
    }
}

fn str_field<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}
