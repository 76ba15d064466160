//! One row, looked at.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph, Wrap};

use super::super::state::{Detail, Mode, ScreenState};
use super::{Theme, clean, event_text};

/// Draws the detail; returns how many lines it has room for. What is scrolled past the end comes
/// back.
pub(super) fn draw(
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
    let rows = usize::from(block.inner(area).height);
    let lines = render_lines(detail, now, theme);
    let paragraph = Paragraph::new(lines).wrap(Wrap { trim: false });
    detail.scrolled = detail.scrolled.min(count_lines(detail, now, theme).saturating_sub(rows));
    let scrolled = u16::try_from(detail.scrolled).unwrap_or(u16::MAX);
    frame.render_widget(paragraph.scroll((scrolled, 0)).block(block), area);
    rows
}

fn count_lines(detail: &Detail, now: trueup_core::model::Timestamp, theme: Theme) -> usize {
    render_lines(detail, now, theme).len()
}

fn render_lines(
    detail: &Detail,
    now: trueup_core::model::Timestamp,
    theme: Theme,
) -> Vec<Line<'static>> {
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
