//! Stopping when the system or a person says so.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Returns what turns true when the process is told to stop.
///
/// # Errors
///
/// When signals cannot be waited for.
pub(crate) fn watch_signals() -> io::Result<watch::Receiver<bool>> {
    let (stop, stopped) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        let _ = stop.send(true);
        // Whoever still looks must find the value, not a sender that is gone.
        stop.closed().await;
    });
    Ok(stopped)
}
