//! The certificate that a server showed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::CertificateDer;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

/// Seconds of a day.
const DAY_SECONDS: i64 = 24 * 3_600;

/// When a certificate begins and ends to be valid, since the Unix epoch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Validity {
    pub(super) not_before: Duration,
    pub(super) not_after: Duration,
}

/// Returns when a certificate is valid; none if it cannot be parsed.
pub(super) fn validity_of(certificate: &CertificateDer<'_>) -> Option<Validity> {
    let parsed = Certificate::from_der(certificate).ok()?;
    let validity = parsed.tbs_certificate.validity;
    Some(Validity {
        not_before: validity.not_before.to_unix_duration(),
        not_after: validity.not_after.to_unix_duration(),
    })
}

/// The certificate that the server of the last connection showed; shared with the verifier.
#[derive(Debug, Clone, Default)]
pub(crate) struct PeerCertificate(Arc<Mutex<Option<CertificateDer<'static>>>>);

impl PeerCertificate {
    pub(super) fn remember(&self, certificate: &CertificateDer<'_>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(certificate.clone().into_owned());
    }

    /// Forgets the certificate, before a new connection.
    pub(crate) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Returns whether a certificate was shown, that is, whether TLS is in use.
    pub(crate) fn is_known(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Returns how many whole days the certificate is still valid; negative once it has expired.
    pub(crate) fn days_left(&self) -> Option<i64> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let end = validity_of(known.as_ref()?)?.not_after.as_secs();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        let left = i64::try_from(end).ok()? - i64::try_from(now).ok()?;
        Some(left.div_euclid(DAY_SECONDS))
    }
}
