//! Clients of the live stream that wait for what comes, by WebSocket and as server-sent events.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value as Json;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Error, HandshakeError, Message, WebSocket};

use super::http_client::RawRequest;

/// How long a message may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// What a client gets next.
#[derive(Debug)]
pub(crate) enum Received {
    /// A message.
    Message(Json),
    /// The end, with the code where one was told.
    End(Option<u16>),
}

/// A client of either kind.
pub(crate) trait EventClient {
    fn receive(&mut self) -> Received;

    /// Receives a message, which must come.
    fn message(&mut self) -> Json {
        match self.receive() {
            Received::Message(message) => message,
            Received::End(code) => panic!("the stream ended: {code:?}"),
        }
    }

    /// Receives until the stream ends; returns its code.
    fn end(&mut self) -> Option<u16> {
        loop {
            if let Received::End(code) = self.receive() {
                return code;
            }
        }
    }

    /// Receives until an event matches; returns it.
    fn event(&mut self, matches: impl Fn(&Json) -> bool) -> Json {
        loop {
            let message = self.message();
            if let Some(event) = events(&message).iter().find(|event| matches(event)) {
                return event.clone();
            }
        }
    }
}

/// The events of a message.
pub(crate) fn events(message: &Json) -> &Vec<Json> {
    message["events"].as_array().unwrap()
}

/// The cursor of a message.
pub(crate) fn next(message: &Json) -> i64 {
    message["next"].as_i64().unwrap()
}

/// A client by WebSocket.
pub(crate) struct SocketClient {
    pub(crate) socket: WebSocket<TcpStream>,
}

impl SocketClient {
    /// Opens a stream, such as `/ws?since=1`.
    pub(crate) fn open(address: SocketAddr, token: &str, path: &str) -> Self {
        Self::try_open(address, token, path).unwrap_or_else(|answer| panic!("{answer:?}"))
    }

    /// Opens a stream, or returns the status and the code of the refusal.
    pub(crate) fn try_open(
        address: SocketAddr,
        token: &str,
        path: &str,
    ) -> Result<Self, (u16, String)> {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let url = format!("ws://{address}{path}");
        let mut request = url.into_client_request().unwrap();
        let bearer = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(Self { socket }),
            Err(HandshakeError::Failure(Error::Http(answer))) => {
                let body = answer.body().as_deref().unwrap_or_default();
                let body: Json = serde_json::from_slice(body).unwrap_or_default();
                let code = body["error"]["code"].as_str().unwrap_or_default().to_owned();
                Err((answer.status().as_u16(), code))
            }
            Err(other) => panic!("{other}"),
        }
    }
}

impl EventClient for SocketClient {
    fn receive(&mut self) -> Received {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    return Received::Message(serde_json::from_str(text.as_str()).unwrap());
                }
                Ok(Message::Close(frame)) => {
                    return Received::End(frame.map(|frame| frame.code.into()));
                }
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    panic!("nothing comes");
                }
                Err(_) => return Received::End(None),
            }
        }
    }
}

/// A client of server-sent events.
pub(crate) struct StreamClient {
    lines: BufReader<TcpStream>,
    /// The head of the answer.
    pub(crate) head: String,
}

impl StreamClient {
    /// Opens a stream, such as `/stream?since=1`, with more headers.
    pub(crate) fn open(
        address: SocketAddr,
        token: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Self {
        Self::open_with(address, RawRequest::new("GET", path).bearer(token), headers)
    }

    /// Opens a stream by a request, with more headers.
    pub(crate) fn open_with(
        address: SocketAddr,
        mut request: RawRequest,
        headers: &[(&str, &str)],
    ) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        stream.write_all(&request.render(address)).unwrap();
        let mut client = Self { lines: BufReader::new(stream), head: String::new() };
        while let Some(line) = client.line().filter(|line| !line.is_empty()) {
            client.head.push_str(&line);
            client.head.push('\n');
        }
        assert!(client.head.starts_with("HTTP/1.1 200"), "{}", client.head);
        client
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.lines.read_line(&mut line).unwrap_or_else(|error| panic!("{error}"));
        (read > 0).then(|| line.trim_end().to_owned())
    }
}

impl EventClient for StreamClient {
    /// A chunk of the answer is a whole event, so that the lines between can be passed over.
    fn receive(&mut self) -> Received {
        let mut id = None;
        while let Some(line) = self.line() {
            if let Some(found) = line.strip_prefix("id: ") {
                id = found.parse::<i64>().ok();
            } else if let Some(data) = line.strip_prefix("data: ") {
                let message: Json = serde_json::from_str(data).unwrap();
                assert_eq!(id, Some(next(&message)), "the id is where a browser goes on");
                return Received::Message(message);
            }
        }
        Received::End(None)
    }
}
