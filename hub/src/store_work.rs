//! Work of a request on the store that may be refused for another reason than the store's.

use trueup_core::store::CommandStore;

use crate::problem::HubError;
use crate::store_pool::StorePool;

/// Runs work on a connection of the pool.
///
/// # Errors
///
/// That of the work, and those of [`StorePool::run`].
pub(crate) async fn run_on_store<T: Send + 'static>(
    pool: &StorePool,
    work: impl FnOnce(&mut dyn CommandStore) -> Result<T, HubError> + Send + 'static,
) -> Result<T, HubError> {
    let outcome = pool.run(move |store| match work(store) {
        // What the error says of the connection concerns the pool.
        Err(HubError::Store(error)) => Err(error),
        outcome => Ok(outcome),
    });
    outcome.await?
}
