//! The steps of an installation, decided before the first one runs.

use std::fmt;
use std::path::PathBuf;

use crate::args::Args;
use crate::artifacts;
use crate::compile::{self, Target};
use crate::error::Result;
use crate::layout::{Layout, find_on_path, make_absolute};
use crate::manifest::Link;

/// Why a client is left alone that nobody asked to change.
pub(crate) const NOT_WANTED: &str = "--no-claude";

/// The profile of a release, and the one that compiles in a quarter of the time.
const RELEASE_PROFILE: &str = "release";
const SOURCE_PROFILE: &str = "source";

/// One step.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum InstallStep {
    /// Compile the binaries of a checkout.
    Build { source: PathBuf, target: Target, profile: &'static str },
    /// Use existing binaries.
    UseBinaries(PathBuf),
    /// Put the plugin directory in place, with the hooks that this client knows.
    Stage { at: PathBuf, client: Option<PathBuf> },
    /// Run every staged binary once.
    ReadBack,
    /// Link the commands.
    Link(Vec<Link>),
    /// Install manual pages and completions.
    Documents,
    /// Register the plugin with this client.
    Register(PathBuf),
    /// Do not register the plugin, for this reason.
    SkipClient(&'static str),
    /// Register the hooks with Codex, in this file.
    RegisterCodex(PathBuf),
    /// Create or upgrade the database.
    Migrate,
    /// Run the demo.
    Demo,
    /// Run the doctor.
    Doctor,
}

impl fmt::Display for InstallStep {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Build { source, target, profile } => {
                let (source, target) = (source.display(), target.describe());
                let estimate = if *profile == RELEASE_PROFILE { "15 minutes" } else { "4 minutes" };
                write!(out, "build {source} for {target} ({estimate} of one processor)")
            }
            Self::UseBinaries(dir) => write!(out, "use the binaries in {}", dir.display()),
            Self::Stage { at, .. } => {
                write!(out, "stage {} in {}", artifacts::STAGED_ENTRIES.join(", "), at.display())
            }
            Self::ReadBack => write!(out, "run every staged binary once"),
            Self::Link(links) => {
                let at: Vec<_> = links.iter().map(|link| link.at.display().to_string()).collect();
                write!(out, "link {}", at.join(" and "))
            }
            Self::Documents => write!(out, "install manual pages and completions"),
            Self::Register(client) => {
                write!(out, "register {} with {}", artifacts::PLUGIN_ID, client.display())
            }
            Self::SkipClient(why) => write!(out, "do not register with Claude Code ({why})"),
            Self::RegisterCodex(file) => {
                write!(out, "register the hooks with Codex in {}", file.display())
            }
            Self::Migrate => write!(out, "create or upgrade the database: trueup db migrate"),
            Self::Demo => write!(out, "run the demo: trueup demo"),
            Self::Doctor => write!(out, "check the installation: trueup doctor"),
        }
    }
}

/// Decides on the steps. `for_codex`: the hooks are wanted in Codex, now or since an earlier run.
pub(crate) fn build_steps(
    args: &Args,
    layout: &Layout,
    for_codex: bool,
) -> Result<Vec<InstallStep>> {
    let mut steps = vec![match (&args.bin_dir, &args.source) {
        (Some(dir), _) => InstallStep::UseBinaries(dir.clone()),
        (None, Some(source)) if !args.no_build => {
            let source = make_absolute(source);
            let target = compile::choose_target(&source, !args.dry_run)?;
            let profile = if args.release { RELEASE_PROFILE } else { SOURCE_PROFILE };
            InstallStep::Build { source, target, profile }
        }
        _ => InstallStep::UseBinaries(compile::installer_dir()),
    }];
    let client = find_on_path("claude").filter(|_| !args.no_claude);
    let at = layout.stage.clone();
    steps.extend([InstallStep::Stage { at, client: client.clone() }, InstallStep::ReadBack]);
    if let Some(dir) = &layout.link_dir {
        let link = |name: &str| Link { at: dir.join(name), to: layout.binary_path(name) };
        steps.push(InstallStep::Link(artifacts::COMMAND_BINARIES.map(link).to_vec()));
    }
    if layout.documents.is_some() {
        steps.push(InstallStep::Documents);
    }
    steps.push(match client {
        None if args.no_claude => InstallStep::SkipClient(NOT_WANTED),
        None => InstallStep::SkipClient("no `claude` on PATH"),
        Some(client) => InstallStep::Register(client),
    });
    if for_codex {
        steps.push(InstallStep::RegisterCodex(layout.codex_hooks()));
    }
    // A prefix without a client is a directory to be copied elsewhere: nothing else is touched.
    let only_staged = layout.has_prefix && args.no_claude && !for_codex;
    if !only_staged {
        steps.push(InstallStep::Migrate);
    }
    steps.push(InstallStep::Demo);
    // The doctor fails where the plugin is not registered, and that was asked for.
    if !only_staged && !args.no_claude {
        steps.push(InstallStep::Doctor);
    }
    Ok(steps)
}
