//! An HTTP server that answers what a test wants.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;

use super::tls_server::{Stream, accept_tls};
use crate::certificates::Identity;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method and path.
    pub line: String,
    /// In small letters.
    pub headers: String,
    /// The whole body.
    pub body: String,
}

/// What is sent back, as bytes, and how the connection ends.
#[derive(Clone)]
pub struct Reply {
    bytes: Vec<u8>,
    then: End,
}

/// How a connection ends after the reply.
#[derive(Clone, Copy)]
enum End {
    Close,
    Hang,
    /// Zeroes without end.
    Endless,
}

impl Reply {
    /// A whole answer.
    pub fn new(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        let text = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
        );
        Self::raw(&text)
    }

    /// A success with a JSON body.
    pub fn json(body: &str) -> Self {
        Self::new("200 OK", "Content-Type: application/json\r\n", body)
    }

    /// A success with a file.
    pub fn file(content: &[u8]) -> Self {
        let length = content.len();
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        Self { bytes: [head.as_bytes(), content].concat(), then: End::Close }
    }

    /// Bytes, after which the connection is closed.
    pub fn raw(text: &str) -> Self {
        Self { bytes: text.as_bytes().to_vec(), then: End::Close }
    }

    /// Bytes, after which nothing comes.
    pub fn hanging(text: &str) -> Self {
        Self { bytes: text.as_bytes().to_vec(), then: End::Hang }
    }

    /// A body without end.
    pub fn endless() -> Self {
        let bytes = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\"".to_vec();
        Self { bytes, then: End::Endless }
    }
}

/// A running server. Its threads end with the process.
pub struct HttpServer {
    /// Where it listens on this machine.
    pub port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl HttpServer {
    /// Starts a server without TLS.
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with(None, answer)
    }

    /// Starts a server, with TLS if it gets an identity.
    pub fn start_with(
        identity: Option<Identity>,
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let shared = Arc::new((identity, answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, seen, shared) =
                    (stream.unwrap(), Arc::clone(&seen), Arc::clone(&shared));
                thread::spawn(move || {
                    let (identity, answer) = &*shared;
                    match identity {
                        Some(identity) => serve(accept_tls(stream, identity), &seen, answer),
                        None => serve(stream, &seen, answer),
                    }
                });
            }
        });
        Self { port, requests }
    }

    /// Returns the requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(mut stream: impl Stream, seen: &Mutex<Vec<Request>>, answer: &impl Fn(&Request) -> Reply) {
    // A client that does not like the certificate sends no request.
    let Some(request) = read_request(&mut stream) else { return };
    seen.lock().unwrap().push(request.clone());
    let reply = answer(&request);
    let _ = stream.write_all(&reply.bytes).and_then(|()| stream.flush());
    match reply.then {
        End::Close => {}
        End::Hang => {
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
        End::Endless => while stream.write_all(&[b'0'; 16 * 1024]).is_ok() {},
    }
}

fn read_request(stream: &mut impl Stream) -> Option<Request> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => bytes.extend_from_slice(&byte),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            _ => return None,
        }
    }
    let head = String::from_utf8(bytes).unwrap();
    let (line, headers) = head.split_once("\r\n").unwrap();
    let headers = headers.to_ascii_lowercase();
    let length = headers.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).ok()?;
    let line = line.trim_end_matches(" HTTP/1.1").to_owned();
    Some(Request { line, headers, body: String::from_utf8(body).unwrap() })
}
