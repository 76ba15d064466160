//! `trueup plan validate`

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use trueup_core::files::{Change, change_with_backup};
use trueup_core::files::{path_from_text, path_to_text};
use trueup_core::git::Worktree;
use trueup_core::model::PlanState;
use trueup_core::plan::{
    PlanFile, StatusCheck, apply, check_status_file, checkbox_findings, compare_checkboxes,
    missing_ids, status_file_findings, summary_findings, task_findings, written_ids,
};
use trueup_core::reconcile::{Divergence, Severity, Way};
use trueup_core::sync::now;
use trueup_core::text::counted;

use super::file::{self, LARGEST, Source};
use super::{by_file, by_id, by_name, find, named_plan, show};
use trueup_core::text::lenient::{hold, release};

use crate::args::PlanValidate;
use crate::commands::meta::check::{exit, lines};
use crate::desk::Desk;
use crate::failure::{ErrorCase, Failure};
use crate::json;
use crate::report::Answer;

/// What is checked.
struct Chosen {
    file: PathBuf,
    /// The plan, where the database has it.
    state: Option<PlanState>,
}

/// What a check of a file came to.
struct Checked {
    tasks: usize,
    divergences: Vec<Divergence>,
    summary: Value,
    fixed: Vec<Value>,
    backup: Option<PathBuf>,
    /// Lines on what was mended.
    text: Vec<String>,
}

pub(super) fn run(desk: &Desk, arguments: &PlanValidate) -> Result<Answer, Failure> {
    let named = arguments.name.as_ref().or(arguments.which.plan.as_ref());
    let named = named.map(String::as_str);
    let Chosen { file, state } = choose(desk, named)?;
    let of_tasks = state.as_ref().map(task_findings).unwrap_or_default();
    let source = file::source(desk, &file).map_err(|failure| Failure {
        divergences: of_tasks.clone(),
        ..failure
    })?;
    let shown = path_to_text(&file);
    let git = source.path.parent().and_then(Worktree::discover);
    let of = PlanFile {
        path: &shown,
        plan: state.as_ref().map(|state| &state.plan.id),
        is_committed: git.is_some(),
    };
    let mut checked = if source.is_status_file() {
        status_file(desk, &source, of, arguments.fix)?
    } else {
        markdown(desk, &source, of, state.as_ref(), arguments.fix)?
    };
    checked.divergences.extend(of_tasks);
    if let Some(root) = git.map(|git| git.root).filter(|root| root != desk.cwd()) {
        let found = checked.divergences.iter_mut();
        for finding in found.filter(|finding| *finding.fix.way() == Way::FixCheckout) {
            finding.fix.set_directory(&root);
        }
    }
    let mut text = std::mem::take(&mut checked.text);
    text.extend(lines(&checked.divergences));
    text.push(summarize(&shown, &checked));
    let data = json!({
        "plan": of.plan,
        "path": path_to_text(&source.path),
        "summary": checked.summary,
        "fixed": checked.fixed,
        "backup": checked.backup.as_deref().map(path_to_text),
    });
    Ok(Answer {
        exit: exit(&checked.divergences, arguments.strict),
        divergences: checked.divergences,
        ..Answer::new(text, data)
    })
}

/// Finds what is to be checked: the plan of an id with its file, or any file, with its plan if
/// there is one. A file needs no database.
fn choose(desk: &Desk, named: Option<&str>) -> Result<Chosen, Failure> {
    let named = named_plan(desk, named);
    let named = named.as_deref();
    let is_file = named
        .is_some_and(|text| file::is_path(text) || desk.cwd().join(path_from_text(text)).is_file());
    let mut store = match (named, desk.open()) {
        (Some(text), Err(failure)) if is_file && *failure.case == ErrorCase::DatabaseMissing => {
            return Ok(Chosen {
                file: path_from_text(text),
                state: None,
            });
        }
        (_, opened) => opened?,
    };
    let (id, file) = match named {
        None => (Some(find(desk, &mut store, None)?), None),
        Some(text) => match by_id(&mut store, text)? {
            Some(id) => (Some(id), None),
            None if is_file => (by_file(desk, &mut store, text)?, Some(text)),
            None => (Some(by_name(desk, &mut store, text)?), None),
        },
    };
    let state = id.map(|id| show::state(&mut store, &id)).transpose()?;
    let own = || state.as_ref().map(|state| path_from_text(&state.plan.path));
    let file = file.map(path_from_text).or_else(own).unwrap_or_default();
    Ok(Chosen { file, state })
}

/// Checks a status file, and mends its summary if that is asked for.
fn status_file(
    desk: &Desk,
    source: &Source,
    of: PlanFile<'_>,
    fix: bool,
) -> Result<Checked, Failure> {
    let shown = Path::new(of.path);
    let check =
        |text: &str| check_status_file(text).map_err(|error| file::no_status_file(shown, &error));
    let (mut found, mut backup) = (check(&source.text)?, None);
    // What is right is not even locked.
    if fix && !found.wrong.is_empty() {
        let lock = desk.site.settings.paths.lock_of(&source.path);
        let change = Change {
            lock: &lock,
            patience: desk.deadline().left(),
        };
        (found, backup) = change_with_backup(&source.path, LARGEST, change, now(), |bytes| {
            let text = hold(bytes).ok_or_else(|| file::unreadable(shown, "not UTF-8"))?;
            let found = check(&text)?;
            let new = release(&apply(&text, &found.edits));
            Ok::<_, Failure>((Some(new), found))
        })?;
    }
    let (mut divergences, fixed, text) = match &backup {
        None => (summary_findings(&found, of), Vec::new(), Vec::new()),
        Some(backup) => {
            let (fixed, text) = mended(&found, backup);
            (Vec::new(), fixed, text)
        }
    };
    divergences.extend(status_file_findings(&found, of));
    Ok(Checked {
        tasks: found.file.tasks.len(),
        divergences,
        summary: json!({"found": found.found(), "counted": json::plan_summary(&found.counted)}),
        fixed,
        backup,
        text,
    })
}

/// Returns what was mended, for scripts and for a person.
fn mended(found: &StatusCheck, backup: &Path) -> (Vec<Value>, Vec<String>) {
    let number = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    let wrong = found.wrong.iter();
    let rows = wrong
        .clone()
        .map(|wrong| json!({"field": wrong.field, "was": number(&wrong.was), "now": wrong.now}));
    let lines =
        wrong.map(|wrong| format!("summary.{}: {} -> {}", wrong.field, wrong.was, wrong.now));
    let kept = format!("the old file is kept as {}", backup.display());
    (rows.collect(), lines.chain([kept]).collect())
}

/// Says how many tasks there are, how many findings, and how many warnings, which are none.
fn summarize(shown: &str, checked: &Checked) -> String {
    let of = |severity| {
        let found = checked.divergences.iter();
        found.filter(|finding| finding.severity == severity).count()
    };
    let findings = of(Severity::Error);
    let warnings = match of(Severity::Warning) {
        0 => String::new(),
        warnings => format!(", {}", counted(warnings, "warning", "warnings")),
    };
    let tasks = counted(checked.tasks, "task", "tasks");
    let findings = counted(findings, "finding", "findings");
    format!("{shown}: {tasks}, {findings}{warnings}")
}

/// Checks a plan in Markdown, and writes ids to the checkboxes without one if that is asked for.
fn markdown(
    desk: &Desk,
    source: &Source,
    of: PlanFile<'_>,
    state: Option<&PlanState>,
    fix: bool,
) -> Result<Checked, Failure> {
    let tasks = state.map(|state| &state.tasks[..]).unwrap_or_default();
    let check = |text: &str| compare_checkboxes(text, tasks);
    let (mut boxes, mut backup) = (check(&source.text), None);
    let (mut fixed, mut text) = (Vec::new(), Vec::new());
    let lacking: Vec<Value> = missing_ids(&boxes.file)
        .map(|(id, line)| json!({"field": "id", "line": line, "was": null, "now": id.as_str()}))
        .collect();
    if fix && !lacking.is_empty() {
        let lock = desk.site.settings.paths.lock_of(&source.path);
        let change = Change {
            lock: &lock,
            patience: desk.deadline().left(),
        };
        let shown = Path::new(of.path);
        (boxes, backup) = change_with_backup(&source.path, LARGEST, change, now(), |bytes| {
            let old = std::str::from_utf8(bytes);
            let old = old.map_err(|_| file::unreadable(shown, "not UTF-8"))?;
            let new = apply(old, &written_ids(&check(old).file));
            Ok::<_, Failure>((Some(new.clone().into_bytes()), check(&new)))
        })?;
        text.push(format!(
            "added ids to {}",
            counted(lacking.len(), "checkbox", "checkboxes")
        ));
        text.extend(
            backup
                .iter()
                .map(|backup: &PathBuf| format!("the old file is kept as {}", backup.display())),
        );
        fixed = lacking;
    } else if fix {
        text.push("nothing to fix: every checkbox has an id".to_owned());
    }
    Ok(Checked {
        tasks: boxes.file.tasks.len(),
        divergences: checkbox_findings(&boxes, of),
        summary: Value::Null,
        fixed,
        backup,
        text,
    })
}
