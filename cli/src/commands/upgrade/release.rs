//! The newest release: what is in it, and its archive for this machine.

use std::collections::BTreeMap;

use serde::Deserialize;
use trueup_core::fs::sha256_hex;
use trueup_core::settings::Environment;
use trueup_remote::{PostUrl, download_file};

use super::version::Version;
use crate::command_error::{CommandError, CommandResult, InstallationCase};

/// Where releases are, unless [`BASE_VARIABLE`] says otherwise.
const DEFAULT_BASE: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/releases/latest/download");

/// The variable with the address of a mirror.
const BASE_VARIABLE: &str = "TRUEUP_RELEASES_URL";

/// The file that lists a release.
const LIST_FILE: &str = "latest.json";

/// Largest list, and largest archive, in bytes.
const MAX_LIST_BYTES: u64 = 1024 * 1024;
const MAX_ARCHIVE_BYTES: u64 = 512 * 1024 * 1024;

/// The newest release.
#[derive(Debug)]
pub(super) struct Release {
    pub(super) version: Version,
    files: BTreeMap<String, String>,
    base: String,
}

#[derive(Debug, Deserialize)]
struct ReleaseList {
    version: String,
    /// SHA-256 by name.
    files: BTreeMap<String, String>,
}

impl Release {
    /// Asks for the newest one.
    pub(super) fn find_newest(environment: &Environment) -> CommandResult<Self> {
        let base = environment
            .strict_text(BASE_VARIABLE)
            .map_err(|problem| CommandError::invalid_variable(BASE_VARIABLE, &problem))?;
        let base = base.unwrap_or(DEFAULT_BASE).trim_end_matches('/').to_owned();
        PostUrl::parse(&base)
            .map_err(|problem| CommandError::invalid_variable(BASE_VARIABLE, &problem))?;
        let list = download(&base, LIST_FILE, MAX_LIST_BYTES)?;
        let unfit = |problem: &dyn std::fmt::Display| unfit_release(&LIST_FILE, problem);
        let list: ReleaseList = serde_json::from_slice(&list).map_err(|error| unfit(&error))?;
        let version = list.version.parse().map_err(|problem: String| unfit(&problem))?;
        Ok(Self { version, files: list.files, base })
    }

    /// Downloads the archive for this machine; returns its name without the extension, and its
    /// content.
    pub(super) fn download_archive(&self) -> CommandResult<(String, Vec<u8>)> {
        let prefix = format!("trueup-{}-{}-", self.version, std::env::consts::ARCH);
        let system = if cfg!(target_os = "macos") { "darwin" } else { std::env::consts::OS };
        let is_fit = |name: &str| {
            let target = name.strip_prefix(&prefix).and_then(|rest| rest.strip_suffix(".tar.xz"));
            target.is_some_and(|target| {
                target.contains(system)
                    && target.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            })
        };
        let (name, digest) = self.files.iter().find(|(name, _)| is_fit(name)).ok_or_else(|| {
            let machine = format!("{}, {system}", std::env::consts::ARCH);
            unfit_release(
                &self.version,
                &format!("there is no archive for this machine ({machine})"),
            )
        })?;
        let archive = download(&self.base, name, MAX_ARCHIVE_BYTES)?;
        if !sha256_hex(&archive).eq_ignore_ascii_case(digest) {
            return Err(unfit_release(name, &"its SHA-256 is not the one that the release lists"));
        }
        let stem = name.strip_suffix(".tar.xz").unwrap_or(name).to_owned();
        Ok((stem, archive))
    }
}

fn unfit_release(what: &dyn std::fmt::Display, problem: &dyn std::fmt::Display) -> CommandError {
    CommandError::new(InstallationCase::ReleaseUnfit, format!("{what}: {problem}"))
}

fn download(base: &str, name: &str, limit: u64) -> CommandResult<Vec<u8>> {
    let address = format!("{base}/{name}");
    let unreachable = |problem: &dyn std::fmt::Display| {
        CommandError::new(InstallationCase::ReleaseUnreachable, format!("{address}: {problem}"))
    };
    let url = PostUrl::parse(&address).map_err(|problem| unreachable(&problem))?;
    download_file(&url, limit).map_err(|problem| unreachable(&problem))
}
