//! A proxy that does to a connection what networks do.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

/// What happens to the connection.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// Nothing.
    None,
    /// The answers of the server are passed on late.
    Delay(Duration),
    /// The answers of the server are passed on a byte at a time, with a pause after each.
    Drip(Duration),
    /// The connection is closed after so many bytes of the server's.
    CutAfter(usize),
    /// The connection is closed once the client has sent this; the server receives it.
    CloseAt(&'static str),
    /// The connection is reset once the client has sent this; the server does not receive it.
    ResetAt(&'static str),
    /// Nothing is passed on any more once the client has sent this.
    SilenceAt(&'static str),
    /// Nothing is ever passed on.
    BlackHole,
    /// The connection leads to another port of this machine.
    Detour(u16),
}

/// Which fault the next connection of a proxy has.
#[derive(Debug, Clone)]
pub struct FaultSwitch(Arc<Mutex<Fault>>);

impl FaultSwitch {
    /// Sets the fault of the next connections.
    pub fn set(&self, fault: Fault) {
        *self.0.lock().unwrap() = fault;
    }
}

/// A running proxy. Its threads end with the process.
pub struct FaultyProxy {
    /// Where it listens on this machine.
    pub port: u16,
    connections: Arc<AtomicUsize>,
    answered_bytes: Arc<AtomicUsize>,
}

impl FaultyProxy {
    /// Starts a proxy with a fault in front of a port of this machine.
    pub fn start(upstream: u16, fault: Fault) -> Self {
        Self::start_with(upstream, move |_| fault)
    }

    /// Starts a proxy whose first connection has a fault.
    pub fn start_once(upstream: u16, fault: Fault) -> Self {
        Self::start_with(upstream, move |number| if number == 0 { fault } else { Fault::None })
    }

    /// Starts a proxy without a fault, which later connections may get.
    pub fn start_switched(upstream: u16) -> (Self, FaultSwitch) {
        let switch = FaultSwitch(Arc::new(Mutex::new(Fault::None)));
        let current = switch.clone();
        (Self::start_with(upstream, move |_| *current.0.lock().unwrap()), switch)
    }

    /// Starts a proxy whose connections have faults by their numbers.
    fn start_with(upstream: u16, fault: impl Fn(usize) -> Fault + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let answered_bytes = Arc::new(AtomicUsize::new(0));
        let (count, bytes) = (Arc::clone(&connections), Arc::clone(&answered_bytes));
        thread::spawn(move || {
            for client in listener.incoming() {
                let fault = fault(count.fetch_add(1, Ordering::SeqCst));
                let (client, bytes) = (client.unwrap(), Arc::clone(&bytes));
                thread::spawn(move || pass_on(client, upstream, fault, bytes));
            }
        });
        Self { port, connections, answered_bytes }
    }

    /// Returns how many connections there were.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Returns how many bytes of the server's were passed on.
    pub fn answered_bytes(&self) -> usize {
        self.answered_bytes.load(Ordering::SeqCst)
    }
}

fn pass_on(client: TcpStream, upstream: u16, fault: Fault, count: Arc<AtomicUsize>) {
    if matches!(fault, Fault::BlackHole) {
        hold(client);
    }
    let upstream = if let Fault::Detour(other) = fault { other } else { upstream };
    let server = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, upstream))).unwrap();
    let (from_server, to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    thread::spawn(move || pass_answers(from_server, to_client, fault, &count));
    pass_requests(client, server, fault);
}

/// Keeps a connection open until the client ends it.
fn hold(mut client: TcpStream) -> ! {
    let _ = std::io::copy(&mut client, &mut std::io::sink());
    loop {
        thread::park();
    }
}

fn pass_requests(mut client: TcpStream, mut server: TcpStream, fault: Fault) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(read) = client.read(&mut buffer) {
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        let has = |marker: &str| bytes.windows(marker.len()).any(|it| it == marker.as_bytes());
        match fault {
            Fault::CloseAt(marker) if has(marker) => {
                client.shutdown(Shutdown::Both).unwrap();
                server.write_all(bytes).unwrap();
                return;
            }
            Fault::ResetAt(marker) if has(marker) => {
                server.shutdown(Shutdown::Both).unwrap();
                // Closing with nothing to linger for sends a reset.
                set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
                return;
            }
            Fault::SilenceAt(marker) if has(marker) => hold(client),
            _ => {
                if server.write_all(bytes).is_err() {
                    break;
                }
            }
        }
    }
    let _ = server.shutdown(Shutdown::Write);
}

fn pass_answers(mut server: TcpStream, mut client: TcpStream, fault: Fault, count: &AtomicUsize) {
    let mut buffer = [0; 16 * 1024];
    let mut passed = 0;
    while let Ok(read) = server.read(&mut buffer) {
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        let sent = match fault {
            Fault::Delay(pause) => {
                thread::sleep(pause);
                client.write_all(bytes)
            }
            Fault::Drip(pause) => bytes.iter().try_for_each(|byte| {
                thread::sleep(pause);
                client.write_all(&[*byte])
            }),
            Fault::CutAfter(limit) => {
                let end = bytes.len().min(limit - passed);
                passed += end;
                client.write_all(bytes.split_at(end).0)
            }
            _ => client.write_all(bytes),
        };
        count.fetch_add(bytes.len(), Ordering::SeqCst);
        let is_cut = matches!(fault, Fault::CutAfter(limit) if limit == passed);
        if sent.is_err() || is_cut {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}
