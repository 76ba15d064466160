//! What is wrong with the file of a plan, or between it and the database, as divergences. Pure.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::dependencies::{ClosingDependency, find_cycles};
use super::{
    Checkbox, CheckboxRelation, Checkboxes, LineColumn, ParsedPlan, StatusFileCheck, missing_ids,
};
use crate::authority::Authority;
use crate::diagnostic::{Advice, AdviceKind, Code, Divergence, FileLine, Severity};
use crate::model::{PlanId, PlanState, PlanTaskId, PlanTaskStatus};
use crate::text::path_from_text;
use crate::text::{one_line, pluralize};

/// The longest excerpt shown, in characters.
const MAX_SHOWN_CHARS: usize = 80;

/// The file that findings are about.
#[derive(Debug, Clone, Copy)]
pub struct PlanFile<'a> {
    /// Its path as text, as it is shown.
    pub path: &'a str,
    /// The plan of the file, if the database has it.
    pub plan: Option<&'a PlanId>,
    /// Whether it is in a git repository; `trueup check --fix` writes files only there.
    pub is_committed: bool,
}

impl PlanFile<'_> {
    /// Returns the subject of findings that are not about one task.
    fn subject(self) -> String {
        self.plan.map_or_else(|| self.path.to_owned(), ToString::to_string)
    }

    /// Returns the path of the file.
    fn file(self) -> PathBuf {
        path_from_text(self.path)
    }

    /// Returns the advice to edit the file by hand and check it again.
    fn edit_advice(self, place: Option<LineColumn>) -> Advice {
        let place = match place {
            Some(place) => FileLine::new(self.path, u64::try_from(place.line).unwrap_or(0)),
            None => FileLine::whole_file(self.path),
        };
        let path = self.file();
        AdviceKind::EditPlanFile { path, place }.into()
    }

    fn fix_advice(self) -> Advice {
        AdviceKind::FixPlanFile { path: self.file() }.into()
    }

    fn import_advice(self) -> Advice {
        AdviceKind::ImportPlan { path: self.file() }.into()
    }

    fn location(self, place: Option<LineColumn>) -> String {
        match place {
            Some(LineColumn { line, column }) => format!("{}:{line}:{column}", self.path),
            None => self.path.to_owned(),
        }
    }

    /// Builds a warning about the file.
    fn warning(self, place: Option<LineColumn>, problem: &str) -> Divergence {
        let message = format!("{}: {problem}", self.location(place));
        Divergence::new(Code::FileInvalid, self.subject(), message, self.edit_advice(place))
            .with_severity(Severity::Warning)
    }
}

/// Returns the findings on wrong counts of a summary.
pub fn summary_findings(check: &StatusFileCheck, file: PlanFile<'_>) -> Vec<Divergence> {
    let finding = |wrong: &super::WrongSummaryCount| {
        let was = one_line(&wrong.written, MAX_SHOWN_CHARS);
        let problem = format!("summary.{} was {was}, should be {}", wrong.field, wrong.expected);
        file.warning(Some(wrong.position), &problem)
            .with_severity(Code::FileInvalid.severity())
            .with_values(Some(wrong.expected.to_string()), Some(was))
            .with_advice(file.fix_advice())
    };
    check.wrong_counts.iter().map(finding).collect()
}

/// Returns the findings on a status file, except those on its counts.
pub fn status_file_findings(check: &StatusFileCheck, file: PlanFile<'_>) -> Vec<Divergence> {
    let odd = check.problems.iter();
    let odd = odd.map(|oddity| file.warning(oddity.position, &oddity.problem));
    odd.chain(skipped_line_findings(&check.file, file)).collect()
}

/// Returns the errors in a file that an import accepts nevertheless.
pub fn import_findings(parsed: &ParsedPlan, file: PlanFile<'_>) -> Vec<Divergence> {
    let mut findings: Vec<Divergence> = skipped_line_findings(parsed, file)
        .filter(|finding| finding.severity == Severity::Error)
        .collect();
    for finding in &mut findings {
        if let AdviceKind::EditPlanFile { path, place } = finding.advice.kind().clone() {
            finding.advice = AdviceKind::ReimportPlan { path, place }.into();
        }
    }
    findings
}

/// Returns the findings on a file that has neither a summary nor checkboxes.
pub fn skipped_findings(parsed: &ParsedPlan, file: PlanFile<'_>) -> Vec<Divergence> {
    skipped_line_findings(parsed, file).collect()
}

/// Returns the findings on the lines that an import skips.
fn skipped_line_findings<'a>(
    parsed: &'a ParsedPlan,
    file: PlanFile<'a>,
) -> impl Iterator<Item = Divergence> + 'a {
    parsed.skipped.iter().map(move |skipped| {
        let severity = if skipped.is_error { Severity::Error } else { Severity::Warning };
        let text = one_line(&skipped.text, MAX_SHOWN_CHARS);
        let reason = one_line(&skipped.reason, 3 * MAX_SHOWN_CHARS);
        let line = LineColumn { line: skipped.line, column: 1 };
        file.warning(Some(line), &format!("{reason}: {text}"))
            .with_severity(severity)
            .with_values(None, Some(text))
    })
}

/// Returns the findings on a plan's Markdown: what does not parse, and where it differs from the
/// database.
pub fn checkbox_findings(checkboxes: &Checkboxes, file: PlanFile<'_>) -> Vec<Divergence> {
    let mut findings: Vec<Divergence> = skipped_line_findings(&checkboxes.file, file).collect();
    if checkboxes.file.tasks.is_empty() {
        findings.push(file.warning(None, "no task found"));
    }
    let missing_count = missing_ids(&checkboxes.file).count();
    if missing_count > 0 {
        let problem = format!(
            "{} in the file",
            pluralize(missing_count, "checkbox has no id", "checkboxes have no id")
        );
        findings.push(file.warning(None, &problem).with_advice(file.fix_advice()));
    }
    if file.plan.is_none() {
        let never_imported = file.warning(None, "this plan was never imported");
        findings.push(never_imported.with_advice(file.import_advice()));
        return findings;
    }
    findings.extend(checkboxes.checkboxes.iter().filter_map(|it| checkbox_finding(it, file)));
    let not_imported = checkboxes.not_imported.iter().map(|(id, place)| {
        file.warning(Some(*place), &format!("task {id} was never imported"))
            .with_subject(id.to_string())
            .with_advice(file.import_advice())
    });
    findings.extend(not_imported);
    let not_in_file = checkboxes.not_in_file.iter().map(|id| {
        let problem = format!("task {id} is in the database but not in the file");
        file.warning(None, &problem)
            .with_subject(id.to_string())
            .with_authority(Authority::Database)
    });
    findings.extend(not_in_file);
    findings
}

/// Returns the finding on a task whose checkbox and status differ.
fn checkbox_finding(checkbox: &Checkbox, file: PlanFile<'_>) -> Option<Divergence> {
    let Checkbox { id, status, in_file, .. } = checkbox;
    let place = file.location(Some(checkbox.position));
    let status_word = Some(status.as_str().to_owned());
    let checkbox_text = |mark: &str| Some(mark.to_owned());
    let mark = match in_file {
        PlanTaskStatus::Completed => "[x]",
        PlanTaskStatus::Pending => "[ ]",
        other => other.as_str(),
    };
    let (code, expected, found, message, fix) = match checkbox.relation {
        CheckboxRelation::Equal => return None,
        CheckboxRelation::FileAhead => (
            Code::FileAhead,
            checkbox_text(mark),
            status_word,
            format!(
                "task {id} is {mark} in the file but {status} in the database; the file is ahead"
            ),
            file.import_advice(),
        ),
        CheckboxRelation::DatabaseKeeps => (
            Code::FileAhead,
            status_word,
            checkbox_text(mark),
            format!(
                "task {id} is {mark} in the file but {status} in the database; the database keeps \
                     its status"
            ),
            file.edit_advice(Some(checkbox.position)),
        ),
        CheckboxRelation::Reopened => (
            Code::FileAhead,
            status_word,
            checkbox_text(mark),
            format!(
                "task {id} is {mark} in the file but was reopened in the database; open its box, \
                     or complete the task"
            ),
            file.edit_advice(Some(checkbox.position)),
        ),
        CheckboxRelation::DatabaseAhead => (
            Code::DatabaseAhead,
            status_word,
            checkbox_text(mark),
            format!(
                "task {id} is {mark} in the file but {status} in the database; the database is ahead"
            ),
            if file.is_committed {
                AdviceKind::FixCheckout.into()
            } else {
                file.edit_advice(Some(checkbox.position))
            },
        ),
    };
    let message = format!("{place}: {message}");
    let divergence = Divergence::new(code, id.to_string(), message, fix)
        .with_authority(checkbox.relation.authority())
        .with_values(expected, found);
    Some(divergence)
}

/// Returns the findings on the tasks in the database: dependencies on something that is no task of
/// the plan, and cycles. Both keep tasks from becoming available.
pub fn task_findings(state: &PlanState) -> Vec<Divergence> {
    let plan = &state.plan.id;
    let reimport_advice = || -> Advice {
        let place = FileLine::whole_file(&state.plan.path);
        let path = path_from_text(&state.plan.path);
        AdviceKind::ReimportPlan { path, place }.into()
    };
    let known: BTreeSet<&PlanTaskId> = state.tasks.iter().map(|task| &task.id).collect();
    let warning = |subject: String, message: String| {
        Divergence::new(Code::FileInvalid, subject, message, reimport_advice())
            .with_severity(Severity::Warning)
    };
    // These are findings on the tasks as the database has them.
    let finding = |id: &PlanTaskId, problem: String| {
        warning(id.to_string(), format!("task {plan}/{id} {problem}"))
            .with_authority(Authority::Database)
    };
    let mut findings = Vec::new();
    for task in &state.tasks {
        let unknown = task.depends_on.iter().filter(|id| !known.contains(id));
        findings.extend(unknown.map(|other| {
            let problem = format!("depends on {other}, which is not in the plan");
            finding(&task.id, problem).with_severity(Severity::Error)
        }));
    }
    let dependencies = state.tasks.iter().map(|task| (&task.id, &task.depends_on[..]));
    let mut more = 0_usize;
    for ClosingDependency { from, circle, .. } in find_cycles(&dependencies.collect::<Vec<_>>()) {
        match (state.tasks.get(from), circle) {
            (Some(task), Some(circle)) => {
                findings.push(finding(&task.id, format!("circular dependency: {circle}")));
            }
            _ => more += 1,
        }
    }
    if more > 0 {
        let message = format!("plan {plan}: {more} more circular dependencies");
        findings.push(warning(String::new(), message));
    }
    findings
}

#[cfg(test)]
mod tests;
