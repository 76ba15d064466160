//! Names of the programs, packages and files that make up trueup.

/// The plugin's and the marketplace's name.
pub(crate) const PLUGIN_NAME: &str = "trueup";
/// The plugin's id in Claude Code.
pub(crate) const PLUGIN_ID: &str = "trueup@trueup";
/// The binaries that the hooks run.
pub(crate) const HOOK_BINARIES: [&str; 3] =
    ["session-start-sync", "checkpoint-push", "pre-handoff-validate"];
/// The commands for people and models, and the server of a team.
pub(crate) const COMMAND_BINARIES: [&str; 3] = ["trueup", "validate-session-state", "trueup-hub"];
/// The program that installs, upgrades and removes the others.
pub(crate) const INSTALLER: &str = "trueup-install";
/// The Cargo packages that hold them.
pub(crate) const PACKAGES: [&str; 3] = ["trueup-hooks", "trueup", "trueup-hub"];
/// The entries of a staged plugin directory.
pub(crate) const STAGED_ENTRIES: [&str; 4] = [".claude-plugin", "hooks", "skills", "bin"];
/// The record of an installation, in the data directory.
pub(crate) const MANIFEST_FILE: &str = "install-manifest.json";
/// The same, in a directory given with `--prefix`.
pub(crate) const PREFIX_MANIFEST_FILE: &str = ".install-manifest.json";

/// Names of trueup's files in a data directory, up to the first `.` or `-`.
pub(crate) const DATA_NAMES: [&str; 8] =
    ["trueup", "outbox", "journal", "replica", "config", "log", "lock", "install"];

/// Lists every binary that is staged.
pub(crate) fn list_binaries() -> impl Iterator<Item = &'static str> {
    HOOK_BINARIES.into_iter().chain(COMMAND_BINARIES)
}
