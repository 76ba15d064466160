//! The certificate with which the hub shows who it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use trueup_core::fs::{read_bytes, read_private_text};
use trueup_core::text::path_to_text;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// Longest file of a certificate or key, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Where certificate and key are.
#[derive(Debug, Clone)]
pub(crate) struct TlsFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// A certificate with its key, ready to use.
#[derive(Clone)]
pub(crate) struct TlsIdentity {
    pub(super) acceptor: TlsAcceptor,
    /// The names that the certificate is for.
    pub(crate) names: Vec<String>,
}

impl TlsIdentity {
    /// Loads certificate and key.
    ///
    /// # Errors
    ///
    /// A line that names the file and what is wrong with it.
    pub(crate) fn load(files: &TlsFiles) -> Result<Self, String> {
        let chain = load_chain(&files.certificate)?;
        let names = chain.first().map(|own| list_names(own)).unwrap_or_default();
        let key = load_key(&files.key)?;
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(|error| error.to_string())?
                .with_no_client_auth()
                .with_single_cert(chain, key)
                .map_err(|error| format!("{}: {error}", path_to_text(&files.certificate)))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), names })
    }
}

fn load_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let fail = |problem: String| format!("{}: {problem}", path_to_text(path));
    let bytes = read_bytes(path, MAX_FILE_BYTES, true).map_err(|error| fail(error.to_string()))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let chain = chain.map_err(|error| fail(error.to_string()))?;
    if chain.is_empty() {
        return Err(fail("contains no certificate".to_owned()));
    }
    Ok(chain)
}

fn load_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let fail = |problem: String| format!("{}: {problem}", path_to_text(path));
    let text = read_private_text(path, MAX_FILE_BYTES).map_err(|error| fail(error.to_string()))?;
    PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|error| fail(error.to_string()))
}

/// Lists the names that a certificate is for; none where it cannot be parsed. A wildcard names
/// nothing that could be compared, and is left to `--host`.
fn list_names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok(parsed) = Certificate::from_der(certificate) else {
        return Vec::new();
    };
    let Ok(Some((_, names))) = parsed.tbs_certificate.get::<SubjectAltName>() else {
        return Vec::new();
    };
    let name = |name: &GeneralName| match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        _ => None,
    };
    names.0.iter().filter_map(name).collect()
}
