//! The server's side of TLS.

#![expect(clippy::unwrap_used, reason = "a server that cannot be started fails its test")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::certificates::Identity;

/// Returns the settings of a server that shows an identity.
pub fn server_config(identity: &Identity) -> Arc<ServerConfig> {
    let chain = CertificateDer::pem_slice_iter(identity.certificate.as_bytes());
    let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    Arc::new(config)
}

/// Starts a server that takes TLS off connections and passes them on to a port of this machine;
/// returns its own port. It ends with the process.
pub fn start_terminator(identity: &Identity, upstream: u16) -> u16 {
    let acceptor = TlsAcceptor::from(server_config(identity));
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    std::thread::spawn(move || {
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).unwrap();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(pass_on(acceptor.clone(), client, upstream));
            }
        })
    });
    port
}

/// Passes a connection on until one of its sides ends it.
async fn pass_on(acceptor: TlsAcceptor, client: TcpStream, upstream: u16) {
    let Ok(mut client) = acceptor.accept(client).await else { return };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, upstream));
    if let Ok(mut server) = TcpStream::connect(address).await {
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    }
}
