//! `trueup handoff list` and `trueup handoff show`: hand-offs in one line, and in full.

use serde_json::json;
use trueup_core::model::{
    Handoff, HandoffElement, HandoffId, HandoffRefusal, HandoffStatus, SessionId,
};
use trueup_core::store::HandoffFilter;
use trueup_core::text::one_line;
use trueup_core::views::HandoffView;

use super::decide::refusal_to_error;
use super::render::{describe_addressee, handoff_data};
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::commands::value_text::or_none;
use crate::output::Output;
use crate::page::{Cell, Column, Line, Table, Tone};

/// Longest summary in a list, in characters.
const MAX_SUMMARY_CHARS: usize = 500;

pub(super) fn cmd_show(context: &CommandContext, id: &HandoffId) -> CommandResult {
    let handoff = context.open_for_reading()?.load_handoff(id)?;
    let handoff = handoff.ok_or_else(|| refusal_to_error(id, HandoffRefusal::NotFound))?;
    Ok(Output::page(render_handoff(context, &handoff), handoff_data(&handoff)))
}

pub(super) fn cmd_list(context: &CommandContext, all: bool) -> CommandResult {
    let handoffs = context.open_for_reading()?.list_handoffs(HandoffFilter { only_open: !all })?;
    let views: Vec<_> = handoffs.iter().map(HandoffView::from).collect();
    Ok(Output::table(
        handoff_table(context, &handoffs),
        if all {
            "no hand-offs; create one with `trueup handoff create TYPE`"
        } else {
            "no open hand-offs; create one with `trueup handoff create TYPE`"
        },
        json!({"handoffs": views}),
    ))
}

fn handoff_table(context: &CommandContext, handoffs: &[Handoff]) -> Table<8> {
    let columns = [
        Column::id("HAND-OFF"),
        Column::word("STATUS"),
        Column::word("TYPE"),
        Column::word("ITEM"),
        Column::id("FROM"),
        Column::id("TO"),
        Column::word("CREATED"),
        Column::text("SUMMARY"),
    ];
    let row = |handoff: &Handoff| {
        let summary = handoff.elements.get(HandoffElement::Summary);
        [
            handoff.id.as_str().into(),
            Cell::toned(handoff_tone(handoff.status), handoff.status.as_str()),
            handoff.kind.as_str().into(),
            handoff.item.as_str().into(),
            Cell::faint(handoff.from.as_str()),
            Cell::faint(handoff.to.as_ref().map_or("anyone", SessionId::as_str)),
            Cell::faint(context.times.render(handoff.created_at)),
            Cell::optional(summary.map(|summary| one_line(summary, MAX_SUMMARY_CHARS))),
        ]
    };
    Table::new(columns, handoffs.iter().map(row))
}

const fn handoff_tone(status: HandoffStatus) -> Tone {
    match status {
        HandoffStatus::PendingAcceptance => Tone::Active,
        HandoffStatus::Accepted => Tone::Good,
        HandoffStatus::Rejected | HandoffStatus::Blocked => Tone::Warning,
    }
}

fn render_handoff(context: &CommandContext, handoff: &Handoff) -> Vec<Line> {
    let head = Line::new(Tone::Head, format!("{} {}", handoff.kind, handoff.item))
        .and("  ")
        .with(handoff_tone(handoff.status), handoff.status.as_str())
        .with(Tone::Faint, format!("  {}", handoff.id));
    let mut text = vec![
        head,
        Line::field("from", handoff.from.as_str()),
        Line::field("to", describe_addressee(handoff)),
        Line::field(
            "created",
            format!("{}, epoch {}", context.times.render(handoff.created_at), handoff.epoch),
        ),
        Line::field("phase", or_none(handoff.phase.as_deref())),
        Line::field("task", or_none(handoff.task.as_deref())),
        Line::field("branch", or_none(handoff.branch.as_deref())),
        Line::field("worktree", or_none(handoff.worktree.as_deref())),
    ];
    for element in HandoffElement::ALL {
        let element_text = handoff.elements.get(element).unwrap_or("not given");
        let mut lines = element_text.lines();
        let first = lines.next().unwrap_or_default();
        text.push(Line::new(Tone::Head, format!("{}:", element.label())).and(format!(" {first}")));
        text.extend(lines.map(|line| Line::from(format!("  {line}"))));
    }
    if let (Some(at), Some(by)) = (handoff.decided_at, &handoff.decided_by) {
        let reason = handoff.reject_reason.as_deref();
        let reason = reason.map_or(String::new(), |reason| format!(": \"{reason}\""));
        let at = context.times.render(at);
        text.push(format!("{} by {by} {at}{reason}", handoff.status).into());
    }
    text
}
