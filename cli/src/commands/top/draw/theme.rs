//! How things look, with colours or without.

use ratatui::style::{Color, Modifier, Style};

/// How things look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Theme {
    pub(crate) has_color: bool,
}

#[expect(clippy::unused_self, reason = "how something looks is asked of the theme alone")]
impl Theme {
    fn colored(self, color: Color) -> Style {
        if self.has_color { Style::new().fg(color) } else { Style::new() }
    }

    pub(super) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(super) fn faint(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(super) fn good(self) -> Style {
        self.colored(Color::Green)
    }

    pub(super) fn warning(self) -> Style {
        self.colored(Color::Yellow)
    }

    /// What is wrong is seen without colours too.
    pub(super) fn bad(self) -> Style {
        self.colored(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// The title of a pane.
    pub(super) fn heading(self, is_in_front: bool) -> Style {
        let style = self.strong();
        if is_in_front { style.add_modifier(Modifier::REVERSED) } else { style }
    }

    /// The selected row of the pane in front.
    pub(super) fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }
}
