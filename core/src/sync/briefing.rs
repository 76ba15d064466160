//! What a model is told. Pure: the nonce comes from the caller.

use super::handed::{News, handed_on};
use super::neighbour::{self, Neighbour};
use crate::model::{HandoffNews, ItemKey, Session};
use crate::orchestrators::Death;
use crate::reconcile::{Code, Divergence, Severity};
use crate::store::Released;
use crate::text::{CONTEXT_LIMIT, Fence, Packer, one_line};

/// Longest value shown, in characters.
const LONGEST: usize = 400;

/// Most lines of one kind.
const MOST_LINES: usize = 12;

/// Everything a session's model is told at its start.
#[derive(Debug)]
pub struct Briefing<'a> {
    /// The session.
    pub session: &'a Session,
    /// The title of the item held.
    pub title: Option<&'a str>,
    /// What differed.
    pub found: &'a [Divergence],
    /// What still differs.
    pub remaining: &'a [Divergence],
    /// Hand-offs to tell of.
    pub handed: &'a [News],
    /// What a sweep parked.
    pub parked: &'a [Released],
    /// Orchestrators that were found dead.
    pub died: &'a [Death],
    /// Work that was failed because nobody gave a sign of life for it, and why.
    pub stuck: &'a [String],
    /// What is known of other repositories.
    pub neighbours: &'a [Neighbour],
    /// An item to go on with, and why, when none is held.
    pub offer: Option<(String, String)>,
}

impl Briefing<'_> {
    /// Writes it within the client's limit, most important first.
    pub fn text(&self, fence: &Fence) -> String {
        let session = self.session;
        let mut packer = Packer::new(CONTEXT_LIMIT);
        packer.add(
            "heading",
            format!(
                "trueup: this is session {}; its state is at revision {} of {}. The database is \
                 authoritative; .claude/auto-proceed-state.json is a copy of it.",
                session.id, session.revision, session.read_at
            ),
        );
        packer.add("state", fence.lines(&self.state()));
        packer.add("remaining differences", self.differences(fence));
        packer.add("hand-offs", handed_on(self.handed, fence));
        packer.add("fixed differences", self.mended(fence));
        packer.add("next step", self.next_step(fence));
        packer.add("dead sessions", self.parked(fence));
        packer.add("dead orchestrators", self.died(fence));
        packer.add("stuck work", self.stuck(fence));
        packer.add(
            "other repositories",
            neighbour::told(self.neighbours, fence),
        );
        packer.finish()
    }

    fn state(&self) -> String {
        let work = self.session.execution_state().work;
        let value = |text: Option<&str>| text.map_or("none".to_owned(), |t| one_line(t, LONGEST));
        let flag = |on: bool| if on { "on" } else { "off" };
        let mut lines = vec![match &self.session.item {
            Some(item) => format!("item: {item} (claimed)"),
            None => "item: none".to_owned(),
        }];
        if let Some(title) = self.title {
            lines.push(format!("title: {}", one_line(title, LONGEST)));
        }
        lines.push(format!("phase: {}", value(work.phase.as_deref())));
        lines.push(format!("task: {}", value(work.task.as_deref())));
        lines.push(format!("branch: {}", value(self.session.branch())));
        lines.push(format!(
            "auto-proceed: {}, chain orchestrators: {}",
            flag(work.auto_proceed),
            flag(work.chain_orchestrators)
        ));
        if work.was_interrupted {
            lines.push("interrupted; resume with `trueup resume`".to_owned());
        }
        lines.join("\n")
    }

    fn differences(&self, fence: &Fence) -> String {
        let lines: Vec<String> = self
            .remaining
            .iter()
            .filter(|d| d.severity > Severity::Info)
            .take(MOST_LINES)
            .map(|d| format!("{} (fix: {})", d.message, d.fix))
            .collect();
        if lines.is_empty() {
            return String::new();
        }
        format!(
            "Remaining differences:\n{}",
            fence.more_lines(&lines.join("\n"))
        )
    }

    fn mended(&self, fence: &Fence) -> String {
        let lines: Vec<&str> = self
            .found
            .iter()
            .filter(|d| d.severity > Severity::Info)
            .filter(|d| !self.remaining.iter().any(|r| r.code == d.code))
            .take(MOST_LINES)
            .map(|d| d.message.as_str())
            .collect();
        if lines.is_empty() {
            return String::new();
        }
        let lines = fence.more_lines(&lines.join("\n"));
        format!("Fixed from the database:\n{lines}")
    }

    fn next_step(&self, fence: &Fence) -> String {
        let lost = self.remaining.iter().any(|d| d.code == Code::S13);
        let handed = self
            .handed
            .iter()
            .find(|(why, _)| *why == HandoffNews::Addressed);
        match (&self.session.item, handed, &self.offer) {
            (Some(_), _, _) => "Next: continue with this item; `trueup set --phase P --task T` \
                                records progress, `trueup next --claim` claims the next item, \
                                `trueup release` releases this one."
                .to_owned(),
            (None, Some((_, handoff)), _) => {
                format!(
                    "Next: `trueup handoff accept {}`, or reject it.",
                    handoff.id
                )
            }
            (None, None, Some((item, why))) => format!(
                "Next: continue with `trueup claim {item}`: {}",
                fence.inline(&one_line(why, LONGEST))
            ),
            (None, None, None) if lost => {
                "Next: stop work on that item; `trueup clear` accepts the loss, `trueup claim KEY` \
                 claims another item."
                    .to_owned()
            }
            (None, None, None) => {
                "Next: `trueup next --claim` claims the next ready item, `trueup \
                                   item list` lists items, `trueup claim KEY` claims one \
                                   (`--create` adds it first)."
                    .to_owned()
            }
        }
    }

    fn parked(&self, fence: &Fence) -> String {
        let lines: Vec<String> = self
            .parked
            .iter()
            .filter_map(|released| {
                let item = released.item.as_ref()?;
                Some(format!(
                    "{item} was held by {} ({})",
                    released.session, released.reason
                ))
            })
            .take(MOST_LINES)
            .collect();
        if lines.is_empty() {
            return String::new();
        }
        format!(
            "Freed because their sessions died (`trueup sessions show ID` shows what each was \
             doing): {}",
            fence.inline(&lines.join("; "))
        )
    }

    fn died(&self, fence: &Fence) -> String {
        let lines: Vec<String> = self.died.iter().take(MOST_LINES).map(Death::line).collect();
        if lines.is_empty() {
            return String::new();
        }
        format!(
            "Their plans are free again (`trueup orchestrator start PLAN -- CMD`): {}",
            fence.inline(&lines.join("; "))
        )
    }

    fn stuck(&self, fence: &Fence) -> String {
        if self.stuck.is_empty() {
            return String::new();
        }
        let more = self.stuck.len().saturating_sub(MOST_LINES);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let lines: Vec<&str> = self
            .stuck
            .iter()
            .take(MOST_LINES)
            .map(String::as_str)
            .collect();
        format!(
            "Failed for lack of a heartbeat (`trueup queue reopen ID --reason R` or `trueup plan \
             retry TASK` to try again): {}{more}",
            fence.inline(&lines.join("; "))
        )
    }
}

/// Writes the one line that tells a model of a change made elsewhere; `lost` is the line of a
/// claim that another session took.
pub fn reassertion(
    session: &Session,
    title: Option<&str>,
    lost: Option<&str>,
    fence: &Fence,
) -> String {
    let work = session.execution_state().work;
    let value = |text: Option<&str>| text.map_or("none".to_owned(), |t| one_line(t, LONGEST));
    let item = session.item.as_ref().map(ItemKey::as_str);
    let title = title.map_or(String::new(), |title| {
        format!(" title=\"{}\"", one_line(title, LONGEST))
    });
    let lost = lost.map_or(String::new(), |line| format!(" {line}: stop work on it."));
    format!(
        "trueup: the database was changed elsewhere and is now at revision {}: {}{lost}",
        session.revision,
        fence.inline(&format!(
            "item={}{title} phase={} task=\"{}\" auto-proceed={}",
            value(item),
            value(work.phase.as_deref()),
            value(work.task.as_deref()),
            work.auto_proceed
        ))
    )
}
