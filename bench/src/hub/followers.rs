//! Hundreds of clients that follow the live stream while another process writes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::time::timeout;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::running_hub::{Consumption, RunningHub};
use crate::binaries::Binaries;
use crate::{BenchError, print_progress};

/// The clients.
pub(super) const CLIENTS: usize = 500;

/// The events of a second, each of a transaction of its own.
pub(super) const EVENTS_PER_SECOND: usize = 50;

/// How long events are written.
const SECONDS: usize = 60;
const QUICK_SECONDS: usize = 5;

/// How much longer the clients may wait for the last event.
const PATIENCE: Duration = Duration::from_mins(2);

/// What the keys of the items begin with whose events count.
const PREFIX: &str = "LIVE-";

/// What the clients got.
#[derive(Debug)]
pub(super) struct StreamTimes {
    /// The events that were written.
    pub(super) events: usize,
    /// The clients that got each of them once, in order.
    pub(super) whole_clients: usize,
    /// From the moment before the write to the receipt, in milliseconds.
    pub(super) median_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) max_ms: f64,
    /// What the hub used, of which the processor for as long as events were written.
    pub(super) hub: Consumption,
    pub(super) seconds: f64,
}

/// When each event was written, in microseconds since the start; shared by writer and clients.
struct Schedule {
    origin: Instant,
    written: Vec<AtomicU64>,
    ready: AtomicUsize,
}

impl Schedule {
    fn now(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// Lets clients follow while events are written.
pub(super) fn measure_stream(
    binaries: &Binaries,
    is_quick: bool,
) -> Result<StreamTimes, BenchError> {
    print_progress(&format!("{CLIENTS} clients follow {EVENTS_PER_SECOND} events a second"));
    let hub = RunningHub::start(binaries)?;
    let events = EVENTS_PER_SECOND * if is_quick { QUICK_SECONDS } else { SECONDS };
    let schedule = Arc::new(Schedule {
        origin: Instant::now(),
        written: (0..events).map(|_| AtomicU64::new(0)).collect(),
        ready: AtomicUsize::new(0),
    });
    let (address, token) = (hub.address, hub.token.clone());
    let followed = Arc::clone(&schedule);
    let clients = thread::spawn(move || run_clients(address, &token, &followed));
    while schedule.ready.load(Ordering::Acquire) < CLIENTS {
        if clients.is_finished() {
            return Err("the clients could not connect".into());
        }
        thread::sleep(Duration::from_millis(20));
    }
    let before = hub.consumption()?;
    let began = Instant::now();
    write_events(&hub, &schedule)?;
    let seconds = began.elapsed().as_secs_f64();
    let after = hub.consumption()?;
    let outcomes = clients.join().map_err(|_| "the clients panicked")?.map_err(|e| e.clone())?;
    let whole_clients = outcomes.iter().filter(|times| times.len() == events).count();
    let mut times: Vec<u64> = outcomes.into_iter().flatten().collect();
    times.sort_unstable();
    Ok(StreamTimes {
        events,
        whole_clients,
        median_ms: share_ms(&times, 50),
        p99_ms: share_ms(&times, 99),
        max_ms: share_ms(&times, 100),
        hub: Consumption { processor: after.processor - before.processor, ..hub.consumption()? },
        seconds,
    })
}

/// Writes events at an even pace.
fn write_events(hub: &RunningHub, schedule: &Schedule) -> Result<(), BenchError> {
    let database = hub.open_database()?;
    let mut insert = database.prepare("INSERT INTO work_items (key) VALUES (?1)")?;
    let pace = Duration::from_secs(1) / u32::try_from(EVENTS_PER_SECOND)?;
    let began = Instant::now();
    for (number, written) in (0..).zip(&schedule.written) {
        thread::sleep((began + pace * number).saturating_duration_since(Instant::now()));
        written.store(schedule.now(), Ordering::Release);
        insert.execute([format!("{PREFIX}{number}")])?;
    }
    Ok(())
}

/// Runs all clients on this thread; returns the times of the events that each got in order.
fn run_clients(
    address: SocketAddr,
    token: &str,
    schedule: &Arc<Schedule>,
) -> Result<Vec<Vec<u64>>, String> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| tokio::spawn(run_client(address, token.to_owned(), Arc::clone(schedule))))
            .collect();
        let mut outcomes = Vec::new();
        for client in clients {
            let outcome = client.await.map_err(|error| error.to_string())?;
            outcomes.push(outcome.map_err(|error| error.to_string())?);
        }
        Ok(outcomes)
    })
}

/// A message, as far as it counts here.
#[derive(Deserialize)]
struct EventMessage {
    events: Vec<EventKey>,
}

#[derive(Deserialize)]
struct EventKey {
    key: String,
}

async fn run_client(
    address: SocketAddr,
    token: String,
    schedule: Arc<Schedule>,
) -> Result<Vec<u64>, Box<dyn std::error::Error + Send + Sync>> {
    let mut request = format!("ws://{address}/ws").into_client_request()?;
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse()?);
    let (mut socket, _) = client_async(request, TcpStream::connect(address).await?).await?;
    let mut times = Vec::with_capacity(schedule.written.len());
    let mut is_ready = false;
    while times.len() < schedule.written.len() {
        // The end, or silence, leaves this client with fewer than all.
        let Ok(Some(message)) = timeout(PATIENCE, socket.next()).await else {
            break;
        };
        let Message::Text(text) = message? else {
            continue;
        };
        let received = schedule.now();
        // The first message tells that the stream has begun.
        if !is_ready {
            is_ready = true;
            schedule.ready.fetch_add(1, Ordering::AcqRel);
        }
        let message: EventMessage = serde_json::from_str(text.as_str())?;
        for EventKey { key } in message.events {
            let Some(number) = key.strip_prefix(PREFIX) else {
                continue;
            };
            if number.parse() != Ok(times.len()) {
                return Ok(times);
            }
            let written = schedule.written.get(times.len()).map_or(0, load);
            times.push(received.saturating_sub(written));
        }
    }
    Ok(times)
}

fn load(time: &AtomicU64) -> u64 {
    time.load(Ordering::Acquire)
}

/// Returns the time that so many of a hundred stay within, in milliseconds.
#[expect(clippy::cast_precision_loss, reason = "nothing takes 2^52 microseconds")]
pub(super) fn share_ms(sorted: &[u64], share: usize) -> f64 {
    let index = sorted.len().saturating_sub(1) * share / 100;
    sorted.get(index).map_or(f64::NAN, |micros| *micros as f64 / 1_000.0)
}
