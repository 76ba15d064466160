//! What is wrong with a plan's file, or between it and the database, as findings. Pure.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::dependencies::{Closing, circles};
use super::{Checkbox, Checkboxes, ParsedPlan, Place, Standing, StatusCheck, missing_ids};
use crate::files::path_from_text;
use crate::model::{PlanId, PlanState, PlanTaskId};
use crate::reconcile::{Advice, Code, Divergence, FileLine, Severity, Way};
use crate::text::{counted, one_line};

/// Longest excerpt shown, in characters.
const LONGEST: usize = 80;

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
    fn edited(self, place: Option<Place>) -> Advice {
        let place = match place {
            Some(place) => FileLine::new(self.path, u64::try_from(place.line).unwrap_or(0)),
            None => FileLine::whole(self.path),
        };
        let path = self.file();
        Way::EditPlanFile { path, place }.into()
    }

    fn fixed(self) -> Advice {
        Way::FixPlanFile { path: self.file() }.into()
    }

    fn imported(self) -> Advice {
        Way::ImportPlan { path: self.file() }.into()
    }

    fn at(self, place: Option<Place>) -> String {
        match place {
            Some(Place { line, column }) => format!("{}:{line}:{column}", self.path),
            None => self.path.to_owned(),
        }
    }

    /// Makes the finding on something that is odd, and stops nobody.
    fn remark(self, place: Option<Place>, problem: &str) -> Divergence {
        let message = format!("{}: {problem}", self.at(place));
        Divergence {
            subject: self.subject(),
            ..remark(message, self.edited(place))
        }
    }
}

fn remark(message: String, fix: Advice) -> Divergence {
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
pub fn summary_findings(check: &StatusCheck, file: PlanFile<'_>) -> Vec<Divergence> {
    let finding = |wrong: &super::WrongCount| {
        let was = one_line(&wrong.was, LONGEST);
        Divergence {
            severity: Code::F02.severity(),
            expected: Some(wrong.now.to_string()),
            found: Some(was.clone()),
            fix: file.fixed(),
            ..file.remark(
                Some(wrong.place),
                &format!("summary.{} was {was}, should be {}", wrong.field, wrong.now),
            )
        }
    };
    check.wrong.iter().map(finding).collect()
}

/// Returns the findings on a status file beside those on its numbers.
pub fn status_file_findings(check: &StatusCheck, file: PlanFile<'_>) -> Vec<Divergence> {
    let odd = check.odd.iter();
    let odd = odd.map(|oddity| file.remark(oddity.place, &oddity.problem));
    odd.chain(skipped(&check.file, file)).collect()
}

/// Returns the errors of a file that an import takes in all the same.
pub fn import_findings(parsed: &ParsedPlan, file: PlanFile<'_>) -> Vec<Divergence> {
    let mut found: Vec<Divergence> = skipped(parsed, file)
        .filter(|finding| finding.severity == Severity::Error)
        .collect();
    for finding in &mut found {
        if let Way::EditPlanFile { path, place } = finding.fix.way().clone() {
            finding.fix = Way::ReimportPlan { path, place }.into();
        }
    }
    found
}

/// Returns the findings on what an import skips.
fn skipped<'a>(
    parsed: &'a ParsedPlan,
    file: PlanFile<'a>,
) -> impl Iterator<Item = Divergence> + 'a {
    parsed.skipped.iter().map(move |skipped| {
        let severity = if skipped.is_error {
            Severity::Error
        } else {
            Severity::Warning
        };
        let text = one_line(&skipped.text, LONGEST);
        let reason = one_line(&skipped.reason, 3 * LONGEST);
        let line = Place {
            line: skipped.line,
            column: 1,
        };
        Divergence {
            severity,
            found: Some(text.clone()),
            ..file.remark(Some(line), &format!("{reason}: {text}"))
        }
    })
}

/// Returns the findings on a plan's Markdown: what does not parse, and what stands otherwise
/// in the database.
pub fn checkbox_findings(boxes: &Checkboxes, file: PlanFile<'_>) -> Vec<Divergence> {
    let mut found: Vec<Divergence> = skipped(&boxes.file, file).collect();
    if boxes.file.tasks.is_empty() {
        found.push(file.remark(None, "no task found"));
    }
    let lacking = missing_ids(&boxes.file).count();
    if lacking > 0 {
        found.push(Divergence {
            fix: file.fixed(),
            ..file.remark(
                None,
                &format!(
                    "{} in the file",
                    counted(lacking, "checkbox has no id", "checkboxes have no id")
                ),
            )
        });
    }
    if file.plan.is_none() {
        found.push(Divergence {
            fix: file.imported(),
            ..file.remark(None, "this plan was never imported")
        });
        return found;
    }
    found.extend(boxes.compared.iter().filter_map(|it| compared(it, file)));
    let alone = boxes.not_imported.iter().map(|(id, place)| Divergence {
        subject: id.to_string(),
        fix: file.imported(),
        ..file.remark(Some(*place), &format!("task {id} was never imported"))
    });
    found.extend(alone);
    let absent = boxes.not_in_file.iter().map(|id| Divergence {
        subject: id.to_string(),
        authority: "database",
        ..file.remark(
            None,
            &format!("task {id} is in the database but not in the file"),
        )
    });
    found.extend(absent);
    found
}

/// Returns the finding on a task whose checkbox and status differ.
fn compared(it: &Checkbox, file: PlanFile<'_>) -> Option<Divergence> {
    let Checkbox { id, status, .. } = it;
    let place = file.at(Some(it.place));
    let word = Some(status.as_str().to_owned());
    let boxed = |mark: &str| Some(mark.to_owned());
    let (code, authority, expected, found, message, fix) = match it.standing {
        Standing::Equal => return None,
        Standing::FileAhead => (
            Code::C10,
            "file",
            boxed("[x]"),
            word,
            format!("task {id} is [x] in the file but {status} in the database; the file is ahead"),
            file.imported(),
        ),
        Standing::DatabaseKeeps => (
            Code::C10,
            "database",
            word,
            boxed("[x]"),
            format!(
                "task {id} is [x] in the file but {status} in the database; the database keeps \
                     its status"
            ),
            file.edited(Some(it.place)),
        ),
        Standing::DatabaseAhead => (
            Code::C15,
            "database",
            word,
            boxed("[ ]"),
            format!(
                "task {id} is [ ] in the file but {status} in the database; the database is ahead"
            ),
            if file.is_committed {
                Way::FixCheckout.into()
            } else {
                file.edited(Some(it.place))
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
    let reimported = || -> Advice {
        let place = FileLine::whole(&state.plan.path);
        let path = path_from_text(&state.plan.path);
        Way::ReimportPlan { path, place }.into()
    };
    let known: BTreeSet<&PlanTaskId> = state.tasks.iter().map(|task| &task.id).collect();
    let finding = |id: &PlanTaskId, problem: String| Divergence {
        subject: id.to_string(),
        authority: "database",
        ..remark(format!("task {plan}/{id} {problem}"), reimported())
    };
    let mut found = Vec::new();
    for task in &state.tasks {
        let unknown = task.depends_on.iter().filter(|id| !known.contains(id));
        found.extend(unknown.map(|other| {
            let problem = format!("depends on {other}, which is not in the plan");
            Divergence {
                severity: Severity::Error,
                ..finding(&task.id, problem)
            }
        }));
    }
    let graph = state
        .tasks
        .iter()
        .map(|task| (&task.id, &task.depends_on[..]));
    let mut more = 0_usize;
    for Closing { from, circle, .. } in circles(&graph.collect::<Vec<_>>()) {
        match (state.tasks.get(from), circle) {
            (Some(task), Some(circle)) => {
                found.push(finding(&task.id, format!("circular dependency: {circle}")));
            }
            _ => more += 1,
        }
    }
    if more > 0 {
        let message = format!("plan {plan}: {more} more circular dependencies");
        found.push(remark(message, reimported()));
    }
    found
}

#[cfg(test)]
mod tests;
