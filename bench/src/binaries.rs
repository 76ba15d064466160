//! The binaries measured, and how they are built: as they are shipped.

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Failure, say};

/// The hooks.
pub(crate) const HOOKS: [&str; 3] = [
    "session-start-sync",
    "checkpoint-push",
    "pre-handoff-validate",
];

/// The command.
pub(crate) const COMMAND: &str = "trueup";

/// The floors: of a read-only pass, and of one that writes.
pub(crate) const FLOORS: [&str; 2] = ["floor-read", FLOOR_WRITE];
pub(crate) const FLOOR_WRITE: &str = "floor-write";

/// The target whose processes start fastest, and the compiler its C needs.
const STATIC_TARGET: &str = "x86_64-unknown-linux-musl";
const STATIC_COMPILER: &str = "musl-gcc";

/// A directory that holds all of them, built alike.
#[derive(Debug)]
pub(crate) struct Binaries {
    folder: PathBuf,
    /// How they were built, for the report.
    pub(crate) built: String,
}

impl Binaries {
    /// Takes those in a directory, or builds them.
    pub(crate) fn find(folder: Option<PathBuf>) -> Result<Self, Failure> {
        let binaries = match folder {
            Some(folder) => Self {
                folder: folder.canonicalize()?,
                built: "prebuilt".to_owned(),
            },
            None => build()?,
        };
        for name in HOOKS.iter().chain(&FLOORS).chain([&COMMAND]) {
            let path = binaries.path(name);
            if !path.is_file() {
                return Err(format!("{} is not there", path.display()).into());
            }
        }
        Ok(binaries)
    }

    /// Returns the path of one.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}{EXE_SUFFIX}"))
    }

    /// Returns the size of one, in bytes.
    pub(crate) fn size(&self, name: &str) -> Result<u64, Failure> {
        Ok(self.path(name).metadata()?.len())
    }
}

/// Returns the root of the workspace the command runs in.
pub(crate) fn workspace() -> Result<PathBuf, Failure> {
    let mut cargo = Command::new("cargo");
    cargo.args(["locate-project", "--workspace", "--message-format", "plain"]);
    let manifest = PathBuf::from(answer(&mut cargo)?.trim());
    let root = manifest.parent().ok_or("the workspace has no directory")?;
    Ok(root.to_owned())
}

/// Runs a command for what it prints.
pub(crate) fn answer(command: &mut Command) -> Result<String, Failure> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?}: {}\n{text}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn build() -> Result<Binaries, Failure> {
    let root = workspace()?;
    let target = target()?;
    say(&format!("building for {target}"));
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--release", "--target", &target])
        .args(["-p", "trueup-hooks", "-p", "trueup", "-p", "trueup-bench"])
        .current_dir(&root);
    let crt_static = target != STATIC_TARGET && target.ends_with("linux-gnu");
    if target == STATIC_TARGET {
        cargo.env("CC_x86_64_unknown_linux_musl", STATIC_COMPILER);
    }
    if crt_static {
        cargo.env("RUSTFLAGS", "-C target-feature=+crt-static");
    }
    if !cargo.status()?.success() {
        return Err("the build failed".into());
    }
    let folder = target_dir(&root)?.join(&target).join("release");
    let built = format!(
        "release, {target}{}",
        if crt_static { " +crt-static" } else { "" }
    );
    Ok(Binaries { folder, built })
}

fn target() -> Result<String, Failure> {
    let works = |command: &mut Command| command.output().is_ok_and(|o| o.status.success());
    let compiler = works(Command::new(STATIC_COMPILER).arg("--version"));
    let libraries =
        answer(Command::new("rustc").args(["--print", "target-libdir", "--target", STATIC_TARGET]));
    if compiler && libraries.is_ok_and(|path| Path::new(path.trim()).is_dir()) {
        return Ok(STATIC_TARGET.to_owned());
    }
    let version = answer(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or("rustc names no host")?.to_owned())
}

fn target_dir(root: &Path) -> Result<PathBuf, Failure> {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(root);
    let metadata: serde_json::Value = serde_json::from_str(&answer(&mut cargo)?)?;
    let folder = metadata
        .get("target_directory")
        .and_then(serde_json::Value::as_str);
    Ok(PathBuf::from(
        folder.ok_or("cargo names no target directory")?,
    ))
}
