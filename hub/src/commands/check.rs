//! `trueup-hub check`: whether a hub of this machine answers and reaches its database. For
//! containers, which have no other program to ask with.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::command_line::CheckArgs;
use crate::failure::Failure;
use crate::printer::print_line;

/// How long connecting and each part of the answer may take.
const PATIENCE: Duration = Duration::from_secs(4);

/// Most bytes of the answer that are read: its first line is enough.
const MAX_ANSWER_BYTES: u64 = 4 * 1024;

/// Asks the hub.
pub(crate) fn run(arguments: &CheckArgs) -> Result<(), Failure> {
    let address = reachable(arguments.listen);
    let status = ask_readiness(address)
        .map_err(|error| Failure::unable("no_answer", format!("{address}: {error}")))?;
    if status == "200" {
        print_line("ready");
        return Ok(());
    }
    Err(Failure::unable("not_ready", format!("{address}: /readyz answers {status}")))
}

/// Returns the address by which this machine reaches a hub that listens there.
fn reachable(listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), listen.port())
    } else {
        listen
    }
}

/// Returns the status of `/readyz`.
fn ask_readiness(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER_BYTES).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
    status.map(str::to_owned).ok_or_else(|| io::Error::other("it does not speak plain HTTP"))
}
