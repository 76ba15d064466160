//! The `tasks.md` of Kiro: numbered checkboxes, with details such as `_Requirements: 1.1_` below
//! them.

use serde_json::json;

use super::checklist::read_section;
use crate::model::PlanTaskId;
use crate::plan::line_rules::LineRules;
use crate::plan::outline::PlanGrammar;
use crate::plan::plan_draft::{DraftTask, Heading, PlanDraft};
use crate::plan::status_mark::MarkMeaning;

pub(super) struct KiroGrammar;

/// Returns whether a word is numbers with dots between them.
pub(super) fn is_kiro_id(word: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    word.split('.').all(is_number)
}

impl PlanGrammar for KiroGrammar {
    fn line_rules(&self) -> LineRules {
        LineRules { is_id: is_kiro_id, marks: MarkMeaning::OF_KIRO, ..LineRules::LENIENT }
    }

    fn read_heading(&mut self, draft: &mut PlanDraft, heading: Heading<'_>) {
        read_section(draft, &heading);
    }

    fn complete_task(&mut self, draft: &PlanDraft, task: &mut DraftTask<'_>) {
        if !has_separated_number(&task.whole_title) && !task.has_comment_id {
            task.id = None;
            task.title.clone_from(&task.whole_title);
        }
        if let Some(rest) = task.title.strip_prefix("(P) ") {
            task.title = rest.trim_start().to_owned();
            task.extra.insert("parallel".to_owned(), json!(true));
        }
        if task.parent.is_none() {
            task.parent = task.id.as_ref().and_then(|id| numbered_parent(draft, id));
        }
    }
}

/// Returns whether a title begins with a number that is an id: `1.2 Title` or `1. Title`, and not
/// `3 things`.
fn has_separated_number(title: &str) -> bool {
    let bare = title.trim_start_matches(['*', '_', '`']);
    let word = bare.split_whitespace().next().unwrap_or_default();
    word.contains(['.', ')', ':'])
}

/// Returns the task whose number a number begins with: of `2.1` it is `2`.
fn numbered_parent(draft: &PlanDraft, id: &PlanTaskId) -> Option<PlanTaskId> {
    let (parent, _) = id.as_str().rsplit_once('.')?;
    let parent: PlanTaskId = parent.parse().ok()?;
    draft.has_task(&parent).then_some(parent)
}
