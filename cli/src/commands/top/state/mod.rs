//! What the screen shows, and how keys and readings change it. No IO.

mod detail;
mod keys;
mod lists;
mod screen_state;

pub(super) use detail::Detail;
pub(super) use lists::{Pane, WorkLine};
pub(super) use screen_state::{Effect, Mode, ScreenState};
