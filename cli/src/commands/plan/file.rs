//! Files of plans: which they are, and reading them.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use trueup_core::files::{path_from_text, path_to_text, read_bytes, read_text};
use trueup_core::git::Worktree;
use trueup_core::model::{NewPlan, Plan, PlanId};
use trueup_core::plan::{
    ParsedPlan, PlanFile, Skipped, StatusFileError, import_findings, parse_markdown,
    parse_status_file,
};
use trueup_core::reconcile::Divergence;
use trueup_core::repos::are_counterparts;
use trueup_core::store::PlanStore as _;
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::text::lenient::hold;

use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure};

/// Largest file read, in bytes.
pub(super) const LARGEST: u64 = 16 * 1024 * 1024;

/// A file of a plan, read.
pub(super) struct Source {
    /// Where it is, without links.
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl Source {
    /// Tells whether it is a status file, by its name.
    pub(super) fn is_status_file(&self) -> bool {
        is_json(&self.path)
    }
}

/// A plan as its file has it.
pub(super) struct Read {
    pub(super) plan: NewPlan,
    pub(super) skipped: Vec<Skipped>,
    /// What is wrong with it and does not keep it from being taken in.
    pub(super) errors: Vec<Divergence>,
}

pub(super) fn unreadable(path: &Path, problem: impl std::fmt::Display) -> Failure {
    let message = format!("{}: {problem}", path.display());
    Failure::new(ErrorCase::PlanUnreadable, message)
}

/// Says that a file is no status file.
pub(super) fn no_status_file(file: &Path, error: &StatusFileError) -> Failure {
    let message = format!("{}: {error}", file.display());
    Failure::new(ErrorCase::NoStatusFile, message)
}

/// Reads a file.
pub(super) fn source(desk: &Desk, file: &Path) -> Result<Source, Failure> {
    let path = desk.cwd().join(file);
    let path = path
        .canonicalize()
        .map_err(|error| unreadable(file, error))?;
    let text = text(&path).map_err(|problem| unreadable(file, problem))?;
    Ok(Source { path, text })
}

/// Reads a plan's file.
pub(super) fn read(desk: &Desk, file: &Path) -> Result<Read, Failure> {
    let Source { path, text } = source(desk, file)?;
    let parsed = if is_json(&path) {
        parse_status_file(&text).map_err(|error| no_status_file(file, &error))?
    } else {
        parse_markdown(&text)
    };
    let own = own_path(&parsed, &path);
    let id = PlanId::from_stem(&stem(&own)).map_err(|error| unreadable(file, error))?;
    let own = named(&own);
    let skipped = parsed.skipped.clone();
    let shown = PlanFile {
        path: &file.to_string_lossy(),
        plan: Some(&id),
        is_committed: false,
    };
    let errors = import_findings(&parsed, shown);
    Ok(Read {
        plan: parsed.into_plan(id, own),
        skipped,
        errors,
    })
}

fn text(path: &Path) -> Result<String, String> {
    let read = if is_json(path) {
        read_bytes(path, LARGEST, true).and_then(|bytes| {
            let no_text = || io::Error::from(ErrorKind::InvalidData);
            Ok(hold(&bytes).ok_or_else(no_text)?.into_owned())
        })
    } else {
        read_text(path, LARGEST, true)
    };
    read.map_err(|error| match error.kind() {
        ErrorKind::FileTooLarge => format!("larger than {} MiB", LARGEST / 1024 / 1024),
        ErrorKind::InvalidData => "not UTF-8".to_owned(),
        _ if path.is_dir() => "not a file".to_owned(),
        _ => error.to_string(),
    })
}

/// Tells whether a text can only be meant as the path of a plan's file, not as its id.
pub(super) fn is_path(text: &str) -> bool {
    let end = Path::new(text).extension();
    let is = |known| end.is_some_and(|end| end.eq_ignore_ascii_case(known));
    text.contains(['/', '\\']) || ["md", "markdown", "json"].into_iter().any(is)
}

fn is_json(path: &Path) -> bool {
    path.extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("json"))
}

/// Returns the file that the plan is known by: a status file names it, from the root of the
/// repository it lies in.
fn own_path(parsed: &ParsedPlan, path: &Path) -> PathBuf {
    let folder = path.parent().unwrap_or(path);
    match &parsed.plan_path {
        None => path.to_owned(),
        Some(own) => {
            let root = Worktree::discover(folder).map(|git| git.root);
            let own = root.as_deref().unwrap_or(folder).join(own);
            own.canonicalize().unwrap_or(own)
        }
    }
}

/// Returns the name of a plan's file. One called `status` says nothing, its folder does.
fn stem(path: &Path) -> String {
    let folder = path.parent().and_then(Path::file_name);
    let name = match path.file_stem() {
        Some(stem) if stem == "status" => folder.or(Some(stem)),
        other => other,
    };
    name.unwrap_or_default().to_string_lossy().into_owned()
}

fn named(path: &Path) -> String {
    path_to_text(path)
}

/// Returns the paths by which a plan may be known that is named by a file.
pub(super) fn plan_paths(desk: &Desk, text: &str) -> Vec<String> {
    let path = desk.cwd().join(path_from_text(text));
    let real = real_path(desk, text);
    let status = is_json(&real).then(|| read(desk, &real).ok()).flatten();
    let own = status.map(|read| read.plan.path);
    own.into_iter()
        .chain([named(&real), named(&path)])
        .collect()
}

/// Returns the file that is named, without links where it is there.
pub(super) fn real_path(desk: &Desk, text: &str) -> PathBuf {
    let path = desk.cwd().join(path_from_text(text));
    path.canonicalize().unwrap_or(path)
}

/// Finds the plan that is known by the same file of another checkout of its repository: rows
/// belong to the repository, and one plan that is taken in twice is carried out twice.
pub(super) fn known_elsewhere(
    store: &mut SqliteStore,
    file: &Path,
) -> Result<Option<Plan>, Failure> {
    let mut plans = store.plans()?.into_iter().map(|listed| listed.plan);
    Ok(plans.find(|plan| are_counterparts(file, &path_from_text(&plan.path))))
}
