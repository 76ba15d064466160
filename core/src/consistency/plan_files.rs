//! Plans of the database whose Markdown lies in the checkout.

use std::path::Path;

use super::checkout_files::MAX_PLAN_BYTES;
use crate::fs::read_text;
use crate::model::PlanId;
use crate::plan::{Checkboxes, compare_checkboxes};
use crate::store::{Result, Store};
use crate::text::{path_from_text, path_to_text};

/// A plan's file, compared with the database.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanCheckboxes {
    /// Its path, from the repository's root.
    pub path: String,
    /// The plan it is of.
    pub plan: PlanId,
    /// Its checkboxes.
    pub checkboxes: Checkboxes,
    /// What it says, where something is to be written into it.
    pub text: String,
}

/// Reads the plans of a checkout. What of them cannot be read is a matter of
/// `trueup plan validate`.
pub(super) fn read_plan_files(store: &mut dyn Store, root: &Path) -> Result<Vec<PlanCheckboxes>> {
    let mut sheets = Vec::new();
    for listed in store.list_plans()? {
        let path = &path_from_text(&listed.plan.path);
        let is_markdown = path
            .extension()
            .is_none_or(|end| !end.eq_ignore_ascii_case("json"));
        let Some(own) = path.strip_prefix(root).ok().filter(|_| is_markdown) else {
            continue;
        };
        let Ok(text) = read_text(path, MAX_PLAN_BYTES, false) else {
            continue;
        };
        let Some(state) = store.load_plan(&listed.plan.id)? else {
            continue;
        };
        let boxes = compare_checkboxes(&text, &state.tasks);
        let is_written = !boxes.edits.is_empty();
        sheets.push(PlanCheckboxes {
            path: path_to_text(own),
            plan: listed.plan.id,
            checkboxes: boxes,
            text: if is_written { text } else { String::new() },
        });
    }
    sheets.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sheets)
}
