//! The overview as tables, for a file, a pipe or a terminal that cannot be drawn on.

use serde_json::json;
use trueup_core::model::SessionId;
use trueup_core::overview::{Need, Overview, WorkRow};
use trueup_core::text::{one_line, pluralize};

use crate::commands::cells;
use crate::output::Output;
use crate::page::{Cell, Column, Line, Page, Table, Tone};
use crate::time_text::TimeText;

/// Longest text of a row, in characters.
const MAX_TEXT_CHARS: usize = 500;

/// Longest name of a machine or a repository, in characters.
const MAX_NAME_CHARS: usize = 60;

/// Characters of a session's id where it is one of several facts.
const SHORT_ID_CHARS: usize = 8;

pub(super) fn render(overview: &Overview, times: TimeText) -> Output {
    let mut page = Page::from(vec![render_counts(overview, times)]);
    page.push(Line::new(Tone::Head, format!("needs me: {}", overview.needs_me.len())));
    page.push_table(need_table(&overview.needs_me, times));
    let items = pluralize(overview.work.len(), "item", "items");
    page.push(Line::new(Tone::Head, format!("work: {items}")));
    page.push_table(work_table(&overview.work, times));
    Output::page(page, json!(null))
}

fn render_counts(overview: &Overview, times: TimeText) -> String {
    let counts = &overview.counts;
    let (sessions, items) = (counts.sessions, counts.items);
    let as_of =
        if times.is_relative() { String::new() } else { format!("; as of {}", overview.as_of) };
    format!(
        "{}: sessions {} live, {} waiting, {} stale, {} dead; items {} ready, {} held, {} done \
         today; {:.0} events in the last minute{as_of}",
        pluralize(counts.machines, "machine", "machines"),
        sessions.live,
        sessions.waiting,
        sessions.stale,
        sessions.dead,
        items.ready,
        items.held,
        items.done_today,
        counts.events_per_minute,
    )
}

/// Makes the table of needs, each followed by the command that ends it.
fn need_table(needs: &[Need], times: TimeText) -> Table<3> {
    let columns = [Column::word("SINCE"), Column::word("NEED"), Column::text("WHAT")];
    let mut table = Table::new(columns, []).indented(2);
    for need in needs {
        let text = one_line(&need.line, MAX_TEXT_CHARS);
        table.push([
            Cell::faint(times.render(need.since)),
            Cell::toned(Tone::Warning, need.kind.as_str()),
            format!("{text}{}", render_place(need)).into(),
        ]);
        if let Some(command) = &need.command {
            table.push_line(Line::command(6, command));
        }
    }
    table
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

fn work_table(work: &[WorkRow], times: TimeText) -> Table<8> {
    let columns = [
        Column::word("ITEM"),
        Column::word("STATUS"),
        Column::text("PHASE"),
        Column::id("HOLDER"),
        Column::text("HOST"),
        Column::word("SEEN"),
        Column::text("REPOSITORY"),
        Column::text("TITLE"),
    ];
    Table::new(columns, work.iter().map(|row| work_row(row, times))).indented(2)
}

fn work_row(row: &WorkRow, times: TimeText) -> [Cell; 8] {
    let seen = row.heartbeat_at.map(|at| times.render(at));
    [
        row.key.as_str().into(),
        cells::item_status(row.status),
        Cell::optional(row.phase.as_deref().map(|phase| one_line(phase, MAX_TEXT_CHARS))),
        Cell::optional(row.holder.as_ref().map(SessionId::as_str)),
        Cell::optional(row.host.as_deref().map(|host| one_line(host, MAX_NAME_CHARS))),
        seen.map_or_else(Cell::absent, Cell::faint),
        Cell::optional(row.repo.as_deref().map(|repo| one_line(repo, MAX_NAME_CHARS))),
        render_what(row).into(),
    ]
}

/// Renders what an item waits for, why it failed, and its title.
fn render_what(row: &WorkRow) -> String {
    let waits: Vec<&str> = row.blocked_by.iter().map(trueup_core::model::ItemKey::as_str).collect();
    let waits = (!waits.is_empty()).then(|| format!("waits for {}", waits.join(" ")));
    let error = row.error_message.as_deref().map(|error| one_line(error, MAX_TEXT_CHARS));
    let title = row.title.as_deref().map(|title| one_line(title, MAX_TEXT_CHARS));
    [waits, error, title].into_iter().flatten().collect::<Vec<_>>().join("; ")
}
