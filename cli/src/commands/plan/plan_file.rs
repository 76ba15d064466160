//! Plan files: finding and reading them.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use trueup_core::diagnostic::Divergence;
use trueup_core::fs::{read_bytes, read_text};
use trueup_core::git::Worktree;
use trueup_core::model::{NewPlan, Plan, PlanId};
use trueup_core::plan::trackers::TrackerFormat;
use trueup_core::plan::{
    ParsedPlan, PlanFile, PlanFormat, SkippedLine, StatusFileError, decided_format,
    import_findings, keep_decided_format, parse_status_file, read_markdown, read_tracker_plans,
    recognise_format,
};
use trueup_core::repos::are_counterparts;
use trueup_core::store::Store;
use trueup_core::text::lenient_json::text_from_bytes;
use trueup_core::text::{path_from_text, path_to_text};

use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, PlanCase};
use crate::commands::item::import_source;

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
    pub(super) format: PlanFormat,
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

/// Reads and parses the first plan of a file.
fn read_plan(
    context: &CommandContext,
    file: &Path,
    decided: Option<PlanFormat>,
) -> CommandResult<PlanRead> {
    let plan = read_plans(context, file, decided)?.into_iter().next();
    plan.ok_or_else(|| unreadable_plan_error(file, "no plan"))
}

/// Reads and parses the plans of a file, in the format that somebody decided or else the one that
/// it is recognised as. Only an export has more than one.
pub(super) fn read_plans(
    context: &CommandContext,
    file: &Path,
    decided: Option<PlanFormat>,
) -> CommandResult<Vec<PlanRead>> {
    let (path, plans) = parse_plans(context, file, decided)?;
    plans.into_iter().map(|parsed| build_plan(file, &path, parsed, decided)).collect()
}

fn build_plan(
    file: &Path,
    path: &Path,
    mut parsed: ParsedPlan,
    decided: Option<PlanFormat>,
) -> CommandResult<PlanRead> {
    if let Some(format) = decided {
        keep_decided_format(&mut parsed.extra, format);
    }
    let plan_path = resolve_own_path(&parsed, path);
    let id = PlanId::from_stem(&plan_file_stem(&plan_path))
        .map_err(|error| unreadable_plan_error(file, error))?;
    let plan_path_text = path_to_text(&plan_path);
    let skipped = parsed.skipped.clone();
    let plan_file =
        PlanFile { path: &file.to_string_lossy(), plan: Some(&id), is_committed: false };
    let errors = import_findings(&parsed, plan_file);
    Ok(PlanRead {
        format: parsed.format,
        plan: parsed.into_plan(id, plan_path_text),
        skipped,
        errors,
    })
}

/// Reads and parses a plan file; returns its canonical path too.
fn parse_plans(
    context: &CommandContext,
    file: &Path,
    decided: Option<PlanFormat>,
) -> CommandResult<(PathBuf, Vec<ParsedPlan>)> {
    if let Some(found) = parse_if_tracker(context, file, decided)? {
        return Ok(found);
    }
    let PlanSource { path, text } = read_source(context, file)?;
    let parsed = match decided.unwrap_or_else(|| recognise_format(&path, &text)) {
        PlanFormat::StatusJson => {
            parse_status_file(&text).map_err(|error| no_status_file_error(file, &error))?
        }
        format => read_markdown(format, &text),
    };
    Ok((path, vec![parsed]))
}

/// Reads and parses the file or the folder of a tracker; `None` if it is a file of something else,
/// or cannot be read.
pub(super) fn parse_if_tracker(
    context: &CommandContext,
    file: &Path,
    decided: Option<PlanFormat>,
) -> CommandResult<Option<(PathBuf, Vec<ParsedPlan>)>> {
    let tracker = match decided {
        Some(format) => format.tracker(),
        None => read_source(context, file)
            .ok()
            .and_then(|source| recognise_format(&source.path, &source.text).tracker()),
    };
    if tracker.is_none() && !context.cwd().join(file).is_dir() {
        return Ok(None);
    }
    parse_tracker_plans(context, file, tracker).map(Some)
}

/// Reads and parses the file or the folder of a tracker.
fn parse_tracker_plans(
    context: &CommandContext,
    file: &Path,
    tracker: Option<TrackerFormat>,
) -> CommandResult<(PathBuf, Vec<ParsedPlan>)> {
    let source = import_source::read_source(context, file, tracker)
        .map_err(|error| CommandError::new(PlanCase::PlanUnreadable, error.message))?;
    let parsed = read_tracker_plans(source.format, &source.as_files())
        .map_err(|error| CommandError::new(PlanCase::PlanUnreadable, error.to_string()))?;
    // Any folder with JSON in it looks like the one of a tracker.
    if tracker.is_none() && parsed.iter().all(|plan| plan.tasks.is_empty()) {
        return Err(unreadable_plan_error(file, "not the folder of a tracker"));
    }
    let path = source.path.canonicalize().map_err(|error| unreadable_plan_error(file, error))?;
    Ok((path, parsed))
}

/// Reads a plan file again if its plan was imported in a format that somebody decided.
pub(super) fn read_plan_as_before(
    context: &CommandContext,
    store: &mut dyn Store,
    file: &Path,
    plan_read: PlanRead,
) -> CommandResult<PlanRead> {
    let Some(id) = store.find_plan_by_path(&plan_read.plan.path)? else {
        return Ok(plan_read);
    };
    let extra = store.load_plan(&id)?.map(|state| state.plan.extra).unwrap_or_default();
    match decided_format(&extra) {
        Some(format) if format != plan_read.format => read_plan(context, file, Some(format)),
        _ => Ok(plan_read),
    }
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
            // An export of another machine names a path that may not be here.
            let in_repo =
                || Some(root.as_deref()?.join(path_from_text(parsed.repo_path.as_ref()?)));
            let own = if own.exists() { own } else { in_repo().unwrap_or(own) };
            own.canonicalize().unwrap_or(own)
        }
    }
}

/// Returns the file name from which the plan id is made; for a file called `status` or `tasks`, of
/// which a repository has many, that of its folder.
fn plan_file_stem(path: &Path) -> String {
    let is_common = |name: &OsStr| name == "status" || name == "tasks";
    let folders = path.ancestors().skip(1).filter_map(Path::file_name);
    let mut names = path.file_stem().into_iter().chain(folders);
    let name = names.find(|name| !is_common(name)).or_else(|| path.file_stem());
    name.unwrap_or_default().to_string_lossy().into_owned()
}

/// Returns the paths by which a plan that is named by a file may be stored.
pub(super) fn candidate_paths(context: &CommandContext, text: &str) -> Vec<String> {
    let path = context.cwd().join(path_from_text(text));
    let real = resolve_path(context, text);
    let status_plan =
        has_json_extension(&real).then(|| read_plan(context, &real, None).ok()).flatten();
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
