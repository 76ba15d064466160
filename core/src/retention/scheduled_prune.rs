//! Automatic pruning: at most once a day, for a short time, and never while another one runs.

use std::fs;
use std::io;
use std::time::{Duration, SystemTime};

use super::{PruneError, PruneOptions, PruneReport, prune_old_rows};
use crate::deadline::Deadline;
use crate::fs::{FileLock, write_private};
use crate::store::RetentionStore;
use crate::sync::RunContext;

/// The time between two prunings.
const PRUNE_INTERVAL: Duration = Duration::from_hours(24);

/// How much of the interval counts as over after an incomplete pruning, which continues an hour
/// later.
const INTERVAL_ELAPSED_IF_INCOMPLETE: Duration = Duration::from_hours(23);

/// Returns whether pruning is due. Every session start asks this, so it only reads the age of one
/// file.
pub fn is_prune_due(site: &RunContext) -> bool {
    site.settings.retention_days > 0 && is_interval_over(site)
}

fn is_interval_over(site: &RunContext) -> bool {
    let tried = fs::metadata(site.settings.paths.prune_marker()).and_then(|data| data.modified());
    match tried.map(|tried| tried.elapsed()) {
        Ok(Ok(age)) => age >= PRUNE_INTERVAL,
        // A clock that was set back must not stop pruning for good.
        Ok(Err(_)) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Prunes for at most `time` if it is due and nobody else does. An incomplete pruning continues an
/// hour later.
///
/// # Errors
///
/// When the database, the journal or the outbox cannot be read. The next attempt is a day later.
pub fn prune_if_due<S: RetentionStore + ?Sized>(
    store: &mut S,
    actor: &str,
    site: &RunContext,
    time: Duration,
) -> Result<Option<PruneReport>, PruneError> {
    let marker = site.settings.paths.prune_marker();
    let lock = marker.with_extension("lock");
    let Ok(_turn) = FileLock::acquire(&lock, Duration::ZERO) else {
        return Ok(None);
    };
    if !is_prune_due(site) {
        return Ok(None);
    }
    // The time is noted before the work, so that a pruning that never ends is not tried by every
    // session.
    let Ok(tried) = write_private(&marker, b"") else {
        return Ok(None);
    };
    let options = PruneOptions {
        keep_seconds: site.settings.retention_days.saturating_mul(PRUNE_INTERVAL.as_secs()),
        dry_run: false,
        actor: actor.to_owned(),
    };
    let end = Deadline::after(time);
    let pruned = prune_old_rows(store, &options, site, |_| !end.has_passed())?;
    if !pruned.complete
        && let Some(then) = SystemTime::now().checked_sub(INTERVAL_ELAPSED_IF_INCOMPLETE)
    {
        // If this fails, it continues a day later.
        let _ = tried.set_modified(then);
    }
    Ok(Some(pruned))
}
