//! Runs asynchronous work for a caller that waits.

use std::future::Future;
use std::io;

use tokio::runtime::{Builder, Runtime};
use trueup_core::deadline::Deadline;

use super::Progress;
use crate::error::TransportError;

/// A runtime on the caller's thread. Connections live as long as it does.
#[derive(Debug)]
pub(crate) struct NetworkRuntime(Option<Runtime>);

impl NetworkRuntime {
    pub(crate) fn new() -> io::Result<Self> {
        Builder::new_current_thread().enable_io().enable_time().build().map(|it| Self(Some(it)))
    }

    /// Runs `work` until the deadline; `progress` tells what was under way when it passes.
    pub(crate) fn run<T>(
        &self,
        deadline: Deadline,
        progress: &Progress,
        work: impl Future<Output = Result<T, TransportError>>,
    ) -> Result<T, TransportError> {
        let Some(runtime) = &self.0 else {
            return Err(progress.timed_out());
        };
        runtime.block_on(async {
            let outcome = tokio::time::timeout(deadline.remaining(), work).await;
            outcome.unwrap_or_else(|_| Err(progress.timed_out()))
        })
    }
}

impl Drop for NetworkRuntime {
    /// Waits for nothing, so that a library that blocks cannot hold up the end of the program.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
