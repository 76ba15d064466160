//! One row, looked at.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph, Wrap};
use trueup_core::model::Timestamp;

use super::super::state::{Detail, Mode, ScreenState};
use super::clean_text::clean;
use super::event_text;
use super::theme::Theme;

/// Draws the detail; returns how many lines it has room for. What is scrolled past the end comes
/// back.
pub(super) fn draw_detail(
    frame: &mut Frame<'_>,
    area: Rect,
    state: &mut ScreenState,
    theme: Theme,
) -> usize {
    let now = state.now;
    let Mode::Detail(detail) = &mut state.mode else {
        return 0;
    };
    let title = Line::styled(clean(&detail.title), theme.heading(true));
    let block = Block::new().title_top(title);
    let inner = block.inner(area);
    let rows = usize::from(inner.height);
    let lines = render_lines(detail, now, theme);
    let height: usize = lines.iter().map(|line| count_wrapped(line, inner.width)).sum();
    detail.scrolled = detail.scrolled.min(height.saturating_sub(rows));
    let scrolled = u16::try_from(detail.scrolled).unwrap_or(u16::MAX);
    let paragraph = Paragraph::new(lines).wrap(Wrap { trim: false });
    frame.render_widget(paragraph.scroll((scrolled, 0)).block(block), area);
    rows
}

/// Returns how many rows a line needs. One that breaks between words may need one more.
fn count_wrapped(line: &Line<'_>, width: u16) -> usize {
    match line.width().div_ceil(usize::from(width.max(1))) {
        0 | 1 => 1,
        several => several + 1,
    }
}

fn render_lines(detail: &Detail, now: Timestamp, theme: Theme) -> Vec<Line<'static>> {
    let mut lines: Vec<Line<'static>> = detail
        .facts
        .iter()
        .map(|(name, value)| {
            Line::from(vec![
                Span::styled(format!("{name:<13}"), theme.faint()),
                Span::raw(clean(value)),
            ])
        })
        .collect();
    lines.extend(detail.command.as_ref().map(|command| {
        Line::from(vec![
            Span::styled(format!("{:<13}", "command"), theme.faint()),
            Span::styled(clean(command), theme.strong()),
        ])
    }));
    if detail.subject.is_none() {
        return lines;
    }
    lines.push(Line::default());
    match &detail.events {
        None => lines.push(Line::styled("reading what happened …", theme.faint())),
        Some(events) => {
            lines.extend(events.iter().rev().map(|event| event_text::render(event, now, theme)));
        }
    }
    lines
}
