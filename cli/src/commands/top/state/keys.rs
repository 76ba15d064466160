//! What each key does.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::screen_state::{Effect, Mode, ScreenState};

/// Longest filter, in characters.
const MAX_FILTER_CHARS: usize = 60;

impl ScreenState {
    /// Takes a key.
    pub(crate) fn take_key(&mut self, key: KeyEvent) -> Effect {
        self.notice = None;
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return match key.code {
                KeyCode::Char('c') => Effect::Quit,
                _ => Effect::None,
            };
        }
        match &self.mode {
            Mode::Browse => self.browse(key.code),
            Mode::EditFilter => self.edit_filter(key.code),
            Mode::Detail(_) => self.look_at_detail(key.code),
            Mode::Help => {
                self.mode = Mode::Browse;
                Effect::None
            }
        }
    }

    fn browse(&mut self, key: KeyCode) -> Effect {
        match key {
            KeyCode::Char('q') => return Effect::Quit,
            KeyCode::Esc if self.filter.is_empty() => return Effect::Quit,
            KeyCode::Esc => self.set_filter(String::new()),
            KeyCode::Char('/') => self.mode = Mode::EditFilter,
            KeyCode::Char('?') => self.mode = Mode::Help,
            KeyCode::Tab | KeyCode::Right => self.pane = self.pane.step(1),
            KeyCode::BackTab | KeyCode::Left => self.pane = self.pane.step(2),
            KeyCode::Enter => return self.open_detail(),
            KeyCode::Char('y') => return self.copy_command(),
            _ => {
                if let Some(rows) = self.rows_of(key) {
                    self.lists.move_cursor(self.pane, rows);
                }
            }
        }
        Effect::None
    }

    /// Returns by how many rows a key moves.
    fn rows_of(&self, key: KeyCode) -> Option<isize> {
        let page = isize::try_from(self.page_rows.max(1)).unwrap_or(isize::MAX);
        match key {
            KeyCode::Down | KeyCode::Char('j') => Some(1),
            KeyCode::Up | KeyCode::Char('k') => Some(-1),
            KeyCode::PageDown | KeyCode::Char(' ') => Some(page),
            KeyCode::PageUp => Some(-page),
            KeyCode::Home | KeyCode::Char('g') => Some(isize::MIN),
            KeyCode::End | KeyCode::Char('G') => Some(isize::MAX),
            _ => None,
        }
    }

    fn edit_filter(&mut self, key: KeyCode) -> Effect {
        match key {
            KeyCode::Enter => self.mode = Mode::Browse,
            KeyCode::Esc => {
                self.mode = Mode::Browse;
                self.set_filter(String::new());
            }
            KeyCode::Backspace if self.filter.is_empty() => self.mode = Mode::Browse,
            KeyCode::Backspace => {
                let mut filter = self.filter.clone();
                filter.pop();
                self.set_filter(filter);
            }
            KeyCode::Char(letter)
                if !letter.is_control() && self.filter.chars().count() < MAX_FILTER_CHARS =>
            {
                self.set_filter(format!("{}{letter}", self.filter));
            }
            KeyCode::Down | KeyCode::Up => {
                self.mode = Mode::Browse;
                return self.browse(key);
            }
            _ => {}
        }
        Effect::None
    }

    fn set_filter(&mut self, filter: String) {
        self.filter = filter;
        self.refresh_lists();
    }

    fn open_detail(&mut self) -> Effect {
        let Some(detail) = self.make_detail() else {
            return Effect::None;
        };
        let subject = detail.subject.clone();
        self.mode = Mode::Detail(detail);
        subject.map_or(Effect::None, Effect::LoadHistory)
    }

    fn look_at_detail(&mut self, key: KeyCode) -> Effect {
        match key {
            KeyCode::Char('q') | KeyCode::Esc | KeyCode::Enter | KeyCode::Left => {
                self.mode = Mode::Browse;
            }
            KeyCode::Char('y') => return self.copy_command(),
            _ => {
                let rows = self.rows_of(key);
                if let (Some(rows), Mode::Detail(detail)) = (rows, &mut self.mode) {
                    detail.scrolled = detail.scrolled.saturating_add_signed(rows);
                }
            }
        }
        Effect::None
    }

    /// Copies the command of the row that is looked at or selected.
    fn copy_command(&mut self) -> Effect {
        let command = match &self.mode {
            Mode::Detail(detail) => detail.command.clone(),
            _ => self.make_detail().and_then(|detail| detail.command),
        };
        if let Some(command) = command {
            self.notice = Some(format!("copied: {command}"));
            return Effect::Copy(command);
        }
        self.notice = Some("this row has no command".to_owned());
        Effect::None
    }
}
