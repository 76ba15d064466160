//! Which authorities are trusted to sign a server's certificate.

use serde::Deserialize;

/// The authorities that a server's certificate is checked against.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsRoots {
    /// Mozilla's, which this program contains.
    #[default]
    Webpki,
    /// The system's, or those of `SSL_CERT_FILE`.
    System,
}
