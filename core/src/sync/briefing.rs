//! The text that the agent reads when a session starts. Pure: the caller supplies the nonce.

use serde_json::Value as Json;

use super::handoff_notices::{HandoffNotice, render_handoffs};
use super::repo_summary::{self, RepoSummary};
use crate::diagnostic::{Code, Divergence, Severity};
use crate::model::{HandoffNoticeReason, ItemKey, Session};
use crate::store::ReleasedClaim;
use crate::text::{CONTEXT_LIMIT, ContextPacker, DataDelimiter, one_line};

/// Longest value shown, in characters.
const MAX_VALUE_CHARS: usize = 400;

/// Most lines per section.
const MAX_LINES: usize = 12;

/// What the agent reads when its session starts.
#[derive(Debug)]
pub struct Briefing<'a> {
    /// The session that starts.
    pub session: &'a Session,
    /// The title of the item that the session holds.
    pub title: Option<&'a str>,
    /// The divergences that were found.
    pub found: &'a [Divergence],
    /// The divergences that are still there.
    pub remaining: &'a [Divergence],
    /// Hand-offs to show.
    pub handoffs: &'a [HandoffNotice],
    /// Sessions whose work the sweep released.
    pub interrupted: &'a [ReleasedClaim],
    /// Orchestrators that were found dead.
    pub dead_orchestrators: &'a [String],
    /// One line per phase or task that was failed because it gave no sign of life.
    pub stuck_work: &'a [String],
    /// What is known of other repositories.
    pub other_repos: &'a [RepoSummary],
    /// The key of an item to continue with, and the reason, if the session holds none.
    pub suggestion: Option<(String, String)>,
}

impl Briefing<'_> {
    /// Renders all sections within the client's context limit, most important first.
    pub fn render(&self, delimiter: &DataDelimiter) -> String {
        let session = self.session;
        let mut packer = ContextPacker::new(CONTEXT_LIMIT);
        packer.add_part(
            "heading",
            format!(
                "trueup: this is session {}; its state is at revision {}, read at {}. The database is \
                 authoritative; .claude/auto-proceed-state.json is a copy of it.",
                session.id, session.revision, session.read_at
            ),
        );
        packer.add_part("state", delimiter.wrap_lines(&self.render_state()));
        packer.add_part("remaining differences", self.render_differences(delimiter));
        packer.add_part("hand-offs", render_handoffs(self.handoffs, delimiter));
        packer.add_part("fixed differences", self.render_fixed(delimiter));
        packer.add_part("next step", self.render_next_step(delimiter));
        packer.add_part("dead sessions", self.render_interrupted(delimiter));
        packer.add_part("dead orchestrators", self.render_dead_orchestrators(delimiter));
        packer.add_part("stuck work", self.render_stuck_work(delimiter));
        packer.add_part(
            "other repositories",
            repo_summary::render_repo_summaries(self.other_repos, delimiter),
        );
        packer.finish()
    }

    fn render_state(&self) -> String {
        let work = self.session.execution_state().work;
        let text_or_none =
            |text: Option<&str>| text.map_or("none".to_owned(), |t| one_line(t, MAX_VALUE_CHARS));
        let on_or_off = |on: bool| if on { "on" } else { "off" };
        let mut lines = vec![match &self.session.item {
            Some(item) => format!("item: {item} (claimed)"),
            None => "item: none".to_owned(),
        }];
        if let Some(title) = self.title {
            lines.push(format!("title: {}", one_line(title, MAX_VALUE_CHARS)));
        }
        lines.push(format!("phase: {}", text_or_none(work.phase.as_deref())));
        lines.push(format!("task: {}", text_or_none(work.task.as_deref())));
        lines.push(format!("branch: {}", text_or_none(self.session.branch())));
        lines.push(format!(
            "auto-proceed: {}, chain orchestrators: {}",
            on_or_off(work.auto_proceed),
            on_or_off(work.chain_orchestrators)
        ));
        if work.was_interrupted {
            lines.push("interrupted; resume with `trueup resume`".to_owned());
        }
        lines.join("\n")
    }

    fn render_differences(&self, delimiter: &DataDelimiter) -> String {
        let lines: Vec<String> = self
            .remaining
            .iter()
            .filter(|d| d.severity > Severity::Info)
            .take(MAX_LINES)
            .map(|d| format!("{} (fix: {})", d.message, d.advice))
            .collect();
        if lines.is_empty() {
            return String::new();
        }
        format!("Remaining differences:\n{}", delimiter.wrap_more_lines(&lines.join("\n")))
    }

    fn render_fixed(&self, delimiter: &DataDelimiter) -> String {
        let lines: Vec<&str> = self
            .found
            .iter()
            .filter(|d| d.severity > Severity::Info)
            .filter(|d| !self.remaining.iter().any(|r| r.code == d.code))
            .take(MAX_LINES)
            .map(|d| d.message.as_str())
            .collect();
        if lines.is_empty() {
            return String::new();
        }
        let lines = delimiter.wrap_more_lines(&lines.join("\n"));
        format!("Fixed from the database:\n{lines}")
    }

    fn render_next_step(&self, delimiter: &DataDelimiter) -> String {
        let claim_is_lost = self.remaining.iter().any(|d| d.code == Code::ClaimTakenAway);
        let addressed =
            self.handoffs.iter().find(|(why, _)| *why == HandoffNoticeReason::Addressed);
        match (&self.session.item, addressed, &self.suggestion) {
            (Some(_), _, _) => "Next: continue with this item; `trueup set --phase P --task T` \
                                records progress, `trueup next --claim` claims the next item, \
                                `trueup release` releases this one."
                .to_owned(),
            (None, Some((_, handoff)), _) => {
                format!("Next: `trueup handoff accept {}`, or reject it.", handoff.id)
            }
            (None, None, Some((item, why))) => format!(
                "Next: continue with `trueup claim {item}`: {}",
                delimiter.wrap_inline(&one_line(why, MAX_VALUE_CHARS))
            ),
            (None, None, None) if claim_is_lost => {
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

    fn render_interrupted(&self, delimiter: &DataDelimiter) -> String {
        let lines: Vec<String> = self
            .interrupted
            .iter()
            .filter_map(|released| {
                let item = released.item.as_ref()?;
                Some(format!("{item} was held by {} ({})", released.session, released.reason))
            })
            .take(MAX_LINES)
            .collect();
        if lines.is_empty() {
            return String::new();
        }
        format!(
            "Freed because their sessions died (`trueup sessions show ID` shows what each was \
             doing): {}",
            delimiter.wrap_inline(&lines.join("; "))
        )
    }

    fn render_dead_orchestrators(&self, delimiter: &DataDelimiter) -> String {
        let lines: Vec<&str> =
            self.dead_orchestrators.iter().take(MAX_LINES).map(String::as_str).collect();
        if lines.is_empty() {
            return String::new();
        }
        format!(
            "Their plans are free again (`trueup orchestrator start PLAN -- CMD`): {}",
            delimiter.wrap_inline(&lines.join("; "))
        )
    }

    fn render_stuck_work(&self, delimiter: &DataDelimiter) -> String {
        if self.stuck_work.is_empty() {
            return String::new();
        }
        let more = self.stuck_work.len().saturating_sub(MAX_LINES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let lines: Vec<&str> = self.stuck_work.iter().take(MAX_LINES).map(String::as_str).collect();
        format!(
            "Failed for lack of a heartbeat (`trueup queue reopen ID --reason R` or `trueup plan \
             retry TASK` to try again): {}{more}",
            delimiter.wrap_inline(&lines.join("; "))
        )
    }
}

/// Renders the line that tells the agent of a change made elsewhere. `lost_claim` describes a claim
/// that another session took.
pub fn render_database_change(
    session: &Session,
    title: Option<&str>,
    lost_claim: Option<&str>,
    delimiter: &DataDelimiter,
) -> String {
    let work = session.execution_state().work;
    let item = session.item.as_ref().map_or("none", ItemKey::as_str);
    let title = title.map_or(String::new(), |title| format!(" title={}", quote_text(title)));
    let lost = lost_claim.map_or(String::new(), |line| format!(" {line}: stop work on it."));
    format!(
        "trueup: the database was changed elsewhere and is now at revision {}: {}{lost}",
        session.revision,
        delimiter.wrap_inline(&format!(
            "item={item}{title} phase={} task={} auto-proceed={}",
            quote_unless_word(work.phase.as_deref().unwrap_or("none")),
            quote_text(work.task.as_deref().unwrap_or("none")),
            work.auto_proceed
        ))
    )
}

/// Puts a text of one line in quotes. Those in it are escaped, or it could pass for other fields.
fn quote_text(text: &str) -> String {
    Json::from(one_line(text, MAX_VALUE_CHARS)).to_string()
}

/// Puts a text in quotes, unless it is a word.
fn quote_unless_word(text: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/');
    if !text.is_empty() && text.chars().all(is_word) {
        one_line(text, MAX_VALUE_CHARS)
    } else {
        quote_text(text)
    }
}
