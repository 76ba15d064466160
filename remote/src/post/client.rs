//! The HTTP client of a POST: no redirect is followed, and no body of an answer is read.

use std::error::Error;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, StatusCode};
use trueup_core::settings::TlsRoots;
use trueup_core::text::one_line;

use super::PostUrl;
use crate::net::look_up;
use crate::tls::{self, CertificateCheck, RootSource};

/// How long a POST may take, from the name look-up to the status.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a receiver sees as the name of this program.
const USER_AGENT: &str = concat!("trueup/", env!("CARGO_PKG_VERSION"));

/// Longest description of a failure, in characters.
const MAX_PROBLEM_CHARS: usize = 200;

/// Why a POST counts as not received. Its text shows nothing of the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// The receiver answered with something else than success.
    #[error("it answered {0}")]
    Refused(u16),
    /// There was no answer in time.
    #[error("no answer within 10 s")]
    TimedOut,
    /// The receiver could not be reached, or broke off.
    #[error("{0}")]
    Unreachable(String),
    /// The client could not be built: the trusted authorities cannot be loaded.
    #[error("{0}")]
    Local(String),
}

/// Posts to one address.
#[derive(Debug, Clone)]
pub struct PostClient {
    client: Client,
    url: PostUrl,
}

impl PostClient {
    /// Builds a client, which trusts the same authorities as one for a database.
    ///
    /// # Errors
    ///
    /// [`PostError::Local`].
    pub fn build(url: PostUrl, roots: TlsRoots) -> Result<Self, PostError> {
        let client = start_client(&url, roots)?
            // What is signed for one receiver goes to no other.
            .redirect(Policy::none())
            .timeout(PATIENCE)
            .build()
            .map_err(|error| PostError::Local(describe_error(&error.without_url())))?;
        Ok(Self { client, url })
    }

    /// Posts JSON. Only a status of success counts; the rest of the answer is not read.
    ///
    /// # Errors
    ///
    /// Why the receiver may not have it.
    pub async fn post_json(&self, headers: HeaderMap, body: String) -> Result<(), PostError> {
        let request = self
            .client
            .post(self.url.expose())
            .headers(headers)
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        let answer = request.send().await.map_err(|error| {
            if error.is_timeout() {
                return PostError::TimedOut;
            }
            PostError::Unreachable(describe_error(&error.without_url()))
        })?;
        check_status(answer.status())
    }
}

/// Starts a client for one address: trusted authorities, and no network for one of this machine.
pub(crate) fn start_client(url: &PostUrl, roots: TlsRoots) -> Result<ClientBuilder, PostError> {
    let trusted =
        RootSource::new(None, roots).load().map_err(|kind| PostError::Local(kind.to_string()))?;
    let tls = tls::build_client(trusted, CertificateCheck::AuthorityAndHost)
        .map_err(|error| PostError::Local(error.to_string()))?;
    let builder = Client::builder()
        .tls_backend_preconfigured(tls.config)
        .https_only(url.is_secure())
        .dns_resolver(std::sync::Arc::new(ThreadedResolver))
        .user_agent(USER_AGENT);
    // What is meant for this machine must not go to a proxy.
    Ok(if url.is_secure() { builder } else { builder.no_proxy() })
}

fn check_status(status: StatusCode) -> Result<(), PostError> {
    if status.is_success() { Ok(()) } else { Err(PostError::Refused(status.as_u16())) }
}

/// Describes an error by its first cause: what stands before it names no reason.
pub(crate) fn describe_error(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    one_line(&cause.to_string(), MAX_PROBLEM_CHARS)
}

/// Looks up names on a thread of their own, which nobody waits for longer than for the answer.
#[derive(Debug)]
struct ThreadedResolver;

impl Resolve for ThreadedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The port is set by the client.
            let found = look_up(name.as_str(), 0).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
