//! Errors of registered repositories and their states.

use crate::command_error::hint::{HintPart, HintPromise, HintText, ShellWord};
use crate::command_error::table::{ErrorCase, ErrorRow, REFUSED, UNABLE, error_cases};

error_cases! {
    /// An operation on a repository or its state that was refused.
    RepoCase {
        /// The repository is not registered.
        RepoNotFound => REFUSED "repo_not_found" {
            runs "trueup repo list" "shows the repositories";
        }
        /// The repository here is not registered.
        RepoUnregistered { path: ShellWord } => REFUSED "repo_not_found" {
            ends "trueup repo add {path}" "registers it";
        }
        /// The repository is not on this machine.
        RepoElsewhere { slug: HintText } => REFUSED "repo_not_here" {
            runs "trueup repo list" "shows the registered directories";
            says "`trueup repo add PATH --slug {slug}` registers its directory on this machine";
        }
        /// The repository is passive.
        RepoPassive { path: ShellWord } => REFUSED "repo_passive" {
            ends "trueup repo add {path} --active" "makes it active";
        }
        /// The repository's own configuration makes it passive.
        RepoPassiveByFile => REFUSED "repo_passive" {
            says "remove passive = true from its .trueup.toml";
        }
        /// The directory to register is not a git repository.
        NoRepository { path: ShellWord } => REFUSED "not_a_repository" {
            ends "git init {path}" "creates one";
        }
        /// The directory is registered under another name.
        PathTaken { slug: ShellWord } => REFUSED "already_registered" {
            ends "trueup repo remove {slug}" "frees the directory";
        }
        /// The name is taken by another directory.
        SlugTaken { slug: ShellWord } => REFUSED "slug_taken" {
            ends "trueup repo remove {slug}" "frees the name";
            says "or choose another name with --slug";
        }
        /// The directory is a checkout of a repository registered under another name.
        SameRepository { path: ShellWord } => REFUSED "same_repository" {
            runs "trueup repo add {path}" "adds it as a checkout of that one";
            says "repo = \"NAME\" in its .trueup.toml makes it a separate repository";
        }
        /// The name of the directory gives no valid slug.
        NoSlug => REFUSED "no_slug" {
            says "choose a name with --slug";
        }
        /// The repository has not shared its state.
        NoState { slug: ShellWord } => REFUSED "no_state" {
            ends "trueup state sync {slug}" "shares it";
        }
        /// The repository has not shared its state, which is not possible from here.
        NoStateFromHere => REFUSED "no_state" {
            runs "trueup repo list" "shows the registered directories";
            says "run `trueup state sync SLUG` on the machine that has the repository and its STATE.md";
        }
        /// The repository has no STATE.md.
        NoStateFile => REFUSED "no_state_file" {
            says "create it, or set its name in .trueup.toml: state_file = \"…\"";
        }
        /// The STATE.md cannot be shared.
        StateUnfit => UNABLE "state_unreadable" {
            says "the state file is a Markdown file of at most 4 MiB that git tracks or can track";
        }
        /// The STATE.md contains secrets.
        SecretsFound { slug: ShellWord } => REFUSED "secrets_found" {
            runs "trueup state sync {slug}" "redacts them";
            says "or remove them from the file";
        }
    }
}
