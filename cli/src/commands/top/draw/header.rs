//! The counts above everything, in as many lines as they need.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use trueup_core::text::pluralize;

use super::super::state::ScreenState;
use super::clean_text::clean;
use super::theme::Theme;

/// Between two parts of the header.
const GAP: &str = "  ";

pub(super) fn render(state: &ScreenState, theme: Theme, width: u16) -> Vec<Line<'static>> {
    flow(render_parts(state, theme), width)
}

fn render_parts(state: &ScreenState, theme: Theme) -> Vec<Span<'static>> {
    let counts = &state.overview.counts;
    let (sessions, items) = (counts.sessions, counts.items);
    let if_any = |count: usize, style: Style| if count > 0 { style } else { theme.faint() };
    let mut parts = vec![Span::styled("trueup", theme.strong())];
    if let Some(failure) = &state.failure {
        parts.push(Span::styled(clean(&format!("disconnected: {failure}")), theme.bad()));
    }
    let (needs, style) = match counts.needs_me {
        0 => ("nothing needs you".to_owned(), theme.good()),
        count => (format!("{} need you", pluralize(count, "thing", "things")), theme.bad()),
    };
    parts.push(Span::styled(needs, style));
    parts.extend([
        Span::raw(pluralize(counts.machines, "machine", "machines")),
        Span::styled(format!("{} live", sessions.live), if_any(sessions.live, theme.good())),
        Span::styled(
            format!("{} waiting", sessions.waiting),
            if_any(sessions.waiting, Style::new()),
        ),
        Span::styled(format!("{} stale", sessions.stale), if_any(sessions.stale, theme.warning())),
        Span::styled(format!("{} dead", sessions.dead), if_any(sessions.dead, theme.bad())),
        Span::raw(format!("{} ready", items.ready)),
        Span::raw(format!("{} held", items.held)),
        Span::raw(format!("{} done today", items.done_today)),
        Span::raw(format!("{:.0} events/min", counts.events_per_minute)),
    ]);
    parts
}

/// Breaks parts into lines that are as full as possible.
fn flow(parts: Vec<Span<'static>>, width: u16) -> Vec<Line<'static>> {
    let width = usize::from(width);
    let mut lines = vec![Line::default()];
    let mut used = 0;
    for part in parts {
        let needed = part.width() + if used == 0 { 0 } else { GAP.len() };
        if used > 0 && used + needed > width {
            lines.push(Line::default());
            used = 0;
        }
        let Some(line) = lines.last_mut() else {
            continue;
        };
        if used > 0 {
            line.push_span(Span::raw(GAP));
            used += GAP.len();
        }
        used += part.width();
        line.push_span(part);
    }
    lines
}
