//! Checks a server's certificate, as far as it is asked to.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

use super::certificate::{PeerCertificate, validity_of};
use super::roots::TrustedRoots;

/// How much of a certificate is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CertificateCheck {
    /// Nothing: the connection is encrypted, with whom is not known.
    Nothing,
    /// That a trusted authority signed it, and that it is valid now.
    Authority,
    /// That, and that it is for the host.
    AuthorityAndHost,
}

#[derive(Debug)]
pub(super) struct CertificateVerifier {
    roots: TrustedRoots,
    check: CertificateCheck,
    peer: PeerCertificate,
    algorithms: WebPkiSupportedAlgorithms,
}

impl CertificateVerifier {
    pub(super) fn new(
        roots: TrustedRoots,
        check: CertificateCheck,
        peer: PeerCertificate,
        provider: &CryptoProvider,
    ) -> Self {
        Self { roots, check, peer, algorithms: provider.signature_verification_algorithms }
    }

    /// Checks that the certificate can be traced to a trusted one and is valid now.
    fn check_authority(
        &self,
        end_entity: &CertificateDer<'_>,
        parsed: &ParsedCertificate<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        // A server whose own certificate is in the user's file: the usual way to do without an
        // authority. Such a certificate often says that it is one, which webpki refuses.
        if self.roots.own.iter().any(|own| own == end_entity) {
            return check_validity(end_entity, now);
        }
        verify_server_cert_signed_by_trust_anchor(
            parsed,
            &self.roots.store,
            intermediates,
            now,
            self.algorithms.all,
        )
    }
}

fn check_validity(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let validity = validity_of(certificate).ok_or(CertificateError::BadEncoding)?;
    if now.as_secs() < validity.not_before.as_secs() {
        return Err(CertificateError::NotValidYet.into());
    }
    if now.as_secs() > validity.not_after.as_secs() {
        return Err(CertificateError::Expired.into());
    }
    Ok(())
}

impl ServerCertVerifier for CertificateVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.peer.remember(end_entity);
        if self.check != CertificateCheck::Nothing {
            let parsed = ParsedCertificate::try_from(end_entity)?;
            self.check_authority(end_entity, &parsed, intermediates, now)?;
            if self.check == CertificateCheck::AuthorityAndHost {
                verify_server_name(&parsed, server_name)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
