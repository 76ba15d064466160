//! The overview as lines, for a file, a pipe or a terminal that cannot be drawn on.

use serde_json::json;
use trueup_core::model::SessionId;
use trueup_core::overview::{Need, Overview, WorkRow};
use trueup_core::text::{one_line, pluralize};

use crate::output::{LineStyle, Output};

/// Longest text of a row, in characters.
const MAX_TEXT_CHARS: usize = 120;

/// Longest name of a machine or a repository, in characters.
const MAX_NAME_CHARS: usize = 60;

/// Characters of a session's id where it is one of several facts.
const SHORT_ID_CHARS: usize = 8;

pub(super) fn render(overview: &Overview) -> Output {
    let mut output = Output::new(render_counts(overview), json!(null));
    let mut add_table = |title: &str, rows: Vec<String>| {
        output.styles.push((output.text.len(), LineStyle::Head));
        output.text.push(title.to_owned());
        output.text.extend(rows);
    };
    let needs = &overview.needs_me;
    add_table(&format!("needs me: {}", needs.len()), needs.iter().flat_map(render_need).collect());
    add_table(
        &format!("work: {}", pluralize(overview.work.len(), "item", "items")),
        overview.work.iter().map(render_work).collect(),
    );
    output
}

fn render_counts(overview: &Overview) -> Vec<String> {
    let counts = &overview.counts;
    let (sessions, items) = (counts.sessions, counts.items);
    vec![format!(
        "{}: sessions {} live, {} waiting, {} stale, {} dead; items {} ready, {} held, {} done \
             today; {:.0} events in the last minute; as of {}",
        pluralize(counts.machines, "machine", "machines"),
        sessions.live,
        sessions.waiting,
        sessions.stale,
        sessions.dead,
        items.ready,
        items.held,
        items.done_today,
        counts.events_per_minute,
        overview.as_of
    )]
}

fn render_need(need: &Need) -> Vec<String> {
    let text = one_line(&need.line, MAX_TEXT_CHARS);
    let place = render_place(need);
    let mut lines = vec![format!("  {} {:<15} {text}{place}", need.since, need.kind.as_str())];
    lines.extend(need.command.as_ref().map(|command| format!("      {command}")));
    lines
}

/// Renders where something is: the session, the machine and the repository, as far as they are known.
fn render_place(need: &Need) -> String {
    let session = need.session_id.as_ref().map(SessionId::as_str);
    let session = session.map(|id| format!("session {}", id.get(..SHORT_ID_CHARS).unwrap_or(id)));
    let host = need.host.as_deref().map(|host| format!("on {}", one_line(host, MAX_NAME_CHARS)));
    let repo = need.repo.as_deref().map(|repo| format!("in {}", one_line(repo, MAX_NAME_CHARS)));
    let parts: Vec<String> = [session, host, repo].into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}

fn render_work(row: &WorkRow) -> String {
    let host = row.host.as_deref().map(|host| one_line(host, MAX_NAME_CHARS));
    let host = host.map_or_else(String::new, |host| format!(" on {host}"));
    let holder = match (&row.holder, row.heartbeat_at) {
        (Some(holder), Some(at)) => format!("{holder}{host}, seen {at}"),
        (Some(holder), None) => format!("{holder}{host}"),
        (None, _) => "nobody".to_owned(),
    };
    let repo = row.repo.as_deref().map(|repo| one_line(repo, MAX_NAME_CHARS));
    let repo = repo.map_or_else(String::new, |repo| format!("; in {repo}"));
    let phase = row
        .phase
        .as_deref()
        .map_or_else(String::new, |phase| format!(" {}", one_line(phase, MAX_TEXT_CHARS)));
    let waits: Vec<&str> = row.blocked_by.iter().map(trueup_core::model::ItemKey::as_str).collect();
    let waits =
        if waits.is_empty() { String::new() } else { format!("; waits for {}", waits.join(" ")) };
    let error = row.error_message.as_deref();
    let error =
        error.map_or_else(String::new, |error| format!("; {}", one_line(error, MAX_TEXT_CHARS)));
    let title = row
        .title
        .as_deref()
        .map_or_else(String::new, |title| format!("; {}", one_line(title, MAX_TEXT_CHARS)));
    format!(
        "  {:<20} {:<9}{phase}; {holder}{waits}{error}{title}{repo}",
        row.key.as_str(),
        row.status.as_str()
    )
}
