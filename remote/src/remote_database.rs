//! Opens what a URL names.

use trueup_core::deadline::Deadline;
use trueup_core::settings::{
    ApiCredentials, DatabaseUrl, Environment, RemoteUrl, Settings, TlsRoots,
};

use crate::error::{FailureKind, TransportError};
use crate::https::{FlavourMemory, HttpsTransport};
use crate::postgres::{ChangeListener, DirectConnection, PostgresTransport, connect_directly};
use crate::transport::Transport;
use crate::url::{HttpsUrl, PasswordSources, PostgresUrl, UrlError};

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
