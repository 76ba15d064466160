//! The terminal while the screen has it, and leaving it as it was.

use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::{Hide, Show};
use crossterm::execute;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use crate::printer::{open_screen, shows_colors, shows_output};

/// What the screen is drawn on.
pub(super) type Screen = Terminal<CrosstermBackend<BufWriter<Stdout>>>;

/// Whether the terminal is in the state that drawing needs, whoever has to leave it.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// Tells whether there is a terminal that can be drawn on, with a person before it.
pub(super) fn is_usable() -> bool {
    let can_draw = std::env::var_os("TERM").is_none_or(|name| !name.is_empty() && name != "dumb");
    can_draw && io::stdin().is_terminal() && shows_output()
}

/// The terminal, which is left as it was when this is dropped.
pub(super) struct TakenTerminal {
    pub(super) screen: Screen,
}

impl TakenTerminal {
    /// Takes the terminal. A panic leaves it before it is reported.
    pub(super) fn take_over() -> io::Result<Self> {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            leave();
            report(info);
        }));
        IS_TAKEN.store(true, Ordering::SeqCst);
        let taken = enable_raw_mode()
            .and_then(|()| execute!(open_screen(), EnterAlternateScreen, Hide))
            .and_then(|()| Terminal::new(CrosstermBackend::new(open_screen())));
        match taken {
            Ok(screen) => Ok(Self { screen }),
            Err(error) => {
                leave();
                Err(error)
            }
        }
    }

    /// Puts a text on the clipboard of the terminal, which is where the person is, also over ssh.
    #[expect(clippy::unused_self, reason = "only what has taken the terminal may write to it")]
    pub(super) fn copy(&mut self, text: &str) -> io::Result<()> {
        let mut out = open_screen();
        write!(out, "\x1b]52;c;{}\x07", encode_base64(text.as_bytes()))?;
        out.flush()
    }
}

impl Drop for TakenTerminal {
    fn drop(&mut self) {
        leave();
    }
}

/// Leaves the terminal as it was, once.
fn leave() {
    if IS_TAKEN.swap(false, Ordering::SeqCst) {
        // A terminal that is gone needs nothing.
        let _ = execute!(open_screen(), LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
    }
}

/// Tells whether colours are wanted.
pub(super) fn has_colors() -> bool {
    shows_colors()
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Encodes bytes in base64.
fn encode_base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = (0..3)
            .fold(0_u32, |group, at| group << 8 | chunk.get(at).copied().map_or(0, u32::from));
        for at in 0..4 {
            let letter = BASE64[(group >> (18 - 6 * at)) as usize & 63];
            text.push(if at <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::encode_base64;

    #[test]
    fn base64_is_as_rfc_4648_says() {
        for (text, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
            ("ü\u{ff}", "w7zDvw=="),
        ] {
            assert_eq!(encode_base64(text.as_bytes()), expected);
        }
    }
}
