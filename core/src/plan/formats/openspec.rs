//! The `tasks.md` of `OpenSpec`: `## 1. Name` and, below it, `- [ ] 1.1 Title`.

use super::checklist::read_section;
use crate::plan::line_rules::LineRules;
use crate::plan::outline::PlanGrammar;
use crate::plan::plan_draft::{Heading, PlanDraft, Section};

pub(super) struct OpenspecGrammar;

impl PlanGrammar for OpenspecGrammar {
    fn line_rules(&self) -> LineRules {
        LineRules::LENIENT
    }

    fn read_heading(&mut self, draft: &mut PlanDraft, heading: Heading<'_>) {
        match parse_numbered_title(heading.title).filter(|_| heading.level > 1) {
            Some((number, name)) => {
                draft.plan.phases += 1;
                let section = Section::of_phase(heading.level, Some(number), Some(name));
                draft.enter_section(&heading, section);
            }
            None => read_section(draft, &heading),
        }
    }
}

/// Parses a title such as `1. Name`.
pub(super) fn parse_numbered_title(title: &str) -> Option<(u32, &str)> {
    let after = title.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = title.strip_suffix(after)?.parse().ok()?;
    let name = after.strip_prefix(['.', ')', ':'])?;
    let starts_apart = name.is_empty() || name.starts_with(char::is_whitespace);
    starts_apart.then_some((number, name.trim()))
}
