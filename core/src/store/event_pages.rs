//! Reading events from the first to the last, however many there are.

use super::{Result, Store};
use crate::model::{Event, EventFilter, EventOrder};

/// How many events are read at a time.
const PAGE: u32 = 1_000;

/// The events that a filter allows, from the first after its cursor to the newest, page by page.
///
/// A limit of [`Store::list_events`](super::HookStore::list_events) alone leaves the oldest out.
#[derive(Debug)]
pub struct EventPages {
    filter: EventFilter,
    is_over: bool,
}

impl EventPages {
    /// Begins behind the cursor of the filter. Its limit and its order do not count.
    pub fn new(filter: EventFilter) -> Self {
        Self::with_size(filter, PAGE)
    }

    fn with_size(filter: EventFilter, size: u32) -> Self {
        let filter = EventFilter { limit: size, order: EventOrder::Oldest, ..filter };
        Self { filter, is_over: false }
    }

    /// Reads the next page, which is empty when there are no more.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub fn read_next(&mut self, store: &mut dyn Store) -> Result<Vec<Event>> {
        if self.is_over {
            return Ok(Vec::new());
        }
        let events = store.list_events(&self.filter)?;
        self.is_over = events.len() < usize::try_from(self.filter.limit).unwrap_or(usize::MAX);
        self.filter.after = events.last().map_or(self.filter.after, |event| event.seq);
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NewItem;
    use crate::store::testing::ScratchStore;
    use crate::store::{HookStore as _, ItemStore as _, Provenance};

    #[test]
    fn pages_are_the_whole_history_whatever_their_size() {
        let mut store = ScratchStore::new();
        for number in 0..7 {
            let item = NewItem::new(format!("P-{number}").parse().unwrap());
            store.add_item(&item, &Provenance::new("test", "adding")).unwrap();
        }
        let all = store.list_events(&EventFilter::default()).unwrap();
        for size in [1, 2, 7, 100] {
            let mut pages = EventPages::with_size(EventFilter::default(), size);
            let mut read = Vec::new();
            loop {
                let page = pages.read_next(&mut *store).unwrap();
                if page.is_empty() {
                    break;
                }
                read.extend(page);
            }
            assert_eq!(read, all, "{size}");
        }
    }
}
