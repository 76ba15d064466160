//! Tells which format a file has, by its path and by what stands in it.

use std::path::Path;

use serde_json::{Map, Value};

use super::recognise_json::{recognise_json, recognise_json_lines};
use super::task_heading::{TaskHeading, headings_with_status};
use super::{PlanFormat, gsd, kiro, openspec, spec_kit, trueup};
use crate::model::Plan;
use crate::plan::line_rules::LineRules;
use crate::plan::source_lines::SourceLines;
use crate::plan::task_field::{FieldKind, parse_field};
use crate::plan::task_line::{PlanLine, parse_line};
use crate::text::path_from_text;

/// Returns the format of a file: of those that fit, the most specific one.
pub fn recognise_format(path: &Path, text: &str) -> PlanFormat {
    let has_extension =
        |name: &str| path.extension().is_some_and(|end| end.eq_ignore_ascii_case(name));
    if has_extension("json") {
        return recognise_json(path, text);
    }
    if has_extension("jsonl") {
        return recognise_json_lines(text);
    }
    if is_backlog_task(path, text) {
        return PlanFormat::Backlog;
    }
    FormatSigns::collect(text).choose_format(path)
}

/// Returns whether a file is a task of Backlog.md: one with a front matter, in the folder of tasks
/// or with the id of a task.
fn is_backlog_task(path: &Path, text: &str) -> bool {
    let Some(front_matter) = text.strip_prefix("---").filter(|rest| rest.starts_with(['\n', '\r']))
    else {
        return false;
    };
    let is_in = |folder: &str| path.components().any(|part| part.as_os_str() == folder);
    let mut keys = front_matter.lines().skip(1).take_while(|line| line.trim_end() != "---");
    let has_task_id = keys.any(|line| {
        let id = line.strip_prefix("id:").unwrap_or_default().trim().trim_matches(['"', '\'']);
        id.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("task-"))
    });
    has_task_id || is_in("backlog") && (is_in("tasks") || is_in("completed") || is_in("drafts"))
}

/// The field of a plan that names the format that its file is read as. Only there if somebody
/// decided it.
const FORMAT_KEY: &str = "planFormat";

/// Returns the format of the file of a plan that was imported.
pub fn format_of_plan(plan: &Plan, text: &str) -> PlanFormat {
    decided_format(&plan.extra)
        .unwrap_or_else(|| recognise_format(&path_from_text(&plan.path), text))
}

/// Returns the format that somebody decided.
pub fn decided_format(extra: &Map<String, Value>) -> Option<PlanFormat> {
    extra.get(FORMAT_KEY)?.as_str()?.parse().ok()
}

/// Keeps the format that somebody decided among the fields of a plan.
pub fn keep_decided_format(extra: &mut Map<String, Value>, format: PlanFormat) {
    extra.insert(FORMAT_KEY.to_owned(), Value::from(format.as_str()));
}

/// What the lines of a file in Markdown have that tells its format.
#[derive(Debug, Default)]
struct FormatSigns {
    /// Lines with a checkbox.
    boxes: usize,
    /// Of these, those with an id such as `T001`.
    spec_kit_ids: usize,
    /// Those with a number and a dot, as in `1. Title`.
    numbered_boxes: usize,
    /// Those with numbers with a dot between them, as in `1.2 Title`.
    dotted_boxes: usize,
    /// Those below a heading with the same number, as `1.2` is below `## 1. Name`.
    boxes_of_numbered_headings: usize,
    /// Those with the name of a plan, such as `01-02`.
    gsd_plans: usize,
    /// Those that are a phase.
    phase_boxes: usize,
    /// `_Requirements: …_`.
    requirements: usize,
    task_headings: usize,
    task_elements: usize,
    phases: usize,
    /// Headings that look like a phase and have no whole number.
    odd_phases: usize,
    /// Those of `Phase 2.1`.
    decimal_phases: usize,
    boxes_in_phases: usize,
    /// Of these, those with an id.
    ids_in_phases: usize,
}

impl FormatSigns {
    fn collect(text: &str) -> Self {
        let mut signs =
            Self { task_headings: headings_with_status(text).count(), ..Self::default() };
        let mut heading_number = None;
        // The level of the phase that the line is in.
        let mut phase_level = None;
        for line in SourceLines::new(text) {
            if let Some((level, title)) = line.heading() {
                signs.add_heading(level, title);
                heading_number = openspec::parse_numbered_title(title).map(|(number, _)| number);
                let is_phase = level > 1 && trueup::parse_phase_title(title).is_some();
                if is_phase {
                    phase_level = Some(level);
                } else if phase_level.is_some_and(|phase| level <= phase) {
                    phase_level = None;
                }
            } else if let PlanLine::Task(task) = parse_line(line.text, &LineRules::LENIENT) {
                signs.boxes_in_phases += usize::from(phase_level.is_some());
                signs.ids_in_phases += usize::from(phase_level.is_some() && task.id.is_some());
                signs.add_box(&task.whole_title, heading_number);
            } else {
                signs.task_elements += usize::from(gsd::is_task_element(line.text));
                let field = parse_field(line.text).map(|field| field.kind);
                let is_detail =
                    line.text.trim_start_matches(['-', '*', ' ', '\t']).starts_with('_');
                let is_requirement = field == Some(FieldKind::Requirements) && is_detail;
                signs.requirements += usize::from(is_requirement);
            }
        }
        signs
    }

    fn add_heading(&mut self, level: usize, title: &str) {
        if level < 2 {
            return;
        }
        self.task_headings += usize::from(TaskHeading::parse(title).is_some());
        match trueup::parse_phase_title(title) {
            Some(Ok(_)) => self.phases += 1,
            Some(Err(())) => {
                self.odd_phases += 1;
                self.decimal_phases += usize::from(gsd::parse_phase(title).is_some());
            }
            None => {}
        }
    }

    fn add_box(&mut self, title: &str, heading_number: Option<u32>) {
        let title = title.trim_start_matches(['*', '_', '`']);
        let first = title.split_whitespace().next().unwrap_or_default();
        let first = first.strip_prefix('[').and_then(|id| id.strip_suffix(']')).unwrap_or(first);
        let word = first.trim_end_matches([':', '.', ')', '*', '_', '`']);
        let is_number = kiro::is_kiro_id(word);
        let begins_with =
            |number: u32| word.split('.').next().is_some_and(|part| part.parse() == Ok(number));
        let of_heading = is_number && word.contains('.') && heading_number.is_some_and(begins_with);
        self.boxes += 1;
        self.spec_kit_ids += usize::from(spec_kit::is_spec_kit_id(word));
        self.numbered_boxes += usize::from(is_number && !word.contains('.') && word != first);
        self.dotted_boxes += usize::from(is_number && word.contains('.'));
        self.boxes_of_numbered_headings += usize::from(of_heading);
        self.gsd_plans += usize::from(gsd::is_plan_id(word));
        self.phase_boxes += usize::from(gsd::parse_phase(title).is_some());
    }

    fn choose_format(&self, path: &Path) -> PlanFormat {
        let is_in = |folder: &str| path.components().any(|part| part.as_os_str() == folder);
        let numbered = self.numbered_boxes + self.dotted_boxes;
        let is_kiro = self.requirements > 0 || is_in(".kiro");
        let is_gsd = self.gsd_plans + self.task_elements > 0 || is_in(".planning");
        if self.spec_kit_ids * 2 > self.boxes {
            PlanFormat::SpecKit
        } else if is_kiro && numbered > 0
            || self.numbered_boxes > 1 && self.dotted_boxes > 0 && numbered * 2 > self.boxes
        {
            PlanFormat::Kiro
        } else if is_gsd && self.phase_boxes + self.gsd_plans + self.task_elements > 0 {
            PlanFormat::Gsd
        } else if self.boxes_of_numbered_headings * 2 > self.boxes
            || is_in("openspec") && self.boxes > 0 && self.task_headings == 0
        {
            PlanFormat::Openspec
        } else if self.task_headings > 0 {
            PlanFormat::TaskHeadings
        } else if self.decimal_phases > 0 && self.phase_boxes > 0 {
            PlanFormat::Gsd
        } else if self.phases > 0 && self.odd_phases == 0 && self.has_tasks_in_phases() {
            PlanFormat::Trueup
        } else {
            PlanFormat::Checklist
        }
    }

    /// Returns whether the phases are what has the tasks, and not a part of the file among others:
    /// all checkboxes stand in them, or those in them have ids and set themselves apart.
    const fn has_tasks_in_phases(&self) -> bool {
        let have_ids = self.boxes_in_phases > 0 && self.ids_in_phases * 2 >= self.boxes_in_phases;
        self.boxes_in_phases == self.boxes || have_ids && self.boxes_in_phases * 2 >= self.boxes
    }
}
