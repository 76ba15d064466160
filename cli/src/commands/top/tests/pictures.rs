//! Frames as text, at several sizes.

use crossterm::event::KeyCode;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;
use trueup_core::model::ItemStatus;

use super::keys::press;
use super::sample::{event, morning, need, overview, reading, work};
use crate::commands::top::draw::{Theme, draw_screen};
use crate::commands::top::messages::HistorySubject;
use crate::commands::top::state::ScreenState;

fn morning_state() -> ScreenState {
    let mut state = ScreenState::new(morning());
    let events = vec![event(10, "SD-004", "claimed"), event(11, "SD-002A", "changed")];
    state.take_reading(reading(morning(), events));
    state
}

fn drawn(
    state: &mut ScreenState,
    width: u16,
    height: u16,
    has_color: bool,
) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw_screen(frame, state, Theme { has_color })).unwrap();
    terminal
}

/// Returns the lines of a frame, without spaces at their ends.
fn picture(state: &mut ScreenState, width: u16, height: u16) -> String {
    let terminal = drawn(state, width, height, true);
    let buffer = terminal.backend().buffer();
    let mut lines = String::new();
    for y in 0..height {
        let mut line = String::new();
        let mut x = 0;
        while x < width {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += u16::try_from(ratatui::text::Span::raw(symbol).width().max(1)).unwrap();
        }
        lines.push_str(line.trim_end());
        lines.push('\n');
    }
    lines
}

/// Compares pictures with what is expected of them, by their names.
fn assert_pictures(pictures: &[(&str, String, &str)]) {
    let differing = pictures.iter().filter(|(_, actual, expected)| actual != expected);
    let differing: Vec<String> = differing
        .map(|(name, actual, _)| format!("{name} differs; it is now:\n{actual}"))
        .collect();
    assert!(differing.is_empty(), "{}", differing.join(""));
}

#[test]
fn the_screen_fits_its_terminal() {
    let state = &mut morning_state();
    assert_pictures(&[
        ("80x24", picture(state, 80, 24), include_str!("pictures/80x24.txt")),
        ("120x40", picture(state, 120, 40), include_str!("pictures/120x40.txt")),
        ("40x10", picture(state, 40, 10), include_str!("pictures/40x10.txt")),
    ]);
}

#[test]
fn a_row_is_shown_with_what_happened_to_it() {
    let state = &mut morning_state();
    press(state, KeyCode::Enter);
    let subject = HistorySubject::Item("SD-004".to_owned());
    state.take_history(&subject, vec![event(3, "SD-004", "added"), event(10, "SD-004", "claimed")]);
    assert_pictures(&[("detail", picture(state, 80, 24), include_str!("pictures/detail.txt"))]);
}

#[test]
fn the_keys_are_told() {
    let state = &mut morning_state();
    press(state, KeyCode::Char('?'));
    let shown = picture(state, 80, 24);
    for key in ["j k", "Tab", "/", "Enter", "y", "Esc", "q", "Ctrl-C"] {
        assert!(shown.contains(key), "{key} in\n{shown}");
    }
}

#[test]
fn no_terminal_is_too_small() {
    for (width, height) in [(1, 1), (2, 2), (5, 3), (10, 1), (1, 30), (300, 3), (40, 5)] {
        for key in [KeyCode::Tab, KeyCode::Char('?'), KeyCode::Enter] {
            let state = &mut morning_state();
            press(state, key);
            picture(state, width, height);
        }
    }
}

#[test]
fn nothing_that_acts_on_a_terminal_is_drawn() {
    let hostile = "\u{1b}[31mred\u{1b}]0;t\u{7} \u{202e}evil\u{200b} \u{9b}2J\r\nnext\ttab";
    let mut row = work("K", ItemStatus::Running, Some(hostile), hostile);
    row.branch = Some(hostile.to_owned());
    row.error_message = Some(hostile.to_owned());
    let mut news = event(1, "K", hostile);
    news.actor = hostile.to_owned();
    news.reason = Some(hostile.to_owned());
    news.entity = hostile.to_owned();
    let mut item = need("K", 1, hostile);
    item.command = Some(hostile.to_owned());
    for keys in [vec![], vec![KeyCode::Enter], vec![KeyCode::Tab, KeyCode::Enter]] {
        let mut state = ScreenState::new(overview(vec![item.clone()], vec![row.clone()]));
        let seen = overview(vec![item.clone()], vec![row.clone()]);
        state.take_reading(reading(seen, vec![news.clone()]));
        state.failure = Some(hostile.to_owned());
        for key in keys {
            press(&mut state, key);
        }
        state.notice = Some(hostile.to_owned());
        let shown = picture(&mut state, 120, 40);
        let acts = |c: char| c != '\n' && (c.is_control() || "\u{202e}\u{200b}".contains(c));
        assert!(!shown.contains(acts), "{shown:?}");
        assert!(shown.contains("evil"), "{shown}");
    }
}

#[test]
fn without_colours_nothing_is_coloured() {
    for (has_color, expected) in [(true, true), (false, false)] {
        let terminal = drawn(&mut morning_state(), 120, 40, has_color);
        let cells = &terminal.backend().buffer().content;
        let is_colored =
            cells.iter().any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset);
        assert_eq!(is_colored, expected);
    }
}

#[test]
fn a_failure_is_told_above_everything_until_the_next_reading() {
    let state = &mut morning_state();
    state.failure = Some("the server does not answer".to_owned());
    assert!(picture(state, 80, 24).contains("disconnected: the server does not answer"));
    state.take_reading(reading(morning(), Vec::new()));
    assert!(!picture(state, 80, 24).contains("disconnected"));
}
