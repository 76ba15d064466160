//! What an installation will do, before it does anything.

use std::fmt;
use std::path::PathBuf;

use crate::args::Args;
use crate::compile::{self, Target};
use crate::error::Result;
use crate::manifest::Link;
use crate::parts;
use crate::places::{Places, on_path};

/// One step.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Compile the binaries.
    Build(Target),
    /// Use binaries that exist.
    Take(PathBuf),
    /// Put the plugin directory in place, with the hooks that this client knows.
    Stage {
        at: PathBuf,
        client: Option<PathBuf>,
    },
    /// Run every staged binary once.
    ReadBack,
    /// Link the commands.
    Link(Vec<Link>),
    /// Register the plugin with this client.
    Register(PathBuf),
    /// Say why it is not registered.
    LeaveClient(&'static str),
    /// Make or upgrade the database.
    Migrate,
    /// Play the demo.
    Demo,
    /// Let the doctor look at everything.
    Doctor,
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Build(target) => write!(out, "build the binaries for {}", target.describe()),
            Self::Take(dir) => write!(out, "use the binaries in {}", dir.display()),
            Self::Stage { at, .. } => {
                write!(
                    out,
                    "stage {} in {}",
                    parts::STAGED.join(", "),
                    at.display()
                )
            }
            Self::ReadBack => write!(out, "run every staged binary once"),
            Self::Link(links) => {
                let at: Vec<_> = links
                    .iter()
                    .map(|link| link.at.display().to_string())
                    .collect();
                write!(out, "link {}", at.join(" and "))
            }
            Self::Register(client) => {
                write!(
                    out,
                    "register {} with {}",
                    parts::PLUGIN_ID,
                    client.display()
                )
            }
            Self::LeaveClient(why) => write!(out, "do not register with Claude Code ({why})"),
            Self::Migrate => write!(out, "create or upgrade the database: trueup db migrate"),
            Self::Demo => write!(out, "run the demo: trueup demo"),
            Self::Doctor => write!(out, "check the installation: trueup doctor"),
        }
    }
}

/// Lays out the steps.
pub(crate) fn install(args: &Args, places: &Places) -> Result<Vec<Step>> {
    let mut steps = vec![match (&args.bin_dir, args.no_build) {
        (Some(dir), _) => Step::Take(dir.clone()),
        (None, true) => Step::Take(compile::beside()),
        (None, false) => Step::Build(compile::choose(&places.source, !args.dry_run)?),
    }];
    let client = on_path("claude").filter(|_| !args.no_claude);
    let at = places.stage.clone();
    steps.extend([
        Step::Stage {
            at,
            client: client.clone(),
        },
        Step::ReadBack,
    ]);
    if let Some(dir) = &places.links {
        let link = |name: &str| Link {
            at: dir.join(name),
            to: places.binary(name),
        };
        steps.push(Step::Link(parts::COMMANDS.map(link).to_vec()));
    }
    steps.push(match client {
        None if args.no_claude => Step::LeaveClient("--no-claude"),
        None => Step::LeaveClient("no `claude` on PATH"),
        Some(client) => Step::Register(client),
    });
    // A prefix without a client is a directory to be carried elsewhere: nothing else is touched.
    let only_staged = places.prefixed && args.no_claude;
    if !only_staged {
        steps.push(Step::Migrate);
    }
    steps.push(Step::Demo);
    if !only_staged {
        steps.push(Step::Doctor);
    }
    Ok(steps)
}
