//! Plans of the database whose Markdown files are in the checkout.

use std::path::Path;

use super::checkout_files::MAX_PLAN_BYTES;
use crate::fs::read_text;
use crate::model::PlanId;
use crate::plan::{
    Checkboxes, PlanFormat, compare_checkboxes, find_reopened_tasks, format_of_plan,
};
use crate::store::{Result, Store};
use crate::text::{path_from_text, path_to_text};

/// The file of a plan, compared with the database.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanCheckboxes {
    /// Its path, from the root of the repository.
    pub path: String,
    /// The plan.
    pub plan: PlanId,
    /// How its file is written.
    pub format: PlanFormat,
    /// Its checkboxes.
    pub checkboxes: Checkboxes,
    /// The text of the file; empty if no checkbox is to be changed.
    pub text: String,
}

/// Reads the plans of a checkout. Files that cannot be read are left to `trueup plan validate`.
pub(super) fn read_plan_files(store: &mut dyn Store, root: &Path) -> Result<Vec<PlanCheckboxes>> {
    let mut files = Vec::new();
    for listed in store.list_plans()? {
        let path = &path_from_text(&listed.plan.path);
        let is_markdown = path.extension().is_none_or(|end| !end.eq_ignore_ascii_case("json"));
        let Some(relative) = path.strip_prefix(root).ok().filter(|_| is_markdown) else {
            continue;
        };
        let Ok(text) = read_text(path, MAX_PLAN_BYTES, false) else {
            continue;
        };
        let Some(state) = store.load_plan(&listed.plan.id)? else {
            continue;
        };
        let format = format_of_plan(&listed.plan, &text);
        if !format.is_markdown() {
            continue;
        }
        let mut checkboxes = compare_checkboxes(format, &text, &state.tasks);
        checkboxes.mark_reopened(&find_reopened_tasks(store, &listed.plan.id, &checkboxes)?);
        let is_edited = !checkboxes.edits.is_empty();
        files.push(PlanCheckboxes {
            path: path_to_text(relative),
            plan: listed.plan.id,
            format,
            checkboxes,
            text: if is_edited { text } else { String::new() },
        });
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}
