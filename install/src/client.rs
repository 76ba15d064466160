//! Claude Code's own commands for plugins and marketplaces.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::error::{Error, Named, Result};
use crate::events::Version;
use crate::files;
use crate::parts;
use crate::places::Places;
use crate::process::{self, Ended};

const LIMIT: Duration = Duration::from_mins(2);

/// How long another installer is waited for: as long as its commands, at most five, may take.
const TURN: Duration = LIMIT.saturating_mul(5);

/// An installed client.
#[derive(Debug)]
pub(crate) struct Client {
    program: PathBuf,
    /// A neutral directory: in a project the client would mix in that project's settings.
    cwd: PathBuf,
    /// Where the client keeps what these commands change.
    config: PathBuf,
}

/// What registering changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Registered {
    /// What was done; empty when everything was in place.
    pub(crate) done: Vec<String>,
    /// Whether the user has switched the plugin off.
    pub(crate) disabled: bool,
}

impl Client {
    /// The client at this path.
    pub(crate) fn new(program: &Path, places: &Places) -> Self {
        Self {
            program: program.to_owned(),
            cwd: places.neutral(),
            config: places.config.clone(),
        }
    }

    /// The client's version, if it says one.
    pub(crate) fn version(&self) -> Option<Version> {
        Version::read(&self.must(&["--version"]).ok()?.stdout)
    }

    /// Waits until no other installer changes the client's plugins, until what is returned is
    /// dropped: clients up to 2.1.329 lose plugins when two of their commands run side by side.
    /// The directory itself is locked, so no file is left behind; where it cannot be, or stays
    /// locked, nobody is kept waiting.
    fn alone(&self) -> Option<File> {
        let mut folders = self.config.ancestors();
        let folder = folders.find_map(|folder| files::open_dir(folder).ok())?;
        files::lock(folder, TURN).ok()
    }

    /// Makes the staged directory a marketplace and installs the plugin from it.
    pub(crate) fn register(&self, stage: &Path, version: &str) -> Result<Registered> {
        let _alone = self.alone();
        let mut registered = Registered::default();
        match self.marketplace()? {
            Some(from) if Path::new(&from) == stage => {}
            other => {
                let path = stage.display().to_string();
                self.must(&["plugin", "marketplace", "add", &path])?;
                registered.done.push(match other {
                    Some(from) => format!("marketplace moved here from {from}"),
                    None => "marketplace added".to_owned(),
                });
            }
        }
        match self.plugin()? {
            None => {
                self.must(&["plugin", "install", parts::PLUGIN_ID, "--scope", "user"])?;
                registered.done.push("plugin installed".to_owned());
            }
            Some(found) if text(&found, "version") != Some(version) => {
                self.must(&["plugin", "update", parts::PLUGIN_ID])?;
                registered.done.push("plugin updated".to_owned());
            }
            Some(_) => {}
        }
        let found = self.plugin()?.ok_or_else(|| Error::Tool {
            what: format!("{} plugin list", self.program.display()),
            detail: format!("does not list {} after installing it", parts::PLUGIN_ID),
            hint: format!(
                "run claude plugin install {} to see its error",
                parts::PLUGIN_ID
            ),
        })?;
        registered.disabled = found.get("enabled").and_then(Value::as_bool) == Some(false);
        Ok(registered)
    }

    /// Lets the client judge the staged directory.
    pub(crate) fn validate(&self, stage: &Path) -> Result<()> {
        let path = stage.display().to_string();
        self.must(&["plugin", "validate", "--strict", &path])
            .map(drop)
    }

    /// Takes the plugin and the marketplace out of the client, if they are the staged ones.
    pub(crate) fn unregister(&self, stage: &Path) -> Result<Vec<String>> {
        let _alone = self.alone();
        let mut done = Vec::new();
        let market = self.marketplace()?;
        if let Some(from) = market.as_ref().filter(|from| Path::new(from) != stage) {
            return Err(Error::Refused {
                path: PathBuf::from(from),
                why: "the marketplace trueup now comes from there; kept".to_owned(),
                hint: "to remove it too: claude plugin marketplace remove trueup".to_owned(),
            });
        }
        if self.plugin()?.is_some() {
            self.must(&["plugin", "uninstall", parts::PLUGIN_ID, "--scope", "user"])?;
            done.push("plugin removed".to_owned());
        }
        if market.is_some() {
            self.must(&["plugin", "marketplace", "remove", parts::NAME])?;
            done.push("marketplace removed".to_owned());
        }
        Ok(done)
    }

    /// Where the marketplace of our name comes from.
    fn marketplace(&self) -> Result<Option<String>> {
        let list = self.list(&["plugin", "marketplace", "list", "--json"])?;
        Ok(list
            .iter()
            .find(|item| text(item, "name") == Some(parts::NAME))
            .map(|item| {
                ["path", "repo", "url", "installLocation"]
                    .iter()
                    .find_map(|key| text(item, key))
                    .unwrap_or("elsewhere")
                    .to_owned()
            }))
    }

    /// The plugin as the client lists it for the user.
    fn plugin(&self) -> Result<Option<Value>> {
        let list = self.list(&["plugin", "list", "--json"])?;
        Ok(list.into_iter().find(|item| {
            text(item, "id") == Some(parts::PLUGIN_ID)
                && text(item, "scope").is_none_or(|scope| scope == "user")
        }))
    }

    fn list(&self, args: &[&str]) -> Result<Vec<Value>> {
        let said = self.must(args)?.stdout;
        // A client may print a notice before its answer.
        let json = said.find('[').map_or("", |start| &said[start..]);
        serde_json::from_str(json).map_err(|error| Error::Tool {
            what: format!("{} {}", self.program.display(), args.join(" ")),
            detail: format!("did not print a list: {error}"),
            hint: "this client may be too old: run claude update, then run this again".to_owned(),
        })
    }

    /// Runs a command that has to succeed.
    fn must(&self, args: &[&str]) -> Result<Ended> {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.cwd).args(args);
        command
            .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
            .env("DISABLE_AUTOUPDATER", "1");
        let ended = process::run(&mut command, b"", LIMIT).named("run", &self.program)?;
        if ended.status.success() {
            return Ok(ended);
        }
        Err(Error::Tool {
            what: format!("{} {}", self.program.display(), args.join(" ")),
            detail: ended.complaint(),
            hint: "run that command to see its full output".to_owned(),
        })
    }
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}
