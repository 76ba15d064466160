//! Files of plans: which they are, and reading them.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use trueup_core::fs::{read_bytes, read_text};
use trueup_core::git::Worktree;
use trueup_core::model::{NewPlan, Plan, PlanId};
use trueup_core::plan::{
    ParsedPlan, PlanFile, SkippedLine, StatusFileError, import_findings, parse_markdown,
    parse_status_file,
};
use trueup_core::reconcile::Divergence;
use trueup_core::repos::are_counterparts;
use trueup_core::store::PlanStore as _;
use trueup_core::store::sqlite::SqliteStore;
use trueup_core::text::lenient_json::text_from_bytes;
use trueup_core::text::{path_from_text, path_to_text};

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, ErrorCase};

/// Largest file read, in bytes.
pub(super) const MAX_PLAN_BYTES: u64 = 16 * 1024 * 1024;

/// A file of a plan, read.
pub(super) struct PlanSource {
    /// Where it is, without links.
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl PlanSource {
    /// Tells whether it is a status file, by its name.
    pub(super) fn is_status_file(&self) -> bool {
        has_json_extension(&self.path)
    }
}

/// A plan as its file has it.
pub(super) struct PlanRead {
    pub(super) plan: NewPlan,
    pub(super) skipped: Vec<SkippedLine>,
    /// What is wrong with it and does not keep it from being taken in.
    pub(super) errors: Vec<Divergence>,
}

pub(super) fn unreadable_plan_error(path: &Path, problem: impl std::fmt::Display) -> CommandError {
    let message = format!("{}: {problem}", path.display());
    CommandError::new(ErrorCase::PlanUnreadable, message)
}

/// Says that a file is no status file.
pub(super) fn no_status_file_error(file: &Path, error: &StatusFileError) -> CommandError {
    let message = format!("{}: {error}", file.display());
    CommandError::new(ErrorCase::NoStatusFile, message)
}

/// Reads a file.
pub(super) fn read_source(
    context: &CommandContext,
    file: &Path,
) -> Result<PlanSource, CommandError> {
    let path = context.cwd().join(file);
    let path = path
        .canonicalize()
        .map_err(|error| unreadable_plan_error(file, error))?;
    let text = read_plan_text(&path).map_err(|problem| unreadable_plan_error(file, problem))?;
    Ok(PlanSource { path, text })
}

/// Reads a plan's file.
pub(super) fn read_plan(context: &CommandContext, file: &Path) -> Result<PlanRead, CommandError> {
    let PlanSource { path, text } = read_source(context, file)?;
    let parsed = if has_json_extension(&path) {
        parse_status_file(&text).map_err(|error| no_status_file_error(file, &error))?
    } else {
        parse_markdown(&text)
    };
    let plan_path = resolve_own_path(&parsed, &path);
    let id = PlanId::from_stem(&plan_file_stem(&plan_path))
        .map_err(|error| unreadable_plan_error(file, error))?;
    let plan_path_text = path_text(&plan_path);
    let skipped = parsed.skipped.clone();
    let plan_file = PlanFile {
        path: &file.to_string_lossy(),
        plan: Some(&id),
        is_committed: false,
    };
    let errors = import_findings(&parsed, plan_file);
    Ok(PlanRead {
        plan: parsed.into_plan(id, plan_path_text),
        skipped,
        errors,
    })
}

fn read_plan_text(path: &Path) -> Result<String, String> {
    let read = if has_json_extension(path) {
        read_bytes(path, MAX_PLAN_BYTES, true).and_then(|bytes| {
            let no_text = || io::Error::from(ErrorKind::InvalidData);
            Ok(text_from_bytes(&bytes).ok_or_else(no_text)?.into_owned())
        })
    } else {
        read_text(path, MAX_PLAN_BYTES, true)
    };
    read.map_err(|error| match error.kind() {
        ErrorKind::FileTooLarge => format!("larger than {} MiB", MAX_PLAN_BYTES / 1024 / 1024),
        ErrorKind::InvalidData => "not UTF-8".to_owned(),
        _ if path.is_dir() => "not a file".to_owned(),
        _ => error.to_string(),
    })
}

/// Tells whether a text can only be meant as the path of a plan's file, not as its id.
pub(super) fn is_path(text: &str) -> bool {
    let extension = Path::new(text).extension();
    let has_extension = |known| extension.is_some_and(|end| end.eq_ignore_ascii_case(known));
    text.contains(['/', '\\']) || ["md", "markdown", "json"].into_iter().any(has_extension)
}

fn has_json_extension(path: &Path) -> bool {
    path.extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("json"))
}

/// Returns the file that the plan is known by: a status file names it, from the root of the
/// repository it lies in.
fn resolve_own_path(parsed: &ParsedPlan, path: &Path) -> PathBuf {
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
fn plan_file_stem(path: &Path) -> String {
    let folder = path.parent().and_then(Path::file_name);
    let name = match path.file_stem() {
        Some(stem) if stem == "status" => folder.or(Some(stem)),
        other => other,
    };
    name.unwrap_or_default().to_string_lossy().into_owned()
}

fn path_text(path: &Path) -> String {
    path_to_text(path)
}

/// Returns the paths by which a plan may be known that is named by a file.
pub(super) fn candidate_paths(context: &CommandContext, text: &str) -> Vec<String> {
    let path = context.cwd().join(path_from_text(text));
    let real = resolve_path(context, text);
    let status_plan = has_json_extension(&real)
        .then(|| read_plan(context, &real).ok())
        .flatten();
    let own = status_plan.map(|read| read.plan.path);
    own.into_iter()
        .chain([path_text(&real), path_text(&path)])
        .collect()
}

/// Returns the file that is named, without links where it is there.
pub(super) fn resolve_path(context: &CommandContext, text: &str) -> PathBuf {
    let path = context.cwd().join(path_from_text(text));
    path.canonicalize().unwrap_or(path)
}

/// Finds the plan that is known by the same file of another checkout of its repository: rows
/// belong to the repository, and one plan that is taken in twice is carried out twice.
pub(super) fn find_plan_of_other_checkout(
    store: &mut SqliteStore,
    file: &Path,
) -> Result<Option<Plan>, CommandError> {
    let mut plans = store.list_plans()?.into_iter().map(|listed| listed.plan);
    Ok(plans.find(|plan| are_counterparts(file, &path_from_text(&plan.path))))
}
