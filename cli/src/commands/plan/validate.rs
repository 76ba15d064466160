//! `trueup plan validate`: findings on the file of a plan, and fixing them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use trueup_core::diagnostic::{AdviceKind, Divergence, Severity};
use trueup_core::fs::{LockedChange, change_with_backup};
use trueup_core::git::Worktree;
use trueup_core::model::PlanState;
use trueup_core::plan::{
    PlanFile, StatusFileCheck, apply_edits, check_status_file, checkbox_findings,
    compare_checkboxes, decided_format, find_reopened_tasks, format_of_plan, id_edits, missing_ids,
    recognise_format, skipped_findings, status_file_findings, summary_findings, task_findings,
};
use trueup_core::sync::now;
use trueup_core::text::lenient_json::{bytes_from_text, text_from_bytes};
use trueup_core::text::{path_from_text, path_to_text, pluralize};
use trueup_core::views::PlanSummaryView;

use super::plan_file::{self, MAX_PLAN_BYTES, PlanSource};
use super::plan_lookup::{
    find_plan_by_file, find_plan_by_id, find_plan_by_name, load_plan_state, resolve_plan,
    resolve_plan_name,
};
use super::selectors::PlanSelector;
use crate::command_context::CommandContext;
use crate::command_error::{CommandError, CommandResult, DatabaseCase};
use crate::commands::findings::{exit_code_for, render_divergences};
use crate::output::Output;
use crate::path_argument::path_text;

#[derive(Debug, Args)]
pub(crate) struct PlanValidateArgs {
    /// Plan id, or the file of a plan
    #[arg(conflicts_with = "plan", value_parser = path_text())]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) which: PlanSelector,
    /// Correct the summary of a status.json and add ids to checkboxes without one; the old file is
    /// kept next to it
    #[arg(long)]
    pub(crate) fix: bool,
    /// Treat warnings as findings
    #[arg(long)]
    pub(crate) strict: bool,
}

/// The file to check.
struct PlanTarget {
    file: PathBuf,
    /// The plan, if the database has it.
    state: Option<PlanState>,
}

/// The result of checking a file.
struct FileCheck {
    tasks: usize,
    divergences: Vec<Divergence>,
    summary: Value,
    fixed: Vec<Value>,
    backup: Option<PathBuf>,
    /// Lines on what was fixed.
    text: Vec<String>,
}

pub(super) fn cmd_validate(
    context: &CommandContext,
    arguments: &PlanValidateArgs,
) -> CommandResult {
    let plan_name = arguments.name.as_ref().or(arguments.which.plan.as_ref());
    let plan_name = plan_name.map(String::as_str);
    let PlanTarget { file, state } = choose_target(context, plan_name, arguments.which.all_repos)?;
    let task_divergences = state.as_ref().map(task_findings).unwrap_or_default();
    let shown_path = path_to_text(&file);
    let path = plan_file::resolve_path(context, &shown_path);
    let git = path.parent().and_then(Worktree::discover);
    let plan_file = PlanFile {
        path: &shown_path,
        plan: state.as_ref().map(|state| &state.plan.id),
        is_committed: git.is_some(),
    };
    let mut file_check = check_file(context, plan_file, state.as_ref(), arguments.fix)
        .map_err(|error| CommandError { divergences: task_divergences.clone(), ..error })?;
    file_check.divergences.extend(task_divergences);
    if let Some(root) = git.map(|git| git.root).filter(|root| root != context.cwd()) {
        let found = file_check.divergences.iter_mut();
        for finding in found.filter(|finding| *finding.advice.kind() == AdviceKind::FixCheckout) {
            finding.advice.set_directory(&root);
        }
    }
    let mut text = std::mem::take(&mut file_check.text);
    text.extend(render_divergences(&file_check.divergences));
    text.push(render_summary(&shown_path, &file_check));
    let data = json!({
        "plan": plan_file.plan,
        "path": path_to_text(&path),
        "summary": file_check.summary,
        "fixed": file_check.fixed,
        "backup": file_check.backup.as_deref().map(path_to_text),
    });
    Ok(Output {
        exit_code: exit_code_for(&file_check.divergences, arguments.strict),
        divergences: file_check.divergences,
        ..Output::new(text, data)
    })
}

/// Resolves the file to check and its plan, by plan id or by file. A file needs neither a plan nor
/// a database.
fn choose_target(
    context: &CommandContext,
    plan_name: Option<&str>,
    all_repos: bool,
) -> CommandResult<PlanTarget> {
    let plan_name = resolve_plan_name(context, plan_name);
    let plan_name = plan_name.as_deref();
    let is_file = plan_name.is_some_and(|text| {
        plan_file::is_path(text) || context.cwd().join(path_from_text(text)).is_file()
    });
    let mut store = match (plan_name, context.open_for_reading()) {
        (Some(text), Err(failure)) if is_file && failure.is(&DatabaseCase::DatabaseMissing) => {
            return Ok(PlanTarget { file: path_from_text(text), state: None });
        }
        (_, opened) => opened?,
    };
    let store = &mut *store;
    let (id, file) = match plan_name {
        None => {
            let which = PlanSelector { plan: None, all_repos };
            (Some(resolve_plan(context, store, &which)?), None)
        }
        Some(text) => match find_plan_by_id(store, text)? {
            Some(id) => (Some(id), None),
            None if is_file => (find_plan_by_file(context, store, text)?, Some(text)),
            None => (Some(find_plan_by_name(context, store, text)?), None),
        },
    };
    let state = id.map(|id| load_plan_state(store, &id)).transpose()?;
    let plan_file_path = || state.as_ref().map(|state| path_from_text(&state.plan.path));
    let file = file.map(path_from_text).or_else(plan_file_path).unwrap_or_default();
    Ok(PlanTarget { file, state })
}

/// Checks a file in the format of its plan.
fn check_file(
    context: &CommandContext,
    plan_file: PlanFile<'_>,
    state: Option<&PlanState>,
    fix: bool,
) -> CommandResult<FileCheck> {
    let file = path_from_text(plan_file.path);
    let decided = state.and_then(|state| decided_format(&state.plan.extra));
    if let Some((_, plans)) = plan_file::parse_if_tracker(context, &file, decided)? {
        return Ok(FileCheck {
            tasks: plans.iter().map(|parsed| parsed.tasks.len()).sum(),
            divergences: plans
                .iter()
                .flat_map(|parsed| skipped_findings(parsed, plan_file))
                .collect(),
            summary: Value::Null,
            fixed: Vec::new(),
            backup: None,
            text: Vec::new(),
        });
    }
    let source = plan_file::read_source(context, &file)?;
    if source.is_status_file() {
        check_status_plan(context, &source, plan_file, fix)
    } else {
        check_markdown_plan(context, &source, plan_file, state, fix)
    }
}

/// Checks a status file, and with `fix` corrects its summary.
fn check_status_plan(
    context: &CommandContext,
    source: &PlanSource,
    plan_file: PlanFile<'_>,
    fix: bool,
) -> CommandResult<FileCheck> {
    let shown_path = Path::new(plan_file.path);
    let check = |text: &str| {
        check_status_file(text).map_err(|error| plan_file::no_status_file_error(shown_path, &error))
    };
    let (mut status_check, mut backup) = (check(&source.text)?, None);
    // A correct file is not locked.
    if fix && !status_check.wrong_counts.is_empty() {
        (status_check, backup) = change_plan_file(context, source, |bytes| {
            let text = text_from_bytes(bytes)
                .ok_or_else(|| plan_file::unreadable_plan_error(shown_path, "not UTF-8"))?;
            let status_check = check(&text)?;
            Ok((bytes_from_text(&apply_edits(&text, &status_check.edits)), status_check))
        })?;
    }
    let (mut divergences, fixed, text) = match &backup {
        None => (summary_findings(&status_check, plan_file), Vec::new(), Vec::new()),
        Some(backup) => {
            let (fixed, text) = render_summary_fixes(&status_check, backup);
            (Vec::new(), fixed, text)
        }
    };
    divergences.extend(status_file_findings(&status_check, plan_file));
    Ok(FileCheck {
        tasks: status_check.file.tasks.len(),
        divergences,
        summary: json!({"found": status_check.written_summary(), "counted": PlanSummaryView::from(&status_check.counted)}),
        fixed,
        backup,
        text,
    })
}

/// Returns the corrected numbers as views and as lines.
fn render_summary_fixes(
    status_check: &StatusFileCheck,
    backup: &Path,
) -> (Vec<Value>, Vec<String>) {
    let number = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    let wrong = status_check.wrong_counts.iter();
    let rows = wrong.clone().map(
        |wrong| json!({"field": wrong.field, "was": number(&wrong.written), "now": wrong.expected}),
    );
    let lines = wrong
        .map(|wrong| format!("summary.{}: {} -> {}", wrong.field, wrong.written, wrong.expected));
    (rows.collect(), lines.chain([render_kept_file(backup)]).collect())
}

fn render_kept_file(backup: &Path) -> String {
    format!("the old file is kept as {}", backup.display())
}

/// Changes a plan file under its lock. Returns what `decide` makes of the bytes in it, and the
/// backup of the old file.
fn change_plan_file<T>(
    context: &CommandContext,
    source: &PlanSource,
    mut decide: impl FnMut(&[u8]) -> CommandResult<(Vec<u8>, T)>,
) -> CommandResult<(T, Option<PathBuf>)> {
    let lock = context.run.settings.paths.lock_of(&source.path);
    let change = LockedChange { lock: &lock, patience: context.deadline().remaining() };
    change_with_backup(&source.path, MAX_PLAN_BYTES, change, &now().to_compact_text(), |bytes| {
        decide(bytes).map(|(new, decided)| (Some(new), decided))
    })
}

/// Renders the numbers of tasks, findings and warnings. Warnings do not count as findings.
fn render_summary(shown_path: &str, file_check: &FileCheck) -> String {
    let count_of = |severity| {
        let found = file_check.divergences.iter();
        found.filter(|finding| finding.severity == severity).count()
    };
    let findings = count_of(Severity::Error);
    let warnings = match count_of(Severity::Warning) {
        0 => String::new(),
        warnings => format!(", {}", pluralize(warnings, "warning", "warnings")),
    };
    let tasks = pluralize(file_check.tasks, "task", "tasks");
    let findings = pluralize(findings, "finding", "findings");
    format!("{shown_path}: {tasks}, {findings}{warnings}")
}

/// Checks a plan in Markdown, and with `fix` writes ids to checkboxes without one.
fn check_markdown_plan(
    context: &CommandContext,
    source: &PlanSource,
    plan_file: PlanFile<'_>,
    state: Option<&PlanState>,
    fix: bool,
) -> CommandResult<FileCheck> {
    let tasks = state.map(|state| &state.tasks[..]).unwrap_or_default();
    let recognise = |text: &str| match state {
        Some(state) => format_of_plan(&state.plan, text),
        None => recognise_format(&source.path, text),
    };
    let compare = |text: &str| compare_checkboxes(recognise(text), text, tasks);
    let reopened = match state {
        Some(state) if !compare(&source.text).ahead_in_file.is_empty() => {
            let store = &mut *context.open_for_reading()?;
            find_reopened_tasks(store, &state.plan.id, &compare(&source.text))?
        }
        _ => BTreeSet::new(),
    };
    let check = |text: &str| {
        let mut checkboxes = compare(text);
        checkboxes.mark_reopened(&reopened);
        checkboxes
    };
    let (mut checkboxes, mut backup) = (check(&source.text), None);
    let (mut fixed, mut text) = (Vec::new(), Vec::new());
    let missing_id_rows: Vec<Value> = missing_ids(&checkboxes.file)
        .map(|(id, line)| json!({"field": "id", "line": line, "was": null, "now": id.as_str()}))
        .collect();
    if fix && !missing_id_rows.is_empty() {
        let shown_path = Path::new(plan_file.path);
        (checkboxes, backup) = change_plan_file(context, source, |bytes| {
            let old = std::str::from_utf8(bytes);
            let old = old.map_err(|_| plan_file::unreadable_plan_error(shown_path, "not UTF-8"))?;
            let new = apply_edits(old, &id_edits(&check(old).file));
            let checkboxes = check(&new);
            Ok((new.into_bytes(), checkboxes))
        })?;
        text.push(format!(
            "added ids to {}",
            pluralize(missing_id_rows.len(), "checkbox", "checkboxes")
        ));
        text.extend(backup.as_deref().map(render_kept_file));
        fixed = missing_id_rows;
    } else if fix {
        text.push("nothing to fix: every checkbox has an id".to_owned());
    }
    Ok(FileCheck {
        tasks: checkboxes.file.tasks.len(),
        divergences: checkbox_findings(&checkboxes, plan_file),
        summary: Value::Null,
        fixed,
        backup,
        text,
    })
}
