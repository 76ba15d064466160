//! TLS: which authorities are trusted, how much of a certificate is checked, what failed.
//!
//! The cryptography is that of ring, everywhere: the other provider of rustls takes 22 ms to start.

mod certificate;
mod failure;
mod roots;
mod verifier;

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::{CryptoProvider, ring};

pub(crate) use certificate::PeerCertificate;
pub(crate) use failure::classify_tls;
pub(crate) use roots::{RootSource, TrustedRoots};
pub(crate) use verifier::CertificateCheck;
use verifier::CertificateVerifier;

/// A configuration for connections, and the certificate that the last of them was shown.
pub(crate) struct TlsClient {
    pub(crate) config: ClientConfig,
    pub(crate) peer: PeerCertificate,
}

/// Builds the configuration.
///
/// # Errors
///
/// When the provider supports no version of TLS, which does not happen.
pub(crate) fn build_client(
    roots: TrustedRoots,
    check: CertificateCheck,
) -> Result<TlsClient, rustls::Error> {
    let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
    let peer = PeerCertificate::default();
    let verifier = CertificateVerifier::new(roots, check, peer.clone(), &provider);
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(TlsClient { config, peer })
}
