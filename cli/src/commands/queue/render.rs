//! Phases as text and as views.

use trueup_core::model::{ItemStatus, Phase};
use trueup_core::store::PhaseChange;
use trueup_core::text::one_line;
use trueup_core::views::PhaseView;

/// Longest message shown, in characters.
pub(super) const MAX_MESSAGE_CHARS: usize = 100;

/// Renders what changed.
pub(crate) fn render_phase_move(phase_move: &PhaseChange) -> String {
    let Phase { id, name, status, .. } = &phase_move.phase;
    let reason = phase_move.phase.error_message.as_deref();
    let reason_text =
        reason.map_or(String::new(), |why| format!(": {}", one_line(why, MAX_MESSAGE_CHARS)));
    format!("{id} ({name}): {} -> {status}{reason_text}", phase_move.from)
}

pub(super) fn render_phase_line(phase: &Phase) -> String {
    let dependencies: Vec<String> = phase.depends_on.iter().map(u32::to_string).collect();
    let waits = match (phase.status, dependencies.as_slice()) {
        (ItemStatus::Queued, [_, ..]) => format!("  after {}", dependencies.join(", ")),
        _ => String::new(),
    };
    let assignee = phase.assigned_to.as_ref();
    let assignee_text = assignee.map_or(String::new(), |session| format!("  by {session}"));
    let reason = phase.error_message.as_deref();
    let reason_text =
        reason.map_or(String::new(), |why| format!("  {}", one_line(why, MAX_MESSAGE_CHARS)));
    format!(
        "{:<24} {:<9} {:<10} {:>4}{waits}{assignee_text}{reason_text}",
        phase.id.as_str(),
        phase.name,
        phase.status.as_str(),
        phase.priority
    )
}

pub(super) fn phase_views(rows: &[Phase]) -> Vec<PhaseView> {
    rows.iter().map(PhaseView::from).collect()
}
