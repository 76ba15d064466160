//! The measured binaries, built as they are shipped.

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{BenchError, print_progress};

/// The hooks.
pub(crate) const HOOK_BINARIES: [&str; 3] =
    ["session-start-sync", "checkpoint-push", "pre-handoff-validate"];

/// The command.
pub(crate) const COMMAND_BINARY: &str = "trueup";

/// The floor programs: one only reads, the other writes.
pub(crate) const FLOOR_BINARIES: [&str; 2] = ["floor-read", FLOOR_WRITE];
pub(crate) const FLOOR_WRITE: &str = "floor-write";

/// The floor of a command over PostgreSQL.
pub(crate) const FLOOR_POSTGRES: &str = "floor-postgres";

/// The program that makes a load on a shared database.
pub(crate) const LOAD_BINARY: &str = "trueup-load";

/// The server.
pub(crate) const HUB_BINARY: &str = "trueup-hub";

/// The target whose processes start fastest, and the C compiler for it.
const STATIC_TARGET: &str = "x86_64-unknown-linux-musl";
const STATIC_COMPILER: &str = "musl-gcc";

/// A directory with all binaries, built in the same way.
#[derive(Debug)]
pub(crate) struct Binaries {
    folder: PathBuf,
    are_prebuilt: bool,
    /// How they were built, for the report.
    pub(crate) built: String,
}

/// What is measured. A command takes minutes to build, and CI measures hooks alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Hooks,
    HooksAndCommands,
    Hub,
}

impl Subject {
    /// Returns the arguments of each build.
    const fn build_selections(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Hooks => &[
                // Selected along with the commands, so that the libraries have the features that
                // they have when both are built for a user.
                &[
                    "-p",
                    "trueup-hooks",
                    "-p",
                    "trueup",
                    "--bin",
                    "session-start-sync",
                    "--bin",
                    "checkpoint-push",
                    "--bin",
                    "pre-handoff-validate",
                ],
                &["-p", "trueup-bench", "--bin", "floor-read", "--bin", "floor-write"],
            ],
            Self::HooksAndCommands => {
                &[&["-p", "trueup-hooks", "-p", "trueup", "-p", "trueup-bench"]]
            }
            Self::Hub => &[&["-p", "trueup-hub"]],
        }
    }

    /// Returns the programs that have to be there.
    fn binaries(self) -> Vec<&'static str> {
        let hooks = HOOK_BINARIES.into_iter().chain(FLOOR_BINARIES);
        match self {
            Self::Hooks => hooks.collect(),
            Self::HooksAndCommands => hooks.chain([COMMAND_BINARY]).collect(),
            Self::Hub => vec![HUB_BINARY],
        }
    }
}

impl Binaries {
    /// Uses the binaries in a directory, or builds them.
    pub(crate) fn find(folder: Option<PathBuf>, subject: Subject) -> Result<Self, BenchError> {
        let binaries = match folder {
            Some(folder) => Self {
                folder: folder.canonicalize()?,
                are_prebuilt: true,
                built: "prebuilt".to_owned(),
            },
            None => build_binaries(subject)?,
        };
        for name in subject.binaries() {
            let path = binaries.path(name);
            if !path.is_file() {
                return Err(format!("{} is not there", path.display()).into());
            }
        }
        Ok(binaries)
    }

    /// Builds the program that makes a load, as the others were built. One of another version would
    /// send statements that the database does not know.
    pub(crate) fn build_load(&self) -> Result<(), BenchError> {
        if !self.are_prebuilt {
            print_progress("building the load");
            build_packages(&workspace_root()?, &resolve_target()?, &["-p", "trueup-tests"])?;
        }
        if self.path(LOAD_BINARY).is_file() {
            Ok(())
        } else {
            Err(format!("{} is not there", self.path(LOAD_BINARY).display()).into())
        }
    }

    /// Returns the path of one.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}{EXE_SUFFIX}"))
    }

    /// Returns the size of one, in bytes.
    pub(crate) fn size(&self, name: &str) -> Result<u64, BenchError> {
        Ok(self.path(name).metadata()?.len())
    }
}

/// Returns the root of the workspace the command runs in.
pub(crate) fn workspace_root() -> Result<PathBuf, BenchError> {
    let mut cargo = Command::new("cargo");
    cargo.args(["locate-project", "--workspace", "--message-format", "plain"]);
    let manifest = PathBuf::from(command_output(&mut cargo)?.trim());
    let root = manifest.parent().ok_or("the workspace has no directory")?;
    Ok(root.to_owned())
}

/// Runs a command for what it prints.
pub(crate) fn command_output(command: &mut Command) -> Result<String, BenchError> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?}: {}\n{text}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn build_binaries(subject: Subject) -> Result<Binaries, BenchError> {
    let root = workspace_root()?;
    let target = resolve_target()?;
    print_progress(&format!("building for {target}"));
    let mut crt_static = false;
    for selection in subject.build_selections() {
        crt_static = build_packages(&root, &target, selection)?;
    }
    let folder = find_target_dir(&root)?.join(&target).join("release");
    let built = format!("release, {target}{}", if crt_static { " +crt-static" } else { "" });
    Ok(Binaries { folder, are_prebuilt: false, built })
}

/// Builds packages as they are shipped; returns whether glibc had to be linked statically for it.
fn build_packages(root: &Path, target: &str, selection: &[&str]) -> Result<bool, BenchError> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--target", target]).args(selection).current_dir(root);
    let crt_static = target != STATIC_TARGET && target.ends_with("linux-gnu");
    if target == STATIC_TARGET {
        cargo.env("CC_x86_64_unknown_linux_musl", STATIC_COMPILER);
    }
    if crt_static {
        cargo.env("RUSTFLAGS", "-C target-feature=+crt-static");
    }
    if cargo.status()?.success() { Ok(crt_static) } else { Err("the build failed".into()) }
}

fn resolve_target() -> Result<String, BenchError> {
    let works = |command: &mut Command| command.output().is_ok_and(|o| o.status.success());
    let compiler = works(Command::new(STATIC_COMPILER).arg("--version"));
    let libraries = command_output(Command::new("rustc").args([
        "--print",
        "target-libdir",
        "--target",
        STATIC_TARGET,
    ]));
    if compiler && libraries.is_ok_and(|path| Path::new(path.trim()).is_dir()) {
        return Ok(STATIC_TARGET.to_owned());
    }
    let version = command_output(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or("rustc names no host")?.to_owned())
}

fn find_target_dir(root: &Path) -> Result<PathBuf, BenchError> {
    let mut cargo = Command::new("cargo");
    cargo.args(["metadata", "--format-version", "1", "--no-deps"]).current_dir(root);
    let metadata: serde_json::Value = serde_json::from_str(&command_output(&mut cargo)?)?;
    let folder = metadata.get("target_directory").and_then(serde_json::Value::as_str);
    Ok(PathBuf::from(folder.ok_or("cargo names no target directory")?))
}
