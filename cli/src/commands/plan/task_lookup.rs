//! Finding a task of a plan by its id, or by a beginning that names one.

use trueup_core::model::{PlanId, PlanTaskId};
use trueup_core::store::Store;
use trueup_core::text::CommandLine;

use super::plan_lookup::load_plan_state;
use crate::command_context::{find_by_prefix, is_beginning_of_key};
use crate::command_error::CommandResult;

/// Finds the id that a text names: the same one, or the only one of the plan that begins so. A text
/// that names none stays as it is.
pub(super) fn find_task_id(
    store: &mut dyn Store,
    plan: &PlanId,
    id: &PlanTaskId,
) -> CommandResult<PlanTaskId> {
    // An id that is written in full costs no reading of the whole plan.
    if store.load_plan_task(plan, id)?.is_some() {
        return Ok(id.clone());
    }
    let state = load_plan_state(store, plan)?;
    let ids = state.tasks.iter().map(|task| task.id.as_str());
    let list = CommandLine::new("trueup plan status").with_word(plan.as_str());
    let found = find_by_prefix(id.as_str(), ids, is_beginning_of_task, list)?;
    Ok(found.and_then(|found| found.parse().ok()).unwrap_or_else(|| id.clone()))
}

/// Tells whether a text is the beginning of the id of a task. A number is none: task 1 is another
/// one than its part 1.2.
fn is_beginning_of_task(beginning: &str, id: &str) -> bool {
    if beginning.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return false;
    }
    if is_made_from_title(id) {
        return id.starts_with(beginning);
    }
    is_beginning_of_key(beginning, id)
}

/// Tells whether an id was made for a checkbox without one, such as `t-b32b45b5`. Its digits are no
/// number.
fn is_made_from_title(id: &str) -> bool {
    let digits = id.strip_prefix("t-").unwrap_or_default();
    digits.len() >= 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_id_is_cut_anywhere_and_a_number_nowhere() {
        for (beginning, id, expected) in [
            ("t-b32", "t-b32b45b5", true),
            ("t-b3", "t-b32b45b5", true),
            ("t-c", "t-b32b45b5", false),
            ("1", "1.2", false),
            ("1.", "1.2", false),
            ("T00", "T001", false),
            ("T1", "T10", false),
            ("T", "T001", true),
            ("VERIFY", "VERIFY-1", true),
        ] {
            assert_eq!(is_beginning_of_task(beginning, id), expected, "{beginning} {id}");
        }
    }
}
