//! The HTTP client: credentials, trusted authorities, name look-up.

use std::sync::Arc;

use reqwest::Client;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use trueup_core::settings::{ApiCredentials, Secret, TlsRoots};

use crate::error::{Activity, FailureKind, TransportError};
use crate::net::{Progress, look_up};
use crate::tls::{self, CertificateCheck, PeerCertificate, RootSource};
use crate::url::HttpsUrl;

/// The header of Supabase's gateway.
const API_KEY: HeaderName = HeaderName::from_static("apikey");

/// What a server sees as the name of this program.
const USER_AGENT: &str = concat!("trueup/", env!("CARGO_PKG_VERSION"));

/// Builds the client, and returns where it will leave the server's certificate.
pub(super) fn build_client(
    url: &HttpsUrl,
    roots: TlsRoots,
    progress: &Arc<Progress>,
) -> Result<(Client, PeerCertificate), TransportError> {
    let local = |error: String| progress.failure(FailureKind::Local(error));
    let trusted =
        RootSource::new(url.root.as_ref(), roots).load().map_err(|kind| progress.failure(kind))?;
    let tls = tls::build_client(trusted, CertificateCheck::AuthorityAndHost)
        .map_err(|error| local(error.to_string()))?;
    let mut builder = Client::builder()
        .tls_backend_preconfigured(tls.config)
        .https_only(url.is_secure())
        // Credentials go to no other address, and a POST must not become a GET.
        .redirect(Policy::none())
        .dns_resolver(Arc::new(TimedResolver { progress: Arc::clone(progress) }))
        .user_agent(USER_AGENT);
    if !url.is_secure() {
        // What is meant for this machine must not go to a proxy.
        builder = builder.no_proxy();
    }
    let client = builder.build().map_err(|error| {
        progress.failure_from(FailureKind::Local("HTTP".to_owned()), error.without_url())
    })?;
    Ok((client, tls.peer))
}

/// Loads the credentials into headers.
///
/// # Errors
///
/// When a file with a credential cannot be read, or others can read it.
pub(super) fn load_headers(
    credentials: &ApiCredentials,
    progress: &Progress,
) -> Result<HeaderMap, TransportError> {
    let load = |source: &trueup_core::settings::CredentialSource| {
        source.load().map_err(|error| {
            progress.failure_from(FailureKind::Configuration(error.to_string()), error)
        })
    };
    let key = load(&credentials.key)?;
    let token = load(&credentials.token)?;
    let mut headers = HeaderMap::new();
    if let Some(key) = &key {
        headers.insert(API_KEY, secret_value(key.expose(), progress)?);
    }
    if let Some(bearer) = token.as_ref().or(key.as_ref()).map(Secret::expose) {
        headers.insert(AUTHORIZATION, secret_value(&format!("Bearer {bearer}"), progress)?);
    }
    Ok(headers)
}

/// Makes a header's value that no `Debug` output shows.
fn secret_value(text: &str, progress: &Progress) -> Result<HeaderValue, TransportError> {
    let mut value = HeaderValue::from_str(text).map_err(|error| {
        progress.failure_from(FailureKind::Configuration("malformed credential".into()), error)
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Looks up names on a thread of their own, and notes that it does.
struct TimedResolver {
    progress: Arc<Progress>,
}

impl Resolve for TimedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let progress = Arc::clone(&self.progress);
        Box::pin(async move {
            progress.begin(Activity::LookingUpName);
            // The port is set by the client.
            let found = look_up(name.as_str(), 0).await?;
            progress.begin(Activity::Connecting);
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
