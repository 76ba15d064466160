//! The original's plans: `## Phase N: name` and, below it, `- [ ] N.N title`.

use crate::plan::line_rules::LineRules;
use crate::plan::outline::PlanGrammar;
use crate::plan::plan_draft::{Heading, PlanDraft, Section};
use crate::plan::source_lines::{SourceLine, SourceLines};
use crate::plan::task_line::has_unique_numbers;

/// In a plan with phases only their checkboxes are tasks, and others are lists of something else;
/// in a plan without phases every checkbox is a task.
pub(super) struct TrueupGrammar {
    has_phases: bool,
    /// Whether the number of `1. Title` is an id.
    has_number_ids: bool,
}

impl TrueupGrammar {
    pub(super) fn new(text: &str) -> Self {
        let has_phases = SourceLines::new(text).any(is_phase);
        let has_number_ids = has_unique_numbers(text, &LineRules::STRICT);
        Self { has_phases, has_number_ids }
    }
}

/// Returns whether a line is the heading of a phase, or looks like one.
fn is_phase(line: SourceLine<'_>) -> bool {
    line.heading().is_some_and(|(level, title)| level > 1 && parse_phase_title(title).is_some())
}

impl PlanGrammar for TrueupGrammar {
    fn line_rules(&self) -> LineRules {
        LineRules { has_number_ids: self.has_number_ids, ..LineRules::STRICT }
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn read_heading(&mut self, draft: &mut PlanDraft, heading: Heading<'_>) {
        let Heading { line, level, title } = heading;
        match parse_phase_title(title).filter(|_| level > 1) {
            Some(Ok((number, name))) => {
                draft.plan.phases += 1;
                let section = Section::of_phase(level, Some(number), name.as_deref());
                draft.enter_section(&heading, section);
            }
            Some(Err(())) => {
                draft.skip_line(line, "not a phase heading such as ## Phase 1: name");
                draft.enter_section(&heading, Section::of_heading(&heading));
            }
            // A heading of a lower level belongs to the phase.
            None if draft.section.is_phase && level > draft.section.level => draft.leave_tasks(),
            None => draft.enter_section(&heading, Section::of_heading(&heading)),
        }
    }

    fn refuse_box(&self, draft: &PlanDraft, _has_id: bool) -> Option<String> {
        if !self.has_phases || draft.section.is_phase {
            return None;
        }
        Some(match &draft.section.title {
            None => "before the first phase".to_owned(),
            Some(heading) => format!("under {heading:?}, which is not a phase"),
        })
    }
}

/// Parses the number and the name of a phase. `None` if the title is not about a phase, an error if
/// it only looks like one.
pub(in crate::plan) fn parse_phase_title(title: &str) -> Option<Result<(u32, Option<String>), ()>> {
    const EMPHASIS: [char; 3] = ['*', '_', '`'];
    const SEPARATORS: [char; 6] = [':', '.', ')', '-', '–', '—'];
    let title = title.trim_matches(EMPHASIS);
    let (word, rest) = title.split_at_checked("phase".len())?;
    if !word.eq_ignore_ascii_case("phase") || !rest.starts_with(char::is_whitespace) {
        return None;
    }
    let rest = rest.trim_start().trim_start_matches(EMPHASIS);
    let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = rest.strip_suffix(after).unwrap_or_default();
    let name = after.trim_start_matches(EMPHASIS);
    let name = name.strip_prefix(SEPARATORS).unwrap_or(name);
    let is_separated = name.is_empty() || name.starts_with(|c: char| !c.is_ascii_digit());
    let is_separated = is_separated && !after.starts_with(char::is_alphanumeric);
    let Some(number) = number.parse().ok().filter(|_| is_separated) else {
        return Some(Err(()));
    };
    let name = name.trim().trim_start_matches(EMPHASIS).trim_start();
    let name = name.strip_prefix(['-', '–', '—']).unwrap_or(name).trim();
    Some(Ok((number, Some(name.to_owned()).filter(|n| !n.is_empty()))))
}
