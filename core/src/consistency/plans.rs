//! Plans of the database whose Markdown lies in the checkout.

use std::path::Path;

use super::files::LARGEST_PLAN;
use crate::files::read_text;
use crate::files::{path_from_text, path_to_text};
use crate::model::PlanId;
use crate::plan::{Checkboxes, compare_checkboxes};
use crate::store::{Result, Store};

/// A plan's file, compared with the database.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanSheet {
    /// Its path, from the repository's root.
    pub path: String,
    /// The plan it is of.
    pub plan: PlanId,
    /// Its checkboxes.
    pub boxes: Checkboxes,
    /// What it says, where something is to be written into it.
    pub text: String,
}

/// Reads the plans of a checkout. What of them cannot be read is a matter of
/// `trueup plan validate`.
pub(super) fn read(store: &mut dyn Store, root: &Path) -> Result<Vec<PlanSheet>> {
    let mut sheets = Vec::new();
    for listed in store.plans()? {
        let path = &path_from_text(&listed.plan.path);
        let is_markdown = path
            .extension()
            .is_none_or(|end| !end.eq_ignore_ascii_case("json"));
        let Some(own) = path.strip_prefix(root).ok().filter(|_| is_markdown) else {
            continue;
        };
        let Ok(text) = read_text(path, LARGEST_PLAN, false) else {
            continue;
        };
        let Some(state) = store.plan(&listed.plan.id)? else {
            continue;
        };
        let boxes = compare_checkboxes(&text, &state.tasks);
        let is_written = !boxes.edits.is_empty();
        sheets.push(PlanSheet {
            path: path_to_text(own),
            plan: listed.plan.id,
            boxes,
            text: if is_written { text } else { String::new() },
        });
    }
    sheets.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sheets)
}
