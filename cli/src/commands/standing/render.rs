//! Where the caller stands, as text: fewer than 15 lines.

use trueup_core::model::{Item, PlanTask, Session};
use trueup_core::overview::Need;
use trueup_core::text::{one_line, path_to_text, pluralize};

use super::next_command::Advice;
use super::reading::Standing;
use crate::command_context::CommandContext;
use crate::commands::cells;
use crate::page::{Line, Tone};

/// Most sessions and most needs that are named; the others are counted.
const MAX_NAMED: usize = 3;

/// Longest title, task or sentence shown, in characters.
const MAX_TEXT_CHARS: usize = 120;

pub(super) fn render_standing(
    context: &CommandContext,
    standing: &Standing,
    advice: &Advice,
) -> Vec<Line> {
    let mut lines = match &standing.session {
        Some(session) => render_session(standing, session),
        None => vec![Line::field("you", "a person, outside of any session")],
    };
    if let Some(next) = &standing.next {
        lines.push(Line::field("next", describe_item(next)));
    }
    lines.extend(standing.plan_task.as_ref().map(|task| Line::field("plan", describe_task(task))));
    lines.extend(render_others(context, standing));
    let mut lines: Vec<Line> = lines.into_iter().map(Line::shortened).collect();
    lines.extend(render_needs(context, &standing.needs));
    let command = Line::new(Tone::Head, advice.command.as_str());
    lines.push(Line::field("now", command.with(Tone::Faint, format!("  {}", advice.does))));
    lines
}

/// Renders how to begin.
pub(super) fn render_beginning(context: &CommandContext, command: &str) -> Vec<Line> {
    let project = path_to_text(&context.run.project.dir);
    vec![
        Line::from("trueup keeps every session of a coding agent true to one database."),
        Line::from("There is no database yet."),
        Line::field("project", project),
        Line::field("now", Line::new(Tone::Head, command).and("  creates the database")),
        Line::field("then", "trueup item add SD-1 --title \"First item\"  adds an item"),
        Line::field("", "start Claude Code here; its session claims the item"),
        Line::field("see", "trueup demo, trueup help, trueup doctor"),
    ]
}

fn render_session(standing: &Standing, session: &Session) -> Vec<Line> {
    let work = session.execution_state().work;
    let short = standing.ids.shorten(session.id.as_str());
    let place = session.worktree.as_deref().unwrap_or("no worktree");
    let status = Line::from(format!("{short} ("))
        .with(cells::session_tone(session.status), session.status.as_str())
        .and(format!(") in {place}"));
    let mut lines = vec![Line::field("session", status)];
    let held = standing.item.as_ref().map_or_else(|| Line::from("none held"), describe_item);
    lines.push(Line::field("item", held));
    let phase = standing.phase.as_ref().map(|phase| {
        Line::from(format!("{} {} (", phase.id, phase.name))
            .with(cells::item_tone(phase.status), phase.status.as_str())
            .and(")")
    });
    let named = work.phase.as_deref().map(|phase| Line::from(one_line(phase, MAX_TEXT_CHARS)));
    lines.extend(named.or(phase).map(|phase| Line::field("phase", phase)));
    let task = work.task.as_deref().map(|task| one_line(task, MAX_TEXT_CHARS));
    lines.extend(task.map(|task| Line::field("task", task)));
    if let Some(handoff) = &standing.handoff {
        let from = standing.ids.shorten(handoff.from.as_str());
        let text = format!("{} of {} from {from}", handoff.kind, handoff.item);
        lines.push(Line::field("handed", text));
    }
    lines
}

fn describe_item(item: &Item) -> Line {
    let title = item.title.as_deref().map(|title| one_line(title, MAX_TEXT_CHARS));
    Line::new(Tone::Head, item.key.as_str())
        .and(" (")
        .with(cells::item_tone(item.status), item.status.as_str())
        .and(title.map_or_else(|| ")".to_owned(), |title| format!(")  {title}")))
}

fn describe_task(task: &PlanTask) -> Line {
    Line::new(Tone::Head, task.key())
        .and(" (")
        .with(cells::task_tone(task.status), task.status.as_str())
        .and(format!(")  {}", one_line(&task.title, MAX_TEXT_CHARS)))
}

fn render_others(context: &CommandContext, standing: &Standing) -> Vec<Line> {
    let others = &standing.others;
    if others.is_empty() {
        return vec![Line::field("others", "no other session works in this repository")];
    }
    let mut lines = Vec::new();
    for (at, row) in others.iter().take(MAX_NAMED).enumerate() {
        let label = if at == 0 { "others" } else { "" };
        let item = row.item.as_ref().map_or("no item", |item| item.as_str());
        let host = row.host.as_deref().map(|host| format!(" on {}", one_line(host, 40)));
        let seen = context.times.render(row.heartbeat_at);
        let text = Line::from(standing.ids.shorten(row.session_id.as_str()))
            .and(format!("{}: {item}", host.unwrap_or_default()))
            .with(Tone::Faint, format!("  {}, seen {seen}", row.state.as_str()));
        lines.push(Line::field(label, text));
    }
    let more = others.len().saturating_sub(MAX_NAMED);
    if more > 0 {
        lines.push(Line::field("", format!("and {more} more: trueup sessions list")));
    }
    lines
}

fn render_needs(context: &CommandContext, needs: &[Need]) -> Vec<Line> {
    let Some(oldest) = needs.first() else {
        return vec![Line::field("needs", Line::new(Tone::Good, "nothing needs a person"))];
    };
    let since = context.times.render(oldest.since);
    let text = Line::new(Tone::Warning, one_line(&oldest.line, MAX_TEXT_CHARS))
        .with(Tone::Faint, format!("  {since}"));
    let mut lines = vec![Line::field("needs", text).shortened()];
    let command = oldest.command.as_deref();
    lines.extend(command.map(|command| Line::command(9, command)));
    let more = needs.len() - 1;
    if more > 0 {
        let things = pluralize(more, "thing more needs", "things more need");
        lines.push(Line::field("", format!("{things} a person: trueup top")));
    }
    lines
}
