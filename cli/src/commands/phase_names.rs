//! Names of phases as people type them.

use trueup_core::model::phase::PhaseName;

/// Asks about an own name that looks like a usual one with a typing error. The name counts all the
/// same: a project may call a phase what it likes.
pub(super) fn warn_of_typing_error(name: &PhaseName) -> Option<String> {
    let intended = name.find_intended()?;
    Some(format!("{name} is a phase of its own; did you mean {intended}?"))
}
