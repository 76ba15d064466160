//! What is wrong with a plan's file, or between it and the database, as findings. Pure.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::dependencies::{ClosingDependency, find_cycles};
use super::{
    Checkbox, CheckboxRelation, Checkboxes, LineColumn, ParsedPlan, StatusFileCheck, missing_ids,
};
use crate::model::{PlanId, PlanState, PlanTaskId};
use crate::reconcile::{Advice, Code, Divergence, FileLine, Severity, Way};
use crate::text::path_from_text;
use crate::text::{one_line, pluralize};

/// Longest excerpt shown, in characters.
const MAX_SHOWN_CHARS: usize = 80;

/// Which file findings are about.
#[derive(Debug, Clone, Copy)]
pub struct PlanFile<'a> {
    /// Its name, as it is shown.
    pub path: &'a str,
    /// The plan it is of, if the database has it.
    pub plan: Option<&'a PlanId>,
    /// Whether it lies in a git repository, in which alone `trueup check --fix` writes files.
    pub is_committed: bool,
}

impl PlanFile<'_> {
    /// Names what a finding is about that no task is.
    fn subject(self) -> String {
        self.plan
            .map_or_else(|| self.path.to_owned(), ToString::to_string)
    }

    /// Returns the path that its name stands for.
    fn file(self) -> PathBuf {
        path_from_text(self.path)
    }

    /// A person edits it, and it is checked again.
    fn edit_advice(self, place: Option<LineColumn>) -> Advice {
        let place = match place {
            Some(place) => FileLine::new(self.path, u64::try_from(place.line).unwrap_or(0)),
            None => FileLine::whole_file(self.path),
        };
        let path = self.file();
        Way::EditPlanFile { path, place }.into()
    }

    fn fix_advice(self) -> Advice {
        Way::FixPlanFile { path: self.file() }.into()
    }

    fn import_advice(self) -> Advice {
        Way::ImportPlan { path: self.file() }.into()
    }

    fn location(self, place: Option<LineColumn>) -> String {
        match place {
            Some(LineColumn { line, column }) => format!("{}:{line}:{column}", self.path),
            None => self.path.to_owned(),
        }
    }

    /// Makes the finding on something that is odd, and stops nobody.
    fn warning(self, place: Option<LineColumn>, problem: &str) -> Divergence {
        let message = format!("{}: {problem}", self.location(place));
        Divergence {
            subject: self.subject(),
            ..build_warning(message, self.edit_advice(place))
        }
    }
}

fn build_warning(message: String, fix: Advice) -> Divergence {
    Divergence {
        code: Code::F02,
        severity: Severity::Warning,
        subject: String::new(),
        authority: "file",
        expected: None,
        found: None,
        message,
        fix,
    }
}

/// Returns the findings on the numbers of a summary that are wrong.
pub fn summary_findings(check: &StatusFileCheck, file: PlanFile<'_>) -> Vec<Divergence> {
    let finding = |wrong: &super::WrongSummaryCount| {
        let was = one_line(&wrong.written, MAX_SHOWN_CHARS);
        Divergence {
            severity: Code::F02.severity(),
            expected: Some(wrong.expected.to_string()),
            found: Some(was.clone()),
            fix: file.fix_advice(),
            ..file.warning(
                Some(wrong.position),
                &format!(
                    "summary.{} was {was}, should be {}",
                    wrong.field, wrong.expected
                ),
            )
        }
    };
    check.wrong_counts.iter().map(finding).collect()
}

/// Returns the findings on a status file beside those on its numbers.
pub fn status_file_findings(check: &StatusFileCheck, file: PlanFile<'_>) -> Vec<Divergence> {
    let odd = check.problems.iter();
    let odd = odd.map(|oddity| file.warning(oddity.position, &oddity.problem));
    odd.chain(skipped_line_findings(&check.file, file))
        .collect()
}

/// Returns the errors of a file that an import takes in all the same.
pub fn import_findings(parsed: &ParsedPlan, file: PlanFile<'_>) -> Vec<Divergence> {
    let mut findings: Vec<Divergence> = skipped_line_findings(parsed, file)
        .filter(|finding| finding.severity == Severity::Error)
        .collect();
    for finding in &mut findings {
        if let Way::EditPlanFile { path, place } = finding.fix.way().clone() {
            finding.fix = Way::ReimportPlan { path, place }.into();
        }
    }
    findings
}

/// Returns the findings on what an import skips.
fn skipped_line_findings<'a>(
    parsed: &'a ParsedPlan,
    file: PlanFile<'a>,
) -> impl Iterator<Item = Divergence> + 'a {
    parsed.skipped.iter().map(move |skipped| {
        let severity = if skipped.is_error {
            Severity::Error
        } else {
            Severity::Warning
        };
        let text = one_line(&skipped.text, MAX_SHOWN_CHARS);
        let reason = one_line(&skipped.reason, 3 * MAX_SHOWN_CHARS);
        let line = LineColumn {
            line: skipped.line,
            column: 1,
        };
        Divergence {
            severity,
            found: Some(text.clone()),
            ..file.warning(Some(line), &format!("{reason}: {text}"))
        }
    })
}

/// Returns the findings on a plan's Markdown: what does not parse, and what stands otherwise
/// in the database.
pub fn checkbox_findings(checkboxes: &Checkboxes, file: PlanFile<'_>) -> Vec<Divergence> {
    let mut findings: Vec<Divergence> = skipped_line_findings(&checkboxes.file, file).collect();
    if checkboxes.file.tasks.is_empty() {
        findings.push(file.warning(None, "no task found"));
    }
    let missing_count = missing_ids(&checkboxes.file).count();
    if missing_count > 0 {
        findings.push(Divergence {
            fix: file.fix_advice(),
            ..file.warning(
                None,
                &format!(
                    "{} in the file",
                    pluralize(missing_count, "checkbox has no id", "checkboxes have no id")
                ),
            )
        });
    }
    if file.plan.is_none() {
        findings.push(Divergence {
            fix: file.import_advice(),
            ..file.warning(None, "this plan was never imported")
        });
        return findings;
    }
    findings.extend(
        checkboxes
            .checkboxes
            .iter()
            .filter_map(|it| checkbox_finding(it, file)),
    );
    let not_imported = checkboxes
        .not_imported
        .iter()
        .map(|(id, place)| Divergence {
            subject: id.to_string(),
            fix: file.import_advice(),
            ..file.warning(Some(*place), &format!("task {id} was never imported"))
        });
    findings.extend(not_imported);
    let not_in_file = checkboxes.not_in_file.iter().map(|id| Divergence {
        subject: id.to_string(),
        authority: "database",
        ..file.warning(
            None,
            &format!("task {id} is in the database but not in the file"),
        )
    });
    findings.extend(not_in_file);
    findings
}

/// Returns the finding on a task whose checkbox and status differ.
fn checkbox_finding(checkbox: &Checkbox, file: PlanFile<'_>) -> Option<Divergence> {
    let Checkbox { id, status, .. } = checkbox;
    let place = file.location(Some(checkbox.position));
    let status_word = Some(status.as_str().to_owned());
    let checkbox_text = |mark: &str| Some(mark.to_owned());
    let (code, authority, expected, found, message, fix) = match checkbox.relation {
        CheckboxRelation::Equal => return None,
        CheckboxRelation::FileAhead => (
            Code::C10,
            "file",
            checkbox_text("[x]"),
            status_word,
            format!("task {id} is [x] in the file but {status} in the database; the file is ahead"),
            file.import_advice(),
        ),
        CheckboxRelation::DatabaseKeeps => (
            Code::C10,
            "database",
            status_word,
            checkbox_text("[x]"),
            format!(
                "task {id} is [x] in the file but {status} in the database; the database keeps \
                     its status"
            ),
            file.edit_advice(Some(checkbox.position)),
        ),
        CheckboxRelation::DatabaseAhead => (
            Code::C15,
            "database",
            status_word,
            checkbox_text("[ ]"),
            format!(
                "task {id} is [ ] in the file but {status} in the database; the database is ahead"
            ),
            if file.is_committed {
                Way::FixCheckout.into()
            } else {
                file.edit_advice(Some(checkbox.position))
            },
        ),
    };
    Some(Divergence {
        code,
        severity: code.severity(),
        subject: id.to_string(),
        authority,
        expected,
        found,
        message: format!("{place}: {message}"),
        fix,
    })
}

/// Returns the findings on the tasks as the database has them: dependencies on what is no
/// task, which hold their task up, and circles, which hold everything up.
pub fn task_findings(state: &PlanState) -> Vec<Divergence> {
    let plan = &state.plan.id;
    let reimport_advice = || -> Advice {
        let place = FileLine::whole_file(&state.plan.path);
        let path = path_from_text(&state.plan.path);
        Way::ReimportPlan { path, place }.into()
    };
    let known: BTreeSet<&PlanTaskId> = state.tasks.iter().map(|task| &task.id).collect();
    let finding = |id: &PlanTaskId, problem: String| Divergence {
        subject: id.to_string(),
        authority: "database",
        ..build_warning(format!("task {plan}/{id} {problem}"), reimport_advice())
    };
    let mut findings = Vec::new();
    for task in &state.tasks {
        let unknown = task.depends_on.iter().filter(|id| !known.contains(id));
        findings.extend(unknown.map(|other| {
            let problem = format!("depends on {other}, which is not in the plan");
            Divergence {
                severity: Severity::Error,
                ..finding(&task.id, problem)
            }
        }));
    }
    let dependencies = state
        .tasks
        .iter()
        .map(|task| (&task.id, &task.depends_on[..]));
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
        findings.push(build_warning(message, reimport_advice()));
    }
    findings
}

#[cfg(test)]
mod tests;
