//! Names of the programs, packages and files that make up trueup.

/// The plugin's and the marketplace's name.
pub(crate) const PLUGIN_NAME: &str = "trueup";
/// The plugin's id in Claude Code.
pub(crate) const PLUGIN_ID: &str = "trueup@trueup";
/// The binaries that the hooks run.
pub(crate) const HOOK_BINARIES: [&str; 3] =
    ["session-start-sync", "checkpoint-push", "pre-handoff-validate"];
/// The commands for people and models, and the server of a team.
pub(crate) const COMMAND_BINARIES: [&str; 3] = ["trueup", "validate-session-state", HUB];
/// The server of a team.
pub(crate) const HUB: &str = "trueup-hub";
/// The program that installs, upgrades and removes the others.
pub(crate) const INSTALLER: &str = "trueup-install";
/// The Cargo packages that are built together, so that what they share is compiled once: those of the
/// programs and, as `install.sh` does, of the installer.
pub(crate) const PACKAGES: [&str; 4] = ["trueup-hooks", "trueup", "trueup-hub", "trueup-install"];
/// The entries of a staged plugin directory.
pub(crate) const STAGED_ENTRIES: [&str; 5] =
    [".claude-plugin", ".codex-plugin", "hooks", "skills", "bin"];
/// The database, in the data directory.
pub(crate) const DATABASE_FILE: &str = "trueup.db";
/// The record of an installation, in the data directory.
pub(crate) const MANIFEST_FILE: &str = "install-manifest.json";
/// The same, in a directory given with `--prefix`.
pub(crate) const PREFIX_MANIFEST_FILE: &str = ".install-manifest.json";

/// What the name of a file begins with that is being written.
pub(crate) const DRAFT_PREFIX: &str = ".trueup-";
/// The same for a plugin directory.
pub(crate) const STAGE_PREFIX: &str = ".trueup-stage-";
/// The same for a link.
pub(crate) const LINK_PREFIX: &str = ".trueup-link-";

/// Names of trueup's files in a data directory.
const DATA_NAMES: [&str; 20] = [
    "trueup.db",
    "trueup.log",
    "outbox.jsonl",
    "journal.jsonl",
    "install-manifest.json",
    "config.toml",
    "machine",
    "databases",
    "servers",
    "replica",
    "counters",
    "locks",
    "webhooks",
    "webhook-secret",
    "pruned",
    "checked",
    "passed",
    "untold",
    "unfinished",
    "plugin",
];

/// Returns whether a file of a data directory is trueup's: one of the names, or one with an addition,
/// such as a log of SQLite or a draft.
pub(crate) fn is_data_name(name: &str) -> bool {
    let name = name.trim_start_matches('.');
    DATA_NAMES.iter().any(|known| {
        name.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
    })
}

/// Lists every binary that is staged.
pub(crate) fn list_binaries() -> impl Iterator<Item = &'static str> {
    HOOK_BINARIES.into_iter().chain(COMMAND_BINARIES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_user_keeps_beside_the_database_is_not_ours() {
        for name in ["trueup.db", "trueup.db-wal", "trueup.db.queue", ".outbox.jsonl.12", "locks"] {
            assert!(is_data_name(name), "{name}");
        }
        for name in ["notes.txt", "trueup-backup.db", "hub-token", "trueup", "machinery", ""] {
            assert!(!is_data_name(name), "{name}");
        }
    }
}
