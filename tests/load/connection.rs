//! The connection of a worker: the store over a transport that counts.

use std::cell::{Cell, RefCell};
use std::ffi::OsStr;
use std::rc::Rc;
use std::time::Duration;

use trueup_core::deadline::Deadline;
use trueup_core::settings::{ApiCredentials, DatabaseUrl, TlsRoots};
use trueup_core::store::SCHEMA_VERSION;
use trueup_remote::exchange::ExchangeEngine;
use trueup_remote::url::PasswordSources;
use trueup_remote::{RemoteDatabase, RemoteStore, RemoteTransport, Transport, TransportError};

use crate::LoadError;

/// How long an operation is repeated before it is given up, which ends the program.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// A connection that is kept, and what went over it.
pub(crate) struct Connection {
    transport: Rc<RefCell<RemoteTransport>>,
    counts: Rc<Cell<RequestCounts>>,
    /// How long one attempt at an operation may take.
    limit: Duration,
}

/// Requests since the last look.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RequestCounts {
    pub(crate) sent: u64,
    pub(crate) failed: u64,
    /// Those that may have been carried out although there was no answer.
    pub(crate) doubtful: u64,
}

impl Connection {
    /// Prepares a connection, which is made at the first request.
    pub(crate) fn new(url: &str, limit: Duration) -> Result<Self, LoadError> {
        let Ok(DatabaseUrl::Remote(url)) = DatabaseUrl::parse(OsStr::new(url)) else {
            return Err("this is not the URL of a shared database".into());
        };
        let remote = RemoteDatabase {
            url,
            credentials: ApiCredentials::default(),
            passwords: PasswordSources::default(),
            roots: TlsRoots::default(),
            flavour_memory: None,
        };
        let transport = Rc::new(RefCell::new(remote.open_transport()?));
        Ok(Self { transport, counts: Rc::default(), limit })
    }

    /// Returns a store whose deadline begins now.
    pub(crate) fn open_store(&self) -> RemoteStore {
        let transport = CountingTransport {
            inner: Rc::clone(&self.transport),
            counts: Rc::clone(&self.counts),
        };
        let deadline = Deadline::after(self.limit);
        RemoteStore::new(ExchangeEngine::new(Box::new(transport), SCHEMA_VERSION, deadline))
    }

    /// Returns what was counted since the last call.
    pub(crate) fn take_counts(&self) -> RequestCounts {
        self.counts.take()
    }
}

struct CountingTransport {
    inner: Rc<RefCell<RemoteTransport>>,
    counts: Rc<Cell<RequestCounts>>,
}

impl Transport for CountingTransport {
    fn exchange(&mut self, request: &str, deadline: Deadline) -> Result<String, TransportError> {
        let answer = self.inner.borrow_mut().exchange(request, deadline);
        let mut counts = self.counts.get();
        counts.sent += 1;
        if let Err(error) = &answer {
            counts.failed += 1;
            counts.doubtful += u64::from(error.may_have_committed());
        }
        self.counts.set(counts);
        answer
    }
}
