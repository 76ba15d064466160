//! The connections to the database: a fixed number of threads, each with one of its own.
//!
//! The operations of the store wait, so they never run where connections are served. What is asked
//! waits in a bounded queue; a caller that is gone does not keep its work from being done.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use trueup_core::deadline::Deadline;
use trueup_core::store::{CommandStore, Result as StoreResult, StoreError};

use crate::database::{Database, OPERATION_PATIENCE};
use crate::problem::HubError;

/// Most requests that wait for a connection. Behind them the answer is that the hub is busy.
const MAX_WAITING: usize = 1_024;

/// Connections for each processor; most of the time they wait for the disk or a server.
const THREADS_PER_PROCESSOR: usize = 4;

/// Least connections.
const MIN_THREADS: usize = 4;

/// Most connections: a server has few hundred for everybody.
const MAX_THREADS: usize = 16;

/// A piece of work for a connection; it gets the error of a database that cannot be opened.
type Job = Box<dyn FnOnce(StoreResult<&mut (dyn CommandStore + 'static)>) -> Connection + Send>;

/// What becomes of the connection behind a piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Connection {
    Keep,
    Reopen,
}

/// The connections to the database.
#[derive(Clone)]
pub(crate) struct StorePool {
    jobs: SyncSender<Job>,
}

impl StorePool {
    /// Starts the threads. Each connects when it is first asked.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub(crate) fn start(database: &Database) -> std::io::Result<Self> {
        let (jobs, queue) = sync_channel(MAX_WAITING);
        let queue = Arc::new(Mutex::new(queue));
        let processors = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = (processors * THREADS_PER_PROCESSOR).clamp(MIN_THREADS, MAX_THREADS);
        for number in 0..threads {
            let (database, queue) = (database.clone(), Arc::clone(&queue));
            thread::Builder::new()
                .name(format!("store-{number}"))
                .spawn(move || serve_jobs(&database, &queue))?;
        }
        Ok(Self { jobs })
    }

    /// Runs an operation under the usual deadline.
    ///
    /// # Errors
    ///
    /// That of the operation; that the hub is busy, when too much waits.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut dyn CommandStore) -> StoreResult<T> + Send + 'static,
    ) -> Result<T, HubError> {
        self.run_within(OPERATION_PATIENCE, operation).await
    }

    /// Runs an operation under a deadline, which counts the wait for a connection as well.
    ///
    /// # Errors
    ///
    /// Those of [`Self::run`].
    pub(crate) async fn run_within<T: Send + 'static>(
        &self,
        patience: Duration,
        operation: impl FnOnce(&mut dyn CommandStore) -> StoreResult<T> + Send + 'static,
    ) -> Result<T, HubError> {
        let deadline = Deadline::after(patience);
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |store| {
            let outcome = store.and_then(|store| {
                store.set_deadline(deadline);
                operation(store)
            });
            let connection = match &outcome {
                Err(error) if needs_new_connection(error) => Connection::Reopen,
                _ => Connection::Keep,
            };
            // A caller that is gone needs no answer.
            let _ = answer.send(outcome);
            connection
        });
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => HubError::Busy,
            TrySendError::Disconnected(_) => HubError::ShuttingDown,
        })?;
        let outcome = answered.await.map_err(|_| HubError::ShuttingDown)?;
        outcome.map_err(HubError::Store)
    }
}

/// Whether what an error says of the database may be over with a new connection.
const fn needs_new_connection(error: &StoreError) -> bool {
    error.is_out_of_use() || matches!(error, StoreError::Corrupt { .. })
}

fn serve_jobs(database: &Database, queue: &Mutex<Receiver<Job>>) {
    let mut connection: Option<Box<dyn CommandStore>> = None;
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else {
            return;
        };
        let opened = match connection.take() {
            Some(store) => Ok(store),
            None => database.open(),
        };
        match opened {
            Ok(mut store) => {
                if job(Ok(&mut *store)) == Connection::Keep {
                    connection = Some(store);
                }
            }
            Err(error) => {
                job(Err(error));
            }
        }
    }
}
