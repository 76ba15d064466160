//! What carries an exchange.

use trueup_core::deadline::Deadline;

use crate::error::TransportError;

/// The largest answer that is taken, in bytes.
pub(crate) const MAX_ANSWER_BYTES: u64 = 64 * 1024 * 1024;

/// Carries one exchange at a time to a database.
///
/// The call waits, so it must not be made on a thread that runs asynchronous tasks.
pub trait Transport {
    /// Sends a request and returns the answer, both JSON texts.
    ///
    /// # Errors
    ///
    /// When there is no answer by the deadline. The error tells whether the request may have been
    /// carried out all the same.
    fn exchange(&mut self, request: &str, deadline: Deadline) -> Result<String, TransportError>;

    /// Returns whether there are several servers, so that another one may take over.
    fn has_alternatives(&self) -> bool {
        false
    }
}
