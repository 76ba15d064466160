//! Pruning by itself: at most once a day, a little at a time, and never in anybody's way.

use std::fs;
use std::io;
use std::time::{Duration, SystemTime};

use super::{Order, PruneError, Pruned, prune};
use crate::cache::lock::FileLock;
use crate::deadline::Deadline;
use crate::files::write_own;
use crate::store::Store;
use crate::sync::Site;

/// Pause between two prunings.
const PAUSE: Duration = Duration::from_hours(24);

/// How much of the pause counts as over when something was left: it is gone on with an hour
/// later.
const SHORTENED: Duration = Duration::from_hours(23);

/// Tells whether it is time again. Asked by every session's start: it costs one look at a
/// file's age.
pub fn is_due(site: &Site) -> bool {
    site.settings.retention_days > 0 && is_time(site)
}

fn is_time(site: &Site) -> bool {
    let tried = fs::metadata(site.settings.paths.prune_marker()).and_then(|data| data.modified());
    match tried.map(|tried| tried.elapsed()) {
        Ok(Ok(age)) => age >= PAUSE,
        // A clock that was set back must not stop it for good.
        Ok(Err(_)) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Prunes for at most so long, if it is time and nobody else is at it. What is left is gone on
/// with an hour later.
///
/// # Errors
///
/// When the database, the journal or the outbox cannot be asked; the next try is a day later.
pub fn gently<S: Store + ?Sized>(
    store: &mut S,
    actor: &str,
    site: &Site,
    time: Duration,
) -> Result<Option<Pruned>, PruneError> {
    let marker = site.settings.paths.prune_marker();
    let lock = marker.with_extension("lock");
    let Ok(_turn) = FileLock::exclusive(&lock, Duration::ZERO) else {
        return Ok(None);
    };
    if !is_due(site) {
        return Ok(None);
    }
    // Before the work, so that one that never ends is not tried by everybody.
    let Ok(tried) = write_own(&marker, b"") else {
        return Ok(None);
    };
    let order = Order {
        keep_seconds: site.settings.retention_days.saturating_mul(PAUSE.as_secs()),
        dry_run: false,
        actor: actor.to_owned(),
    };
    let end = Deadline::after(time);
    let pruned = prune(store, &order, site, |_| !end.passed())?;
    if !pruned.complete
        && let Some(then) = SystemTime::now().checked_sub(SHORTENED)
    {
        // If not, it is gone on with a day later.
        let _ = tried.set_modified(then);
    }
    Ok(Some(pruned))
}
