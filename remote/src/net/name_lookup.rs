//! Looks up names without waiting longer than the caller does.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::thread;

use tokio::sync::oneshot;

/// The name is unknown, or no server for names can be reached.
#[derive(Debug, thiserror::Error)]
#[error("the name of the host cannot be found")]
pub(crate) struct NameNotFound(#[source] io::Error);

/// Looks up a host.
///
/// The system's function can block for longer than any deadline and cannot be stopped, so it has a
/// thread of its own, which is left behind when the caller stops waiting.
pub(crate) async fn look_up(host: &str, port: u16) -> Result<Vec<SocketAddr>, NameNotFound> {
    if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let (sender, receiver) = oneshot::channel();
    let name = host.to_owned();
    let look = move || {
        let found = (name.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>);
        // Nobody may be waiting any more.
        let _ = sender.send(found);
    };
    thread::Builder::new().name("name look-up".to_owned()).spawn(look).map_err(NameNotFound)?;
    match receiver.await {
        Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
        Ok(Err(error)) => Err(NameNotFound(error)),
        Ok(Ok(_)) | Err(_) => Err(NameNotFound(io::ErrorKind::NotFound.into())),
    }
}
