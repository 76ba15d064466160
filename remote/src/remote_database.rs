//! Opens what a URL names.

use std::time::Duration;

use trueup_core::deadline::Deadline;
use trueup_core::settings::{
    ApiCredentials, DatabaseUrl, Environment, RemoteUrl, Settings, TlsRoots,
};
use trueup_core::store::{CommandStore, Result as StoreResult, SCHEMA_VERSION};

use crate::error::{FailureKind, TransportError};
use crate::exchange::{ExchangeEngine, RemoteStore};
use crate::https::{FlavourMemory, HttpsConnection, HttpsTransport};
use crate::hub::{HttpsHub, HubStore, HubTransport};
use crate::outage::{OutageWatch, pause_before_run};
use crate::postgres::{ChangeListener, DirectConnection, PostgresTransport, connect_directly};
use crate::transport::Transport;
use crate::url::{Flavour, HttpsUrl, PasswordSources, PostgresUrl, UrlError};

/// A remote database as the settings describe it.
#[derive(Debug, Clone)]
pub struct RemoteDatabase {
    /// Where it is.
    pub url: RemoteUrl,
    /// What authenticates a request to an `https://` database.
    pub credentials: ApiCredentials,
    /// Where the password for `postgres://` is if the URL has none.
    pub passwords: PasswordSources,
    /// Which authorities are trusted if the URL does not say.
    pub roots: TlsRoots,
    /// Where it is remembered what answers at an `https://` URL.
    pub flavour_memory: Option<FlavourMemory>,
}

/// How a database is opened.
#[derive(Debug, Clone, Copy)]
pub struct OpenOptions {
    /// Until when operations may take.
    pub deadline: Deadline,
    /// How old rows may be that an operation uses again; none where others' changes have to be seen.
    pub row_age: Option<Duration>,
    /// Whether a server is waited for that refuses connections, because it is restarted.
    pub waits_for_server: bool,
}

/// A transport of either kind.
#[derive(Debug)]
pub enum RemoteTransport {
    /// For `postgres://`.
    Postgres(Box<PostgresTransport>),
    /// For `https://`.
    Https(Box<HttpsTransport>),
}

impl RemoteDatabase {
    /// Returns the database of the settings; none if it is embedded, or its URL is unusable.
    pub fn from_settings(settings: &Settings, environment: &Environment) -> Option<Self> {
        let DatabaseUrl::Remote(url) = &settings.database else {
            return None;
        };
        Some(Self {
            flavour_memory: Some(FlavourMemory::of_url(&settings.paths.servers(), url)),
            url: url.clone(),
            credentials: settings.api_credentials.clone(),
            passwords: PasswordSources::from_environment(environment),
            roots: settings.tls_roots,
        })
    }

    /// Prepares a transport without connecting.
    ///
    /// # Errors
    ///
    /// When the URL, a credential or the trusted authorities cannot be used.
    pub fn open_transport(&self) -> Result<RemoteTransport, TransportError> {
        if self.is_postgres() {
            let url = self.parse_postgres()?;
            return PostgresTransport::new(url, self.roots)
                .map(|it| RemoteTransport::Postgres(Box::new(it)));
        }
        let url = HttpsUrl::parse(&self.url).map_err(|error| self.url_failure(error))?;
        let mut transport = HttpsTransport::new(url, &self.credentials, self.roots)?;
        if let Some(memory) = &self.flavour_memory {
            transport = transport.with_memory(memory.clone());
        }
        Ok(RemoteTransport::Https(Box::new(transport)))
    }

    /// Opens the database. A hub answers operations itself; every other server takes exchanges.
    ///
    /// Nothing is sent yet, but where it is not known what answers at an `https://` URL: then it is
    /// asked.
    ///
    /// # Errors
    ///
    /// When the URL, a credential or the trusted authorities cannot be used, or when the server does
    /// not say by the deadline what it is.
    pub fn open_store(&self, options: OpenOptions) -> StoreResult<Box<dyn CommandStore>> {
        if let Some(hub) = self.open_hub(options)? {
            let store = HubStore::new(Box::new(hub), options.deadline);
            return Ok(Box::new(if options.waits_for_server {
                store.waiting_for_server()
            } else {
                store
            }));
        }
        let transport = Box::new(self.open_transport()?);
        let mut engine = ExchangeEngine::new(transport, SCHEMA_VERSION, options.deadline);
        if let Some(age) = options.row_age {
            engine = engine.remembering_rows(age);
        }
        if options.waits_for_server {
            engine = engine.waiting_for_server();
        }
        Ok(Box::new(RemoteStore::new(engine)))
    }

    /// Prepares requests to the hub, if there is one at the URL: for whoever looks at them on their
    /// way to a [`HubStore`].
    ///
    /// # Errors
    ///
    /// Those of [`Self::open_store`].
    pub fn open_hub_transport(
        &self,
        options: OpenOptions,
    ) -> StoreResult<Option<Box<dyn HubTransport>>> {
        Ok(self.open_hub(options)?.map(|hub| Box::new(hub) as Box<dyn HubTransport>))
    }

    /// Prepares requests to the hub, if there is one at the URL.
    pub(crate) fn open_hub(&self, options: OpenOptions) -> StoreResult<Option<HttpsHub>> {
        if self.is_postgres() {
            return Ok(None);
        }
        let url = HttpsUrl::parse(&self.url).map_err(|error| self.url_failure(error))?;
        let (said, memory) = (url.flavour, self.flavour_memory.as_ref());
        let memory = memory.filter(|_| said.is_none());
        let known = said.or_else(|| memory.and_then(FlavourMemory::recall));
        if known.is_some_and(|known| known != Flavour::Hub) {
            return Ok(None);
        }
        let connection = HttpsConnection::new(url, &self.credentials, self.roots)?;
        if known.is_none() {
            if !is_hub(&connection, options)? {
                return Ok(None);
            }
            if let Some(memory) = memory {
                memory.remember(Flavour::Hub);
            }
        }
        Ok(Some(HttpsHub::new(connection, memory.cloned())))
    }

    /// Connects for migrations or `doctor`.
    ///
    /// # Errors
    ///
    /// When there is no connection by the deadline, or the URL is not `postgres://`.
    pub fn connect_directly(&self, deadline: Deadline) -> Result<DirectConnection, TransportError> {
        if !self.is_postgres() {
            let problem = "this needs a direct connection, a postgres:// URL";
            return Err(self.failure(FailureKind::Configuration(problem.to_owned())));
        }
        connect_directly(self.parse_postgres()?, self.roots, deadline)
    }

    /// Prepares to hear of new events without connecting; nothing where the URL is not
    /// `postgres://`.
    ///
    /// # Errors
    ///
    /// Those of [`Self::open_transport`].
    pub fn open_listener(&self) -> Result<Option<ChangeListener>, TransportError> {
        if !self.is_postgres() {
            return Ok(None);
        }
        ChangeListener::new(self.parse_postgres()?, self.roots).map(Some)
    }

    /// Returns whether the URL is `postgres://`, so that a direct connection is possible.
    pub fn is_postgres(&self) -> bool {
        self.url.expose().starts_with("postgres")
    }

    /// Returns whether a hub is known to answer at the URL, because the URL says so or one did
    /// before.
    pub fn is_known_hub(&self) -> bool {
        let said = HttpsUrl::parse(&self.url).ok().and_then(|url| url.flavour);
        let remembered = || self.flavour_memory.as_ref().and_then(FlavourMemory::recall);
        !self.is_postgres() && said.or_else(remembered) == Some(Flavour::Hub)
    }

    fn parse_postgres(&self) -> Result<PostgresUrl, TransportError> {
        PostgresUrl::parse(&self.url, &self.passwords).map_err(|error| self.url_failure(error))
    }

    fn url_failure(&self, error: UrlError) -> TransportError {
        let mut failure = self.failure(FailureKind::Configuration(error.to_string()));
        failure.cause = Some(Box::new(error));
        failure
    }

    fn failure(&self, kind: FailureKind) -> TransportError {
        TransportError::new(self.url.first_address(), kind)
    }
}

/// Asks what a server is, until the deadline where it is waited for.
fn is_hub(connection: &HttpsConnection, options: OpenOptions) -> StoreResult<bool> {
    let mut outages = OutageWatch::default();
    if options.waits_for_server {
        outages.wait_for_server();
    }
    let mut runs = 0;
    loop {
        let error = match connection.run(options.deadline, connection.find_hub_version()) {
            Ok(version) => return Ok(version.is_some()),
            Err(error) => error,
        };
        runs += 1;
        let may_help = outages.may_end(&error, false);
        if !may_help || pause_before_run(options.deadline, Some(&error), true, runs).is_err() {
            return Err(error.into_reading_error());
        }
    }
}

impl Transport for RemoteTransport {
    fn exchange(&mut self, request: &str, deadline: Deadline) -> Result<String, TransportError> {
        match self {
            Self::Postgres(transport) => transport.exchange(request, deadline),
            Self::Https(transport) => transport.exchange(request, deadline),
        }
    }

    fn has_alternatives(&self) -> bool {
        match self {
            Self::Postgres(transport) => transport.has_alternatives(),
            Self::Https(transport) => transport.has_alternatives(),
        }
    }
}
