//! Cells that several tables have: statuses with their tones, and times.

use trueup_core::model::{ItemStatus, LivenessState, PlanTaskStatus, Session, SessionStatus};

use crate::page::{Cell, Tone};

/// Makes the cell of the status of an item or a phase.
pub(super) fn item_status(status: ItemStatus) -> Cell {
    Cell::toned(item_tone(status), status.as_str())
}

/// Returns the tone of the status of an item or a phase.
pub(super) const fn item_tone(status: ItemStatus) -> Tone {
    match status {
        ItemStatus::Queued | ItemStatus::Ready => Tone::Plain,
        ItemStatus::Running => Tone::Active,
        ItemStatus::Blocked => Tone::Warning,
        ItemStatus::Completed => Tone::Good,
        ItemStatus::Failed => Tone::Error,
        ItemStatus::Cancelled => Tone::Faint,
    }
}

/// Returns the tone of the status of a task of a plan.
pub(super) const fn task_tone(status: PlanTaskStatus) -> Tone {
    match status {
        PlanTaskStatus::Pending => Tone::Plain,
        PlanTaskStatus::InProgress => Tone::Active,
        PlanTaskStatus::Completed => Tone::Good,
        PlanTaskStatus::Failed => Tone::Error,
        PlanTaskStatus::Skipped => Tone::Faint,
    }
}

/// Makes the cell of the status of a session.
pub(super) fn session_status(session: &Session) -> Cell {
    Cell::toned(session_tone(session.status), session.status.as_str())
}

/// Returns the tone of the status of a session.
pub(super) const fn session_tone(status: SessionStatus) -> Tone {
    match status {
        SessionStatus::Active => Tone::Good,
        SessionStatus::Idle => Tone::Plain,
        SessionStatus::Ended => Tone::Faint,
        SessionStatus::Lost => Tone::Warning,
    }
}

/// Makes the cell of whether a process lives.
pub(super) fn liveness(state: LivenessState) -> Cell {
    let tone = match state {
        LivenessState::Alive => Tone::Good,
        LivenessState::Dead => Tone::Faint,
        LivenessState::Unknown => Tone::Plain,
    };
    Cell::toned(tone, state.as_str())
}
