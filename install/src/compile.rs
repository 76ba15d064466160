//! Builds the hooks and commands, as static binaries if this machine can.
//!
//! A static musl binary starts several times faster than a dynamic one, and a hook spends most of
//! its time starting. So musl is tried first, then static glibc, then the host's default.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::artifacts;
use crate::error::{Error, IoResultExt, Result};
use crate::layout::find_on_path;
use crate::preflight::{Package, PackageManager};
use crate::process;
use crate::progress::Progress;

const PROBE_TIMEOUT: Duration = Duration::from_mins(1);

/// What to build for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The Rust target.
    triple: String,
    /// The C compiler for SQLite, if not the default one.
    cc: Option<PathBuf>,
    /// Whether the C library is linked statically.
    static_libc: bool,
    /// Why no faster target was chosen.
    pub(crate) fallback_reason: Option<String>,
}

impl Target {
    /// Describes the target for the user.
    pub(crate) fn describe(&self) -> String {
        let kind = if self.triple.ends_with("musl") || self.static_libc { ", static" } else { "" };
        format!("{}{kind}", self.triple)
    }
}

/// Chooses the target; `may_add` allows installing the musl target with rustup.
pub(crate) fn choose_target(source: &Path, may_add: bool) -> Result<Target> {
    let host = host_triple(source)?;
    let Some(arch) = linux_arch(&host) else {
        return Ok(Target { triple: host, cc: None, static_libc: false, fallback_reason: None });
    };
    let musl = format!("{arch}-unknown-linux-musl");
    let fallback_reason = match find_musl_compiler(arch, &musl) {
        None => {
            let command = PackageManager::detect().install_command(Package::MuslCompiler);
            format!("it needs a C compiler ({command})")
        }
        Some(_) if !is_target_usable(source, &musl, may_add) => {
            format!("it needs the Rust target (rustup target add {musl})")
        }
        Some(cc) => {
            return Ok(Target {
                triple: musl,
                cc: Some(cc),
                static_libc: true,
                fallback_reason: None,
            });
        }
    };
    let cc = find_on_path("cc");
    let static_libc = host.ends_with("-gnu") && cc.is_some_and(|cc| can_link(&cc, &["-static"]));
    Ok(Target { triple: host, cc: None, static_libc, fallback_reason: Some(fallback_reason) })
}

/// Builds every binary and returns where each one lies.
pub(crate) fn build_binaries(
    source: &Path,
    target: &Target,
    profile: &str,
) -> Result<BTreeMap<String, PathBuf>> {
    let progress = Progress::start();
    let mut command = Command::new(cargo_program());
    command.current_dir(source).args(["build", "--locked", "--bins", "--profile", profile]);
    command.args(["--target", &target.triple]);
    command.arg("--message-format=json-render-diagnostics");
    for package in artifacts::PACKAGES {
        command.args(["-p", package]);
    }
    if let Some(cc) = &target.cc {
        command.env(format!("CC_{}", target.triple.replace('-', "_")), cc);
    }
    if target.static_libc && !target.triple.ends_with("musl") {
        let mut flags = env::var_os("RUSTFLAGS").unwrap_or_default();
        flags.push(" -C target-feature=+crt-static");
        command.env("RUSTFLAGS", flags);
    }
    if progress.is_bar() {
        command.env("CARGO_TERM_PROGRESS_WHEN", "always").env("CARGO_TERM_PROGRESS_WIDTH", "120");
    }
    command.env("CARGO_TERM_COLOR", "never").env("CARGO_TERM_QUIET", "false");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());

    let mut child = command.spawn().with_action("run", Path::new(&cargo_program()))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let reader = thread::spawn(move || {
        let messages = stderr.map(|err| follow_output(err, &progress)).unwrap_or_default();
        progress.finish();
        messages
    });
    let products = stdout.map(parse_products).unwrap_or_default();
    let status = child.wait().with_action("wait for", Path::new("cargo"))?;
    let messages = reader.join().unwrap_or_default();
    if status.success() {
        return Ok(products);
    }
    let first_error = messages.iter().position(|line| line.starts_with("error")).unwrap_or(0);
    let shown: Vec<_> = messages.iter().skip(first_error).take(40).map(String::as_str).collect();
    Err(Error::Tool {
        what: format!("cargo build in {}", source.display()),
        detail: format!("{status}\n{}", shown.join("\n")),
        hint: "to build offline, run `cargo fetch` once while online; or use `--bin-dir DIR` with \
               prebuilt binaries"
            .to_owned(),
    })
}

/// Finds all binaries in a directory.
pub(crate) fn find_binaries(dir: &Path) -> Result<BTreeMap<String, PathBuf>> {
    artifacts::list_binaries()
        .map(|name| {
            let path = dir.join(name);
            if path.is_file() {
                return Ok((name.to_owned(), path));
            }
            Err(Error::Refused {
                path,
                why: "no such file".to_owned(),
                hint:
                    "run install.sh of an unpacked release or of a checkout, or name the programs \
                       with --bin-dir DIR"
                        .to_owned(),
            })
        })
        .collect()
}

/// Returns the directory of this program, which holds the binaries of an earlier build.
pub(crate) fn installer_dir() -> PathBuf {
    env::current_exe()
        .ok()
        .and_then(|exe| exe.parent().map(Path::to_owned))
        .unwrap_or_else(|| PathBuf::from("."))
}

fn cargo_program() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Shows cargo's progress and returns its other messages.
fn follow_output(stderr: impl Read, progress: &Progress) -> Vec<String> {
    let mut messages = Vec::new();
    let mut line = Vec::new();
    for byte in BufReader::new(stderr).bytes().map_while(std::result::Result::ok) {
        // Cargo redraws its bar with carriage returns, without ending the line.
        if byte != b'\n' && byte != b'\r' {
            line.push(byte);
            continue;
        }
        let text = String::from_utf8_lossy(&line).into_owned();
        line.clear();
        progress.show_line(&text);
        let is_bar = text.trim_start().starts_with("Building [");
        if !is_bar && !text.trim().is_empty() {
            messages.push(text);
        }
    }
    messages
}

/// Parses the executables from cargo's JSON messages, by name.
fn parse_products(stdout: impl Read) -> BTreeMap<String, PathBuf> {
    BufReader::new(stdout)
        .lines()
        .map_while(std::result::Result::ok)
        .filter_map(|line| {
            let message: Value = serde_json::from_str(&line).ok()?;
            let path = PathBuf::from(message.get("executable")?.as_str()?);
            let name = message.get("target")?.get("name")?.as_str()?.to_owned();
            Some((name, path))
        })
        .collect()
}

/// Returns rustc's host target.
fn host_triple(source: &Path) -> Result<String> {
    let output = process::run_bounded(
        Command::new(rustc_program()).arg("-vV").current_dir(source),
        b"",
        PROBE_TIMEOUT,
    )
    .with_action("run", Path::new(&rustc_program()))?;
    output
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .ok_or_else(|| Error::Tool {
            what: "rustc -vV".to_owned(),
            detail: output.first_error_line(),
            hint: "install a Rust toolchain: https://rustup.rs".to_owned(),
        })
}

fn rustc_program() -> OsString {
    env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

/// Returns the architecture if a static musl build is tried for it.
fn linux_arch(host: &str) -> Option<&'static str> {
    let arch = ["x86_64", "aarch64"].into_iter().find(|arch| host.starts_with(arch))?;
    host.contains("-linux-").then_some(arch)
}

/// Finds a C compiler that can link static musl programs, by trying.
fn find_musl_compiler(arch: &str, triple: &str) -> Option<PathBuf> {
    let chosen = env::var_os(format!("CC_{}", triple.replace('-', "_"))).map(PathBuf::from);
    let cross = find_on_path(&format!("{arch}-linux-musl-gcc"));
    // On a musl system, `cc` is such a compiler.
    let plain = cfg!(target_env = "musl").then(|| find_on_path("cc")).flatten();
    [chosen, find_on_path("musl-gcc"), cross, plain]
        .into_iter()
        .flatten()
        .find(|cc| can_link(cc, &["-static"]))
}

/// Returns whether a C compiler can compile and link a program.
fn can_link(cc: &Path, flags: &[&str]) -> bool {
    let Ok(scratch) = tempfile::tempdir() else {
        return false;
    };
    let mut command = Command::new(cc);
    command.args(flags).args(["-x", "c", "-", "-o"]).arg(scratch.path().join("probe"));
    let program = b"#include <stdio.h>\nint main(void) { return puts(\"\") < 0; }\n";
    process::run_bounded(&mut command, program, PROBE_TIMEOUT)
        .is_ok_and(|ended| ended.status.success())
}

/// Returns whether Rust's standard library for a target is installed, or could be installed.
fn is_target_usable(source: &Path, triple: &str, may_add: bool) -> bool {
    let is_installed = || {
        let mut command = Command::new(rustc_program());
        command.current_dir(source).args(["--print", "target-libdir", "--target", triple]);
        process::run_bounded(&mut command, b"", PROBE_TIMEOUT)
            .is_ok_and(|said| said.status.success() && Path::new(said.stdout.trim()).is_dir())
    };
    if is_installed() || !may_add || find_on_path("rustup").is_none() {
        return is_installed();
    }
    let mut command = Command::new("rustup");
    command.current_dir(source).args(["target", "add", triple]);
    process::run_bounded(&mut command, b"", PROBE_TIMEOUT).is_ok_and(|said| said.status.success())
        && is_installed()
}
