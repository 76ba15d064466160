//! Plan files: finding and reading them.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use trueup_core::diagnostic::Divergence;
use trueup_core::fs::{read_bytes, read_text};
use trueup_core::git::Worktree;
use trueup_core::model::{NewPlan, Plan, PlanId};
use trueup_core::plan::{
    ParsedPlan, PlanFile, SkippedLine, StatusFileError, import_findings, parse_markdown,
    parse_status_file,
};
use trueup_core::repos::are_counterparts;
use trueup_core::store::Store;
use trueup_core::text::lenient_json::text_from_bytes;
use trueup_core::text::{path_from_text, path_to_text};

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, PlanCase};

/// Largest plan file read, in bytes.
pub(super) const MAX_PLAN_BYTES: u64 = 16 * 1024 * 1024;

/// The content of a plan file.
pub(super) struct PlanSource {
    /// Canonical path.
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl PlanSource {
    /// Tells whether it is a status file, by its extension.
    pub(super) fn is_status_file(&self) -> bool {
        has_json_extension(&self.path)
    }
}

/// A plan as parsed from its file.
pub(super) struct PlanRead {
    pub(super) plan: NewPlan,
    pub(super) skipped: Vec<SkippedLine>,
    /// Errors that do not prevent the import.
    pub(super) errors: Vec<Divergence>,
}

pub(super) fn unreadable_plan_error(path: &Path, problem: impl std::fmt::Display) -> CommandError {
    let message = format!("{}: {problem}", path.display());
    CommandError::new(PlanCase::PlanUnreadable, message)
}

/// Builds the error of a file that is not a status file.
pub(super) fn no_status_file_error(file: &Path, error: &StatusFileError) -> CommandError {
    let message = format!("{}: {error}", file.display());
    CommandError::new(PlanCase::NoStatusFile, message)
}

/// Reads the content of a plan file.
pub(super) fn read_source(context: &CommandContext, file: &Path) -> CommandResult<PlanSource> {
    let path = context.cwd().join(file);
    let path = path.canonicalize().map_err(|error| unreadable_plan_error(file, error))?;
    let text = read_plan_text(&path).map_err(|problem| unreadable_plan_error(file, problem))?;
    Ok(PlanSource { path, text })
}

/// Reads and parses a plan file.
pub(super) fn read_plan(context: &CommandContext, file: &Path) -> CommandResult<PlanRead> {
    let PlanSource { path, text } = read_source(context, file)?;
    let parsed = if has_json_extension(&path) {
        parse_status_file(&text).map_err(|error| no_status_file_error(file, &error))?
    } else {
        parse_markdown(&text)
    };
    let plan_path = resolve_own_path(&parsed, &path);
    let id = PlanId::from_stem(&plan_file_stem(&plan_path))
        .map_err(|error| unreadable_plan_error(file, error))?;
    let plan_path_text = path_to_text(&plan_path);
    let skipped = parsed.skipped.clone();
    let plan_file =
        PlanFile { path: &file.to_string_lossy(), plan: Some(&id), is_committed: false };
    let errors = import_findings(&parsed, plan_file);
    Ok(PlanRead { plan: parsed.into_plan(id, plan_path_text), skipped, errors })
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

/// Tells whether text can only be the path of a plan file, not a plan id.
pub(super) fn is_path(text: &str) -> bool {
    let extension = Path::new(text).extension();
    let has_extension = |known| extension.is_some_and(|end| end.eq_ignore_ascii_case(known));
    text.contains(['/', '\\']) || ["md", "markdown", "json"].into_iter().any(has_extension)
}

fn has_json_extension(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("json"))
}

/// Returns the path by which the plan is identified. A status file names it, relative to the root
/// of its repository.
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

/// Returns the file name from which the plan id is made; for a file called `status`, that of its
/// folder.
fn plan_file_stem(path: &Path) -> String {
    let folder = path.parent().and_then(Path::file_name);
    let name = match path.file_stem() {
        Some(stem) if stem == "status" => folder.or(Some(stem)),
        other => other,
    };
    name.unwrap_or_default().to_string_lossy().into_owned()
}

/// Returns the paths by which a plan that is named by a file may be stored.
pub(super) fn candidate_paths(context: &CommandContext, text: &str) -> Vec<String> {
    let path = context.cwd().join(path_from_text(text));
    let real = resolve_path(context, text);
    let status_plan = has_json_extension(&real).then(|| read_plan(context, &real).ok()).flatten();
    let own = status_plan.map(|read| read.plan.path);
    own.into_iter().chain([path_to_text(&real), path_to_text(&path)]).collect()
}

/// Resolves a path, canonical if the file exists.
pub(super) fn resolve_path(context: &CommandContext, text: &str) -> PathBuf {
    let path = context.cwd().join(path_from_text(text));
    path.canonicalize().unwrap_or(path)
}

/// Finds the plan that was imported from the same file of another checkout of the repository.
/// Importing it again would make a second plan, which would be carried out twice.
pub(super) fn find_plan_of_other_checkout(
    store: &mut dyn Store,
    file: &Path,
) -> CommandResult<Option<Plan>> {
    let mut plans = store.list_plans()?.into_iter().map(|listed| listed.plan);
    Ok(plans.find(|plan| are_counterparts(file, &path_from_text(&plan.path))))
}
