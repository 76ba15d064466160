//! How many streams there are.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use trueup_core::model::TokenName;

use crate::metrics::Metrics;
use crate::problem::HubError;

/// Most streams of one token.
const MAX_PER_TOKEN: usize = 1_000;

/// Most streams.
const MAX_STREAMS: usize = 5_000;

/// The streams that are open.
pub(super) struct Places {
    taken: Mutex<HashMap<TokenName, usize>>,
    open: watch::Sender<usize>,
    metrics: Arc<Metrics>,
}

/// The place of one stream, given back when the value is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    token: TokenName,
}

impl Places {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { taken: Mutex::default(), open: watch::Sender::new(0), metrics }
    }

    /// Takes a place for a stream of a token.
    ///
    /// # Errors
    ///
    /// When there is none left.
    pub(super) fn take_place(self: &Arc<Self>, token: TokenName) -> Result<Place, HubError> {
        let mut streams = self.lock();
        if *self.open.borrow() >= MAX_STREAMS {
            return Err(HubError::Busy);
        }
        let of_token = streams.entry(token.clone()).or_default();
        if *of_token >= MAX_PER_TOKEN {
            return Err(HubError::TooManyRequests);
        }
        *of_token += 1;
        self.open.send_modify(|open| *open += 1);
        self.metrics.live_clients.inc();
        Ok(Place { places: Arc::clone(self), token })
    }

    /// Waits until no stream is open.
    pub(super) async fn wait_until_empty(&self) {
        // The sender is our own.
        let _ = self.open.subscribe().wait_for(|open| *open == 0).await;
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TokenName, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        if let Some(of_token) = taken.get_mut(&self.token) {
            *of_token -= 1;
            if *of_token == 0 {
                taken.remove(&self.token);
            }
        }
        self.places.open.send_modify(|open| *open -= 1);
        self.places.metrics.live_clients.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_so_many_places_and_gets_them_back() {
        let places = Arc::new(Places::new(Arc::new(Metrics::new())));
        let name = |text: &str| text.parse::<TokenName>().unwrap();
        let mut held: Vec<Place> =
            (0..MAX_PER_TOKEN).map(|_| places.take_place(name("a")).unwrap()).collect();
        assert!(matches!(places.take_place(name("a")), Err(HubError::TooManyRequests)));
        held.push(places.take_place(name("b")).unwrap());
        held.remove(0);
        held.push(places.take_place(name("a")).unwrap());
        drop(held);
        assert!(places.lock().is_empty());
        assert_eq!(*places.open.borrow(), 0);
    }
}
