//! The panes with rows: what needs a person, the work by phase, and the events.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph, Row, Table};
use trueup_core::model::{ItemStatus, LivenessState};
use trueup_core::overview::{Need, WorkRow};

use super::super::age::{render_age, render_left};
use super::super::state::{Pane, ScreenState, WorkLine};
use super::clean_text::clean;
use super::event_text;
use super::theme::Theme;

/// From this width on every column is shown.
const WIDE: u16 = 100;
/// Below this width only what a row is about is shown.
const NARROW: u16 = 60;

/// Draws a pane; returns how many rows it has room for.
pub(super) fn draw_pane(
    frame: &mut Frame<'_>,
    area: Rect,
    pane: Pane,
    state: &ScreenState,
    theme: Theme,
) -> usize {
    let is_in_front = pane == state.pane;
    let title = format!("{} ({})", pane.title(), count_rows(pane, state));
    let block = Block::new().title_top(Line::styled(title, theme.heading(is_in_front)));
    let inner = block.inner(area);
    let rows = usize::from(inner.height);
    let selected = state.lists.selected(pane).filter(|_| is_in_front);
    let first = first_shown(selected, rows);
    let window = first..state.lists.len(pane).min(first + rows);
    if window.is_empty() {
        let empty = Line::styled(describe_empty(pane, state), theme.faint());
        frame.render_widget(Paragraph::new(empty).block(block), area);
        return rows;
    }
    let (widths, cells) = columns_of(pane, area.width);
    let table_rows = window.map(|place| {
        let row = Row::new(cells(place, state, theme));
        if selected == Some(place) { row.style(theme.selected()) } else { row }
    });
    frame.render_widget(Table::new(table_rows, widths).block(block), area);
    rows
}

fn count_rows(pane: Pane, state: &ScreenState) -> usize {
    let is_row = |line: &&WorkLine| matches!(line, WorkLine::Item(_));
    match pane {
        Pane::Needs => state.lists.needs.len(),
        Pane::Work => state.lists.work.iter().filter(is_row).count(),
        Pane::Feed => state.lists.feed.len(),
    }
}

/// Returns the first row of a window in which the selected one is the last at most.
fn first_shown(selected: Option<usize>, rows: usize) -> usize {
    selected.map_or(0, |selected| (selected + 1).saturating_sub(rows))
}

fn describe_empty(pane: Pane, state: &ScreenState) -> &'static str {
    match (state.filter.is_empty(), pane) {
        (false, _) => "no row has this text",
        (true, Pane::Needs) => "nothing needs a person",
        (true, Pane::Work) => "no items",
        (true, Pane::Feed) => "no events yet",
    }
}

type Cells = fn(usize, &ScreenState, Theme) -> Vec<Line<'static>>;

/// Returns the columns of a pane: how wide they are, and what is in them.
fn columns_of(pane: Pane, width: u16) -> (Vec<Constraint>, Cells) {
    use Constraint::{Fill, Length};
    match pane {
        Pane::Needs if width < NARROW => {
            (vec![Length(4), Fill(1)], |place, state, theme| need_cells(place, state, theme, false))
        }
        Pane::Needs => (vec![Length(4), Length(15), Fill(1)], |place, state, theme| {
            need_cells(place, state, theme, true)
        }),
        Pane::Work if width < NARROW => {
            (vec![Fill(2), Length(9), Fill(1), Length(4)], |place, state, theme| {
                take_cells(work_cells(place, state, theme), &[0, 1, 2, 4])
            })
        }
        Pane::Work if width < WIDE => (
            vec![Length(18), Length(9), Length(10), Length(4), Length(4), Length(7), Fill(1)],
            |place, state, theme| {
                take_cells(work_cells(place, state, theme), &[0, 1, 2, 4, 5, 7, 8])
            },
        ),
        Pane::Work => (
            vec![
                Length(20),
                Length(9),
                Length(10),
                Length(18),
                Length(4),
                Length(4),
                Length(4),
                Length(7),
                Fill(1),
            ],
            work_cells,
        ),
        Pane::Feed => (vec![Fill(1)], |place, state, theme| {
            let event = state.lists.feed.get(place).and_then(|place| state.feed.get(*place));
            event.map(|event| event_text::render(event, state.now, theme)).into_iter().collect()
        }),
    }
}

fn take_cells(cells: Vec<Line<'static>>, wanted: &[usize]) -> Vec<Line<'static>> {
    // A heading has one cell.
    if cells.len() == 1 {
        return cells;
    }
    let chosen = cells.into_iter().enumerate().filter(|(place, _)| wanted.contains(place));
    chosen.map(|(_, cell)| cell).collect()
}

fn need_cells(place: usize, state: &ScreenState, theme: Theme, kind: bool) -> Vec<Line<'static>> {
    let need = state.lists.needs.get(place).and_then(|place| state.overview.needs_me.get(*place));
    let Some(need) = need else {
        return Vec::new();
    };
    let mut cells =
        vec![Line::styled(format!("{:>4}", render_age(state.now, need.since)), theme.faint())];
    if kind {
        cells.push(Line::styled(need.kind.as_str(), theme.bad()));
    }
    cells.push(Line::from(clean(&describe_need(need))));
    cells
}

/// Describes a need in a line, with the command that ends it.
fn describe_need(need: &Need) -> String {
    match &need.command {
        Some(command) => format!("{}: {command}", need.line),
        None => need.line.clone(),
    }
}

/// Returns key, status, holder, branch, sign of life, lease, epoch, revisions and title.
fn work_cells(place: usize, state: &ScreenState, theme: Theme) -> Vec<Line<'static>> {
    match state.lists.work.get(place) {
        None => Vec::new(),
        Some(WorkLine::Heading(name, count)) => {
            vec![Line::styled(clean(&format!("{name} {count}")), theme.strong())]
        }
        Some(WorkLine::Item(place)) => state
            .overview
            .work
            .get(*place)
            .map(|row| item_cells(row, state, theme))
            .unwrap_or_default(),
    }
}

fn item_cells(row: &WorkRow, state: &ScreenState, theme: Theme) -> Vec<Line<'static>> {
    let is_alive = row.alive == Some(LivenessState::Alive);
    let life = if is_alive { theme.good() } else { theme.bad() };
    let seen = row.heartbeat_at.map(|at| render_age(state.now, at)).unwrap_or_default();
    let left = row.lease_expires_at.map(|at| render_left(state.now, at)).unwrap_or_default();
    let epoch = if row.holder.is_some() { format!("e{}", row.epoch) } else { String::new() };
    let (revisions, revision_style) = render_revisions(row, theme);
    vec![
        Line::from(format!("  {}", clean(row.key.as_str()))),
        Line::styled(row.status.as_str(), status_style(row.status, theme)),
        Line::from(row.holder.as_ref().map(|id| short(id.as_str())).unwrap_or_default()),
        Line::from(row.branch.as_deref().map(clean).unwrap_or_default()),
        Line::styled(format!("{seen:>4}"), life),
        Line::styled(format!("{left:>4}"), theme.faint()),
        Line::from(epoch),
        Line::styled(revisions, revision_style),
        describe_work(row),
    ]
}

fn status_style(status: ItemStatus, theme: Theme) -> Style {
    match status {
        ItemStatus::Blocked => theme.warning(),
        ItemStatus::Failed => theme.bad(),
        ItemStatus::Completed => theme.good(),
        _ => Style::new(),
    }
}

/// Renders the revision that the agent knows, and the present one where that is newer.
fn render_revisions(row: &WorkRow, theme: Theme) -> (String, Style) {
    match (row.acknowledged, row.revision) {
        (Some(known), Some(all)) if known < all => (format!("{known}<{all}"), theme.warning()),
        (_, Some(all)) => (format!("r{all}"), theme.faint()),
        (_, None) => (String::new(), Style::new()),
    }
}

/// Describes what an item is about, after what it waits for.
fn describe_work(row: &WorkRow) -> Line<'static> {
    let mut parts = Vec::new();
    if !row.blocked_by.is_empty() {
        let keys: Vec<&str> =
            row.blocked_by.iter().map(trueup_core::model::ItemKey::as_str).collect();
        parts.push(format!("waits for {}", keys.join(" ")));
    }
    parts.extend(row.error_message.clone());
    parts.extend(row.title.clone());
    Line::from(Span::raw(clean(&parts.join(" · "))))
}

/// Most characters of the id of a session in a row.
const SHORT_ID_CHARS: usize = 10;

fn short(id: &str) -> String {
    clean(id.get(..SHORT_ID_CHARS).unwrap_or(id))
}
