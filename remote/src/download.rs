//! Downloading one file, such as a release of trueup.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use tokio::runtime::Builder;
use trueup_core::settings::TlsRoots;

use crate::post::{PostUrl, describe_error, start_client};

/// How long connecting may take.
const CONNECT_PATIENCE: Duration = Duration::from_secs(15);

/// How long the server may send nothing.
const SILENCE_PATIENCE: Duration = Duration::from_secs(30);

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_mins(10);

/// Most redirections followed: a release is not where its address leads first.
const MAX_REDIRECTS: usize = 5;

/// Why a file was not downloaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DownloadError {
    /// The server answered with something else than success.
    #[error("the server answered {0}")]
    Refused(u16),
    /// It is larger than the caller takes.
    #[error("larger than {0} bytes")]
    TooLarge(u64),
    /// The server could not be reached, or broke off.
    #[error("{0}")]
    Failed(String),
}

/// Downloads a file of at most `limit` bytes. From an `https://` address no redirection leads to one
/// without TLS.
///
/// # Errors
///
/// Why there is no file.
pub fn download_file(url: &PostUrl, limit: u64) -> Result<Vec<u8>, DownloadError> {
    let failed = |text: String| DownloadError::Failed(text);
    // A company's proxy is known to the system; a container may have no authorities at all.
    let client = start_client(url, TlsRoots::System)
        .or_else(|_| start_client(url, TlsRoots::Webpki))
        .map_err(|error| failed(error.to_string()))?;
    let redirects = if url.is_secure() { Policy::limited(MAX_REDIRECTS) } else { Policy::none() };
    let client = client
        .redirect(redirects)
        .connect_timeout(CONNECT_PATIENCE)
        .read_timeout(SILENCE_PATIENCE)
        .timeout(PATIENCE)
        .build()
        .map_err(|error| failed(describe_error(&error.without_url())))?;
    let runtime = Builder::new_current_thread().enable_io().enable_time().build();
    let runtime = runtime.map_err(|error| failed(error.to_string()))?;
    runtime.block_on(receive_file(&client, url, limit))
}

async fn receive_file(
    client: &Client,
    url: &PostUrl,
    limit: u64,
) -> Result<Vec<u8>, DownloadError> {
    let failed =
        |error: reqwest::Error| DownloadError::Failed(describe_error(&error.without_url()));
    let mut answer: Response = client.get(url.expose()).send().await.map_err(failed)?;
    if !answer.status().is_success() {
        return Err(DownloadError::Refused(answer.status().as_u16()));
    }
    let mut file = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(failed)? {
        if file.len() as u64 + piece.len() as u64 > limit {
            return Err(DownloadError::TooLarge(limit));
        }
        file.extend_from_slice(&piece);
    }
    Ok(file)
}
