//! What an error of rustls is about.

use rustls::{CertificateError, Error};

use crate::error::TlsFailure;

/// Returns why TLS was not agreed on.
pub(crate) fn classify_tls(error: &Error) -> TlsFailure {
    match error {
        Error::InvalidCertificate(problem) => classify_certificate(problem),
        // What answered does not speak TLS at all.
        Error::InvalidMessage(_) => TlsFailure::Unsupported,
        other => TlsFailure::Handshake(other.to_string()),
    }
}

fn classify_certificate(problem: &CertificateError) -> TlsFailure {
    use CertificateError as C;
    match problem {
        C::Expired | C::ExpiredContext { .. } => TlsFailure::Expired,
        C::NotValidYet | C::NotValidYetContext { .. } => TlsFailure::NotYetValid,
        C::NotValidForName | C::NotValidForNameContext { .. } => TlsFailure::WrongHost,
        // A certificate that signed itself, and is not trusted, is reported as `Other`.
        C::UnknownIssuer | C::BadSignature | C::Other(_) => TlsFailure::UnknownAuthority,
        other => TlsFailure::Handshake(other.to_string()),
    }
}
