//! Certificates, made for each run.

#![expect(clippy::unwrap_used, reason = "a certificate that cannot be made fails its test")]

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;

const CERTIFICATE_FILE: &str = "ca.pem";

/// A key and certificates in PEM.
pub struct Identity {
    /// The server's certificate, or a chain that begins with it.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

/// An authority of the tests.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    /// Makes an authority that nobody trusts yet.
    #[expect(clippy::new_without_default, reason = "each one is another")]
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        // Once: programs of several tests read it at the same time.
        std::fs::write(folder.path().join(CERTIFICATE_FILE), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    /// Returns the file of the authority's certificate.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join(CERTIFICATE_FILE)
    }

    /// Signs a certificate for a host.
    pub fn sign(&self, host: &str) -> Identity {
        self.sign_params(&CertificateParams::new(vec![host.to_owned()]).unwrap())
    }

    /// Signs a certificate for a host that is no longer valid.
    pub fn sign_expired(&self, host: &str) -> Identity {
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
        self.sign_params(&params)
    }

    fn sign_params(&self, params: &CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

/// Returns a certificate for a host that signed itself and says that it is an authority, as
/// `openssl req -x509` makes them.
pub fn self_signed(host: &str) -> Identity {
    let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Identity { certificate: certificate.pem(), key: key.serialize_pem() }
}
