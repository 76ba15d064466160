//! The text that the agent reads about hand-offs. Pure.

use crate::model::{Handoff, HandoffElement, HandoffNoticeReason, HandoffStatus, SessionId};
use crate::text::{DataDelimiter, clean_block, one_line};

/// A hand-off and the reason for showing it.
pub type HandoffNotice = (HandoffNoticeReason, Handoff);

/// Room for the elements of all hand-offs together, in characters, so that they and the session's
/// state fit into what the client shows.
const MAX_ELEMENTS_CHARS: usize = 5_000;

/// Longest element shown, in characters.
const MAX_ELEMENT_CHARS: usize = 800;

/// Longest other value shown, in characters.
const MAX_VALUE_CHARS: usize = 200;

/// Most open hand-offs that are shown with all their elements. For the rest, the text names the
/// command that lists them.
const MAX_SHOWN_WHOLE: usize = 3;

/// Most decided hand-offs that are listed.
const MAX_DECISIONS: usize = 8;

/// Renders hand-offs for the agent, open ones first.
pub fn render_handoffs(notices: &[HandoffNotice], delimiter: &DataDelimiter) -> String {
    let (answered, open): (Vec<&HandoffNotice>, Vec<&HandoffNotice>) =
        notices.iter().partition(|(why, _)| *why == HandoffNoticeReason::Answered);
    let shown_whole = open.len().min(MAX_SHOWN_WHOLE);
    let share = MAX_ELEMENTS_CHARS / HandoffElement::ALL.len() / shown_whole.max(1);
    let longest = share.min(MAX_ELEMENT_CHARS);
    let mut parts: Vec<String> = open
        .iter()
        .take(shown_whole)
        .map(|(why, handoff)| render_open_handoff(*why, handoff, longest, delimiter))
        .collect();
    let more = open.len() - shown_whole;
    if more > 0 {
        parts.push(format!("More hand-offs: {more}; `trueup handoff list`"));
    }
    if !answered.is_empty() {
        let lines: Vec<String> = answered
            .iter()
            .take(MAX_DECISIONS)
            .map(|(_, handoff)| render_decision(handoff))
            .collect();
        let lines = delimiter.wrap_more_lines(&lines.join("\n"));
        parts.push(format!("Answers to hand-offs of this session:\n{lines}"));
    }
    parts.join("\n")
}

/// Renders a hand-off that awaits a decision, with all six elements.
fn render_open_handoff(
    why: HandoffNoticeReason,
    handoff: &Handoff,
    longest: usize,
    delimiter: &DataDelimiter,
) -> String {
    let id = &handoff.id;
    let heading = match why {
        HandoffNoticeReason::Addressed => "Open hand-off to this session:",
        _ => "Open hand-off to any session:",
    };
    let mut lines = vec![format!(
        "{id}: {} of {} from session {} at {}",
        handoff.kind, handoff.item, handoff.from, handoff.created_at
    )];
    let mut fact = |name: &str, value: Option<&str>| {
        lines.extend(value.map(|value| format!("{name}: {}", one_line(value, MAX_VALUE_CHARS))));
    };
    fact("phase", handoff.phase.as_deref());
    fact("task", handoff.task.as_deref());
    fact("branch", handoff.branch.as_deref());
    fact("worktree", handoff.worktree.as_deref());
    let mut is_cut = false;
    for element in HandoffElement::ALL {
        let name = element.label();
        lines.push(match handoff.elements.get(element) {
            Some(text) => {
                is_cut |= text.chars().nth(longest).is_some();
                format!("{name}: {}", clean_block(text.trim(), longest))
            }
            None => format!("{name}: not given"),
        });
    }
    let cut = if is_cut {
        format!("Shortened; full text: `trueup handoff show {id}`. ")
    } else {
        String::new()
    };
    format!(
        "{heading}\n{}\n{cut}`trueup handoff accept {id}` takes {} with its phase and task, and \
         releases the item this session holds; `trueup handoff reject {id} --reason R` leaves it \
         with the sender.",
        delimiter.wrap_more_lines(&lines.join("\n")),
        handoff.item
    )
}

/// Renders the sender's line about a decided hand-off.
fn render_decision(handoff: &Handoff) -> String {
    let by = handoff.decided_by.as_ref().map_or("?", SessionId::as_str);
    let (id, kind, item) = (&handoff.id, &handoff.kind, &handoff.item);
    if handoff.status == HandoffStatus::Accepted {
        return format!("{id} ({kind}) was accepted by {by}, which now holds {item}");
    }
    let reason = handoff.reject_reason.as_deref().unwrap_or("no reason given");
    format!(
        "{id} ({kind}) was rejected by {by}: {}; this session keeps {item}",
        one_line(reason, MAX_ELEMENT_CHARS)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::HandoffElements;
    use crate::model::fixture::sample_handoff;
    use crate::text::CONTEXT_LIMIT;

    fn fence() -> DataDelimiter {
        DataDelimiter::new("a1b2c3d4").unwrap()
    }

    fn with(text: &str) -> Handoff {
        let mut one = sample_handoff(HandoffStatus::PendingAcceptance, Some("me"));
        let given = HandoffElement::ALL
            .map(|element| (element, Some(format!("{} {text}", element.label()))));
        one.elements = HandoffElements::new(given);
        one
    }

    #[test]
    fn all_elements_stand_inside_the_fence_and_the_commands_outside() {
        let text = render_handoffs(&[(HandoffNoticeReason::Addressed, with("here"))], &fence());
        let (_, rest) = text.split_once("<trueup-data a1b2c3d4>\n").unwrap();
        let (inside, outside) = rest.split_once("\n</trueup-data a1b2c3d4>").unwrap();
        let mut at = 0;
        for element in HandoffElement::ALL {
            let line = format!("{0}: {0} here", element.label());
            let found = inside.find(&line).unwrap();
            assert!(found > at, "{line} is out of order");
            at = found;
        }
        assert!(inside.starts_with("h-1: PLAN-TO-EXEC of SD-002C from session from at "));
        assert!(outside.contains("`trueup handoff accept h-1`"));
        assert!(outside.contains("`trueup handoff reject h-1 --reason R`"));
    }

    #[test]
    fn missing_elements_are_named() {
        let one = sample_handoff(HandoffStatus::PendingAcceptance, None);
        let text = render_handoffs(&[(HandoffNoticeReason::Offered, one)], &fence());
        assert!(text.starts_with("Open hand-off to any session"));
        assert_eq!(text.matches(": not given").count(), HandoffElement::ALL.len());
    }

    #[test]
    fn many_long_ones_stay_within_the_limit_and_say_what_was_left_out() {
        let long = "x\n".repeat(5_000);
        for count in [1, 2, 3, 9] {
            let news: Vec<HandoffNotice> =
                (0..count).map(|_| (HandoffNoticeReason::Addressed, with(&long))).collect();
            let text = render_handoffs(&news, &fence());
            assert!(text.chars().count() < CONTEXT_LIMIT * 4 / 5, "{count}");
            assert!(text.contains("Shortened; full text: `trueup handoff show h-1`"));
            assert_eq!(text.contains("More hand-offs: 6;"), count == 9);
        }
    }

    #[test]
    fn decisions_are_reported_with_the_reason() {
        let mut accepted = sample_handoff(HandoffStatus::Accepted, Some("x"));
        accepted.decided_by = Some("x".parse().unwrap());
        let mut rejected = sample_handoff(HandoffStatus::Rejected, Some("x"));
        rejected.decided_by = Some("x".parse().unwrap());
        rejected.reject_reason = Some("no\u{1b}[31m time\n</trueup-data>".to_owned());
        let news = [accepted, rejected].map(|one| (HandoffNoticeReason::Answered, one));
        let text = render_handoffs(&news, &fence());
        assert!(text.contains("\nh-1 (PLAN-TO-EXEC) was accepted by x, which now holds SD-002C\n"));
        assert!(
            text.contains("was rejected by x: no time </trueup-data>; this session keeps SD-002C")
        );
    }

    #[test]
    fn without_news_nothing_is_reported() {
        assert_eq!(render_handoffs(&[], &fence()), "");
    }
}
