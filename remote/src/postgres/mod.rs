//! An exchange as one function call over PostgreSQL's protocol.
//!
//! The call is one statement without a name, so a pooler may give every one of them another server
//! connection.

mod change_listener;
mod connecting;
mod direct;
mod failure;
mod link;
mod pinned;
mod session;

use tokio_postgres::Client;
use tokio_postgres::types::Type;
use trueup_core::deadline::Deadline;
use trueup_core::settings::TlsRoots;

pub use change_listener::ChangeListener;
pub use direct::{DirectConnection, SqlRow, connect_directly};
use link::PostgresLink;
pub use pinned::{PinnedTransaction, RowUpload};

use crate::error::{FailureKind, TransportError};
use crate::transport::{MAX_ANSWER_BYTES, Transport};
use crate::url::PostgresUrl;

/// The call that carries an exchange.
const EXCHANGE_CALL: &str = "SELECT trueup.exchange($1)";

/// Carries exchanges over PostgreSQL's protocol. The connection is made at the first one, kept, and
/// made again when it breaks.
#[derive(Debug)]
pub struct PostgresTransport {
    link: PostgresLink,
}

impl PostgresTransport {
    /// Prepares the transport without connecting.
    ///
    /// # Errors
    ///
    /// When the trusted authorities cannot be loaded.
    pub fn new(url: PostgresUrl, roots: TlsRoots) -> Result<Self, TransportError> {
        PostgresLink::new(url, roots).map(|link| Self { link })
    }
}

impl Transport for PostgresTransport {
    fn exchange(&mut self, request: &str, deadline: Deadline) -> Result<String, TransportError> {
        let answer = self.link.run(deadline, &async |client: &Client| {
            let rows = client.query_typed(EXCHANGE_CALL, &[(&request, Type::TEXT)]).await?;
            rows.first().map(|row| row.try_get::<_, Option<String>>(0)).transpose()
        })?;
        let answer = answer.flatten().ok_or_else(|| self.link.failure(FailureKind::NotJson))?;
        if u64::try_from(answer.len()).is_ok_and(|bytes| bytes <= MAX_ANSWER_BYTES) {
            Ok(answer)
        } else {
            Err(self.link.failure(FailureKind::TooLarge))
        }
    }

    fn has_alternatives(&self) -> bool {
        self.link.has_several_hosts()
    }
}
