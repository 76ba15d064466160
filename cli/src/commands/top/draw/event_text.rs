//! An event as a line.

use ratatui::text::{Line, Span};
use trueup_core::model::{Event, Timestamp};

use super::super::super::log::{describe_kind, render_difference};
use super::super::age::render_age;
use super::clean_text::clean;
use super::theme::Theme;

/// Renders an event: how long ago, who, what, why, and what is different.
pub(super) fn render(event: &Event, now: Timestamp, theme: Theme) -> Line<'static> {
    let thing = match &*event.entity {
        "item" => event.key.clone(),
        entity => format!("{entity} {}", event.key),
    };
    let reason = event.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let difference = match render_difference(event) {
        text if text.is_empty() => text,
        text => format!(": {text}"),
    };
    Line::from(vec![
        Span::styled(format!("{:>4} ", render_age(now, event.at)), theme.faint()),
        Span::raw(clean(&format!("{} {} ", event.actor, describe_kind(event)))),
        Span::raw(" "),
        Span::styled(clean(&thing), theme.strong()),
        Span::raw(clean(&format!("{reason}{difference}"))),
    ])
}
