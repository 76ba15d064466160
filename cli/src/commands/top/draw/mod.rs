//! A frame of the screen, from its state. Every text is cleaned here, because it may come from the
//! database.

mod clean_text;
mod detail;
mod event_text;
mod header;
mod panes;
mod theme;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph, Wrap};

use super::state::{Mode, Pane, ScreenState};

use clean_text::clean;

pub(super) use theme::Theme;

/// From this height on all panes are shown; below it only the one in front.
const MIN_ROWS_FOR_ALL: u16 = 16;

/// Draws the screen, and notes how many rows the pane in front has.
pub(super) fn draw_screen(frame: &mut Frame<'_>, state: &mut ScreenState, theme: Theme) {
    let whole = frame.area();
    let header = header::render(state, theme, whole.width);
    let header_rows = u16::try_from(header.len()).unwrap_or(1).min(whole.height / 3).max(1);
    let [top, middle, bottom] = Layout::vertical([
        Constraint::Length(header_rows),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(whole);
    frame.render_widget(Paragraph::new(header), top);
    match &state.mode {
        Mode::Help => draw_help(frame, middle, theme),
        Mode::Detail(_) => state.page_rows = detail::draw_detail(frame, middle, state, theme),
        Mode::Browse | Mode::EditFilter => draw_panes(frame, middle, state, theme),
    }
    frame.render_widget(Paragraph::new(render_footer(state, theme)), bottom);
}

fn draw_panes(frame: &mut Frame<'_>, area: Rect, state: &mut ScreenState, theme: Theme) {
    for (pane, area) in place_panes(area, state) {
        let rows = panes::draw_pane(frame, area, pane, state, theme);
        if pane == state.pane {
            state.page_rows = rows;
        }
    }
}

/// Places the panes: needs as high as they are many, within a third; the events below.
fn place_panes(area: Rect, state: &ScreenState) -> Vec<(Pane, Rect)> {
    if area.height < MIN_ROWS_FOR_ALL {
        return vec![(state.pane, area)];
    }
    let needs = u16::try_from(state.lists.len(Pane::Needs)).unwrap_or(u16::MAX);
    let needs = needs.saturating_add(1).clamp(2, area.height / 3);
    let events = (area.height / 4).max(4);
    let areas: [Rect; 3] = Layout::vertical([
        Constraint::Length(needs),
        Constraint::Min(4),
        Constraint::Length(events),
    ])
    .areas(area);
    Pane::ALL.into_iter().zip(areas).collect()
}

/// The keys and what they do.
const KEYS: [(&str, &str); 11] = [
    ("j k, arrows", "move"),
    ("space, page keys", "move by a page"),
    ("g G", "go to the first or last row"),
    ("Tab, left, right", "go to another pane"),
    ("/", "show only rows with a text"),
    ("Enter", "show a row and what happened to it"),
    ("y", "copy the command of a row"),
    ("?", "show these keys"),
    ("Esc", "go back, clear the filter, or leave"),
    ("q", "leave"),
    ("Ctrl-C", "leave from anywhere"),
];

fn draw_help(frame: &mut Frame<'_>, area: Rect, theme: Theme) {
    let lines: Vec<Line<'_>> = KEYS
        .into_iter()
        .map(|(keys, what)| {
            Line::from(vec![Span::styled(format!("{keys:<17}"), theme.strong()), Span::raw(what)])
        })
        .collect();
    let block = Block::new().title_top(Line::styled("keys", theme.heading(true)));
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }).block(block), area);
}

fn render_footer(state: &ScreenState, theme: Theme) -> Line<'static> {
    if state.mode == Mode::EditFilter {
        let filter = Span::raw(clean(&state.filter));
        return Line::from(vec![Span::styled("/", theme.strong()), filter, Span::raw("▏")]);
    }
    if let Some(notice) = &state.notice {
        return Line::styled(clean(notice), theme.strong());
    }
    let keys = match state.mode {
        Mode::Browse if !state.filter.is_empty() => {
            return Line::from(vec![
                Span::styled(format!("/{} ", clean(&state.filter)), theme.strong()),
                Span::styled("Esc shows all", theme.faint()),
            ]);
        }
        Mode::Browse => "? keys  / filter  Tab pane  Enter detail  y copy  q quit",
        Mode::Detail(_) => "Esc back  j k scroll  y copy  Ctrl-C quit",
        Mode::Help => "any key goes back",
        Mode::EditFilter => "",
    };
    Line::styled(keys, theme.faint())
}
