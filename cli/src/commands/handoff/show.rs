//! `trueup handoff list` and `trueup handoff show`

use serde_json::json;
use trueup_core::model::{Element, Handoff, HandoffId, HandoffRefusal};
use trueup_core::store::{HandoffFilter, HandoffStore as _};
use trueup_core::text::one_line;

use super::decide::refused;
use super::{addressee, one};
use crate::commands::or_none;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::json;
use crate::report::Answer;

/// Longest summary in a list, in characters.
const LONGEST: usize = 80;

pub(super) fn show(desk: &Desk, id: &HandoffId) -> Result<Answer, Failure> {
    let handoff = desk.open()?.handoff(id)?;
    let handoff = handoff.ok_or_else(|| refused(id, HandoffRefusal::NotFound))?;
    Ok(Answer::new(whole(&handoff), one(&handoff)))
}

pub(super) fn list(desk: &Desk, all: bool) -> Result<Answer, Failure> {
    let handoffs = desk.open()?.handoffs(HandoffFilter { open: !all })?;
    let mut text: Vec<String> = handoffs.iter().map(line).collect();
    if text.is_empty() {
        text.push("no open hand-offs; create one with `trueup handoff create TYPE`".to_owned());
    }
    let rows: Vec<_> = handoffs.iter().map(json::handoff).collect();
    let answer = Answer::new(text, json!({"handoffs": rows}));
    Ok(if handoffs.is_empty() {
        answer
    } else {
        answer.columns(&format!(
            "{:<12} {:<18} {:<20} ITEM  FROM -> TO  SUMMARY",
            "HAND-OFF", "STATUS", "TYPE"
        ))
    })
}

fn line(handoff: &Handoff) -> String {
    let summary = handoff.elements.get(Element::Summary).unwrap_or_default();
    format!(
        "{} {:<18} {:<20} {}  {} -> {}  {}",
        handoff.id.as_str(),
        handoff.status.as_str(),
        handoff.kind.as_str(),
        handoff.item,
        handoff.from,
        addressee(handoff),
        one_line(summary, LONGEST)
    )
    .trim_end()
    .to_owned()
}

fn whole(handoff: &Handoff) -> Vec<String> {
    let mut text = vec![
        line(handoff),
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
    for element in Element::ALL {
        let said = handoff.elements.get(element).unwrap_or("not given");
        let mut lines = said.lines();
        let first = lines.next().unwrap_or_default();
        text.push(format!("{}: {first}", element.words()));
        text.extend(lines.map(|line| format!("  {line}")));
    }
    if let (Some(at), Some(by)) = (handoff.decided_at, &handoff.decided_by) {
        let reason = handoff.reject_reason.as_deref();
        let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
        text.push(format!("{} at {at} by {by}{reason}", handoff.status));
    }
    text
}
