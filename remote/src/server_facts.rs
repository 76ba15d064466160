//! What `doctor` and `db status` report of a server.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use trueup_core::deadline::Deadline;
use trueup_core::model::{TokenName, TokenRole};
use trueup_core::store::Result;
use trueup_core::store::sql::read_server_version;
use trueup_core::store::{ClockStore as _, SCHEMA_VERSION};

use crate::error::TransportError;
use crate::exchange::{ExchangeEngine, RemoteStore};
use crate::hub::{HttpsHub, HubCaller, HubStore};
use crate::remote_database::{OpenOptions, RemoteDatabase, RemoteTransport};
use crate::transport::Transport as _;

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFacts {
    /// What it is.
    pub software: ServerSoftware,
    /// Its version, such as `15.4`.
    pub version: String,
    /// Whether the connection is encrypted.
    pub uses_tls: bool,
    /// Whole days until the server's certificate expires; negative once it has.
    pub certificate_days_left: Option<i64>,
    /// How long a request without work takes.
    pub round_trip: Duration,
    /// How far the server's clock is ahead of this machine's, within half a round trip.
    pub clock_ahead: SignedDuration,
    /// What the user of the URL or of the token may do; unknown of PostgreSQL by HTTPS.
    pub rights: Option<UserRights>,
}

/// What answers at a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerSoftware {
    /// PostgreSQL, perhaps behind a gateway.
    Postgres,
    /// A hub.
    Hub,
}

impl ServerSoftware {
    /// Returns the name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Hub => "trueup-hub",
        }
    }
}

/// What the user of a server may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserRights {
    /// What the user of a PostgreSQL URL may do.
    Postgres {
        /// The name of the user.
        user: String,
        /// Whether the user may call `trueup.exchange`, as `trueup_client` may; unknown while the
        /// database has no such function.
        is_client: Option<bool>,
        /// Whether the user may change tables and rules: a superuser, or a member of
        /// `trueup_owner`.
        is_owner: bool,
    },
    /// What the bearer of a hub's token may do.
    Hub {
        /// The name of the token.
        name: TokenName,
        /// Its role.
        role: TokenRole,
    },
}

impl RemoteDatabase {
    /// Asks the server about itself.
    ///
    /// # Errors
    ///
    /// When it does not answer by the deadline.
    pub fn load_server_facts(&self, deadline: Deadline) -> Result<ServerFacts> {
        let options = OpenOptions { deadline, row_age: None, waits_for_server: false };
        if let Some(hub) = self.open_hub(options)? {
            return load_facts_of_hub(hub, deadline);
        }
        match self.open_transport()? {
            RemoteTransport::Postgres(_) => {
                Ok(self.connect_directly(deadline)?.server_facts(deadline)?)
            }
            transport @ RemoteTransport::Https(_) => load_facts_by_https(transport, deadline),
        }
    }
}

fn load_facts_of_hub(hub: HttpsHub, deadline: Deadline) -> Result<ServerFacts> {
    // The first request connects.
    hub.ask_version(deadline)?;
    let begun = Instant::now();
    let version = hub.ask_version(deadline)?;
    let round_trip = begun.elapsed();
    let (certificate_days_left, uses_tls) = (hub.certificate_days_left(), hub.uses_tls());
    let HubCaller { name, role } = hub.ask_caller(deadline)?;
    let mut store = HubStore::new(Box::new(hub), deadline);
    let asked = Timestamp::now();
    let server_time = SignedDuration::from_millis(store.database_time()?.as_millis());
    Ok(ServerFacts {
        software: ServerSoftware::Hub,
        version,
        uses_tls,
        certificate_days_left,
        round_trip,
        clock_ahead: clock_difference(server_time, asked, round_trip),
        rights: Some(UserRights::Hub { name, role }),
    })
}

fn load_facts_by_https(mut transport: RemoteTransport, deadline: Deadline) -> Result<ServerFacts> {
    // The first request connects.
    time_request(&mut transport, deadline)?;
    let round_trip = time_request(&mut transport, deadline)?;
    let (certificate_days_left, uses_tls) = match &transport {
        RemoteTransport::Https(https) => (https.certificate_days_left(), https.uses_tls()),
        RemoteTransport::Postgres(_) => (None, false),
    };
    let engine = ExchangeEngine::new(Box::new(transport), SCHEMA_VERSION, deadline);
    let version = read_server_version(&engine)?;
    let mut store = RemoteStore::new(engine);
    let asked = Timestamp::now();
    let server_time = SignedDuration::from_millis(store.database_time()?.as_millis());
    Ok(ServerFacts {
        software: ServerSoftware::Postgres,
        version,
        uses_tls,
        certificate_days_left,
        round_trip,
        clock_ahead: clock_difference(server_time, asked, round_trip),
        rights: None,
    })
}

/// Measures a request without steps.
fn time_request(
    transport: &mut RemoteTransport,
    deadline: Deadline,
) -> std::result::Result<Duration, TransportError> {
    let begun = Instant::now();
    transport.exchange(r#"{"protocol":1,"batch":[]}"#, deadline)?;
    Ok(begun.elapsed())
}

/// Returns how far a server's clock, since the epoch, is ahead of a reading of this machine's that
/// was made as the server was asked.
pub(crate) fn clock_difference(
    server: SignedDuration,
    asked: Timestamp,
    round_trip: Duration,
) -> SignedDuration {
    let half = SignedDuration::try_from(round_trip / 2).unwrap_or_default();
    server - asked.as_duration() - half
}
