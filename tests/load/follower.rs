//! A follower reads the events behind its cursor, over and over, as a dashboard does.

use std::thread;
use std::time::{Duration, Instant};

use trueup_core::model::{Event, EventFilter};
use trueup_core::store::HookStore as _;

use crate::LoadError;
use crate::arguments::Arguments;
use crate::connection::{Connection, PATIENCE};
use crate::record::{FollowedFrom, Log};

/// How long it waits when there was nothing new, or no answer.
const PAUSE: Duration = Duration::from_millis(20);

/// How long one reading may take.
const LIMIT: Duration = Duration::from_secs(5);

/// Follows from the newest event on until a file exists and nothing new is left.
pub(crate) fn run_follower(mut arguments: Arguments) -> Result<(), LoadError> {
    let url = arguments.next("a URL")?;
    let end = arguments.file("--until")?.ok_or("--until is missing")?;
    let mut log = Log::create(&arguments.file("--log")?.ok_or("--log is missing")?)?;
    arguments.finish()?;
    let connection = Connection::new(&url, LIMIT)?;
    let newest = EventFilter { limit: 1, ..EventFilter::default() };
    let events = list_events(&connection, &newest)?;
    let mut cursor = events.last().map_or(0, |event| event.seq);
    log.append(&FollowedFrom { after: cursor })?;
    loop {
        // Looked at before the events are: what came before the end is read.
        let has_ended = end.exists();
        let filter = EventFilter { after: cursor, ..EventFilter::default() };
        let events = list_events(&connection, &filter)?;
        for event in &events {
            log.append(&event.seq)?;
            cursor = event.seq;
        }
        if events.is_empty() {
            if has_ended {
                return Ok(());
            }
            thread::sleep(PAUSE);
        }
    }
}

/// Lists events, again and again while there is no answer.
fn list_events(connection: &Connection, filter: &EventFilter) -> Result<Vec<Event>, LoadError> {
    let began = Instant::now();
    loop {
        match connection.open_store().list_events(filter) {
            Ok(events) => return Ok(events),
            Err(error) if began.elapsed() > PATIENCE => return Err(error.into()),
            Err(_) => thread::sleep(PAUSE),
        }
    }
}
