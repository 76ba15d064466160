//! The authorities that are trusted.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use trueup_core::fs::read_bytes;
use trueup_core::settings::TlsRoots;
use trueup_core::text::path_to_text;

use crate::error::FailureKind;
use crate::url::RootOption;

/// Largest file of certificates, in bytes.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Where the trusted authorities come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RootSource {
    /// Nowhere: the certificate is not looked at.
    Nowhere,
    /// The setting `tls_roots`.
    Setting(TlsRoots),
    /// A file of the user's.
    File(PathBuf),
}

/// The trusted authorities.
#[derive(Debug)]
pub(crate) struct TrustedRoots {
    pub(super) store: Arc<RootCertStore>,
    /// The certificates of the user's file, each of which may also be the server's own.
    pub(super) own: Vec<CertificateDer<'static>>,
}

impl RootSource {
    /// Returns what the URL says, else the setting.
    pub(crate) fn new(option: Option<&RootOption>, setting: TlsRoots) -> Self {
        match option {
            Some(RootOption::File(path)) => Self::File(path.clone()),
            Some(RootOption::System) => Self::Setting(TlsRoots::System),
            None => Self::Setting(setting),
        }
    }

    /// Loads the authorities.
    ///
    /// # Errors
    ///
    /// When the file or the system's store contains no certificate that can be used.
    pub(crate) fn load(&self) -> Result<TrustedRoots, FailureKind> {
        let mut store = RootCertStore::empty();
        let mut own = Vec::new();
        match self {
            Self::Nowhere => {}
            Self::Setting(TlsRoots::Webpki) => {
                store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            }
            Self::Setting(TlsRoots::System) => {
                // Single certificates that cannot be used are common in the system's store.
                store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                if store.is_empty() {
                    let problem = "the system has no trusted certificates; see SSL_CERT_FILE";
                    return Err(FailureKind::Configuration(problem.to_owned()));
                }
            }
            Self::File(path) => {
                let problem = |reason: String| {
                    FailureKind::Configuration(format!(
                        "sslrootcert {}: {reason}",
                        path_to_text(path)
                    ))
                };
                let bytes = read_bytes(path, MAX_FILE_BYTES, true)
                    .map_err(|error| problem(error.to_string()))?;
                own.extend(CertificateDer::pem_slice_iter(&bytes).filter_map(Result::ok));
                store.add_parsable_certificates(own.iter().cloned());
                if store.is_empty() {
                    return Err(problem("no certificate in PEM".to_owned()));
                }
            }
        }
        Ok(TrustedRoots { store: Arc::new(store), own })
    }
}
