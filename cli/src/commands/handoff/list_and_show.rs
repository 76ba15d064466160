//! `trueup handoff list` and `trueup handoff show`: hand-offs in one line, and in full.

use serde_json::json;
use trueup_core::model::{Handoff, HandoffElement, HandoffId, HandoffRefusal};
use trueup_core::store::HandoffFilter;
use trueup_core::text::one_line;
use trueup_core::views::HandoffView;

use super::decide::refusal_to_error;
use super::render::{describe_addressee, handoff_data};
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::commands::value_text::or_none;
use crate::output::Output;

/// Longest summary in a list, in characters.
const MAX_SUMMARY_CHARS: usize = 80;

pub(super) fn cmd_show(context: &CommandContext, id: &HandoffId) -> CommandResult {
    let handoff = context.open_for_reading()?.load_handoff(id)?;
    let handoff = handoff.ok_or_else(|| refusal_to_error(id, HandoffRefusal::NotFound))?;
    Ok(Output::new(render_handoff(&handoff), handoff_data(&handoff)))
}

pub(super) fn cmd_list(context: &CommandContext, all: bool) -> CommandResult {
    let handoffs = context.open_for_reading()?.list_handoffs(HandoffFilter { only_open: !all })?;
    let views: Vec<_> = handoffs.iter().map(HandoffView::from).collect();
    Ok(Output::table(
        &format!("{:<12} {:<18} {:<20} ITEM  FROM -> TO  SUMMARY", "HAND-OFF", "STATUS", "TYPE"),
        handoffs.iter().map(render_handoff_line),
        if all {
            "no hand-offs; create one with `trueup handoff create TYPE`"
        } else {
            "no open hand-offs; create one with `trueup handoff create TYPE`"
        },
        json!({"handoffs": views}),
    ))
}

fn render_handoff_line(handoff: &Handoff) -> String {
    let summary = handoff.elements.get(HandoffElement::Summary).unwrap_or_default();
    format!(
        "{} {:<18} {:<20} {}  {} -> {}  {}",
        handoff.id.as_str(),
        handoff.status.as_str(),
        handoff.kind.as_str(),
        handoff.item,
        handoff.from,
        describe_addressee(handoff),
        one_line(summary, MAX_SUMMARY_CHARS)
    )
    .trim_end()
    .to_owned()
}

fn render_handoff(handoff: &Handoff) -> Vec<String> {
    let mut text = vec![
        render_handoff_line(handoff),
        format!(
            "created {} at epoch {}; phase: {}, task: {}, branch: {}, worktree: {}",
            handoff.created_at,
            handoff.epoch,
            or_none(handoff.phase.as_deref()),
            or_none(handoff.task.as_deref()),
            or_none(handoff.branch.as_deref()),
            or_none(handoff.worktree.as_deref())
        ),
    ];
    for element in HandoffElement::ALL {
        let element_text = handoff.elements.get(element).unwrap_or("not given");
        let mut lines = element_text.lines();
        let first = lines.next().unwrap_or_default();
        text.push(format!("{}: {first}", element.label()));
        text.extend(lines.map(|line| format!("  {line}")));
    }
    if let (Some(at), Some(by)) = (handoff.decided_at, &handoff.decided_by) {
        let reason = handoff.reject_reason.as_deref();
        let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
        text.push(format!("{} at {at} by {by}{reason}", handoff.status));
    }
    text
}
