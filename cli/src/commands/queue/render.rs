//! Phases as text and as views.

use trueup_core::model::{ItemStatus, Phase};
use trueup_core::store::PhaseChange;
use trueup_core::text::one_line;
use trueup_core::views::PhaseView;

use crate::commands::cells;
use crate::page::{Cell, Column, Line, Table, Tone};

/// Longest message shown, in characters.
pub(super) const MAX_MESSAGE_CHARS: usize = 500;

/// Renders what changed.
pub(crate) fn render_phase_move(phase_move: &PhaseChange) -> String {
    let Phase { id, name, status, .. } = &phase_move.phase;
    let reason = phase_move.phase.error_message.as_deref();
    let reason_text =
        reason.map_or(String::new(), |why| format!(": {}", one_line(why, MAX_MESSAGE_CHARS)));
    format!("{id} ({name}): {} -> {status}{reason_text}", phase_move.from)
}

/// Makes the table of phases.
pub(super) fn phase_table<'a>(phases: impl IntoIterator<Item = &'a Phase>) -> Table<7> {
    let columns = [
        Column::word("PHASE"),
        Column::word("NAME"),
        Column::word("STATUS"),
        Column::number("PRIO"),
        Column::word("AFTER"),
        Column::id("BY"),
        Column::text("REASON"),
    ];
    Table::new(columns, phases.into_iter().map(phase_row))
}

fn phase_row(phase: &Phase) -> [Cell; 7] {
    let reason = phase.error_message.as_deref();
    [
        phase.id.as_str().into(),
        phase.name.as_str().into(),
        cells::item_status(phase.status),
        phase.priority.to_string().into(),
        awaited_phases(phase).map_or_else(Cell::absent, Cell::new),
        phase.assigned_to.as_ref().map_or_else(Cell::absent, |by| Cell::faint(by.as_str())),
        Cell::optional(reason.map(|why| one_line(why, MAX_MESSAGE_CHARS))),
    ]
}

/// Returns the numbers of the phases that a queued one waits for.
fn awaited_phases(phase: &Phase) -> Option<String> {
    let numbers: Vec<String> = phase.depends_on.iter().map(u32::to_string).collect();
    let is_waiting = phase.status == ItemStatus::Queued && !numbers.is_empty();
    is_waiting.then(|| numbers.join(","))
}

/// Renders a phase in one line, after a text such as `added `.
pub(super) fn phase_line(before: &str, phase: &Phase) -> Line {
    let mut line = Line::from(before).with(Tone::Head, phase.id.as_str());
    line = line.and(format!("  {}  (", phase.name));
    line = line.with(cells::item_tone(phase.status), phase.status.as_str());
    if let Some(numbers) = awaited_phases(phase) {
        line = line.and(format!(", after {numbers}"));
    }
    if let Some(session) = &phase.assigned_to {
        line = line.and(format!(", by {session}"));
    }
    let reason = phase.error_message.as_deref().map(|why| one_line(why, MAX_MESSAGE_CHARS));
    line.and(reason.map_or_else(|| ")".to_owned(), |reason| format!(", \"{reason}\")")))
}

pub(super) fn phase_views(rows: &[Phase]) -> Vec<PhaseView> {
    rows.iter().map(PhaseView::from).collect()
}
