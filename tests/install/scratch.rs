//! A scratch home for one test.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::client::find_binary;
use tempfile::TempDir;

/// Everything in a directory by relative path: kind, permissions and content.
pub(crate) type Tree = BTreeMap<PathBuf, String>;

const HOOK: &str = "#!/bin/sh\ncat >/dev/null\n";
const TRUEUP: &str = r#"#!/bin/sh
home=${TRUEUP_HOME:-$HOME/.local/share/trueup}
case "$1" in
    --version) echo "trueup 0.1.0" ;;
    db) mkdir -p "$home"; [ -e "$home/trueup.db" ] || echo db >"$home/trueup.db"; echo "schema 1" ;;
    demo) echo "the demo" ;;
    doctor) echo "the doctor" ;;
    man) mkdir -p "$3"; echo "the page" >"$3/trueup.1" ;;
    completions) echo "complete for $2" ;;
esac
"#;

const HUB: &str =
    "#!/bin/sh\n[ \"$1\" != man ] || { mkdir -p \"$3\"; echo \"the hub\" >\"$3/trueup-hub.1\"; }\n";

/// A stand-in for the client that changes the user's files as the real one does: in its own
/// formatting, leaving empty objects.
const CLIENT: &str = r#"#!/bin/sh
here=$(dirname "$0")
config=${CLAUDE_CONFIG_DIR:-$HOME/.claude}
settings=$config/settings.json
model=$(sed -n 's/.*"model": *"\([a-z]*\)".*/"model": "\1",/p' "$settings" 2>/dev/null)
write() {
    mkdir -p "$config/plugins"
    printf '{\n  %s\n  "extraKnownMarketplaces": {%s},\n  "enabledPlugins": {%s}\n}\n' "$model" "$1" "$2" >"$settings"
    printf '{"version":2,"plugins":{%s}}' "$2" >"$config/plugins/installed_plugins.json"
    printf '{%s}' "$1" >"$config/plugins/known_marketplaces.json"
}
echo "$*" >>"$here/calls"
case "$*" in
    --version) echo "2.1.328 (Claude Code)" ;;
    "plugin marketplace list --json")
        if [ -e "$here/market" ]; then printf '[{"name":"trueup","path":"%s"}]' "$(cat "$here/market")"; else echo '[]'; fi ;;
    "plugin list --json")
        if [ -e "$here/plugin" ]; then printf '[{"id":"trueup@trueup","scope":"user","version":"%s","enabled":true}]' "$(cat "$here/plugin")"; else echo '[]'; fi ;;
    "plugin marketplace add "*)
        printf %s "$4" >"$here/market"; write '"trueup": {"source": {}}' '' ;;
    "plugin install "*|"plugin update "*)
        sed -n 's/.*"version": "\(.*\)".*/\1/p' "$(cat "$here/market")/.claude-plugin/plugin.json" >"$here/plugin"
        mkdir -p "$config/plugins/cache/trueup/trueup/0.1.0"
        write '"trueup": {"source": {}}' '"trueup@trueup": true'
        if [ -e "$here/kill" ]; then kill -9 $PPID; fi ;;
    "plugin uninstall "*) rm "$here/plugin"; write '"trueup": {"source": {}}' '' ;;
    "plugin marketplace remove "*) rm "$here/market"; write '' '' ;;
    "plugin validate "*) ;;
    *) exit 64 ;;
esac
"#;

/// A scratch home, stand-ins for the binaries and a PATH.
pub(crate) struct Scratch {
    root: TempDir,
}

impl Scratch {
    /// A home without Claude Code.
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for dir in ["home", "bins", "path"] {
            fs::create_dir(root.path().join(dir)).unwrap();
        }
        let scratch = Self { root };
        for name in ["session-start-sync", "checkpoint-push", "pre-handoff-validate"] {
            scratch.binary(name, HOOK);
        }
        scratch.binary("validate-session-state", "#!/bin/sh\n");
        scratch.binary("trueup-hub", HUB);
        scratch.binary("trueup", TRUEUP);
        scratch
    }

    /// A home whose PATH has the stand-in for Claude Code.
    pub(crate) fn with_client() -> Self {
        let scratch = Self::new();
        program(&scratch.path("path/claude"), CLIENT);
        scratch
    }

    /// A home whose PATH has the real one.
    pub(crate) fn with_real_client(client: &Path) -> Self {
        let scratch = Self::new();
        symlink(client, scratch.path("path/claude")).unwrap();
        scratch
    }

    /// Returns a path below the scratch directory.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root.path().join(below)
    }

    /// Returns a path below the home.
    pub(crate) fn home(&self, below: &str) -> PathBuf {
        self.path("home").join(below)
    }

    /// The default place of the plugin.
    pub(crate) fn stage(&self) -> PathBuf {
        self.home(".local/share/trueup/plugin")
    }

    /// Makes or replaces the stand-in for a binary.
    pub(crate) fn binary(&self, name: &str, text: &str) {
        program(&self.path("bins").join(name), text);
    }

    /// Writes a file of the user, with its directories.
    pub(crate) fn write(&self, below: &str, text: &str) {
        let path = self.home(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Builds a command in this home with a cleared environment.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("HOME", self.home("")).current_dir(self.path(""));
        command.env("PATH", format!("{}:/usr/bin:/bin", self.path("path").display()));
        command.env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1");
        command
    }

    /// Builds a run of the installer.
    pub(crate) fn installer(&self, args: &[&str]) -> Command {
        let mut command = self.command(&find_binary("trueup-install").unwrap());
        command.args(args);
        command
    }

    /// Installs with the stand-ins.
    pub(crate) fn install(&self, args: &[&str]) -> InstallerOutput {
        self.run(&[&["--bin-dir", self.path("bins").to_str().unwrap()], args].concat())
    }

    /// Runs the installer.
    pub(crate) fn run(&self, args: &[&str]) -> InstallerOutput {
        InstallerOutput::new(self.installer(args).output().unwrap())
    }

    /// Everything in the home.
    pub(crate) fn tree(&self) -> Tree {
        tree(&self.home(""))
    }
}

/// The output of the installer.
#[derive(Debug)]
pub(crate) struct InstallerOutput {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl InstallerOutput {
    pub(crate) fn new(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Asserts the exit code.
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }
}

/// Everything in a directory.
pub(crate) fn tree(dir: &Path) -> Tree {
    let mut found = Tree::new();
    let mut pending = vec![dir.to_owned()];
    while let Some(here) = pending.pop() {
        for entry in fs::read_dir(&here).unwrap().flatten() {
            let path = entry.path();
            let meta = fs::symlink_metadata(&path).unwrap();
            let what = if meta.is_symlink() {
                format!("link {}", fs::read_link(&path).unwrap().display())
            } else if meta.is_dir() {
                pending.push(path.clone());
                format!("dir {:o}", meta.permissions().mode() & 0o777)
            } else {
                let bytes = fs::read(&path).unwrap();
                let mode = meta.permissions().mode() & 0o777;
                format!("file {mode:o} {}", bytes.escape_ascii())
            };
            found.insert(path.strip_prefix(dir).unwrap().to_owned(), what);
        }
    }
    found
}

/// Removes from a tree what an uninstallation may leave: the data directory with the database.
pub(crate) fn without_data(mut tree: Tree, before: &Tree) -> Tree {
    assert!(tree.contains_key(Path::new(".local/share/trueup/trueup.db")), "the database stays");
    for path in [".local", ".local/share", ".local/share/trueup", ".local/share/trueup/trueup.db"] {
        if !before.contains_key(Path::new(path)) {
            tree.remove(Path::new(path));
        }
    }
    tree
}

fn program(path: &Path, text: &str) {
    support::program::write_program(path, text).unwrap();
}
