//! What trueup consists of, by name.

/// The plugin's and the marketplace's name.
pub(crate) const PLUGIN_NAME: &str = "trueup";
/// The plugin as Claude Code names it.
pub(crate) const PLUGIN_ID: &str = "trueup@trueup";
/// The binaries that the hooks run.
pub(crate) const HOOK_BINARIES: [&str; 3] = [
    "session-start-sync",
    "checkpoint-push",
    "pre-handoff-validate",
];
/// The commands for people and models.
pub(crate) const COMMAND_BINARIES: [&str; 2] = ["trueup", "validate-session-state"];
/// The Cargo packages that hold them.
pub(crate) const PACKAGES: [&str; 2] = ["trueup-hooks", "trueup"];
/// What lies directly beneath a staged plugin directory.
pub(crate) const STAGED_ENTRIES: [&str; 4] = [".claude-plugin", "hooks", "skills", "bin"];
/// The record of an installation, beneath the data directory.
pub(crate) const MANIFEST_FILE: &str = "install-manifest.json";
/// The same, beneath a directory given with `--prefix`.
pub(crate) const PREFIX_MANIFEST_FILE: &str = ".install-manifest.json";

/// What trueup keeps in a data directory, by the name up to the first `.` or `-`.
pub(crate) const DATA_NAMES: [&str; 8] = [
    "trueup", "outbox", "journal", "replica", "config", "log", "lock", "install",
];

/// Every binary that is staged.
pub(crate) fn list_binaries() -> impl Iterator<Item = &'static str> {
    HOOK_BINARIES.into_iter().chain(COMMAND_BINARIES)
}
