//! What keys and readings do to the state.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use trueup_core::model::ItemStatus;

use super::sample::{event, morning, need, overview, reading, work};
use crate::commands::top::messages::HistorySubject;
use crate::commands::top::state::{Effect, Mode, Pane, ScreenState, WorkLine};

pub(super) fn press(state: &mut ScreenState, key: KeyCode) -> Effect {
    state.take_key(KeyEvent::new(key, KeyModifiers::NONE))
}

fn type_text(state: &mut ScreenState, text: &str) {
    for letter in text.chars() {
        press(state, KeyCode::Char(letter));
    }
}

/// Returns the keys of the items that the pane with the work shows.
fn shown_items(state: &ScreenState) -> Vec<&str> {
    let place = |line: &WorkLine| match line {
        WorkLine::Heading(..) => None,
        WorkLine::Item(place) => Some(*place),
    };
    let places = state.lists.work.iter().filter_map(place);
    places.map(|place| state.overview.work[place].key.as_str()).collect()
}

fn selected_item(state: &ScreenState) -> &str {
    let place = state.lists.selected(Pane::Work).unwrap();
    match &state.lists.work[place] {
        WorkLine::Heading(name, _) => panic!("{name} is no row"),
        WorkLine::Item(place) => state.overview.work[*place].key.as_str(),
    }
}

#[test]
fn keys_leave_from_where_they_should() {
    use KeyCode::{Char, Enter, Esc};
    for (keys, last, expected) in [
        (vec![], Char('q'), Effect::Quit),
        (vec![], Esc, Effect::Quit),
        (vec![Char('?')], Char('q'), Effect::None),
        (vec![Enter], Char('q'), Effect::None),
        (vec![Enter, Esc], Esc, Effect::Quit),
        // In the filter, q is a letter, and Esc takes the filter away first.
        (vec![Char('/')], Char('q'), Effect::None),
        (vec![Char('/'), Char('S'), Enter], Esc, Effect::None),
        (vec![Char('/'), Char('S'), Enter, Esc], Esc, Effect::Quit),
    ] {
        let mut state = ScreenState::new(morning());
        for key in &keys {
            press(&mut state, *key);
        }
        assert_eq!(press(&mut state, last), expected, "{keys:?} {last:?}");
        let control_c = KeyEvent::new(Char('c'), KeyModifiers::CONTROL);
        assert_eq!(state.take_key(control_c), Effect::Quit, "{keys:?} {last:?}");
    }
}

#[test]
fn work_is_grouped_by_phase_in_the_order_of_a_workflow() {
    let mut state = ScreenState::new(overview(
        Vec::new(),
        vec![
            work("A", ItemStatus::Completed, Some("PLAN"), "t"),
            work("B", ItemStatus::Queued, None, "t"),
            work("C", ItemStatus::Running, Some("custom"), "t"),
            work("D", ItemStatus::Running, Some("EXEC"), "t"),
            work("E", ItemStatus::Running, Some("PLAN"), "t"),
            work("F", ItemStatus::Running, Some("build"), "t"),
            work("G", ItemStatus::Running, Some("EXEC"), "t"),
        ],
    ));
    assert_eq!(shown_items(&state), ["E", "D", "G", "F", "C", "B", "A"]);
    let headings: Vec<String> = state
        .lists
        .work
        .iter()
        .filter_map(|line| match line {
            WorkLine::Heading(name, count) => Some(format!("{name} {count}")),
            WorkLine::Item(_) => None,
        })
        .collect();
    assert_eq!(
        headings,
        ["PLAN 1", "EXEC 2", "build 1", "custom 1", "no phase yet 1", "finished today 1"]
    );
    // The cursor is never on a heading, and stays within the rows.
    assert_eq!((state.pane, selected_item(&state)), (Pane::Work, "E"));
    let mut walk = Vec::new();
    for key in ["j", "j", "j", "k", "k", "k", "k", "G", "g"] {
        type_text(&mut state, key);
        walk.push(selected_item(&state).to_owned());
    }
    assert_eq!(walk, ["D", "G", "F", "G", "D", "E", "E", "A", "E"]);
}

#[test]
fn a_filter_keeps_the_rows_that_have_its_text() {
    let mut state = ScreenState::new(morning());
    type_text(&mut state, "/publ");
    assert_eq!(state.mode, Mode::EditFilter);
    assert_eq!((shown_items(&state), state.lists.needs.len()), (vec!["SD-007"], 0));
    press(&mut state, KeyCode::Enter);
    assert_eq!(state.mode, Mode::Browse);
    // What is read later is filtered too.
    state.take_reading(reading(
        morning(),
        vec![event(1, "SD-1", "added"), event(2, "publish", "added")],
    ));
    assert_eq!((shown_items(&state), state.lists.feed.len()), (vec!["SD-007"], 1));
    press(&mut state, KeyCode::Esc);
    assert_eq!((shown_items(&state).len(), state.lists.feed.len()), (5, 2));
    for (text, expected) in
        [("KAREMATCH", 5), ("s-alpha", 1), ("build-7", 2), ("feat/", 2), ("x y", 0)]
    {
        type_text(&mut state, &format!("/{text}"));
        assert_eq!(shown_items(&state).len(), expected, "{text}");
        press(&mut state, KeyCode::Esc);
    }
}

#[test]
fn the_selected_row_stays_selected_while_others_come_and_go() {
    let row = |key: &str| work(key, ItemStatus::Running, Some("EXEC"), "t");
    let rows = |keys: &[&str]| overview(Vec::new(), keys.iter().map(|key| row(key)).collect());
    let mut state = ScreenState::new(rows(&["A", "B", "C"]));
    type_text(&mut state, "j");
    let mut after = |keys: &[&str]| {
        state.take_reading(reading(rows(keys), Vec::new()));
        let place = state.lists.selected(Pane::Work);
        place.map(|_| selected_item(&state).to_owned())
    };
    assert_eq!(after(&["A", "A1", "B", "C"]).as_deref(), Some("B"));
    assert_eq!(after(&["B", "C"]).as_deref(), Some("B"));
    // Where it is gone, the one in its place is selected.
    assert_eq!(after(&["A", "C"]).as_deref(), Some("A"));
    assert_eq!(after(&[]), None);
    assert_eq!(after(&["Z"]).as_deref(), Some("Z"));
}

#[test]
fn the_newest_event_is_looked_at_until_somebody_moves_away() {
    let mut state = ScreenState::new(morning());
    state.take_reading(reading(morning(), vec![event(1, "A", "added"), event(2, "B", "added")]));
    press(&mut state, KeyCode::BackTab);
    assert_eq!((state.pane, state.lists.selected(Pane::Feed)), (Pane::Feed, Some(0)));
    state.take_reading(reading(morning(), vec![event(3, "C", "added")]));
    assert_eq!(state.lists.selected(Pane::Feed), Some(0));
    type_text(&mut state, "j");
    state.take_reading(reading(morning(), vec![event(4, "D", "added")]));
    assert_eq!(state.lists.selected(Pane::Feed), Some(2));
    let events = (5..2_000).map(|seq| event(seq, "E", "added")).collect();
    state.take_reading(reading(morning(), events));
    assert_eq!((state.feed.len(), state.lists.feed.len()), (500, 500));
}

#[test]
fn a_row_is_opened_with_its_history_and_its_command_copied() {
    use KeyCode::{Char, Enter, Esc, Tab};
    let mut state = ScreenState::new(morning());
    let subject = HistorySubject::Item("SD-004".to_owned());
    let release = "trueup release SD-004 --session 0a1b2c3d-4e5f".to_owned();
    assert_eq!(press(&mut state, Char('y')), Effect::Copy(release.clone()));
    assert_eq!(state.notice, Some(format!("copied: {release}")));
    assert_eq!(press(&mut state, Enter), Effect::LoadHistory(subject.clone()));
    assert_eq!(press(&mut state, Char('y')), Effect::Copy(release));
    // The answer to an older question is not for this row.
    state.take_history(
        &HistorySubject::Item("SD-005".to_owned()),
        vec![event(1, "SD-005", "added")],
    );
    let Mode::Detail(detail) = &state.mode else { panic!("{:?}", state.mode) };
    assert_eq!(detail.events, None);
    state.take_history(&subject, vec![event(2, "SD-004", "added")]);
    let Mode::Detail(detail) = &state.mode else { panic!("{:?}", state.mode) };
    assert_eq!(detail.events.as_ref().map(Vec::len), Some(1));
    press(&mut state, Esc);
    press(&mut state, Tab);
    assert_eq!(press(&mut state, Enter), Effect::LoadHistory(subject));
    press(&mut state, Esc);
    // An event has no command, and one of a phase the history of its item.
    let phase =
        trueup_core::model::Event { entity: "phase".to_owned(), ..event(3, "SD-9:1", "status") };
    state.take_reading(reading(morning(), vec![phase]));
    press(&mut state, Tab);
    assert_eq!(press(&mut state, Char('y')), Effect::None);
    assert_eq!(
        press(&mut state, Enter),
        Effect::LoadHistory(HistorySubject::Item("SD-9".to_owned()))
    );
}

#[test]
fn where_nobody_is_needed_the_work_is_in_front() {
    assert_eq!(ScreenState::new(overview(Vec::new(), Vec::new())).pane, Pane::Work);
    assert_eq!(ScreenState::new(overview(vec![need("A", 1, "x")], Vec::new())).pane, Pane::Needs);
}
