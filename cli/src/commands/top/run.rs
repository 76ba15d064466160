//! The screen as it runs: keys, readings and signals in, pictures out.

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use crossterm::event::{Event as TerminalEvent, KeyEventKind, read};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use trueup_core::model::Timestamp;
use trueup_core::overview::{Overview, OverviewSite};

use super::draw::{Theme, draw_screen};
use super::follow::{Source, follow_database};
use super::messages::{HistorySubject, Message};
use super::state::{Effect, ScreenState};
use super::terminal::{TakenTerminal, has_colors};
use crate::command_context::CommandContext;
use crate::command_error::CommandResult;
use crate::output::Output;

/// The shortest time between two pictures that nobody asked for by a key.
const MIN_FRAME_TIME: Duration = Duration::from_millis(100);

/// The time after which ages have changed.
const TICK: Duration = Duration::from_secs(1);

/// Shows the screen until a key or a signal ends it.
pub(super) fn run(
    context: &CommandContext,
    site: OverviewSite,
    overview: Overview,
) -> CommandResult {
    let source = Source {
        settings: context.run.settings.clone(),
        environment: context.environment.clone(),
        site,
        patience: context.patience(),
    };
    let (news, messages) = mpsc::channel();
    let (requests, requested) = mpsc::channel();
    watch_signals(news.clone())?;
    let mut terminal = TakenTerminal::take_over()?;
    watch_terminal(news.clone());
    thread::spawn(move || follow_database(&source, &news, &requested));
    let mut screen = LiveScreen {
        state: ScreenState::new(overview),
        theme: Theme { has_color: has_colors() },
        read: (Instant::now(), Timestamp::from_millis(0)),
        requests,
    };
    screen.read.1 = screen.state.now;
    let signal = screen.show(&mut terminal, &messages);
    drop(terminal);
    Ok(Output { signal: signal?, ..Output::default() })
}

/// Sends signals that ask this process to end.
fn watch_signals(news: Sender<Message>) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT])?;
    thread::spawn(move || {
        for signal in signals.forever() {
            if news.send(Message::Signal(signal)).is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// Sends what happens at the terminal.
fn watch_terminal(news: Sender<Message>) {
    thread::spawn(move || {
        loop {
            let message = match read() {
                Ok(TerminalEvent::Key(key)) if key.kind != KeyEventKind::Release => {
                    Message::Key(key)
                }
                Ok(TerminalEvent::Resize(..)) => Message::Resized,
                Ok(_) => continue,
                Err(_) => Message::TerminalClosed,
            };
            let is_last = matches!(message, Message::TerminalClosed);
            if news.send(message).is_err() || is_last {
                return;
            }
        }
    });
}

struct LiveScreen {
    state: ScreenState,
    theme: Theme,
    /// When something was last read, by this process and by the database.
    read: (Instant, Timestamp),
    requests: Sender<HistorySubject>,
}

/// What comes of a message.
enum Step {
    /// A picture is due when the last one is old enough.
    Redraw,
    /// A picture is due at once.
    RedrawNow,
    /// The command ends, by a signal if there is one.
    End(Option<i32>),
}

impl LiveScreen {
    /// Shows the screen; returns the signal that ended it.
    fn show(
        &mut self,
        terminal: &mut TakenTerminal,
        messages: &Receiver<Message>,
    ) -> io::Result<Option<i32>> {
        let mut is_due = true;
        let mut drawn = None;
        loop {
            let since = drawn.map_or(TICK, |drawn: Instant| drawn.elapsed());
            if since >= TICK || is_due && since >= MIN_FRAME_TIME {
                self.redraw_screen(terminal)?;
                (drawn, is_due) = (Some(Instant::now()), false);
                continue;
            }
            let wait = if is_due { MIN_FRAME_TIME } else { TICK };
            match messages.recv_timeout(wait.saturating_sub(since)) {
                Ok(message) => match self.take_message(message, terminal)? {
                    Step::Redraw => is_due = true,
                    Step::RedrawNow => (drawn, is_due) = (None, true),
                    Step::End(signal) => return Ok(signal),
                },
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }

    fn redraw_screen(&mut self, terminal: &mut TakenTerminal) -> io::Result<()> {
        let (at, then) = self.read;
        self.state.now = self.state.now.max(then.plus_seconds(at.elapsed().as_secs()));
        terminal.screen.draw(|frame| draw_screen(frame, &mut self.state, self.theme))?;
        Ok(())
    }

    fn take_message(&mut self, message: Message, terminal: &mut TakenTerminal) -> io::Result<Step> {
        match message {
            Message::Key(key) => {
                match self.state.take_key(key) {
                    Effect::None => {}
                    Effect::Quit => return Ok(Step::End(None)),
                    Effect::Copy(text) => terminal.copy(&text)?,
                    Effect::LoadHistory(subject) => {
                        // Without a reader the failure is shown already.
                        let _ = self.requests.send(subject);
                    }
                }
                return Ok(Step::RedrawNow);
            }
            Message::Resized => return Ok(Step::RedrawNow),
            Message::TerminalClosed => return Ok(Step::End(None)),
            Message::Signal(signal) => return Ok(Step::End(Some(signal))),
            Message::Reading(reading) => {
                self.read = (Instant::now(), reading.overview.as_of);
                self.state.take_reading(*reading);
            }
            Message::History(subject, events) => self.state.take_history(&subject, events),
            Message::Failure(failure) => self.state.failure = Some(failure),
        }
        Ok(Step::Redraw)
    }
}
