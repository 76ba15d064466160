//! What a session's start does once its answer is out: prunes what is old, once a day.

use std::time::Duration;

use trueup_core::diagnostics::Level;
use trueup_core::retention::{gently, is_due};

use crate::Call;

/// Time that must be left: a start that was slow is not made slower.
const LEAST: Duration = Duration::from_secs(1);

/// How long it takes at most.
const MOST: Duration = Duration::from_millis(300);

/// Prunes gently when it is time. That it fails is for the log alone: the next day tries again.
pub(crate) fn tidy(call: &Call) {
    if !is_due(&call.site) || call.site.deadline.left() < LEAST {
        return;
    }
    let failed = match call.open() {
        Ok(mut store) => {
            let actor = call.payload.session.as_str();
            gently(&mut store, actor, &call.site, MOST)
                .err()
                .map(|error| error.to_string())
        }
        Err(error) => Some(error.to_string()),
    };
    if let Some(error) = failed {
        let line = format!("old records were not pruned: {error}");
        call.site.log(Level::Warn, "session-start-sync", &line);
    }
}
