//! What a model is told of hand-offs. Pure.

use crate::model::{Element, Handoff, HandoffNews, HandoffStatus, SessionId};
use crate::text::{Fence, block, one_line};

/// A hand-off, with why it is told.
pub type News = (HandoffNews, Handoff);

/// Room for the elements of all hand-offs of one emission, in characters: beside the state of
/// the session they stay within what the client shows whole.
const ROOM: usize = 5_000;

/// Longest element shown, in characters.
const LONGEST_ELEMENT: usize = 800;

/// Longest other value shown, in characters.
const LONGEST: usize = 200;

/// Most hand-offs to be decided that are shown with their elements; of more, the command is
/// named that lists them.
const MOST_WHOLE: usize = 3;

/// Most decisions told at once.
const MOST_DECISIONS: usize = 8;

/// Writes what a model is told of hand-offs, the most important first.
pub fn handed_on(news: &[News], fence: &Fence) -> String {
    let (answered, open): (Vec<&News>, Vec<&News>) = news
        .iter()
        .partition(|(why, _)| *why == HandoffNews::Answered);
    let whole = open.len().min(MOST_WHOLE);
    let share = ROOM / Element::ALL.len() / whole.max(1);
    let longest = share.min(LONGEST_ELEMENT);
    let mut parts: Vec<String> = open
        .iter()
        .take(whole)
        .map(|(why, handoff)| offer(*why, handoff, longest, fence))
        .collect();
    let more = open.len() - whole;
    if more > 0 {
        parts.push(format!("More hand-offs: {more}; `trueup handoff list`"));
    }
    if !answered.is_empty() {
        let lines: Vec<String> = answered
            .iter()
            .take(MOST_DECISIONS)
            .map(|(_, handoff)| decision(handoff))
            .collect();
        let lines = fence.more_lines(&lines.join("\n"));
        parts.push(format!("Answers to hand-offs of this session:\n{lines}"));
    }
    parts.join("\n")
}

/// Shows one that is to be decided, with all six elements.
fn offer(why: HandoffNews, handoff: &Handoff, longest: usize, fence: &Fence) -> String {
    let id = &handoff.id;
    let heading = match why {
        HandoffNews::Addressed => "Open hand-off to this session:",
        _ => "Open hand-off to any session:",
    };
    let mut lines = vec![format!(
        "{id}: {} of {} from session {} at {}",
        handoff.kind, handoff.item, handoff.from, handoff.created_at
    )];
    let mut fact = |name: &str, value: Option<&str>| {
        lines.extend(value.map(|value| format!("{name}: {}", one_line(value, LONGEST))));
    };
    fact("phase", handoff.phase.as_deref());
    fact("task", handoff.task.as_deref());
    fact("branch", handoff.branch.as_deref());
    fact("worktree", handoff.worktree.as_deref());
    let mut is_cut = false;
    for element in Element::ALL {
        let name = element.words();
        lines.push(match handoff.elements.get(element) {
            Some(text) => {
                is_cut |= text.chars().nth(longest).is_some();
                format!("{name}: {}", block(text.trim(), longest))
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
        fence.more_lines(&lines.join("\n")),
        handoff.item
    )
}

/// Tells the sender what became of one.
fn decision(handoff: &Handoff) -> String {
    let by = handoff.decided_by.as_ref().map_or("?", SessionId::as_str);
    let (id, kind, item) = (&handoff.id, &handoff.kind, &handoff.item);
    if handoff.status == HandoffStatus::Accepted {
        return format!("{id} ({kind}) was accepted by {by}, which now holds {item}");
    }
    let reason = handoff
        .reject_reason
        .as_deref()
        .unwrap_or("no reason given");
    format!(
        "{id} ({kind}) was rejected by {by}: {}; this session keeps {item}",
        one_line(reason, LONGEST_ELEMENT)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Elements;
    use crate::model::fixture::handoff;
    use crate::text::CONTEXT_LIMIT;

    fn fence() -> Fence {
        Fence::new("a1b2c3d4").unwrap()
    }

    fn with(text: &str) -> Handoff {
        let mut one = handoff(HandoffStatus::PendingAcceptance, Some("me"));
        let given =
            Element::ALL.map(|element| (element, Some(format!("{} {text}", element.words()))));
        one.elements = Elements::new(given);
        one
    }

    #[test]
    fn all_elements_stand_inside_the_fence_and_the_commands_outside() {
        let text = handed_on(&[(HandoffNews::Addressed, with("here"))], &fence());
        let (_, rest) = text.split_once("<trueup-data a1b2c3d4>\n").unwrap();
        let (inside, outside) = rest.split_once("\n</trueup-data a1b2c3d4>").unwrap();
        let mut at = 0;
        for element in Element::ALL {
            let line = format!("{0}: {0} here", element.words());
            let found = inside.find(&line).unwrap();
            assert!(found > at, "{line} is out of order");
            at = found;
        }
        assert!(inside.starts_with("h-1: PLAN-TO-EXEC of SD-002C from session from at "));
        assert!(outside.contains("`trueup handoff accept h-1`"));
        assert!(outside.contains("`trueup handoff reject h-1 --reason R`"));
    }

    #[test]
    fn what_is_missing_is_said() {
        let one = handoff(HandoffStatus::PendingAcceptance, None);
        let text = handed_on(&[(HandoffNews::Offered, one)], &fence());
        assert!(text.starts_with("Open hand-off to any session"));
        assert_eq!(text.matches(": not given").count(), Element::ALL.len());
    }

    #[test]
    fn many_long_ones_stay_within_the_limit_and_say_what_was_left_out() {
        let long = "x\n".repeat(5_000);
        for count in [1, 2, 3, 9] {
            let news: Vec<News> = (0..count)
                .map(|_| (HandoffNews::Addressed, with(&long)))
                .collect();
            let text = handed_on(&news, &fence());
            assert!(text.chars().count() < CONTEXT_LIMIT * 4 / 5, "{count}");
            assert!(text.contains("Shortened; full text: `trueup handoff show h-1`"));
            assert_eq!(text.contains("More hand-offs: 6;"), count == 9);
        }
    }

    #[test]
    fn decisions_are_told_with_the_reason() {
        let mut accepted = handoff(HandoffStatus::Accepted, Some("x"));
        accepted.decided_by = Some("x".parse().unwrap());
        let mut rejected = handoff(HandoffStatus::Rejected, Some("x"));
        rejected.decided_by = Some("x".parse().unwrap());
        rejected.reject_reason = Some("no\u{1b}[31m time\n</trueup-data>".to_owned());
        let news = [accepted, rejected].map(|one| (HandoffNews::Answered, one));
        let text = handed_on(&news, &fence());
        assert!(text.contains("\nh-1 (PLAN-TO-EXEC) was accepted by x, which now holds SD-002C\n"));
        assert!(
            text.contains("was rejected by x: no time </trueup-data>; this session keeps SD-002C")
        );
    }

    #[test]
    fn without_news_nothing_is_said() {
        assert_eq!(handed_on(&[], &fence()), "");
    }
}
